/* Channels become pixels, scale x scale of them each, and back (Shi et al. 2016); channels last.
 *
 *   pixel_shuffle    y[n, s h + i, s w + j, c] = x[n, h, w, s s c + s i + j]
 *   pixel_unshuffle  y[n, h, w, s s c + s i + j] = x[n, s h + i, s w + j, c]
 *
 * with s = scale, i and j from 0 to s - 1. Each is the other's gradient. Work-item (element of y). */
#include "params.h"
#include "real.h"

#ifdef OP_pixel_shuffle
kernel void pixel_shuffle(const pixel_shuffle_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const pixel_shuffle_sizes z = SIZES(given);
    const int id = (int)get_global_id(0), c = id % z.c, column = id / z.c % (z.w * z.scale),
              row = id / z.c / (z.w * z.scale);
    if (row >= z.n * z.h * z.scale) return;
    const size_t pixel = (size_t)(row / z.scale) * z.w + column / z.scale;
    PUT(GET(x + pixel * z.c * z.scale * z.scale + (c * z.scale + row % z.scale) * z.scale + column % z.scale), y + id);
}
#endif

#ifdef OP_pixel_unshuffle
kernel void pixel_unshuffle(const pixel_shuffle_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const pixel_shuffle_sizes z = SIZES(given);
    const int all = z.c * z.scale * z.scale, id = (int)get_global_id(0), k = id % all, pixel = id / all;
    if (pixel >= z.n * z.h * z.w) return;
    const int row = pixel / z.w * z.scale + k / z.scale % z.scale, column = pixel % z.w * z.scale + k % z.scale;
    PUT(GET(x + ((size_t)row * z.w * z.scale + column) * z.c + k / (z.scale * z.scale)), y + id);
}
#endif
