/* Convolution under the tile schedule: group_tile.h's product, whose operands are the tensors themselves, seen as
 * matrices. The formulas are in conv.cl.
 *
 *                     m              n   k               A(m, k)               B(k, n)
 *   forward           pixel n,y,x    k   r,s,c           x under the filter    w[r,s,c,k]
 *   input gradient    pixel n,h,w    c   r,s,k           dy over the filter    w[r,s,c,k]
 *   weight gradient   r,s,c          k   pixel n,y,x     x under the filter    dy[n,y,x,k]
 *
 * The bias gradient is one more row of the weight gradient, with ones for A. */
#define VEC 1
#if defined OP_conv_forward_pool /* merged with the pool that follows: rows go window by window */
#define OP_conv_forward
#define POOLED
#elif defined OP_conv_input_gradient_pool
#define OP_conv_input_gradient
#define POOLED
#endif
#define A_STORED 1
#if defined OP_conv_forward
#define A_ALONG_K 1
#define B_ALONG_K 0
#define B_STORED 0
#elif defined OP_conv_input_gradient
#define A_ALONG_K 1
#define B_ALONG_K 1
#define B_STORED 0
#else
#define A_ALONG_K 0
#define B_ALONG_K 0
#define B_STORED 1
#endif
#include "params.h"
#include "group_tile.h"
#include "product_pool.h"
#include "product_finish.h"
#include "phase.h"

enum { NOWHERE = -(1 << 29) }; /* a coordinate outside every image, however far a filter reaches */

/* A pixel's place in an image, and the index of its first channel in the tensor. */
typedef struct {
    int h, w, at;
} place;

static inline bool is_inside(const int h, const int w, const int height, const int width)
{
    return h >= 0 && h < height && w >= 0 && w < width;
}

#ifdef OP_conv_forward
#ifdef POOLED
#define PIXEL(m) pixel_in_windows(windows, m)
#define PIXEL_NUMBER(m) index_of(PIXEL(m), z.y, z.x)
#else
#define PIXEL(m) digits_of(m, z.y, z.x)
#define PIXEL_NUMBER(m) (m)
#endif

/* What lies under the filter's first weight for an output pixel. */
static inline place first_under(const conv_sizes z, const digits pixel)
{
    if (pixel.outer >= z.n) return (place){NOWHERE, NOWHERE, 0};
    const int h = pixel.middle * z.stride_y - z.pad_y, w = pixel.inner * z.stride_x - z.pad_x;
    return (place){h, w, ((pixel.outer * z.h + h) * z.w + w) * z.c};
}

/* Group (tile of k, tile of pixels, slice). */
kernel WORK_GROUP void conv_forward_tile(const conv_sizes given, global const stored *restrict x,
                                         global const real *restrict w, global const real *restrict bias,
                                         global const stored *restrict addend, global stored *restrict y,
                                         global stored *restrict before THEN_POOL PARTIAL, local real4 *slabs)
{
    const conv_sizes z = SIZES(given);
    const int rows = z.n * z.y * z.x, depth = z.r * z.s * z.c, k = FIRST_N + B_LANE;
    const slice_terms terms = terms_of(depth, z.slices);
    const digits step = digits_of(TILE_K, z.s, z.c);
    digits at = digits_of(terms.first + A_LANE, z.s, z.c); /* r, s, c */
    int first = terms.first;
    place under[A_LOADS];
    UNROLL for (int j = 0; j < A_LOADS; j++) under[j] = first_under(z, PIXEL(FIRST_M + A_LINE(j)));
#define X_AT(j)                                                                                                        \
    (at.outer < z.r && is_inside(under[j].h + at.outer, under[j].w + at.middle, z.h, z.w)                              \
         ? VECTOR_A(x + under[j].at + (at.outer * z.w + at.middle) * z.c + at.inner)                          \
         : (load_a)0)
#define W_AT(j) ELEMENTS(load_b, VECTOR_B, w, first + B_LINE(j), depth, k, z.k)
    block t;
    TILE_PRODUCT(t, terms.count, slabs, X_AT, W_AT, (first += TILE_K, at = add_digits(at, step, z.s, z.c)));
#ifdef SLICED
    global real *to = partial + (size_t)SLICE(z.slices) * rows * z.k;
#define STORE_OUTPUT(sum, at, n) to[at] = sum
#else
#define STORE_OUTPUT(sum, at, n) finish_forward(sum, at, n, bias, addend, y, before)
#endif
#define ROW_START(m) (PIXEL_NUMBER(m) * z.k)
    STORE_BLOCK(rows, z.k);
#ifdef POOLED
    barrier(CLK_GLOBAL_MEM_FENCE);
    pool_tile(windows, FIRST_M, FIRST_N, y, pooled, best);
#endif
}

