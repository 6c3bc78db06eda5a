/* The weight gradient of a convolution with 3x3 filters and stride 1 (formula: conv.cl) by Winograd tiles: dw [3,3] is the
 * correlation of a tile's SIDE x SIDE inputs with its OUT x OUT gradients e, a part of dy, summed over all tiles.
 *
 *   V = B^T d B         the inputs of a tile, as in conv_winograd.cl             } conv_winograd_weight_gradient_slices:
 *   W = G e G^T         its gradients                                            } a slice of all tiles, and a block
 *   M = sum over tiles of V * W, position by position                            } of IN x WIDE channels
 *   dw = A^T M A        for each pair of channels, once                          conv_winograd_weight_gradient_sum
 *
 *   V and W, in local memory      [position][tile][channel], z.tiles tiles at a time
 *   M, in scratch memory          [slice][block in][block out][position][stripe][row tile][ROWS][STRIPE]
 *   sums of dy, after all M       [slice][block out][WIDE]
 *
 * Row i of row tile l is channel l + i * ROW_TILES of its block: a step's scalars do not lie side by side, where compilers
 * would load them as vectors and take those apart again. */
#include "params.h"
#include "register_tile.h"
#include "winograd.h"
#include "winograd_planes.h"

enum { ROW_TILES = IN / ROWS, BLOCK_SUMS = POSITIONS * IN * WIDE };

/* Where the sums of one block of channels begin, and those of dy. */
static inline size_t sums_start(const conv_sizes z, const int slice, const int in, const int out)
{
    const int blocks_in = (z.c + IN - 1) / IN, blocks_out = (z.k + WIDE - 1) / WIDE;
    return ((size_t)(slice * blocks_in + in) * blocks_out + out) * BLOCK_SUMS;
}

static inline size_t bias_start(const conv_sizes z, const int slice, const int out)
{
    return sums_start(z, z.slices, 0, 0) + (size_t)(slice * ((z.k + WIDE - 1) / WIDE) + out) * WIDE;
}

/* W of one tile and some channels from `dy` on, while the next one's gradients are fetched. Lanes past the last channel hold what is
 * never read. */
static inline void transform_gradient(const correlation q, const int plane, global const stored *dy, const int number,
                                      const int channels, local real *w)
{
    const place at = place_of(q, number), next = place_of(q, number + 1);
    const int rows = min(q.y - at.y, (int)OUT), cols = min(q.x - at.x, (int)OUT);
    global const stored *corner = dy + (((size_t)at.n * q.y + at.y) * q.x + at.x) * q.k;
    const size_t ahead = (((size_t)next.n * q.y + next.y) * q.x + next.x) * q.k;
    for (int k = 0; k < channels; k += VEC) {
        realv down[SIDE * OUT], line[SIDE], e[OUT];
        ROLLED for (int j = 0; j < OUT; j++)
        {
            UNROLL for (int i = 0; i < OUT; i++)
            {
                e[i] = (realv)0;
                if (i < rows && j < cols) e[i] = LOAD(corner + (i * q.x + j) * q.k + k);
                FETCH_TO_READ(dy, ahead + (i * q.x + j) * q.k + k);
            }
            gradient_line(e, line);
            UNROLL for (int i = 0; i < SIDE; i++) down[i * OUT + j] = line[i];
        }
        ROLLED for (int i = 0; i < SIDE; i++)
        {
            gradient_line(down + i * OUT, line);
            UNROLL for (int j = 0; j < SIDE; j++) STORE(line[j], w + (i * SIDE + j) * plane + k);
        }
    }
}

/* Adds V * W of `count` tiles to M, which is 0 before the first. */
static inline void multiply(const int room, const int count, const bool first, local const real *v, local const real *w,
                            global real *m)
{
    for (int p = 0; p < POSITIONS; p++)
        for (int k = 0; k < WIDE; k += STRIPE)
            for (int l = 0; l < ROW_TILES; l++) {
                local const real *a = v + p * PLANE(room, IN) + l, *b = w + p * PLANE(room, WIDE) + k;
                tile t;
                if (first) {
                    TILE_CLEAR(t);
                } else {
                    UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < COLS; j++)
                        t.sum[i][j] = LOAD(m + i * STRIPE + j * VEC);
                }
                for (int i = 0; i < count; i++) {
#define INPUT(i) a[(i)*ROW_TILES]
                    TILE_STEP(t, INPUT, b);
                    a += PITCH(IN);
                    b += WIDE;
                }
                UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < COLS; j++)
                    STORE(t.sum[i][j], m + i * STRIPE + j * VEC);
                m += ROWS * STRIPE;
            }
}

