/* IDX, the format of the MNIST family (http://yann.lecun.com/exdb/mnist): two zero bytes, a type byte, the number of
 * dimensions, each dimension as a big-endian 32-bit count, then the big-endian data. Plain or gzip.
 */
#ifndef CLT_DATA_IDX_H
#define CLT_DATA_IDX_H

#include "data/array.h"

clt_status clt__idx_read(const char *path, clt__array *array, clt_error *error);

#endif
