/* Dense layer under the tile schedule: group_tile.h's product. The formulas are in dense.cl.
 *
 *                     m   n   k    A(m, k)    B(k, n)
 *   forward           n   o   i    x[n,i]     w[i,o]
 *   input gradient    n   i   o    dy[n,o]    w[i,o]
 *   weight gradient   i   o   n    x[n,i]     dy[n,o]
 *
 * The bias gradient is one more row of the weight gradient, with ones for A. Both gradients may be merged, the weights' first, and
 * with the gradient by a pool's input. */
#define VEC 1
#if defined OP_dense_gradients_pool
#define OP_dense_gradients
#define POOLED
#elif defined OP_dense_input_gradient_pool
#define OP_dense_input_gradient
#define POOLED
#endif
#define A_STORED 1
#if defined OP_dense_gradients
#define A_ALONG_K along_k
#define B_ALONG_K along_k
#define B_STORED 0 /* not of the input gradient's */
#define GROUP_ROW group_row
#define GROUP_COLUMN group_column
#elif defined OP_dense_forward
#define A_ALONG_K 1
#define B_ALONG_K 0
#define B_STORED 0
#elif defined OP_dense_input_gradient
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

/* The operands' vectors, as TILE_PRODUCT wants them: forward's, */
#define X_ALONG_I(j) ELEMENTS(load_a, VECTOR_A, x, FIRST_M + A_LINE(j), z.n, first + A_LANE, z.i)
#define W_ALONG_O(j) ELEMENTS(load_b, VECTOR_B, w, first + B_LINE(j), z.i, FIRST_N + B_LANE, z.o)
/* the input gradient's, */
#define DY_ALONG_O(j) ELEMENTS(load_a, VECTOR_A, dy, FIRST_M + A_LINE(j), z.n, first + A_LANE, z.o)
#define W_OF_INPUTS(j) ELEMENTS(load_b, VECTOR_B, w, FIRST_N + B_LINE(j), z.i, first + B_LANE, z.o)
/* and the weight gradient's, behind whose inputs the bias's 1 comes. */
#define X_OR_ONE(j)                                                                                                    \
    (first + A_LINE(j) >= z.n       ? (load_a)0                                                                        \
     : FIRST_M + A_LANE < z.i ? VECTOR_A(x + (first + A_LINE(j)) * z.i + FIRST_M + A_LANE)                             \
                              : ONES_A)
#define DY_OF_IMAGES(j) ELEMENTS(load_b, STORED_B, dy, first + B_LINE(j), z.n, FIRST_N + B_LANE, z.o)

#ifdef OP_dense_forward
/* Group (tile of outputs, tile of images, slice). */
kernel WORK_GROUP void dense_forward_tile(const dense_sizes given, global const stored *restrict x,
                                          global const real *restrict w, global const real *restrict bias,
                                          global const stored *restrict addend, global stored *restrict y,
                                          global stored *restrict before PARTIAL, local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    const slice_terms terms = terms_of(z.i, z.slices);
    int first = terms.first;
    block t;
    TILE_PRODUCT(t, terms.count, slabs, X_ALONG_I, W_ALONG_O, first += TILE_K);
#ifdef SLICED
    global real *to = partial + (size_t)SLICE(z.slices) * z.n * z.o;
#define STORE_OUTPUT(sum, at, n) to[at] = sum
#else
#define STORE_OUTPUT(sum, at, n) finish_forward(sum, at, n, bias, addend, y, before)
#endif
#define ROW_START(m) ((m) * z.o)
    STORE_BLOCK(z.n, z.o);
}

#ifdef SLICED
/* Work-group (elements of y). */
kernel SUM_GROUP void dense_forward_add(const dense_sizes given, global const stored *restrict x,
                                        global const real *restrict w, global const real *restrict bias,
                                        global const stored *restrict addend, global stored *restrict y,
                                        global stored *restrict before, global real *restrict partial TREE)
{
    const dense_sizes z = SIZES(given);
    const int count = z.n * z.o;
    ADD_SLICES(sum, z.slices, count);
    if (FINISHES(count)) finish_forward(sum, ADDED_AT, ADDED_AT % z.o, bias, addend, y, before);
}
#endif
#endif

#ifdef OP_dense_input_gradient
/* Group (tile of inputs, tile of images, slice). */
kernel WORK_GROUP void dense_input_gradient_tile(const dense_sizes given, global const stored *restrict dy,
                                                 global const real *restrict w, global const stored *restrict x,
                                                 global const stored *restrict addend,
                                                 global stored *restrict dx THEN_POOL_GRADIENT PARTIAL, local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    const slice_terms terms = terms_of(z.o, z.slices);
    int first = terms.first;
    block t;
    TILE_PRODUCT(t, terms.count, slabs, DY_ALONG_O, W_OF_INPUTS, first += TILE_K);
#ifdef SLICED
    global real *to = partial + (size_t)SLICE(z.slices) * z.n * z.i;
#define STORE_OUTPUT(sum, at, n) to[at] = sum
#else
#define STORE_OUTPUT(sum, at, n) FINISH_INPUT_GRADIENT(sum, at, x)
#endif
#define ROW_START(m) ((m) * z.i)
    STORE_BLOCK(z.n, z.i);
}

