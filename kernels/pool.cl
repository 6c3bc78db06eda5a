/* Max pooling, channels last. Padding never wins: only pixels inside the image are looked at.
 *
 *   forward         y[n,y,x,c] = max over r,s of x[n, y*stride_y + r*dilation_y - pad_y, x*stride_x + s*dilation_x - pad_x, c]
 *                   best[n,y,x,c] = the first pixel, in reading order (row * width + column), that has that value
 *   input gradient  dx[n,h,w,c] = g(x) * sum over the windows (y,x) whose best is (h,w) of dy[n,y,x,c]
 *                   (each input gathers from the windows over it, in order: no atomics)
 *
 * Work-item (row of outputs or of inputs, image) or, spread, (element, image). Reads past the last channel stay inside the tensor or
 * the guard behind it, and their lanes are never stored. */
#include "params.h"
#include "pool_window.h"
#include "activations.h"

/* What of a row a work-item takes. */
typedef struct {
    int row, begin, end; /* pixels */
    int first_c, end_c;
} span;

static inline span span_of(const int width, const int channels)
{
    const int id = (int)get_global_id(0);
#ifdef SPREAD
    const int pixel = id / channels, c = id % channels;
    return (span){pixel / width, pixel % width, pixel % width + 1, c, c + 1};
#else
    return (span){id, 0, width, 0, channels};
#endif
}

/* From a window's first to its last pixel. */
static inline int reach(const int kernel_size, const int dilation)
{
    return (kernel_size - 1) * dilation + 1;
}

#ifdef OP_pool_forward
/* The first row or column of a window inside the image, where the window begins at `begin`. */
static inline int first_inside(const int begin, const int dilation)
{
    return begin + max((dilation - 1 - begin) / dilation, 0) * dilation;
}

kernel void pool_forward(const pool_sizes given, global const stored *restrict x, global stored *restrict y,
                         global int *restrict best)
{
    const pool_sizes z = SIZES(given);
    const span part = span_of(z.x, z.c);
    const int oy = part.row, n = (int)get_global_id(1);
    if (oy >= z.y) return;
    const int top = oy * z.stride_y - z.pad_y;
    const int first_h = first_inside(top, z.dilation_y), end_h = min(top + reach(z.r, z.dilation_y), z.h);
    global const stored *image = x + (size_t)n * z.h * z.w * z.c;
    const size_t row = ((size_t)n * z.y + oy) * z.x * z.c;
    for (int ox = part.begin; ox < part.end; ox++) {
        const int left = ox * z.stride_x - z.pad_x;
        const int first_w = first_inside(left, z.dilation_x), end_w = min(left + reach(z.s, z.dilation_x), z.w);
        for (int c = part.first_c; c < part.end_c; c += VEC) {
            winner best_of = {LOAD(image + (first_h * z.w + first_w) * z.c + c), (maskv)(first_h * z.w + first_w)};
            for (int h = first_h; h < end_h; h += z.dilation_y)
                for (int w = first_w; w < end_w; w += z.dilation_x)
                    best_of = better_of(best_of, LOAD(image + (h * z.w + w) * z.c + c), h * z.w + w);
            const int left = (z.x - ox) * z.c - c; /* see store_lanes */
            store_lanes(best_of.most, left, y + row + ox * z.c + c);
            store_int_lanes(best_of.at, left, best + row + ox * z.c + c);
        }
    }
}
#endif

/* The first window that reaches position `at` of the padded input. */
static inline int first_window(const int at, const int size, const int stride)
{
    return at < size ? 0 : (at - size) / stride + 1;
}

#ifdef OP_pool_input_gradient
/* One row of dx where the windows lie side by side, each input under one of them at the most. The last may reach beyond the
 * image. */
static inline void spread_row(const pool_sizes z, const int h, global const stored *dy, global const int *best,
                              global const stored *x, global stored *dx)
{
    const int oy = h / z.r, windows = oy < z.y ? z.x : 0;
    for (int ox = 0; ox < windows; ox++)
        for (int c = 0; c < z.c; c += VEC) {
            const int window = (oy * z.x + ox) * z.c + c;
            const realv g = LOAD(dy + window);
            const maskv winner = LOAD_INTS(best + window);
            for (int w = ox * z.s; w < min((ox + 1) * z.s, z.w); w++) {
                const realv mine = winner == (maskv)(h * z.w + w) ? g : (realv)0;
                const int left = z.c <= VEC ? (z.w - w) * z.c : z.c - c; /* see store_lanes */
                store_lanes(x ? deactivate(mine, LOAD(x + w * z.c + c)) : mine, left, dx + w * z.c + c);
            }
        }
    for (int i = windows * z.s * z.c; i < z.w * z.c; i++) PUT((real)0, dx + i); /* under no window */
}

/* One row of dx, or part of it, where windows may overlap or leave inputs out. An input that a dilated window leaves out is
 * never its best. */
static inline void gather(const pool_sizes z, const span part, global const stored *dy, global const int *best,
                              global const stored *x, global stored *dx)
{
    const int h = part.row;
    const int high = reach(z.r, z.dilation_y), wide = reach(z.s, z.dilation_x);
    const int first_y = first_window(h + z.pad_y, high, z.stride_y), last_y = min((h + z.pad_y) / z.stride_y, z.y - 1);
    for (int w = part.begin; w < part.end; w++) {
        const int first_x = first_window(w + z.pad_x, wide, z.stride_x);
        const int last_x = min((w + z.pad_x) / z.stride_x, z.x - 1);
        for (int c = part.first_c; c < part.end_c; c += VEC) {
            realv sum = (realv)0;
            for (int oy = first_y; oy <= last_y; oy++)
                for (int ox = first_x; ox <= last_x; ox++) {
                    const int window = (oy * z.x + ox) * z.c + c;
                    sum += LOAD_INTS(best + window) == (maskv)(h * z.w + w) ? LOAD(dy + window) : (realv)0;
                }
            const int at = w * z.c + c;
            store_lanes(x ? deactivate(sum, LOAD(x + at)) : sum, z.w * z.c - at, dx + at);
        }
    }
}

kernel void pool_input_gradient(const pool_sizes given, global const stored *restrict dy, global const int *restrict best,
                                global const stored *restrict x, global stored *restrict dx)
{
    const pool_sizes z = SIZES(given);
    const span part = span_of(z.w, z.c);
    const int h = part.row, n = (int)get_global_id(1);
    if (h >= z.h) return;
    const size_t windows = (size_t)n * z.y * z.x * z.c, row = ((size_t)n * z.h + h) * z.w * z.c;
    const bool is_row = part.end - part.begin == z.w && part.end_c - part.first_c == z.c;
    const bool apart = z.stride_y == z.r && z.stride_x == z.s && z.pad_y == 0 && z.pad_x == 0 && z.dilation_y == 1 &&
                       z.dilation_x == 1;
    if (is_row && apart)
        spread_row(z, h, dy + windows, best + windows, x ? x + row : 0, dx + row);
    else
        gather(z, part, dy + windows, best + windows, x ? x + row : 0, dx + row);
}
#endif
