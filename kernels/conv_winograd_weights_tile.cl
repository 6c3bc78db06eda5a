/* The weight gradient by Winograd tiles under the tile schedule: conv_winograd_weights.cl has the formulas. Four launches do it with all
 * of the batch's tiles in global memory, position by position:
 *
 *   input      V[position][tile][channel in] = B^T d B       work-item (tile and channel)
 *   gradient   W[position][tile][channel out] = G e G^T      work-item (tile and channel)
 *   product    M[slice][position][channel in][channel out]   group_tile.h's product: m is a channel in, n one out, k a tile
 *   sum        dw = A^T (sum of the slices' M) A             work-group (pairs of channels)
 *
 * The bias gradient has a position of its own, the last, of one row: W is the sum of a tile's gradients there, and V is 1. */
#define VEC 1
#define A_ALONG_K 0
#define B_ALONG_K 0
#define A_STORED 0
#define B_STORED 0
#include "params.h"
#include "group_tile.h"
#include "winograd_inputs.h"

#define OPERANDS                                                                                                       \
    const conv_sizes given, global const stored *restrict x, global const stored *restrict dy, global real *restrict dw, \
        global real *restrict db, global real *restrict scratch

/* Elements of a position of W, and of M; and of all positions of a slice of M, the bias's with them. */
#define BIAS_ROWS(z) ((z).bias ? 1 : 0)
#define W_PLANE(q) ((size_t)(q).tiles * (q).k)
#define M_PLANE(q) ((size_t)(q).c * (q).k)
#define M_SLICE(z, q) (POSITIONS * M_PLANE(q) + BIAS_ROWS(z) * (q).k)
#define W_OF(q) (scratch + POSITIONS * V_PLANE(q))
#define M_OF(z, q) (W_OF(q) + (POSITIONS + BIAS_ROWS(z)) * W_PLANE(q))

kernel void conv_winograd_weight_input_planes(OPERANDS)
{
    const conv_sizes z = SIZES(given);
    put_input_planes(correlation_of(z), x, scratch, (int)get_global_id(0));
}

kernel void conv_winograd_weight_gradient_planes(OPERANDS)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    const int item = (int)get_global_id(0), k = item % q.k;
    const place at = place_of(q, item / q.k);
    if (at.n >= q.n) return;
    global const stored *image = dy + (size_t)at.n * q.y * q.x * q.k + k;
    global real *w = W_OF(q) + item;
    real down[SIDE * OUT], line[SIDE], e[OUT], sum = 0;
    UNROLL for (int j = 0; j < OUT; j++)
    {
        UNROLL for (int i = 0; i < OUT; i++)
        {
            const int y = at.y + i, u = at.x + j;
            e[i] = y < q.y && u < q.x ? GET(image + (y * q.x + u) * q.k) : 0;
            sum += e[i];
        }
        gradient_line(e, line);
        UNROLL for (int i = 0; i < SIDE; i++) down[i * OUT + j] = line[i];
    }
    UNROLL for (int i = 0; i < SIDE; i++)
    {
        gradient_line(down + i * OUT, line);
        UNROLL for (int j = 0; j < SIDE; j++) w[(i * SIDE + j) * W_PLANE(q)] = line[j];
    }
    if (z.bias) w[POSITIONS * W_PLANE(q)] = sum;
}

/* Group (tile of channels out, tile of channels in, position and slice of the Winograd tiles). */
kernel WORK_GROUP void conv_winograd_weight_product_tile(OPERANDS, local real4 *slabs)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    const int position = PRODUCT(z.slices);
    const bool of_bias = position == POSITIONS;
    const int rows = of_bias ? 1 : q.c;
    const slice_terms terms = terms_of(q.tiles, z.slices);
    const int count = FIRST_M < rows ? terms.count : 0; /* nothing is stored of groups beyond the bias's row */
    global const real *v = scratch + position * V_PLANE(q), *w = W_OF(q) + position * W_PLANE(q);
    global real *m = M_OF(z, q) + SLICE(z.slices) * M_SLICE(z, q) + position * M_PLANE(q);
    int first = terms.first;
#define V_AT(j)                                                                                                        \
    (of_bias ? ONES_A : ELEMENTS(load_a, VECTOR_A, v, first + A_LINE(j), q.tiles, FIRST_M + A_LANE, q.c))
#define W_AT(j) ELEMENTS(load_b, VECTOR_B, w, first + B_LINE(j), q.tiles, FIRST_N + B_LANE, q.k)
    block t;
    TILE_PRODUCT(t, count, slabs, V_AT, W_AT, first += TILE_K);
#define ROW_START(i) ((i) * q.k)
#define STORE_OUTPUT(sum, at, n) m[at] = sum
    STORE_BLOCK(rows, q.k);
}

/* Adds the slices in order and transforms back: an item has column j of a pair's positions, then row j of its filter. The bias's pairs
 * come last. down: [row of the filter][column of positions][PAIRS] */
kernel __attribute__((reqd_work_group_size(PAIRS * SIDE, 1, 1))) void conv_winograd_weight_sum(OPERANDS, local real *down)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    const int own = ITEM % PAIRS, j = ITEM / PAIRS, pair = (int)get_group_id(0) * PAIRS + own, pairs = q.c * q.k;
    global const real *m = M_OF(z, q);
    real line[SIDE], g[3];
    UNROLL for (int i = 0; i < SIDE; i++) line[i] = 0;
    for (int slice = 0; slice < z.slices && pair < pairs; slice++)
        UNROLL for (int i = 0; i < SIDE; i++)
            line[i] += m[slice * M_SLICE(z, q) + (i * SIDE + j) * M_PLANE(q) + pair];
    weight_line(line, g);
    UNROLL for (int i = 0; i < 3; i++) down[(i * SIDE + j) * PAIRS + own] = g[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (j < 3 && pair < pairs) {
        UNROLL for (int i = 0; i < SIDE; i++) line[i] = down[(j * SIDE + i) * PAIRS + own];
        weight_line(line, g);
        UNROLL for (int i = 0; i < 3; i++) dw[(j * 3 + i) * pairs + pair] = g[i];
    }
    if (j == 0 && pair >= pairs && pair < pairs + BIAS_ROWS(z) * q.k) {
        real sum = 0;
        for (int slice = 0; slice < z.slices; slice++) sum += m[slice * M_SLICE(z, q) + POSITIONS * M_PLANE(q) + pair - pairs];
        db[pair - pairs] = sum;
    }
}