#ifdef SLICED
/* Work-group (elements of dx). */
kernel SUM_GROUP void dense_input_gradient_add(const dense_sizes given, global const stored *restrict dy,
                                               global const real *restrict w, global const stored *restrict x,
                                               global const stored *restrict addend,
                                               global stored *restrict dx THEN_POOL_GRADIENT, global real *restrict partial TREE)
{
    const dense_sizes z = SIZES(given);
    const int count = z.n * z.i;
    ADD_SLICES(sum, z.slices, count);
    if (FINISHES(count)) FINISH_INPUT_GRADIENT(sum, ADDED_AT, x);
}
#endif
#endif

#ifdef OP_dense_weight_gradient
/* Group (tile of outputs, tile of inputs and the bias, slice of the images). */
kernel WORK_GROUP void dense_weight_gradient_tile(const dense_sizes given, global const stored *restrict x,
                                                  global const stored *restrict dy, global real *restrict dw,
                                                  global real *restrict db PARTIAL, local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    const slice_terms terms = terms_of(z.n, z.slices);
    int first = terms.first;
    const int rows = z.i + (z.bias ? 1 : 0);
    block t;
    TILE_PRODUCT(t, terms.count, slabs, X_OR_ONE, DY_OF_IMAGES, first += TILE_K);
#ifdef SLICED
    global real *to = partial + (size_t)SLICE(z.slices) * rows * z.o;
#define STORE_OUTPUT(sum, at, n) to[at] = sum
#else
#define STORE_OUTPUT(sum, at, n) finish_weight_gradient(sum, at, z.i * z.o, dw, db)
#endif
#define ROW_START(m) ((m) * z.o)
    STORE_BLOCK(rows, z.o);
}

#ifdef SLICED
/* Work-group (weights and biases). */
kernel SUM_GROUP void dense_weight_gradient_add(const dense_sizes given, global const stored *restrict x,
                                                global const stored *restrict dy, global real *restrict dw,
                                                global real *restrict db, global real *restrict partial TREE)
{
    const dense_sizes z = SIZES(given);
    const int weights = z.i * z.o, count = weights + (z.bias ? z.o : 0);
    ADD_SLICES(sum, z.slices, count);
    if (FINISHES(count)) finish_weight_gradient(sum, ADDED_AT, weights, dw, db);
}
#endif
#endif

#ifdef OP_dense_gradients
/* Group (tile): first those of inputs, the bias and outputs, the weights' gradients, then those of images and inputs. An operand that
 * both have comes twice; `made_by` is x where an activation made it. */
kernel WORK_GROUP void dense_gradients_tile(const dense_sizes given, global const stored *restrict x,
                                            global const stored *restrict dy, global real *restrict dw,
                                            global real *restrict db, const dense_sizes same,
                                            global const stored *restrict also_dy, global const real *restrict w,
                                            global const stored *restrict made_by, global const stored *restrict addend,
                                            global stored *restrict dx THEN_POOL_GRADIENT, local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    const int rows = z.i + (z.bias ? 1 : 0), wide = (z.o + TILE_N - 1) / TILE_N, wide_inputs = (z.i + TILE_N - 1) / TILE_N;
    const int of_weights = (rows + TILE_M - 1) / TILE_M * wide, group = (int)get_group_id(0);
    const bool along_k = group >= of_weights; /* an input gradient's tile */
    const int group_row = along_k ? (group - of_weights) / wide_inputs : group / wide,
              group_column = along_k ? (group - of_weights) % wide_inputs : group % wide;
    int first = 0;
#define EITHER_A(j) (along_k ? DY_ALONG_O(j) : X_OR_ONE(j))
#define EITHER_B(j) (along_k ? W_OF_INPUTS(j) : DY_OF_IMAGES(j))
    block t;
    TILE_PRODUCT(t, along_k ? z.o : z.n, slabs, EITHER_A, EITHER_B, first += TILE_K);
#define ROW_START(m) ((m) * (along_k ? z.i : z.o))
#define STORE_OUTPUT(sum, at, n)                                                                                       \
    do {                                                                                                               \
        if (along_k)                                                                                                   \
            FINISH_INPUT_GRADIENT(sum, at, made_by);                                                                   \
        else                                                                                                           \
            finish_weight_gradient(sum, at, z.i * z.o, dw, db);                                                        \
    } while (0)
    STORE_BLOCK(along_k ? z.n : rows, along_k ? z.i : z.o);
}
#endif
