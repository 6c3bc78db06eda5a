/* Zero padding and upsampling, channels last: each output is one input, or 0. (What lies between pixels: resize.cl.)
 *
 *   forward    y[n,y,x,c] = x[n, (y - pad_y) / scale_y, (x - pad_x) / scale_x, c] where that lies inside the image, else 0
 *   gradient   dx[n,h,w,c] = sum over i < scale_y, j < scale_x of dy[n, pad_y + h*scale_y + i, pad_x + w*scale_x + j, c]
 *
 * Work-item (vector of channels of a pixel of the result). */
#include "params.h"
#include "pixel.h"

#ifdef OP_resample_forward
kernel void resample_forward(const resample_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const resample_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const int h = p.row - z.pad_y, w = p.column - z.pad_x;
    const bool inside = h >= 0 && w >= 0 && h < z.h * z.scale_y && w < z.w * z.scale_x;
    const size_t from = (((size_t)p.n * z.h + h / z.scale_y) * z.w + w / z.scale_x) * z.c + p.c;
    store_lanes(inside ? load_lanes(x + from, p.lanes) : (realv)0, p.lanes, y + p.at);
}
#endif

#ifdef OP_resample_gradient
kernel void resample_gradient(const resample_sizes given, global const stored *restrict dy, global stored *restrict dx)
{
    const resample_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const int y = z.pad_y + p.row * z.scale_y, x = z.pad_x + p.column * z.scale_x;
    realv sum = 0;
    for (int i = 0; i < z.scale_y; i++)
        for (int j = 0; j < z.scale_x; j++)
            sum += load_lanes(dy + (((size_t)p.n * z.y + y + i) * z.x + x + j) * z.c + p.c, p.lanes);
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
