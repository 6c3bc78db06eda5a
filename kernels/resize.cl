/* Images made another size, channels last. Whatever the grid, output y lies at a place of the input that is a whole number of
 * parts of a pixel, so that host and device agree on which pixels it shows:
 *
 *   at(y) = max(start_y + step_y y, 0),   above(y) = min(at(y) / parts_y, H - 1),   below(y) = min(above(y) + 1, H - 1),
 *   lower(y) = (at(y) mod parts_y) / parts_y,   upper(y) = 1 - lower(y), and likewise across.
 *
 *   nearest    y[n,y,x,c] = x[n, above(y), above(x), c],   dx[n,h,w,c] = sum over y,x that show (h,w) of dy[n,y,x,c]
 *   bilinear   y[n,y,x,c] = sum over h,w of a(y,h) b(x,w) x[n,h,w,c],   dx[n,h,w,c] = sum over y,x of a(y,h) b(x,w) dy[n,y,x,c]
 *              a: upper(y) for above(y) and lower(y) for below(y), b the same across
 *
 * at grows with y, so the outputs that a pixel is shown in are neighbours. Parts are fewer than 2^24 and so exact in float;
 * products of sizes may exceed an int. Work-item (vector of channels of a pixel of the result). */
#include "params.h"
#include "pixel.h"

static inline long at(const int y, const int step, const int start)
{
    return max((long)step * y + start, (long)0);
}

/* The first of `outputs` whose pixel above, of `size`, is `h` or a later one. */
static inline int first_at(const int h, const int size, const int step, const int start, const int parts, const int outputs)
{
    if (h <= 0) return 0;
    if (step == 0 || h >= size) return outputs;
    const long wanted = (long)h * parts - start;
    return wanted <= 0 ? 0 : (int)min((wanted + step - 1) / step, (long)outputs);
}

#ifdef OP_nearest_forward
kernel void nearest_forward(const resize_sizes given, global const real *restrict x, global real *restrict y)
{
    const resize_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const int h = min((int)(at(p.row, z.step_y, z.start_y) / z.parts_y), z.h - 1);
    const int w = min((int)(at(p.column, z.step_x, z.start_x) / z.parts_x), z.w - 1);
    store_lanes(load_lanes(x + (((size_t)p.n * z.h + h) * z.w + w) * z.c + p.c, p.lanes), p.lanes, y + p.at);
}
#endif

#ifdef OP_nearest_gradient
kernel void nearest_gradient(const resize_sizes given, global const real *restrict dy, global real *restrict dx)
{
    const resize_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const int end_y = first_at(p.row + 1, z.h, z.step_y, z.start_y, z.parts_y, z.y);
    const int end_x = first_at(p.column + 1, z.w, z.step_x, z.start_x, z.parts_x, z.x);
    realv sum = 0;
    for (int y = first_at(p.row, z.h, z.step_y, z.start_y, z.parts_y, z.y); y < end_y; y++)
        for (int x = first_at(p.column, z.w, z.step_x, z.start_x, z.parts_x, z.x); x < end_x; x++)
            sum += load_lanes(dy + (((size_t)p.n * z.y + y) * z.x + x) * z.c + p.c, p.lanes);
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif

#if defined OP_bilinear_forward || defined OP_bilinear_gradient
typedef struct {
    int above, below;
    real upper, lower;
} between;

/* The inputs around output y, of `size` in all, and the shares that they have. */
static inline between inputs_of(const int y, const int size, const int step, const int start, const int parts)
{
    const long here = at(y, step, start);
    const int above = min((int)(here / parts), size - 1), rest = (int)(here % parts);
    return (between){above, min(above + 1, size - 1), (real)(parts - rest) / parts, (real)rest / parts};
}
#endif

#ifdef OP_bilinear_forward
kernel void bilinear_forward(const resize_sizes given, global const real *restrict x, global real *restrict y)
{
    const resize_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const between down = inputs_of(p.row, z.h, z.step_y, z.start_y, z.parts_y);
    const between across = inputs_of(p.column, z.w, z.step_x, z.start_x, z.parts_x);
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
/* The share that input h has in what lies between. */
static inline real share_of(const between b, const int h)
{
    return (b.above == h ? b.upper : 0) + (b.below == h ? b.lower : 0);
}

kernel void bilinear_gradient(const resize_sizes given, global const real *restrict dy, global real *restrict dx)
{
    const resize_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const int end_y = first_at(p.row + 1, z.h, z.step_y, z.start_y, z.parts_y, z.y);
    const int end_x = first_at(p.column + 1, z.w, z.step_x, z.start_x, z.parts_x, z.x);
    realv sum = 0;
    for (int y = first_at(p.row - 1, z.h, z.step_y, z.start_y, z.parts_y, z.y); y < end_y; y++) {
        const real down = share_of(inputs_of(y, z.h, z.step_y, z.start_y, z.parts_y), p.row);
        for (int x = first_at(p.column - 1, z.w, z.step_x, z.start_x, z.parts_x, z.x); x < end_x; x++) {
            const real across = share_of(inputs_of(x, z.w, z.step_x, z.start_x, z.parts_x), p.column);
            sum += down * across * load_lanes(dy + (((size_t)p.n * z.y + y) * z.x + x) * z.c + p.c, p.lanes);
        }
    }
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
