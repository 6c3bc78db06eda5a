/* Convolution with 3x3 filters and stride 1, forward and input gradient (formulas: conv.cl), by Winograd's minimal
 * filtering (Lavin and Gray, Fast algorithms for convolutional neural networks, CVPR 2016). A tile of OUT x OUT outputs
 * takes SIDE x SIDE inputs, SIDE = OUT + 2, and as many products for each pair of channels: 36 where the formula has
 * 144 (OUT = 4), or 16 where it has 36 (OUT = 2).
 *
 *   U = G g G^T         each filter plane g [3,3] of a pair of channels          conv_winograd_filters
 *   V = B^T d B         each input plane d [SIDE,SIDE] under a tile              } conv_winograd_*:
 *   M = sum over c of U * V, position by position: SIDE * SIDE matrix products   } a work-item takes z.tiles tiles,
 *   y = A^T M A         each output plane [OUT,OUT] of a tile                    } of several images where they are small
 *
 * Every transform of a plane is that of a line, first down its columns, then along its rows. The matrices belong to
 * the points 0, a, -a, b, -b and infinity, a and b as params.h has them, or 0, 1, -1 and infinity.
 *
 *   filters, in scratch memory       [stripe of outputs][position][channel in][STRIPE]
 *   V and M, in local memory         [position][tile][channel in] and [position][tile][STRIPE], a stripe at a time
 *
 * For the input gradient the source is dy, the filter is turned by half a turn, and c and k change places. */
#include "conv_finish.h"
#include "params.h"
#include "register_tile.h"
#include "activations.h"
#include "winograd.h"
#include "winograd_planes.h"

/* ---- filters */

/* U of one vector of outputs and one channel: `g` has the nine weights, rows first; positions are `step` apart. */
static inline void transform_filter(const realv g[9], global real *u, const int step)
{
    realv down[SIDE * 3], line[SIDE];
    UNROLL for (int s = 0; s < 3; s++)
    {
        filter_line(g[s], g[3 + s], g[6 + s], line);
        UNROLL for (int i = 0; i < SIDE; i++) down[i * 3 + s] = line[i];
    }
    ROLLED for (int i = 0; i < SIDE; i++)
    {
        filter_line(down[i * 3], down[i * 3 + 1], down[i * 3 + 2], line);
        UNROLL for (int j = 0; j < SIDE; j++) STORE(line[j], u + (size_t)(i * SIDE + j) * step);
    }
}

/* Where U of input channel c, outputs k0 .. k0 + VEC, begins, of `channels` input channels. */
static inline size_t filter_start(const int k0, const int c, const int channels)
{
    return ((size_t)(k0 / STRIPE) * POSITIONS * channels + c) * STRIPE + k0 % STRIPE;
}

/* ---- a work-item's tiles */

/* How many there is room for, a multiple of ROWS; the first of its own, and their number. */
typedef struct {
    int room, first, count;
} share;

static inline share share_of(const correlation q, const int room)
{
    const int first = (int)get_global_id(0) * room;
    return (share){room, first, min(room, q.tiles - first)};
}

/* M of all tiles, for one stripe of outputs. */
static inline void multiply(const correlation z, const share own, local const real *v, global const real *u, local real *m)
{
    const int pitch = PITCH(z.c);
    for (int p = 0; p < POSITIONS; p++)
        for (int t0 = 0; t0 < own.count; t0 += ROWS) {
            local const real *a = v + p * PLANE(own.room, z.c) + t0 * pitch;
            local real *to = m + p * PLANE(own.room, STRIPE) + t0 * STRIPE;
            global const real *b = u + p * z.c * STRIPE;
            tile t;
            TILE_CLEAR(t);
            for (int c = 0; c < z.c; c++) {
#define INPUT(i) a[c + (i)*pitch]
                TILE_STEP(t, INPUT, b);
                b += STRIPE;
            }
            UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < COLS; j++)
                STORE(t.sum[i][j], to + i * STRIPE + j * VEC);
        }
}

