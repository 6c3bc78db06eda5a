/* For kernels whose work-items each make a vector of channels of one pixel: work-item (pixel, vector), in one row. */
#ifndef CLT_PIXEL_H
#define CLT_PIXEL_H

#include "real.h"

/* Where a work-item's vector lies: in image n, at element `at` of the result; `lanes` channels of the pixel are left, 0
 * where there is nothing to do. */
typedef struct {
    int n, row, column, c, lanes;
    size_t at;
} place;

static inline place place_of(const int n, const int rows, const int columns, const int channels)
{
    const int vectors = (channels + VEC - 1) / VEC, id = (int)get_global_id(0), pixel = id / vectors;
    place p = {pixel / columns / rows, pixel / columns % rows, pixel % columns, id % vectors * VEC, 0, 0};
    p.lanes = p.n < n ? channels - p.c : 0; /* items beyond the last have nothing to do */
    p.at = (size_t)pixel * channels + p.c;
    return p;
}

#endif
