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
#include "activations.h"

#ifdef OP_dense_forward
/* Group (tile of outputs, tile of images). */
kernel WORK_GROUP void dense_forward_tile(const dense_sizes given, global const real *restrict x,
                                          global const real *restrict w, global const real *restrict bias,
                                          global real *restrict y, global real *restrict before, local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    int first = 0;
#define X_AT(j) ELEMENTS(load_a, x, FIRST_M + A_LINE(j), z.n, first + A_LANE, z.i)
#define W_AT(j) ELEMENTS(load_b, w, first + B_LINE(j), z.i, FIRST_N + B_LANE, z.o)
    block t;
    TILE_PRODUCT(t, z.i, slabs, X_AT, W_AT, first += TILE_K);
    EACH_OUTPUT
    {
        const int n = OUTPUT_M(i), o = OUTPUT_N(j);
        if (n >= z.n || o >= z.o) continue;
        const real sum = bias ? t.sum[i][j] + bias[o] : t.sum[i][j];
        if (before) before[n * z.o + o] = sum;
        y[n * z.o + o] = activate(sum);
    }
}
#endif

#ifdef OP_dense_input_gradient
/* Group (tile of inputs, tile of images). */
kernel WORK_GROUP void dense_input_gradient_tile(const dense_sizes given, global const real *restrict dy,
                                                 global const real *restrict w, global const real *restrict x,
                                                 global real *restrict dx, local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    int first = 0;
#define DY_AT(j) ELEMENTS(load_a, dy, FIRST_M + A_LINE(j), z.n, first + A_LANE, z.o)
#define W_AT(j) ELEMENTS(load_b, w, FIRST_N + B_LINE(j), z.i, first + B_LANE, z.o)
    block t;
    TILE_PRODUCT(t, z.o, slabs, DY_AT, W_AT, first += TILE_K);
    EACH_OUTPUT
    {
        const int n = OUTPUT_M(i), in = OUTPUT_N(j), to = n * z.i + in;
        if (n < z.n && in < z.i) dx[to] = x ? deactivate(t.sum[i][j], x[to]) : t.sum[i][j];
    }
}
#endif

#ifdef OP_dense_weight_gradient
/* Group (tile of outputs, tile of inputs and the bias). */
kernel WORK_GROUP void dense_weight_gradient_tile(const dense_sizes given, global const real *restrict x,
                                                  global const real *restrict dy, global real *restrict dw,
                                                  global real *restrict db, local real4 *slabs)
{
    const dense_sizes z = SIZES(given);
    int first = 0;
    const int in = FIRST_M + A_LANE;
#define X_AT(j)                                                                                                        \
    (first + A_LINE(j) >= z.n ? (load_a)0 : in < z.i ? VECTOR_AT(load_a, x + (first + A_LINE(j)) * z.i + in) : (load_a)1)
#define DY_AT(j) ELEMENTS(load_b, dy, first + B_LINE(j), z.n, FIRST_N + B_LANE, z.o)
    block t;
    TILE_PRODUCT(t, z.n, slabs, X_AT, DY_AT, first += TILE_K);
    EACH_OUTPUT
    {
        const int in = OUTPUT_M(i), o = OUTPUT_N(j);
        if (in < z.i && o < z.o) dw[in * z.o + o] = t.sum[i][j];
        if (in == z.i && o < z.o && z.bias) db[o] = t.sum[i][j];
    }
}
#endif
