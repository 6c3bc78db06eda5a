/* Arrays as NPY and IDX files hold them: numbers or texts, of up to four dimensions. */
#ifndef CLT_DATA_ARRAY_H
#define CLT_DATA_ARRAY_H

#include <stddef.h>

#include "base/error.h"

enum { CLT__ARRAY_MAX_DIMENSIONS = 4 };

typedef struct clt__array {
    char *name;    /* where it lies, for messages */
    char kind;     /* numpy's letter: 'b' yes or no, 'u' and 'i' integers, 'f' reals, 'S' bytes, 'U' characters */
    uint32_t size; /* bytes of a value: 1, 2, 4 or 8 of a number */
    bool swap;     /* its numbers are big-endian */
    bool fortran;  /* the first index runs fastest, where in C's order the last does */
    int dimensions;
    uint64_t extent[CLT__ARRAY_MAX_DIMENSIONS];
    uint64_t count;            /* their product */
    const unsigned char *data; /* inside `bytes`; not aligned */
    char *bytes;
} clt__array;

void clt__array_free(clt__array *array);

bool clt__array_is_text(const clt__array *array);
bool clt__array_is_integer(const clt__array *array); /* a yes or no is one too */

/* Value `index`, counted in C's order: of numbers; of integers, the nearest that int64_t has. */
double clt__array_real(const clt__array *array, uint64_t index);
int64_t clt__array_integer(const clt__array *array, uint64_t index);

/* Value `index` of texts as UTF-8, without the zeros that fill it up. `text` has room for size + 1 characters. */
void clt__array_text(const clt__array *array, uint64_t index, char *text);

/* "u2", "f8", "U5" */
enum { CLT__ARRAY_TYPE_ROOM = 16 };
void clt__array_type(const clt__array *array, char type[CLT__ARRAY_TYPE_ROOM]);

#endif
