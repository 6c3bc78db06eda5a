/* Average pooling to a given size, channels last, as torch.nn.AdaptiveAvgPool2d has it. Both sides of an image are cut in as
 * many parts as there are outputs; where that leaves a remainder, parts share the pixels that they meet in:
 *
 *   part i of `parts` in `size` pixels   floor(i size / parts) <= h < ceil((i + 1) size / parts)
 *
 *   forward    y[n,y,x,c] = sum over part y of H, part x of W of x[n,h,w,c] / area(y,x)         area: pixels of both parts
 *   gradient   dx[n,h,w,c] = sum over the outputs (y,x) in whose parts (h,w) lies of dy[n,y,x,c] / area(y,x)
 *
 * Those outputs are, in turn, part h of H in the y and part w of W in the x outputs. Products of sizes may exceed an int.
 *
 * Work-item (vector of channels of a pixel of the result). */
#include "params.h"
#include "pixel.h"

static inline int part_first(const int i, const int parts, const int size)
{
    return (int)((long)i * size / parts);
}

static inline int part_end(const int i, const int parts, const int size)
{
    return (int)(((long)(i + 1) * size + parts - 1) / parts);
}

static inline int area(const adaptive_sizes z, const int y, const int x)
{
    return (part_end(y, z.y, z.h) - part_first(y, z.y, z.h)) * (part_end(x, z.x, z.w) - part_first(x, z.x, z.w));
}

#ifdef OP_adaptive_forward
kernel void adaptive_forward(const adaptive_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const adaptive_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const int end_h = part_end(p.row, z.y, z.h), end_w = part_end(p.column, z.x, z.w);
    realv sum = 0;
    for (int h = part_first(p.row, z.y, z.h); h < end_h; h++)
        for (int w = part_first(p.column, z.x, z.w); w < end_w; w++)
            sum += load_lanes(x + (((size_t)p.n * z.h + h) * z.w + w) * z.c + p.c, p.lanes);
    store_lanes(sum / (real)area(z, p.row, p.column), p.lanes, y + p.at);
}
#endif

#ifdef OP_adaptive_gradient
kernel void adaptive_gradient(const adaptive_sizes given, global const stored *restrict dy, global stored *restrict dx)
{
    const adaptive_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const int end_y = part_end(p.row, z.h, z.y), end_x = part_end(p.column, z.w, z.x);
    realv sum = 0;
    for (int oy = part_first(p.row, z.h, z.y); oy < end_y; oy++)
        for (int ox = part_first(p.column, z.w, z.x); ox < end_x; ox++)
            sum += load_lanes(dy + (((size_t)p.n * z.y + oy) * z.x + ox) * z.c + p.c, p.lanes) / (real)area(z, oy, ox);
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
