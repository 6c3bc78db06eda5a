/* Host memory: sizes are multiplied in 64 bits and checked before anything is asked for. */
#ifndef CLT_BASE_MEMORY_H
#define CLT_BASE_MEMORY_H

#include "base/error.h"

/* *product = a * b; false, and *product untouched, when that does not fit in 64 bits. */
bool clt__multiply(uint64_t a, uint64_t b, uint64_t *product);

/* Zeroed memory for `count` things of `size` bytes. *memory is freed with free(); a count of 0 still gives a pointer.
 * `what` names the thing in the error: "the images of train-images". */
clt_status clt__allocate(uint64_t count, size_t size, const char *what, void *memory, clt_error *error);

/* Room for one more thing at the end of an array: doubles *capacity when `count` has reached it. */
clt_status clt__grow(void *array, size_t *capacity, size_t count, size_t size, clt_error *error);

/* About how many bytes this process may still take without anything being swapped out. */
uint64_t clt__free_memory(void);

/* A copy of `text`, freed with free(). */
clt_status clt__copy_text(const char *text, char **copy, clt_error *error);

#endif
