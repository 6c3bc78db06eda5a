/* The elements of images in another order, channels last: a transposition of the axes, or images of another shape of the
 * same elements. Counting elements channels first, as nets do,
 *
 *   y[n, h, w, c] = x[n, element e],   e = stride_c c + stride_h h + stride_w w
 *
 * which lies in channel e / (from_h from_w) at pixel e mod (from_h from_w). Work-item (element of y). */
#include "params.h"
#include "real.h"

kernel void permute(const permute_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const permute_sizes z = SIZES(given);
    const int id = (int)get_global_id(0), c = id % z.c, pixel = id / z.c, w = pixel % z.w, row = pixel / z.w;
    const int n = row / z.h, h = row % z.h, area = z.from_h * z.from_w;
    if (n >= z.n) return;
    const int element = z.stride_c * c + z.stride_h * h + z.stride_w * w;
    PUT(GET(x + ((size_t)n * area + element % area) * z.from_c + element / area), y + id);
}