/* The outputs k0 .. of one tile from its M, while the place of the next one's is fetched. */
static inline void transform_output(const correlation z, const int room, local const real *m, const int number,
                                    const int k0, global const stored *x, global const real *bias,
                                    global const stored *addend, global stored *before, global stored *y)
{
    const place at = place_of(z, number), next = place_of(z, number + 1);
    const int plane = PLANE(room, STRIPE), rows = min(z.y - at.y, (int)OUT), cols = min(z.x - at.x, (int)OUT);
    const size_t ahead = (((size_t)next.n * z.y + next.y) * z.x + next.x) * z.k;
    for (int k = k0; k < min(k0 + (int)STRIPE, z.k); k += VEC) {
        realv down[OUT * SIDE], line[SIDE], out[OUT];
        ROLLED for (int j = 0; j < SIDE; j++)
        {
            UNROLL for (int i = 0; i < SIDE; i++) line[i] = LOAD(m + (i * SIDE + j) * plane + k - k0);
            output_line(line, out);
            UNROLL for (int i = 0; i < OUT; i++) down[i * SIDE + j] = out[i];
        }
        ROLLED for (int i = 0; i < rows; i++)
        {
            output_line(down + i * SIDE, out);
            const size_t row = (((size_t)at.n * z.y + at.y + i) * z.x + at.x) * z.k + k;
            ROLLED for (int j = 0; j < cols; j++)
            {
                const int left = (z.k <= VEC ? (cols - j) * z.k : z.k) - k; /* see store_lanes */
                FETCH_FINISH(ahead + (i * z.x + j) * z.k + k);
                FINISH(out[j], row + j * z.k, k, left);
            }
        }
    }
}

/* x: the input gradient's activations. bias, before (the sums before f): forward's, or NULL. addend: or NULL. */
static inline void correlate_tiles(const correlation z, const share own, global const stored *source,
                                   global const real *filters, global const stored *x, global const real *bias,
                                   global const stored *addend, global stored *before, global stored *y, local real *v)
{
    local real *m = v + POSITIONS * PLANE(own.room, z.c);
    for (int t = 0; t < own.count; t++)
        transform_input(z, PLANE(own.room, z.c), source, own.first + t, z.c, v + t * PITCH(z.c));
    for (int k0 = 0; k0 < z.k; k0 += STRIPE) {
        multiply(z, own, v, filters + filter_start(k0, 0, z.c), m);
        for (int t = 0; t < own.count; t++)
            transform_output(z, own.room, m + t * STRIPE, own.first + t, k0, x, bias, addend, before, y);
    }
}

#ifdef OP_conv_forward

/* Work-item (input channel). */
kernel void conv_winograd_filters(const conv_sizes given, global const stored *restrict x, global const real *restrict w,
                                  global const real *restrict bias, global const stored *restrict addend,
                                  global stored *restrict y, global stored *restrict before, global real *restrict filters)
{
    const conv_sizes z = SIZES(given);
    const int c = (int)get_global_id(0);
    for (int k = 0; k < z.k; k += VEC) {
        realv g[9];
        UNROLL for (int i = 0; i < 9; i++) g[i] = LOAD(w + (i * z.c + c) * z.k + k);
        transform_filter(g, filters + filter_start(k, c, z.c), z.c * STRIPE);
    }
}

/* Work-item (z.tiles tiles of the batch). */
kernel void conv_winograd_forward(const conv_sizes given, global const stored *restrict x, global const real *restrict w,
                                  global const real *restrict bias, global const stored *restrict addend,
                                  global stored *restrict y, global stored *restrict before, global real *restrict filters,
                                  local real *restrict v)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    correlate_tiles(q, share_of(q, z.tiles), x, filters, 0, bias, addend, before, y, v);
}

#endif

#ifdef OP_conv_input_gradient

/* Of the filter turned by half a turn, from outputs to inputs. Work-item (output channel). */
kernel void conv_winograd_filters(const conv_sizes given, global const stored *restrict dy, global const real *restrict w,
                                  global const stored *restrict x, global const stored *restrict addend,
                                  global stored *restrict dx, global real *restrict filters)
{
    const conv_sizes z = SIZES(given);
    const int k = (int)get_global_id(0);
    for (int c = 0; c < z.c; c += VEC) {
        realv g[9];
        for (int i = 0; i < 9; i++) {
            real lane[VEC];
            for (int j = 0; j < VEC; j++) lane[j] = w[((8 - i) * z.c + min(c + j, z.c - 1)) * z.k + k];
            g[i] = LOAD(lane);
        }
        transform_filter(g, filters + filter_start(c, k, z.k), z.k * STRIPE);
    }
}

/* Work-item (z.tiles tiles of the batch). x is NULL where no activation's derivative is to be applied. */
kernel void conv_winograd_input_gradient(const conv_sizes given, global const stored *restrict dy,
                                         global const real *restrict w, global const stored *restrict x,
                                         global const stored *restrict addend, global stored *restrict dx,
                                         global real *restrict filters, local real *restrict v)
{
    const conv_sizes z = SIZES(given);
    const correlation q = correlation_of(z);
    correlate_tiles(q, share_of(q, z.tiles), dy, filters, x, 0, addend, 0, dx, v);
}

#endif
