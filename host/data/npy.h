/* NPY, numpy's array format, versions 1.0 to 3.0: a magic, a header that is a Python dictionary, the values. */
#ifndef CLT_DATA_NPY_H
#define CLT_DATA_NPY_H

#include <stddef.h>

#include "base/error.h"

enum { CLT__NPY_MAX_DIMENSIONS = 4 };

typedef struct clt__npy {
    char kind; /* 'u', 'i' or 'f' as in numpy's type names */
    int size;  /* bytes of a value: 1, 2, 4 or 8; 4 or 8 of a float */
    bool swap; /* the values are big-endian */
    int dimensions;
    uint64_t extent[CLT__NPY_MAX_DIMENSIONS];
    uint64_t count;            /* their product */
    const unsigned char *data; /* inside the bytes that were parsed; not aligned */
} clt__npy;

/* Parses the bytes of a whole file called `name`, which must stay while the array is used. Any other type than those
 * above fails, as does Fortran's order. */
clt_status clt__npy_parse(const char *name, const void *bytes, size_t size, clt__npy *array, clt_error *error);

/* Value `index` of an array of floats, or of integers; the latter as the nearest that int64_t has. */
double clt__npy_real(const clt__npy *array, uint64_t index);
int64_t clt__npy_integer(const clt__npy *array, uint64_t index);

bool clt__npy_looks(const unsigned char *start, size_t size);

#endif
