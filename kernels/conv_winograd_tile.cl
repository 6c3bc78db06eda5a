/* Convolution by Winograd tiles under the tile schedule: conv_winograd.cl has the formulas. What a vector schedule's work-item
 * does with its tiles in local memory, four launches do with all of the batch's in global memory, position by position:
 *
 *   input     V[position][tile][channel in] = B^T d B          work-item (tile and channel)
 *   filters   U[position][channel in][channel out] = G g G^T   work-item (pair of channels)
 *   product   M[position][tile][channel out] = V U             group_tile.h's product: m is a tile, k a channel in, n one out
 *   output    y = f( A^T M A + .. )                            work-item (tile and channel)
 *
 * Neighbouring items have neighbouring channels, and so read and write neighbours. A plane's elements stay in registers. */
#define VEC 1
#define A_ALONG_K 1
#define B_ALONG_K 0
#define A_STORED 0
#define B_STORED 0
#include "conv_finish.h"
#include "params.h"
#include "group_tile.h"
#include "activations.h"
#include "winograd_inputs.h"

/* What all four take, and the weight, number `i` of nine, from channel `in` to `out`. */
#ifdef OP_conv_forward
#define OPERANDS                                                                                                       \
    const conv_sizes given, global const stored *restrict source, global const real *restrict w,                         \
        global const real *restrict bias, global const stored *restrict addend, global stored *restrict y,                 \
        global stored *restrict before, global real *restrict scratch
#define WEIGHT(z, i, in, out) w[((i) * (z).c + (in)) * (z).k + (out)]
#endif
#ifdef OP_conv_input_gradient
#define OPERANDS                                                                                                       \
    const conv_sizes given, global const stored *restrict source, global const real *restrict w,                         \
        global const stored *restrict x, global const stored *restrict addend, global stored *restrict y,                    \
        global real *restrict scratch
#define WEIGHT(z, i, in, out) w[((8 - (i)) * (z).c + (out)) * (z).k + (in)]
#endif

/* Elements of a position: of U and M, which follow V in scratch memory. */
#define U_PLANE(q) ((size_t)(q).c * (q).k)
#define M_PLANE(q) ((size_t)(q).tiles * (q).k)
#define V_OF(q) scratch
#define U_OF(q) (V_OF(q) + POSITIONS * V_PLANE(q))
#define M_OF(q) (U_OF(q) + POSITIONS * U_PLANE(q))

kernel void conv_winograd_input_planes(OPERANDS)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    put_input_planes(q, source, V_OF(q), (int)get_global_id(0));
}

kernel void conv_winograd_filters_planes(OPERANDS)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    const int item = (int)get_global_id(0), in = item / q.k, out = item % q.k;
    if (in >= q.c) return;
    global real *u = U_OF(q) + item;
    real down[SIDE * 3], line[SIDE];
    UNROLL for (int s = 0; s < 3; s++)
    {
        filter_line(WEIGHT(z, s, in, out), WEIGHT(z, 3 + s, in, out), WEIGHT(z, 6 + s, in, out), line);
        UNROLL for (int i = 0; i < SIDE; i++) down[i * 3 + s] = line[i];
    }
    UNROLL for (int i = 0; i < SIDE; i++)
    {
        filter_line(down[i * 3], down[i * 3 + 1], down[i * 3 + 2], line);
        UNROLL for (int j = 0; j < SIDE; j++) u[(i * SIDE + j) * U_PLANE(q)] = line[j];
    }
}

/* Group (tile of outputs, tile of Winograd tiles, position). */
kernel WORK_GROUP void conv_winograd_product_tile(OPERANDS, local real4 *slabs)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    const int position = PRODUCT(1);
    global const real *v = V_OF(q) + position * V_PLANE(q), *u = U_OF(q) + position * U_PLANE(q);
    global real *m = M_OF(q) + position * M_PLANE(q);
    int first = 0;
#define V_AT(j) ELEMENTS(load_a, VECTOR_A, v, FIRST_M + A_LINE(j), q.tiles, first + A_LANE, q.c)
#define U_AT(j) ELEMENTS(load_b, VECTOR_B, u, first + B_LINE(j), q.c, FIRST_N + B_LANE, q.k)
    block t;
    TILE_PRODUCT(t, q.c, slabs, V_AT, U_AT, first += TILE_K);
#define ROW_START(i) ((i) * q.k)
#define STORE_OUTPUT(sum, at, n) m[at] = sum
    STORE_BLOCK(q.tiles, q.k);
}

kernel void conv_winograd_output_planes(OPERANDS)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    const int item = (int)get_global_id(0), k = item % q.k;
    const place at = place_of(q, item / q.k);
    if (at.n >= q.n) return;
    global const real *m = M_OF(q) + item;
    real down[OUT * SIDE], line[SIDE], out[OUT];
    UNROLL for (int j = 0; j < SIDE; j++)
    {
        UNROLL for (int i = 0; i < SIDE; i++) line[i] = m[(i * SIDE + j) * M_PLANE(q)];
        output_line(line, out);
        UNROLL for (int i = 0; i < OUT; i++) down[i * SIDE + j] = out[i];
    }
    UNROLL for (int i = 0; i < OUT; i++)
    {
        const size_t row = (((size_t)at.n * q.y + at.y + i) * q.x + at.x) * q.k + k;
        output_line(down + i * SIDE, out);
        UNROLL for (int j = 0; j < OUT; j++)
            if (at.y + i < q.y && at.x + j < q.x) FINISH(out[j], row + j * q.k, k, 1);
    }
}
