/* Convolution (cross-correlation, as every deep-learning library means it), channels last.
 *
 *   forward          y[n,y,x,k] = f( b[k] + sum over r,s,c of  x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * w[r,s,c,k]
 *                                     + a[n,y,x,k] )                          (a: an addend, another value of that shape)
 *   input gradient   dx[n,h,w,c] = g(x) * ( sum over r,s,k with (h + pad_y - r) = y*stride_y, (w + pad_x - s) = x*stride_x
 *                                    of  dy[n,y,x,k] * w[r,s,c,k]  +  a[n,h,w,c] )
 *                    (g: the derivative of the activation that made x; a: what others who read x give)
 *   weight gradient  dw[r,s,c,k] = sum over n,y,x of  x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * dy[n,y,x,k]
 *                    db[k]       = sum over n,y,x of  dy[n,y,x,k]
 *
 * Vector schedule. A work-item takes a block of output pixels of one image. It first copies the input under that block
 * into local memory, zeros around it where the padding is: the patch. After that no loop asks about edges. In a
 * patch the s*c inputs under one filter row are neighbours, and so are their s*c rows of weights, which makes (s, c) one
 * loop and a layer with one input channel as good as any other.
 *
 *   patch, as seen by one output pixel:      row r:  [ s=0: c0 c1 .. | s=1: c0 c1 .. | ... ]   contiguous
 *
 * Reads of weights and gradients may go past the last output channel into the next row, or into the guard that follows
 * every tensor; those lanes are never stored. */
#include "conv_finish.h"
#include "params.h"
#include "phase.h"
#include "register_tile.h"
#include "activations.h"

/* What forward and input gradient share: a correlation of `source` with `weights` [r,s,c,k]. For the input gradient the
 * source is dy, and the outputs are the inputs of one phase, with the filter positions that they meet. */
typedef struct {
    int c, h, w;            /* of the source */
    int k, r, s;            /* of the filter */
    int stride_y, stride_x; /* of the outputs over the source */
    int pad_y, pad_x;
    int y0, x0, rows, cols; /* this work-item's block of outputs */
    int first_y, first_x;   /* where in the image output 0 lies, */
    int step_y, step_x;     /* how far the next one is, */
    int x;                  /* and how wide the image is */
    int pitch;              /* reals in a row of the patch */
} correlation;

#define ROUND_UP(value, to) (((value) + (to)-1) / (to) * (to))

static inline void copy_run(local real *to, global const stored *from, const int count)
{
    int i = 0;
    for (; i + VEC <= count; i += VEC) STORE(LOAD(from + i), to + i);
    for (; i < count; i++) to[i] = GET(from + i);
}

static inline void clear_run(local real *to, const int count)
{
    int i = 0;
    for (; i + VEC <= count; i += VEC) STORE((realv)0, to + i);
    for (; i < count; i++) to[i] = 0;
}

/* One row of the patch: zeros, a run of pixels, zeros. `first` is the source column of the row's first pixel. */
static inline void copy_row(local real *to, global const stored *row, const int first, const int width, const int w,
                            const int c)
{
    const int begin = clamp(-first, 0, width), end = clamp(w - first, begin, width);
    clear_run(to, begin * c);
    copy_run(to + begin * c, row + (first + begin) * c, (end - begin) * c);
    clear_run(to + end * c, (width - end) * c);
}

/* Copies the `height` x `width` pixels under a block, the first at (top, left) of the source. */
static inline void copy_patch(local real *patch, global const stored *image, const int height, const int width,
                              const int top, const int left, const int h, const int w, const int c)
{
    for (int i = 0; i < height; i++) {
        local real *to = patch + i * width * c;
        if (top + i < 0 || top + i >= h)
            clear_run(to, width * c);
        else
            copy_row(to, image + (top + i) * w * c, left, width, w, c);
    }
}

#ifndef OP_conv_weight_gradient /* forward and input gradient: a tile is TILE_Y x TILE_X pixels, ROWS of them in all */

/* The sums of one tile: `under` is the patch under its first pixel, `weights` the first of its STRIPE outputs, `top` the
 * row of the source that lies under it. Filter rows that meet nothing but padding are left out. */
