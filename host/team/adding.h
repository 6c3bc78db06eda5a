/* How a rank adds what shards have found. */
#ifndef CLT_TEAM_ADDING_H
#define CLT_TEAM_ADDING_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of `size` bytes: floats or doubles, which `rounds` keeps to what floats can be. */
typedef struct clt__numbers {
    size_t size;
    bool rounds;
} clt__numbers;

/* To -0, which a number that is added to it leaves as it was: 0 would make +0 of a first -0. */
void clt__clear_numbers(clt__numbers of, void *value, size_t count);
/* sum[i] += part[i] */
void clt__add_numbers(clt__numbers of, void *sum, const void *part, size_t count);
/* value[i] /= by */
void clt__divide_numbers(clt__numbers of, void *value, size_t count, int by);

#endif
