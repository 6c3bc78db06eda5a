/* IDX, the format of the MNIST family (http://yann.lecun.com/exdb/mnist): two zero bytes, a type byte (0x08 for
 * unsigned bytes), the number of dimensions, each dimension as a big-endian 32-bit count, then the data. Plain or gzip.
 */
#ifndef CLT_DATA_IDX_H
#define CLT_DATA_IDX_H

#include "base/error.h"

enum { CLT__IDX_MAX_DIMENSIONS = 4 };

typedef struct clt__idx {
    int dimensions;
    uint32_t extent[CLT__IDX_MAX_DIMENSIONS];
    uint8_t *data; /* the product of the extents, in bytes */
} clt__idx;

clt_status clt__idx_read(const char *path, clt__idx *idx, clt_error *error);
void clt__idx_free(clt__idx *idx);

#endif
