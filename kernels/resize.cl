/* Images made another size, channels last. Whatever the grid, output y lies at a place of the input that is a whole number of
 * parts of a pixel, so that host and device agree on which pixels it shows:
 *
 *   at(y) = max(start_y + step_y y, 0),   above(y) = min(at(y) / parts_y, H - 1),   below(y) = min(above(y) + 1, H - 1),
 *   lower(y) = (at(y) mod parts_y) / parts_y,   upper(y) = 1 - lower(y), and likewise across.
 *
 *   nearest    y[n,y,x,c] = x[n, above(y), above(x), c],   dx[n,h,w,c] = sum over y,x that show (h,w) of dy[n,y,x,c]
 *   bilinear   y[n,y,x,c] = sum over h,w of a(y,h) b(x,w) x[n,h,w,c],   dx[n,h,w,c] = sum over y,x of a(y,h) b(x,w) dy[n,y,x,c]
 *              a: upper(y) for above(y) and lower(y) for below(y), b the same across
 *   bicubic    the same, but a and b are of four inputs: those at floor(p) - 1 to floor(p) + 2 of p = (start_y + step_y y) / parts_y,
 *              which may lie before the image. With t = p - floor(p), s = 1 - t and A the cubic's slope at 1, their shares are
 *                A t s^2,   s (s (1 + 2 t) - A t^2),   t (t (1 + 2 s) - A s^2),   A s t^2
 *              which is Keys's cubic convolution (IEEE Trans. ASSP 29, 1981) with its factors taken out, so that nothing cancels
 *              while A <= 0. Inputs outside the image are its edge, or have no share and the others are made to add up to 1.
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
kernel void nearest_forward(const resize_sizes given, global const stored *restrict x, global stored *restrict y)
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
kernel void nearest_gradient(const resize_sizes given, global const stored *restrict dy, global stored *restrict dx)
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
kernel void bilinear_forward(const resize_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const resize_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const between down = inputs_of(p.row, z.h, z.step_y, z.start_y, z.parts_y);
    const between across = inputs_of(p.column, z.w, z.step_x, z.start_x, z.parts_x);
    global const stored *above = x + ((size_t)p.n * z.h + down.above) * z.w * z.c + p.c;
    global const stored *below = x + ((size_t)p.n * z.h + down.below) * z.w * z.c + p.c;
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

kernel void bilinear_gradient(const resize_sizes given, global const stored *restrict dy, global stored *restrict dx)
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

#if defined OP_bicubic_forward || defined OP_bicubic_gradient
/* The four inputs around output y, of `size` in all, and the shares that they have. */
static inline int4 inputs_around(const int y, const int size, const int step, const int start, const int parts, const real a,
                                 const int exclude, real4 *shares)
{
    const long here = (long)step * y + start; /* later than one pixel before the image */
    const int before = (int)((here + parts) / parts) - 1, rest = (int)(here - (long)before * parts);
    const real t = (real)rest / parts, s = (real)(parts - rest) / parts;
    const int4 input = before + (int4)(-1, 0, 1, 2);
    const int4 inside = clamp(input, (int4)0, (int4)(size - 1)); /* with scalar bounds Oclgrind 21.10 goes astray */
    real4 share = (real4)(a * t * s * s, s * (s * (1 + 2 * t) - a * t * t), t * (t * (1 + 2 * s) - a * s * s), a * s * t * t);
    if (exclude) {
        share.s0 = input.s0 == inside.s0 ? share.s0 : 0;
        share.s1 = input.s1 == inside.s1 ? share.s1 : 0;
        share.s2 = input.s2 == inside.s2 ? share.s2 : 0;
        share.s3 = input.s3 == inside.s3 ? share.s3 : 0;
        share /= share.s0 + share.s1 + share.s2 + share.s3;
    }
    *shares = share;
    return inside;
}
#endif

#ifdef OP_bicubic_forward
static inline realv mixed(global const stored *from, const int4 at, const real4 share, const int lanes)
{
    return share.s0 * load_lanes(from + at.s0, lanes) + share.s1 * load_lanes(from + at.s1, lanes) +
           share.s2 * load_lanes(from + at.s2, lanes) + share.s3 * load_lanes(from + at.s3, lanes);
}

kernel void bicubic_forward(const resize_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const resize_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const real a = number_of(z.cubic_a);
    real4 down, across;
    const int4 rows = inputs_around(p.row, z.h, z.step_y, z.start_y, z.parts_y, a, z.exclude_outside, &down);
    const int4 columns = inputs_around(p.column, z.w, z.step_x, z.start_x, z.parts_x, a, z.exclude_outside, &across) * z.c;
    const size_t row = (size_t)z.w * z.c;
    global const stored *image = x + p.n * z.h * row + p.c;
    store_lanes(down.s0 * mixed(image + rows.s0 * row, columns, across, p.lanes) +
                    down.s1 * mixed(image + rows.s1 * row, columns, across, p.lanes) +
                    down.s2 * mixed(image + rows.s2 * row, columns, across, p.lanes) +
                    down.s3 * mixed(image + rows.s3 * row, columns, across, p.lanes),
                p.lanes, y + p.at);
}
#endif

#ifdef OP_bicubic_gradient
/* The share that input h has, which at the edge may be more than one of the four. */
static inline real share_around(const int4 input, const real4 share, const int h)
{
    return (input.s0 == h ? share.s0 : 0) + (input.s1 == h ? share.s1 : 0) + (input.s2 == h ? share.s2 : 0) +
           (input.s3 == h ? share.s3 : 0);
}

kernel void bicubic_gradient(const resize_sizes given, global const stored *restrict dy, global stored *restrict dx)
{
    const resize_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const real a = number_of(z.cubic_a);
    const int end_y = first_at(p.row + 2, z.h, z.step_y, z.start_y, z.parts_y, z.y);
    const int end_x = first_at(p.column + 2, z.w, z.step_x, z.start_x, z.parts_x, z.x);
    real4 shares;
    realv sum = 0;
    for (int y = first_at(p.row - 2, z.h, z.step_y, z.start_y, z.parts_y, z.y); y < end_y; y++) {
        const int4 rows = inputs_around(y, z.h, z.step_y, z.start_y, z.parts_y, a, z.exclude_outside, &shares);
        const real down = share_around(rows, shares, p.row);
        for (int x = first_at(p.column - 2, z.w, z.step_x, z.start_x, z.parts_x, z.x); x < end_x; x++) {
            const int4 columns = inputs_around(x, z.w, z.step_x, z.start_x, z.parts_x, a, z.exclude_outside, &shares);
            const real across = share_around(columns, shares, p.column);
            sum += down * across * load_lanes(dy + (((size_t)p.n * z.y + y) * z.x + x) * z.c + p.c, p.lanes);
        }
    }
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