static inline tile correlate(const correlation z, local const real *under, global const real *weights, const int top)
{
    tile t;
    TILE_CLEAR(t);
    const int step_y = z.stride_y * z.pitch, step_x = z.stride_x * z.c;
    const int begin = clamp(-top - (TILE_Y - 1) * z.stride_y, 0, z.r);
    const int end = clamp(z.h - top, begin, z.r);
    weights += begin * z.s * z.c * z.k;
    for (int r = begin; r < end; r++) {
        local const real *a = under + r * z.pitch;
        for (int sc = 0; sc < z.s * z.c; sc++) {
#define INPUT(i) a[sc + (i) / TILE_X * step_y + (i) % TILE_X * step_x]
            TILE_STEP(t, INPUT, weights);
            weights += z.k;
        }
    }
    return t;
}

/* Runs over a block's tiles. x: the input gradient's activations. bias, before (the sums before f): forward's, or NULL.
 * addend: or NULL. */
static inline void correlate_block(const correlation z, local const real *patch, global const real *weights,
                                   global const stored *x, global const real *bias, global const stored *addend,
                                   global stored *before, global stored *y)
{
    for (int k0 = 0; k0 < z.k; k0 += STRIPE)
        for (int ty = 0; ty < z.rows; ty += TILE_Y)
            for (int tx = 0; tx < z.cols; tx += TILE_X) {
                const tile t = correlate(z, patch + ty * z.stride_y * z.pitch + tx * z.stride_x * z.c, weights + k0,
                                         (z.y0 + ty) * z.stride_y - z.pad_y);
                TILE_SPILL(t, sums);
                ROLLED for (int i = 0; i < ROWS * COLS; i++)
                {
                    const int oy = ty + i / COLS / TILE_X, ox = tx + i / COLS % TILE_X, k = k0 + i % COLS * VEC;
                    if (oy >= z.rows || ox >= z.cols || k >= z.k) continue;
                    const bool in_row = z.k <= STRIPE && z.step_x == 1; /* see store_lanes */
                    const int row = z.first_y + (z.y0 + oy) * z.step_y, col = z.first_x + (z.x0 + ox) * z.step_x;
                    FINISH(sums[i], (row * z.x + col) * z.k + k, k, (in_row ? (z.cols - ox) * z.k : z.k) - k);
                }
            }
}

/* Work-item (0, block, image). */
#ifdef OP_conv_forward
kernel void conv_forward(const conv_sizes given, global const stored *restrict x, global const real *restrict w,
                         global const real *restrict bias, global const stored *restrict addend, global stored *restrict y,
                         global stored *restrict before, local real *restrict patch)
{
    const conv_sizes z = SIZES(given);
    const int block = (int)get_global_id(1), n = (int)get_global_id(2);
    correlation q = {.c = z.c, .h = z.h, .w = z.w, .k = z.k, .r = z.r, .s = z.s,
                     .stride_y = z.stride_y, .stride_x = z.stride_x, .pad_y = z.pad_y, .pad_x = z.pad_x,
                     .y0 = block / z.blocks_x * z.block_y, .x0 = block % z.blocks_x * z.block_x,
                     .step_y = 1, .step_x = 1, .x = z.x};
    q.rows = min(z.block_y, z.y - q.y0);
    q.cols = min(z.block_x, z.x - q.x0);
    const int height = (ROUND_UP(z.block_y, TILE_Y) - 1) * z.stride_y + z.r;
    const int width = (ROUND_UP(z.block_x, TILE_X) - 1) * z.stride_x + z.s;
    q.pitch = width * z.c;
    copy_patch(patch, x + (size_t)n * z.h * z.w * z.c, height, width, q.y0 * z.stride_y - z.pad_y,
               q.x0 * z.stride_x - z.pad_x, z.h, z.w, z.c);
    const size_t image = (size_t)n * z.y * z.x * z.k;
    correlate_block(q, patch, w, 0, bias, addend ? addend + image : 0, before ? before + image : 0, y + image);
}
#endif

#ifdef OP_conv_input_gradient

/* Filter positions from `start` on, one in `stride`. */
static inline int positions_from(const int start, const int filter, const int stride)
{
    return (filter - start + stride - 1) / stride;
}