#ifdef SLICED
/* Work-group (elements of y). */
kernel SUM_GROUP void conv_forward_add(const conv_sizes given, global const stored *restrict x,
                                       global const real *restrict w, global const real *restrict bias,
                                       global const stored *restrict addend, global stored *restrict y,
                                       global stored *restrict before, global real *restrict partial TREE)
{
    const conv_sizes z = SIZES(given);
    const int count = z.n * z.y * z.x * z.k;
    ADD_SLICES(sum, z.slices, count);
    if (FINISHES(count)) finish_forward(sum, ADDED_AT, ADDED_AT % z.k, bias, addend, y, before);
}
#endif
#endif

#ifdef OP_conv_input_gradient
/* The number of the input that is the phase's m-th. */
static inline int pixel_at(const conv_sizes z, const phase down, const phase across, const int m)
{
    const digits pixel = digits_of(m, down.count, across.count);
    const int h = down.begin + pixel.middle * z.stride_y, v = across.begin + pixel.inner * z.stride_x;
    return (pixel.outer * z.h + h) * z.w + v;
}

/* Group (tile of c, tile of a phase's pixels, phase and slice). */
kernel WORK_GROUP void conv_input_gradient_tile(const conv_sizes given, global const stored *restrict dy,
                                                global const real *restrict w, global const stored *restrict x,
                                                global const stored *restrict addend,
                                                global stored *restrict dx THEN_POOL_GRADIENT PARTIAL, local real4 *slabs)
{
    const conv_sizes z = SIZES(given);
    const int number = PRODUCT(z.slices);
    const phase down = phase_of(number / z.stride_x, z.h, z.r, z.stride_y, z.pad_y);
    const phase across = phase_of(number % z.stride_x, z.w, z.s, z.stride_x, z.pad_x);
    const int rows = z.n * down.count * across.count, filter_columns = max(across.positions, 1);
    const int filter_rows = across.positions > 0 ? down.positions : 0; /* a phase without positions reads nothing */
    /* Some phases have fewer inputs. A group beyond them adds up zeros: if it returned before the barriers, PoCL 3.1 would take the
     * last condition that follows them from the group's first item. */
    const slice_terms terms = terms_of(down.positions * across.positions * z.k, z.slices);
    const digits step = digits_of(TILE_K, filter_columns, z.k);
    /* position down, position across, k: B_LANE is the same */
    digits at = digits_of(terms.first + A_LANE, filter_columns, z.k);
    place over[A_LOADS];
    UNROLL for (int j = 0; j < A_LOADS; j++)
    {
        /* A phase may have no inputs: then what is read does not matter, for nothing is stored. */
        const digits pixel = digits_of(FIRST_M + A_LINE(j), max(down.count, 1), max(across.count, 1));
        const int oy = down.first + pixel.middle, ox = across.first + pixel.inner;
        over[j] = pixel.outer < z.n ? (place){oy, ox, ((pixel.outer * z.y + oy) * z.x + ox) * z.k}
                                    : (place){NOWHERE, NOWHERE, 0};
    }
#define DY_AT(j)                                                                                                       \
    (at.outer < filter_rows && is_inside(over[j].h - at.outer, over[j].w - at.middle, z.y, z.x)                     \
         ? VECTOR_A(dy + over[j].at - (at.outer * z.x + at.middle) * z.k + at.inner)                          \
         : (load_a)0)
#define W_AT(j)                                                                                                        \
    (at.outer < filter_rows && FIRST_N + B_LINE(j) < z.c                                                            \
         ? VECTOR_B(                                                                                           \
                     w + (((down.start + at.outer * z.stride_y) * z.s + across.start + at.middle * z.stride_x) * z.c + \
                          FIRST_N + B_LINE(j)) * z.k + at.inner)                                                       \
         : (load_b)0)
    block t;
    TILE_PRODUCT(t, terms.count, slabs, DY_AT, W_AT, at = add_digits(at, step, filter_columns, z.k));
#ifdef SLICED
    global real *to = partial + (size_t)SLICE(z.slices) * z.n * z.h * z.w * z.c;
#define STORE_OUTPUT(sum, at, n) to[at] = sum
#else
#define STORE_OUTPUT(sum, at, n) FINISH_INPUT_GRADIENT(sum, at, x)
#endif
#define ROW_START(m) (pixel_at(z, down, across, m) * z.c)
    STORE_BLOCK(rows, z.c);
}