static inline void add_bias_gradient(const correlation q, global const stored *dy, const place at, const int channels,
                                     global real *sums)
{
    for (int k = 0; k < channels; k += VEC) {
        realv sum = LOAD(sums + k);
        for (int y = at.y; y < min(at.y + (int)OUT, q.y); y++)
            for (int x = at.x; x < min(at.x + (int)OUT, q.x); x++)
                sum += LOAD(dy + (((size_t)at.n * q.y + y) * q.x + x) * q.k + k);
        STORE(sum, sums + k);
    }
}

/* Work-item (block of outputs, block of inputs, slice). */
kernel void conv_winograd_weight_gradient_slices(const conv_sizes given, global const stored *restrict x,
                                                 global const stored *restrict dy, global real *restrict dw,
                                                 global real *restrict db, global real *restrict partial,
                                                 local real *restrict v)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    const int out = (int)get_global_id(0), in = (int)get_global_id(1), slice = (int)get_global_id(2);
    const int inputs = min(z.c - in * IN, (int)IN), outputs = min(z.k - out * WIDE, (int)WIDE);
    const int begin = (int)((long)q.tiles * slice / z.slices), end = (int)((long)q.tiles * (slice + 1) / z.slices);
    const int plane_v = PLANE(z.tiles, IN), plane_w = PLANE(z.tiles, WIDE);
    global const stored *source = x + in * IN, *gradient = dy + out * WIDE;
    global real *m = partial + sums_start(z, slice, in, out), *bias = partial + bias_start(z, slice, out);
    local real *w = v + POSITIONS * plane_v;
    const bool sums_bias = z.bias && in == 0;
    for (int i = 0; i < POSITIONS * (plane_v + plane_w); i++) v[i] = 0; /* channels past the last */
    for (int k = 0; sums_bias && k < WIDE; k++) bias[k] = 0;
    for (int from = begin; from < end; from += z.tiles) {
        const int count = min(z.tiles, end - from);
        for (int t = 0; t < count; t++) {
            transform_input(q, plane_v, source, from + t, inputs, v + t * PITCH(IN));
            transform_gradient(q, plane_w, gradient, from + t, outputs, w + t * WIDE);
            if (sums_bias) add_bias_gradient(q, gradient, place_of(q, from + t), outputs, bias);
        }
        multiply(z.tiles, count, from == begin, v, w, m);
    }
}

/* Adds the slices in order, and makes dw of their sum. Work-item (vector of outputs, input channel; after the last the
 * bias). */
kernel void conv_winograd_weight_gradient_sum(const conv_sizes given, global const stored *restrict x,
                                              global const stored *restrict dy, global real *restrict dw,
                                              global real *restrict db, global real *restrict partial)
{
    const conv_sizes z = SIZES(given);
    const int k0 = (int)get_global_id(0) * VEC, c = (int)get_global_id(1), out = k0 / WIDE, k = k0 % WIDE;
    if (c == z.c) {
        realv sum = (realv)0;
        for (int slice = 0; slice < z.slices; slice++) sum += LOAD(partial + bias_start(z, slice, out) + k);
        store_lanes(sum, z.k - k0, db + k0);
        return;
    }
    const int stripe = k / STRIPE * ROW_TILES + c % IN % ROW_TILES;
    const int at = (stripe * ROWS + c % IN / ROW_TILES) * STRIPE + k % STRIPE;
    realv down[3 * SIDE], line[SIDE], g[3];
    ROLLED for (int j = 0; j < SIDE; j++)
    {
        UNROLL for (int i = 0; i < SIDE; i++) line[i] = (realv)0;
        for (int slice = 0; slice < z.slices; slice++) {
            global const real *m = partial + sums_start(z, slice, c / IN, out) + at;
            UNROLL for (int i = 0; i < SIDE; i++) line[i] += LOAD(m + (i * SIDE + j) * (IN * WIDE));
        }
        weight_line(line, g);
        UNROLL for (int i = 0; i < 3; i++) down[i * SIDE + j] = g[i];
    }
    for (int i = 0; i < 3; i++) {
        weight_line(down + i * SIDE, g);
        for (int j = 0; j < 3; j++) store_lanes(g[j], z.k - k0, dw + ((size_t)(i * 3 + j) * z.c + c) * z.k + k0);
    }
}