/* Where the filter of the phase whose positions start there begins: those that have any have room for the largest. */
static inline int phase_filter(const conv_sizes z, const int start_y, const int start_x)
{
    const int most = positions_from(0, z.r, z.stride_y) * positions_from(0, z.s, z.stride_x);
    return (start_y * min(z.stride_x, z.s) + start_x) * most * z.k * z.c;
}

/* turned[phase][its positions backwards][k,c] = w[r,s,c,k]. Work-item (k, filter position). */
kernel void conv_turn_weights(const conv_sizes given, global const stored *restrict dy, global const real *restrict w,
                              global const stored *restrict x, global const stored *restrict addend,
                              global stored *restrict dx, global real *restrict turned)
{
    const conv_sizes z = SIZES(given);
    const int k = (int)get_global_id(0), rs = (int)get_global_id(1), r = rs / z.s, s = rs % z.s;
    const int start_y = r % z.stride_y, start_x = s % z.stride_x, across = positions_from(start_x, z.s, z.stride_x);
    const int row = positions_from(start_y, z.r, z.stride_y) - 1 - r / z.stride_y, col = across - 1 - s / z.stride_x;
    global const real *from = w + rs * z.c * z.k + k;
    global real *to = turned + phase_filter(z, start_y, start_x) + ((row * across + col) * z.k + k) * z.c;
    for (int c = 0; c < z.c; c++) to[c] = from[c * z.k];
}

/* Work-item (phase, block, image). x is NULL where no activation's derivative is to be applied. */
kernel void conv_input_gradient(const conv_sizes given, global const stored *restrict dy, global const real *restrict w,
                                global const stored *restrict x, global const stored *restrict addend,
                                global stored *restrict dx, global real *restrict turned, local real *restrict patch)
{
    const conv_sizes z = SIZES(given);
    const int number = (int)get_global_id(0), block = (int)get_global_id(1), n = (int)get_global_id(2);
    const phase down = phase_of(number / z.stride_x, z.h, z.r, z.stride_y, z.pad_y);
    const phase across = phase_of(number % z.stride_x, z.w, z.s, z.stride_x, z.pad_x);
    correlation q = {.c = z.k, .h = z.y, .w = z.x, .k = z.c, .r = down.positions, .s = across.positions,
                     .stride_y = 1, .stride_x = 1,
                     .pad_y = down.positions - 1 - down.first, .pad_x = across.positions - 1 - across.first,
                     .y0 = block / z.blocks_x * z.block_y, .x0 = block % z.blocks_x * z.block_x,
                     .first_y = down.begin, .first_x = across.begin,
                     .step_y = z.stride_y, .step_x = z.stride_x, .x = z.w};
    q.rows = min(z.block_y, down.count - q.y0);
    q.cols = min(z.block_x, across.count - q.x0);
    const int height = ROUND_UP(z.block_y, TILE_Y) - 1 + q.r, width = ROUND_UP(z.block_x, TILE_X) - 1 + q.s;
    q.pitch = width * z.k;
    if (q.r > 0 && q.s > 0)
        copy_patch(patch, dy + (size_t)n * z.y * z.x * z.k, height, width, q.y0 - q.pad_y, q.x0 - q.pad_x, z.y, z.x, z.k);
    const size_t image = (size_t)n * z.h * z.w * z.c;
    correlate_block(q, patch, turned + phase_filter(z, down.start, across.start), x ? x + image : 0, 0, addend ? addend + image : 0,
                    0, dx + image);
}
#endif

#else /* weight gradient: a tile is TILE_R filter rows x TILE_SC of their s*c weights, ROWS in all, x STRIPE outputs */

/* A slice's partial sums, padded to whole stripes: [slice][r*s*c + 1][padded k], the bias gradient in the last row. */
#define PADDED(k) (((k) + STRIPE - 1) / STRIPE * STRIPE)

static inline void add_bias_gradient(global const stored *dy, const int pitch, const int rows, const int cols,
                                     const int k, const bool first, global real *sums)
{
    UNROLL for (int j = 0; j < COLS; j++)
    {
        realv sum = first ? (realv)0 : LOAD(sums + j * VEC);
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < cols; x++) sum += LOAD(dy + y * pitch + x * k + j * VEC);
        STORE(sum, sums + j * VEC);
    }
}

