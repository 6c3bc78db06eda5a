/* NPY, numpy's array format, versions 1.0 to 3.0: a magic, a header that is a Python dictionary, the values. */
#ifndef CLT_DATA_NPY_H
#define CLT_DATA_NPY_H

#include "data/array.h"

/* Parses the `size` bytes of array->bytes, all of a file called array->name. Other types than those of an array fail:
 * Python's objects, records, complex numbers, dates. */
clt_status clt__npy_parse(clt__array *array, size_t size, clt_error *error);

bool clt__npy_looks(const unsigned char *start, size_t size);

#endif
