/* Dense layer under the tile schedule: group_tile.h's product. The formulas are in dense.cl.
 *
 *                     m   n   k    A(m, k)    B(k, n)
 *   forward           n   o   i    x[n,i]     w[i,o]
 *   input gradient    n   i   o    dy[n,o]    w[i,o]
 *   weight gradient   i   o   n    x[n,i]     dy[n,o]
 *
 * The bias gradient is one more row of the weight gradient, with ones for A. */
#define VEC 1
#if defined OP_dense_forward
#define A_ALONG_K 1
#define B_ALONG_K 0
#elif defined OP_dense_input_gradient
#define A_ALONG_K 1
#define B_ALONG_K 1
#else
#define A_ALONG_K 0
#define B_ALONG_K 0
#endif
#include "params.h"
#include "group_tile.h"
#include "product_finish.h"

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
#define X_AT(j) ELEMENTS(load_a, STORED_A, x, FIRST_M + A_LINE(j), z.n, first + A_LANE, z.i)
#define W_AT(j) ELEMENTS(load_b, REALS_B, w, first + B_LINE(j), z.i, FIRST_N + B_LANE, z.o)
    block t;
    TILE_PRODUCT(t, terms.count, slabs, X_AT, W_AT, first += TILE_K);
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
                                                 global const stored *restrict addend, global stored *restrict dx PARTIAL,
                                                 local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    const slice_terms terms = terms_of(z.o, z.slices);
    int first = terms.first;
#define DY_AT(j) ELEMENTS(load_a, STORED_A, dy, FIRST_M + A_LINE(j), z.n, first + A_LANE, z.o)
#define W_AT(j) ELEMENTS(load_b, REALS_B, w, FIRST_N + B_LINE(j), z.i, first + B_LANE, z.o)
    block t;
    TILE_PRODUCT(t, terms.count, slabs, DY_AT, W_AT, first += TILE_K);
#ifdef SLICED
    global real *to = partial + (size_t)SLICE(z.slices) * z.n * z.i;
#define STORE_OUTPUT(sum, at, n) to[at] = sum
#else
#define STORE_OUTPUT(sum, at, n) finish_input_gradient(sum, at, x, addend, dx)
#endif
#define ROW_START(m) ((m) * z.i)
    STORE_BLOCK(z.n, z.i);
}

#ifdef SLICED
/* Work-group (elements of dx). */
kernel SUM_GROUP void dense_input_gradient_add(const dense_sizes given, global const stored *restrict dy,
                                               global const real *restrict w, global const stored *restrict x,
                                               global const stored *restrict addend, global stored *restrict dx,
                                               global real *restrict partial TREE)
{
    const dense_sizes z = SIZES(given);
    const int count = z.n * z.i;
    ADD_SLICES(sum, z.slices, count);
    if (FINISHES(count)) finish_input_gradient(sum, ADDED_AT, x, addend, dx);
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
    const int in = FIRST_M + A_LANE, rows = z.i + (z.bias ? 1 : 0);
#define X_AT(j)                                                                                                        \
    (first + A_LINE(j) >= z.n ? (load_a)0 : in < z.i ? STORED_A(x + (first + A_LINE(j)) * z.i + in) : (load_a)1)
#define DY_AT(j) ELEMENTS(load_b, STORED_B, dy, first + B_LINE(j), z.n, FIRST_N + B_LANE, z.o)
    block t;
    TILE_PRODUCT(t, terms.count, slabs, X_AT, DY_AT, first += TILE_K);
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