/* Work-item (stripe of outputs, slice): sums its slice of all (image, block) pairs, one patch after another. */
kernel void conv_weight_gradient_slices(const conv_sizes given, global const stored *restrict x,
                                        global const stored *restrict dy, global real *restrict dw,
                                        global real *restrict db, global real *restrict partial,
                                        local real *restrict patch)
{
    const conv_sizes z = SIZES(given);
    const int k0 = (int)get_global_id(0) * STRIPE, slice = (int)get_global_id(1);
    const int blocks = z.blocks_y * z.blocks_x, padded = PADDED(z.k), row_weights = z.s * z.c;
    const int height = (z.block_y - 1) * z.stride_y + ROUND_UP(z.r, TILE_R), width = (z.block_x - 1) * z.stride_x + z.s;
    global real *sums = partial + (size_t)slice * (z.r * row_weights + 1) * padded + k0;
    const int begin = (int)((long)z.n * blocks * slice / z.slices);
    const int end = (int)((long)z.n * blocks * (slice + 1) / z.slices);
    for (int part = begin; part < end; part++) {
        const int n = part / blocks, block = part % blocks;
        const int y0 = block / z.blocks_x * z.block_y, x0 = block % z.blocks_x * z.block_x;
        const int rows = min(z.block_y, z.y - y0), cols = min(z.block_x, z.x - x0);
        global const stored *gradient = dy + (((size_t)n * z.y + y0) * z.x + x0) * z.k + k0;
        copy_patch(patch, x + (size_t)n * z.h * z.w * z.c, height, width, y0 * z.stride_y - z.pad_y,
                   x0 * z.stride_x - z.pad_x, z.h, z.w, z.c);
        for (int r = 0; r < z.r; r += TILE_R)
            for (int sc = 0; sc < row_weights; sc += TILE_SC) {
                tile t;
                TILE_CLEAR(t);
                for (int oy = 0; oy < rows; oy++) {
                    const int top = (y0 + oy) * z.stride_y - z.pad_y + r;
                    if (top >= z.h || top + min(TILE_R, z.r - r) <= 0) continue; /* nothing but padding */
                    local const real *a = patch + (oy * z.stride_y + r) * width * z.c + sc;
                    global const stored *b = gradient + oy * z.x * z.k;
                    for (int ox = 0; ox < cols; ox++) {
#define INPUT(i) a[(i) / TILE_SC * width * z.c + (i) % TILE_SC]
                        TILE_STEP(t, INPUT, b);
                        a += z.stride_x * z.c;
                        b += z.k;
                    }
                }
                TILE_SPILL(t, tile_sums);
                ROLLED for (int i = 0; i < ROWS * COLS; i++)
                {
                    const int tile_r = r + i / COLS / TILE_SC, tile_sc = sc + i / COLS % TILE_SC;
                    if (tile_r >= z.r || tile_sc >= row_weights) continue;
                    global real *to = sums + (size_t)(tile_r * row_weights + tile_sc) * padded + i % COLS * VEC;
                    const realv before = part == begin ? (realv)0 : LOAD(to);
                    STORE(before + tile_sums[i], to);
                }
            }
        if (z.bias)
            add_bias_gradient(gradient, z.x * z.k, rows, cols, z.k, part == begin,
                              sums + (size_t)z.r * row_weights * padded);
    }
}

/* Adds the slices in order. Work-item (vector of outputs, weight row; the row after the last weight is the bias). */
kernel void conv_weight_gradient_sum(const conv_sizes given, global const stored *restrict x,
                                     global const stored *restrict dy, global real *restrict dw,
                                     global real *restrict db, global real *restrict partial)
{
    const conv_sizes z = SIZES(given);
    const int k0 = (int)get_global_id(0) * VEC, row = (int)get_global_id(1);
    const int rows = z.r * z.s * z.c, padded = PADDED(z.k);
    realv sum = (realv)0;
    for (int slice = 0; slice < z.slices; slice++)
        sum += LOAD(partial + ((size_t)slice * (rows + 1) + row) * padded + k0);
    store_lanes(sum, z.k - k0, row < rows ? dw + (size_t)row * z.k + k0 : db + k0);
}

#endif
