/* Average pooling, channels last. A window covers the pixels it[h, w] with
 *   y*stride_y - pad_y <= h < min(y*stride_y - pad_y + r, H + pad_end_y), and likewise for w,
 * of which only those inside the image are added.
 *
 *   forward    y[n,y,x,c] = sum over the window of x[n,h,w,c] / area(y,x)
 *   gradient   dx[n,h,w,c] = sum over the windows (y,x) that cover (h,w) of dy[n,y,x,c] / area(y,x)
 *   area       pixels of the window, those in the padding counted if include_pad says so (as torch.nn.AvgPool2d has it)
 *
 * Work-item (vector of channels of a pixel of the result); under the tile schedule, where windows are large, a work-group. */
#include "pixel.h"
#include "sums.h"

static inline int area(const average_sizes z, const int y, const int x)
{
    const int h = y * z.stride_y - z.pad_y, w = x * z.stride_x - z.pad_x;
    const int end_h = min(h + z.r, z.h + z.pad_end_y), end_w = min(w + z.s, z.w + z.pad_end_x);
    if (z.include_pad) return (end_h - h) * (end_w - w);
    return (min(end_h, z.h) - max(h, 0)) * (min(end_w, z.w) - max(w, 0));
}

#if defined OP_average_forward && defined SPREAD
/* Work-group (channels, pixel of the result), whose items take turns at the window's pixels. */
kernel SUM_GROUP void average_forward(const average_sizes given, global const stored *restrict x, global stored *restrict y TREE)
{
    const average_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int c = COLUMN(ACROSS), pixel = (int)get_group_id(1);
    const int n = pixel / z.x / z.y, row = pixel / z.x % z.y, column = pixel % z.x;
    const int top = max(row * z.stride_y - z.pad_y, 0), bottom = min(row * z.stride_y - z.pad_y + z.r, z.h);
    const int left = max(column * z.stride_x - z.pad_x, 0), right = min(column * z.stride_x - z.pad_x + z.s, z.w);
    real sum = 0;
    for (int i = ROW(ACROSS); i < (bottom - top) * (right - left) && c < z.c; i += DOWN)
        sum += GET(x + (((size_t)n * z.h + top + i / (right - left)) * z.w + left + i % (right - left)) * z.c + c);
    sum = add_rows(sum, ACROSS, DOWN, tree);
    if (c < z.c && ROW(ACROSS) == 0) PUT(sum / area(z, row, column), y + (size_t)pixel * z.c + c);
}
#elif defined OP_average_forward
kernel void average_forward(const average_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const average_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const int top = p.row * z.stride_y - z.pad_y, left = p.column * z.stride_x - z.pad_x;
    realv sum = 0;
    for (int h = max(top, 0); h < min(top + z.r, z.h); h++)
        for (int w = max(left, 0); w < min(left + z.s, z.w); w++)
            sum += load_lanes(x + (((size_t)p.n * z.h + h) * z.w + w) * z.c + p.c, p.lanes);
    store_lanes(sum / (real)area(z, p.row, p.column), p.lanes, y + p.at);
}
#endif

#ifdef OP_average_gradient
kernel void average_gradient(const average_sizes given, global const stored *restrict dy, global stored *restrict dx)
{
    const average_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const int below = p.row + z.pad_y, right = p.column + z.pad_x;
    const int first_y = below < z.r ? 0 : (below - z.r) / z.stride_y + 1, last_y = min(below / z.stride_y, z.y - 1);
    const int first_x = right < z.s ? 0 : (right - z.s) / z.stride_x + 1, last_x = min(right / z.stride_x, z.x - 1);
    realv sum = 0;
    for (int oy = first_y; oy <= last_y; oy++)
        for (int ox = first_x; ox <= last_x; ox++)
            sum += load_lanes(dy + (((size_t)p.n * z.y + oy) * z.x + ox) * z.c + p.c, p.lanes) / (real)area(z, oy, ox);
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
