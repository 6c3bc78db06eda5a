/* Zero padding and upsampling, channels last.
 *
 * resample: each output is one input, or 0.
 *
 *   forward    y[n,y,x,c] = x[n, (y - pad_y) / scale_y, (x - pad_x) / scale_x, c] where that lies inside the image, else 0
 *   gradient   dx[n,h,w,c] = sum over i < scale_y, j < scale_x of dy[n, pad_y + h*scale_y + i, pad_x + w*scale_x + j, c]
 *
 * bilinear: an output lies between two inputs each way, as torch.nn.Upsample with align_corners=False has it. With u = max(2 y + 1
 * - scale_y, 0), a whole number of parts of 1 / (2 scale_y), its input above is h = u / (2 scale_y) and the one below that or, at
 * the image's end, the same; the latter's share is (u mod 2 scale_y) / (2 scale_y), and likewise across.
 *
 *   forward    y[n,y,x,c] = sum over h,w of a(y,h) b(x,w) x[n,h,w,c]           a, b: the shares
 *   gradient   dx[n,h,w,c] = sum over y,x of a(y,h) b(x,w) dy[n,y,x,c]
 *
 * Work-item (vector of channels of a pixel of the result). */
#include "params.h"
#include "pixel.h"

#ifdef OP_resample_forward
kernel void resample_forward(const resample_sizes given, global const real *restrict x, global real *restrict y)
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
kernel void resample_gradient(const resample_sizes given, global const real *restrict dy, global real *restrict dx)
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

#if defined OP_bilinear_forward || defined OP_bilinear_gradient
/* The inputs above and below an output, of `size` in all, and the shares that they have. */
typedef struct {
    int above, below;
    real upper, lower;
} between;

static inline between inputs_of(const int y, const int size, const int scale)
{
    const int parts = 2 * scale, u = max(2 * y + 1 - scale, 0), above = u / parts;
    return (between){above, min(above + 1, size - 1), (real)(parts - u % parts) / parts, (real)(u % parts) / parts};
}
#endif

#ifdef OP_bilinear_forward
kernel void bilinear_forward(const resample_sizes given, global const real *restrict x, global real *restrict y)
{
    const resample_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const between down = inputs_of(p.row, z.h, z.scale_y), across = inputs_of(p.column, z.w, z.scale_x);
    global const real *above = x + ((size_t)p.n * z.h + down.above) * z.w * z.c + p.c;
    global const real *below = x + ((size_t)p.n * z.h + down.below) * z.w * z.c + p.c;
    const int left = across.above * z.c, right = across.below * z.c;
    const realv top = across.upper * load_lanes(above + left, p.lanes) + across.lower * load_lanes(above + right, p.lanes);
    const realv bottom =
        across.upper * load_lanes(below + left, p.lanes) + across.lower * load_lanes(below + right, p.lanes);
    store_lanes(down.upper * top + down.lower * bottom, p.lanes, y + p.at);
}
#endif

#ifdef OP_bilinear_gradient
/* The share that input h has in output y. */
static inline real share_of(const int y, const int h, const int size, const int scale)
{
    const between b = inputs_of(y, size, scale);
    return (b.above == h ? b.upper : 0) + (b.below == h ? b.lower : 0);
}

kernel void bilinear_gradient(const resample_sizes given, global const real *restrict dy, global real *restrict dx)
{
    const resample_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const int end_y = min((p.row + 2) * z.scale_y, z.y), end_x = min((p.column + 2) * z.scale_x, z.x);
    realv sum = 0;
    for (int y = max((p.row - 1) * z.scale_y, 0); y < end_y; y++)
        for (int x = max((p.column - 1) * z.scale_x, 0); x < end_x; x++) {
            const real share = share_of(y, p.row, z.h, z.scale_y) * share_of(x, p.column, z.w, z.scale_x);
            sum += share * load_lanes(dy + (((size_t)p.n * z.y + y) * z.x + x) * z.c + p.c, p.lanes);
        }
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