#ifdef SLICED
/* Work-group (elements of dx). */
kernel SUM_GROUP void conv_input_gradient_add(const conv_sizes given, global const stored *restrict dy,
                                              global const real *restrict w, global const stored *restrict x,
                                              global const stored *restrict addend,
                                              global stored *restrict dx THEN_POOL_GRADIENT, global real *restrict partial TREE)
{
    const conv_sizes z = SIZES(given);
    const int count = z.n * z.h * z.w * z.c;
    ADD_SLICES(sum, z.slices, count);
    if (FINISHES(count)) FINISH_INPUT_GRADIENT(sum, ADDED_AT, x);
}
#endif
#endif

#ifdef OP_conv_weight_gradient
/* Group (tile of k, tile of weights, slice of the pixels). partial: [slice][r*s*c, and the bias][k] */
kernel WORK_GROUP void conv_weight_gradient_tile(const conv_sizes given, global const stored *restrict x,
                                                 global const stored *restrict dy, global real *restrict dw,
                                                 global real *restrict db PARTIAL, local real4 *slabs)
{
    const conv_sizes z = SIZES(given);
    const int weights = z.r * z.s * z.c, rows = weights + (z.bias ? 1 : 0), pixels = z.n * z.y * z.x;
    const int k = FIRST_N + B_LANE, m = FIRST_M + A_LANE;
    const slice_terms terms = terms_of(pixels, z.slices);
    int first = terms.first;
    const digits weight = digits_of(m, z.s, z.c), step = digits_of(TILE_K, z.y, z.x); /* r, s, c */
    digits pixel[A_LOADS];
    UNROLL for (int j = 0; j < A_LOADS; j++) pixel[j] = digits_of(first + A_LINE(j), z.y, z.x);
#define H_AT(j) (pixel[j].middle * z.stride_y - z.pad_y + weight.outer)
#define V_AT(j) (pixel[j].inner * z.stride_x - z.pad_x + weight.middle)
#define X_AT(j)                                                                                                        \
    (first + A_LINE(j) >= pixels ? (load_a)0                                                                           \
     : m >= weights              ? ONES_A                                                                           \
     : is_inside(H_AT(j), V_AT(j), z.h, z.w)                                                                           \
         ? VECTOR_A(x + ((pixel[j].outer * z.h + H_AT(j)) * z.w + V_AT(j)) * z.c + weight.inner)              \
         : (load_a)0)
#define DY_AT(j) ELEMENTS(load_b, VECTOR_B, dy, first + B_LINE(j), pixels, k, z.k)
    block t;
    TILE_PRODUCT(t, terms.count, slabs, X_AT, DY_AT, {
        first += TILE_K;
        UNROLL for (int j = 0; j < A_LOADS; j++) pixel[j] = add_digits(pixel[j], step, z.y, z.x);
    });
#ifdef SLICED
    global real *to = partial + (size_t)SLICE(z.slices) * rows * z.k;
#define STORE_OUTPUT(sum, at, n) to[at] = sum
#else
#define STORE_OUTPUT(sum, at, n) finish_weight_gradient(sum, at, weights * z.k, dw, db)
#endif
#define ROW_START(m) ((m) * z.k)
    STORE_BLOCK(rows, z.k);
}

#ifdef SLICED
/* Work-group (weights and biases). */
kernel SUM_GROUP void conv_weight_gradient_add(const conv_sizes given, global const stored *restrict x,
                                               global const stored *restrict dy, global real *restrict dw,
                                               global real *restrict db, global real *restrict partial TREE)
{
    const conv_sizes z = SIZES(given);
    const int weights = z.r * z.s * z.c * z.k, count = weights + (z.bias ? z.k : 0);
    ADD_SLICES(sum, z.slices, count);
    if (FINISHES(count)) finish_weight_gradient(sum, ADDED_AT, weights, dw, db);
}
#endif
#endif
