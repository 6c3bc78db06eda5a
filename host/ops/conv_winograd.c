/* Launch rules and error bounds of convolution by Winograd tiles (kernels/conv_winograd.cl). */
#include "ops/bounds.h"
#include "ops/conv.h"
#include "ops/launch.h"

/* Forward and input gradient alike: a correlation of n planes [h,w] of c channels with 3x3 filters, k outputs [y,x]. */
typedef struct correlation {
    int n, c, h, w, k, y, x;
    int pad_y, pad_x;
    bool turned; /* input gradient: the filter is turned, and stored as [3,3,k,c] */
} correlation;

static correlation correlation_of(const conv_sizes *z, bool turned)
{
    if (turned) return (correlation){z->n, z->k, z->y, z->x, z->c, z->h, z->w, 2 - z->pad_y, 2 - z->pad_x, true};
    return (correlation){z->n, z->c, z->h, z->w, z->k, z->y, z->x, z->pad_y, z->pad_x, false};
}

/* Tiles of `out` x `out` outputs in the whole batch. */
static int64_t count_tiles(const correlation *q, int out)
{
    return (int64_t)q->n * clt__divide_up(q->y, out) * clt__divide_up(q->x, out);
}

/* ---- launch rules */

static int positions_of(int out)
{
    return (out + 2) * (out + 2);
}

/* kernels/conv_winograd.cl: PLANE */
static uint64_t plane_reals(int tiles, int channels, int vector_width)
{
    const uint64_t vectors = (uint64_t)tiles * (uint64_t)clt__divide_up(channels, vector_width);
    return (vectors | 1) * (uint64_t)vector_width;
}

/* V and M of a work-item. */
static uint64_t local_reals(const correlation *q, int out, int tiles, const clt__register_tile *tile)
{
    return (uint64_t)positions_of(out) * (plane_reals(tiles, q->c, tile->vector_width) +
                                          plane_reals(tiles, clt__register_tile_stripe(tile), tile->vector_width));
}

/* How a work-item's tiles are laid out. */
typedef struct layout {
    int out;                 /* outputs on a side of a tile */
    int tiles;               /* of a work-item, a multiple of tile.rows */
    int items;               /* work-items */
    clt__register_tile tile; /* register tile: Winograd tiles x output channels */
} layout;

static uint64_t layout_reals(const correlation *q, const layout *l)
{
    return local_reals(q, l->out, l->tiles, &l->tile);
}

/* Enough work-items for all compute units, each with as many tiles as local memory has room for, and as keep V and M in
 * a core's second-level cache: about three times what a patch takes there, for only a part of them is in use at a time.
 */
static layout choose_layout(const correlation *q, int all, const clt__limits *limits)
{
    enum { PATCHES = 3, LEAST_ROWS = 4 };
    const uint64_t cached = PATCHES * (uint64_t)limits->patch_bytes,
                   most = (limits->local_bytes < cached ? limits->local_bytes : cached) / (uint64_t)limits->real_bytes;
    const int share = clt__divide_up(all, 4 * limits->compute_units);
    layout l = {.out = limits->winograd};
    l.tile = clt__register_tile_for(limits, share > LEAST_ROWS ? share : LEAST_ROWS, q->k);
    while (l.tile.rows > LEAST_ROWS && local_reals(q, l.out, l.tile.rows, &l.tile) > most)
        l.tile = clt__register_tile_for(limits, l.tile.rows - 1, q->k);
    l.tiles = l.tile.rows;
    while (l.tiles < share && local_reals(q, l.out, l.tiles + l.tile.rows, &l.tile) <= most) l.tiles += l.tile.rows;
    l.items = clt__divide_up(all, l.tiles);
    return l;
}

static double output_vectors(const correlation *q, const clt__register_tile *tile)
{
    return (double)clt__divide_up(q->k, clt__register_tile_stripe(tile)) * tile->cols;
}

/* Multiply-adds of vectors by the formula. */
static double formula_cost(const correlation *q, const clt__register_tile *tile)
{
    return 9.0 * q->n * q->y * q->x * q->c * output_vectors(q, tile);
}

/* The same by Winograd tiles: as many or, for transforms and rows of few sums, as long. Work-items that leave compute
 * units idle count too. */
static double winograd_cost(const correlation *q, const layout *l, const clt__limits *limits)
{
    static const double plane = 14, filter = 4; /* of a position, for a vector of channels in or out, or of filters */
    const double units = limits->compute_units, rounds = clt__divide_up(l->items, limits->compute_units);
    const double out = output_vectors(q, &l->tile), in = clt__divide_up(q->c, l->tile.vector_width);
    const double loading = (l->tile.rows + 2.0) / l->tile.rows;
    const double tile = q->c * out * loading + plane * (in + out);
    return positions_of(l->out) * (rounds * units * l->tiles * tile + filter * q->c * out);
}

/* The one place that decides between Winograd tiles and the formula itself. */
static bool winograd_pays(const correlation *q, const layout *l, const clt__limits *limits)
{
    return layout_reals(q, l) <= limits->local_bytes / (uint64_t)limits->real_bytes &&
           winograd_cost(q, l, limits) < formula_cost(q, &l->tile);
}

static bool has_tiles(const conv_sizes *z, const correlation *q, const clt__limits *limits)
{
    return limits->winograd && z->r == 3 && z->s == 3 && z->stride_y == 1 && z->stride_x == 1 &&
           count_tiles(q, limits->winograd) <= INT32_MAX / 4;
}

static bool launch_tiles(conv_sizes *z, const correlation *q, const char *kernel, const clt__limits *limits,
                         clt__launches *to)
{
    if (!has_tiles(z, q, limits)) return false;
    const layout l = choose_layout(q, (int)count_tiles(q, limits->winograd), limits);
    if (!winograd_pays(q, &l, limits)) return false;
    const uint64_t stripe = (uint64_t)clt__register_tile_stripe(&l.tile);
    z->winograd = l.out;
    z->tiles = l.tiles;
    clt__define(to, " -DVEC=%d -DROWS=%d -DCOLS=%d -DWINOGRAD=%d", l.tile.vector_width, l.tile.rows, l.tile.cols,
                l.out);
    clt__define_activation(to, z->activation);
    to->file = "conv_winograd.cl";
    to->flops = 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c; /* the formula's: what a user asks for */
    to->scratch_reals =
        (uint64_t)positions_of(l.out) * (uint64_t)q->c * (uint64_t)clt__divide_up(q->k, (int)stripe) * stripe;
    to->local_reals = layout_reals(q, &l);
    to->launch[0] = (clt__launch){"conv_winograd_filters", {(size_t)q->c, 1, 1}, {1, 1, 1}, false};
    to->launch[1] = (clt__launch){kernel, {(size_t)l.items, 1, 1}, {1, 1, 1}, true};
    to->count = 2;
    return true;
}

bool clt__launch_winograd_forward(conv_sizes *z, const clt__limits *limits, clt__launches *to)
{
    const correlation q = correlation_of(z, false);
    return launch_tiles(z, &q, "conv_winograd_forward", limits, to);
}

bool clt__launch_winograd_input_gradient(conv_sizes *z, const clt__limits *limits, clt__launches *to)
{
    const correlation q = correlation_of(z, true);
    return launch_tiles(z, &q, "conv_winograd_input_gradient", limits, to);
}

/* ---- error bounds
 *
 * y = A^T [ sum over c of U_c .* V_c ] A, U = G g G^T, V = B^T d B, is exact in exact arithmetic, but U, V and their
 * sums are larger than y, and so are their roundings. Each rounding e, |e| <= u, moves an element of y by e times some
 * number, to first order; where no more of these numbers is known than that they are at most t_1, t_2, .., then
 *
 *   |error| <= u (t_1 + t_2 + ...)               in the worst case, and
 *   |error| <= 8 u sqrt(t_1^2 + t_2^2 + ...)     with a probability of failure below 2 exp(-32), rounding errors being
 *                                                of mean zero: Azuma's inequality, as in bounds.h.
 *
 * Let a_p be |A^T|'s share of position p in y, and hats mean the same with absolute values throughout, such as
 * V^ = |B^T| |d| |B|. The second form serves for roundings that are made for each channel anew:
 *
 *   sums        one a channel and position, none more than T_p = sum over c of |U_pc V_pc|:  C sum (a_p T_p)^2
 *   V           Of one V_pc: the last fma of its row (one position feels it), even and odd sums of its row (two
 *               positions, together V^_pc at most); and the same down the columns, which all positions of a row
 *               feel. A rounding that q positions feel counts (t_1 + .. + t_q)^2 <= q (t_1^2 + .. + t_q^2).
 *               Hence (1 + 2 + 6 + 2*6) sum (a_p U_pc V^_pc)^2
 *   U           likewise product, fma and even sum: (1 + 1 + 2 + 6 + 6 + 2*6) sum (a_p U^_pc V_pc)^2
 *
 * and the first for those that are one for all channels: the two scales in G, which are not exact, and the three
 * roundings of each line of A^T M and of (A^T M) A: 8 sum a_p T_p. B and A themselves are exact in float. Tiles of 2
 * have fewer of each; see the kernel's lines. */

typedef struct form {
    double input[36], filter[18], output[24]; /* B^T, G, A^T */
    double input_roundings, filter_roundings; /* for each channel, weighted as above */
    double other_roundings;                   /* for all of them */
} form;

#define A (WINOGRAD_A / (double)WINOGRAD_UNIT)
#define B (WINOGRAD_B / (double)WINOGRAD_UNIT)
#define SCALE_A (1 / (2 * A * A * (A * A - B * B)))
#define SCALE_B (1 / (2 * B * B * (B * B - A * A)))

static const form form_of_4 = {
    .input = {A * A * B * B,
              0,
              -(A *A + B * B),
              0,
              1,
              0, //
              0,
              -A *B *B,
              -B *B,
              A,
              1,
              0, //
              0,
              A *B *B,
              -B *B,
              -A,
              1,
              0, //
              0,
              -A *A *B,
              -A *A,
              B,
              1,
              0, //
              0,
              A *A *B,
              -A *A,
              -B,
              1,
              0, //
              0,
              A *A *B *B,
              0,
              -(A *A + B * B),
              0,
              1},
    .filter = {1 / (A * A * B * B), 0, 0,           //
               SCALE_A, SCALE_A *A, SCALE_A *A *A,  //
               SCALE_A, -SCALE_A *A, SCALE_A *A *A, //
               SCALE_B, SCALE_B *B, SCALE_B *B *B,  //
               SCALE_B, -SCALE_B *B, SCALE_B *B *B, //
               0, 0, 1},
    .output = {1, 1,       1,        1,       1,        0, //
               0, A,       -A,       B,       -B,       0, //
               0, A *A,    A *A,     B *B,    B *B,     0, //
               0, A *A *A, -A *A *A, B *B *B, -B *B *B, 1},
    .input_roundings = 21,
    .filter_roundings = 28,
    .other_roundings = 8,
};
static const form form_of_2 = {
    .input = {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, -1, 0, 1},
    .filter = {1, 0, 0, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0, 0, 1},
    .output = {1, 1, 1, 0, 0, 1, -1, 1},
    .input_roundings = 5,   /* 1 + 4 */
    .filter_roundings = 15, /* 1 + 2 + 4 + 2*4 */
    .other_roundings = 4,
};

enum { MOST = 36 }; /* positions */

/* The elements of the matrices: themselves, their absolute values, or their squares. */
typedef double (*view)(double element);

static double itself(double element)
{
    return element;
}

static double square(double element)
{
    return element * element;
}

/* result[rows,rows] = M P M^T of matrix[rows,cols] and plane[cols,cols], each element of M and P as `seen`. */
static void transform(const double *matrix, int rows, int cols, const double *plane, view seen, double *result)
{
    double left[MOST];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            left[i * cols + j] = 0;
            for (int l = 0; l < cols; l++) left[i * cols + j] += seen(matrix[i * cols + l]) * seen(plane[l * cols + j]);
        }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            result[i * rows + j] = 0;
            for (int l = 0; l < cols; l++) result[i * rows + j] += left[i * cols + l] * seen(matrix[j * cols + l]);
        }
}

/* A transformed plane and its majorant: U and U^, or V and V^. */
typedef struct transformed {
    double value[MOST], most[MOST];
} transformed;

static void transform_both(const double *matrix, int rows, int cols, const double *plane, transformed *to)
{
    transform(matrix, rows, cols, plane, itself, to->value);
    transform(matrix, rows, cols, plane, fabs, to->most);
}

typedef struct place {
    int n, y, x; /* a tile's first output */
} place;

static place place_of(const correlation *q, int out, int64_t tile)
{
    const int across = clt__divide_up(q->x, out), in_image = clt__divide_up(q->y, out) * across;
    const int at = (int)(tile % in_image);
    return (place){(int)(tile / in_image), at / across * out, at % across * out};
}

/* V of one channel under one tile. */
static void transform_input(const correlation *q, const form *f, int out, const double *source, place at, int c,
                            transformed *to)
{
    double plane[MOST];
    const int side = out + 2;
    for (int i = 0; i < side; i++)
        for (int j = 0; j < side; j++) {
            const int64_t h = (int64_t)at.y - q->pad_y + i, w = (int64_t)at.x - q->pad_x + j;
            const bool inside = h >= 0 && h < q->h && w >= 0 && w < q->w;
            plane[i * side + j] = inside ? source[((at.n * (int64_t)q->h + h) * q->w + w) * q->c + c] : 0;
        }
    transform_both(f->input, side, side, plane, to);
}

/* U of one pair of channels. */
static void transform_filter(const correlation *q, const form *f, int out, const double *weights, int c, int k,
                             transformed *to)
{
    double plane[9];
    for (int64_t i = 0; i < 9; i++)
        plane[i] = q->turned ? weights[((8 - i) * q->k + k) * q->c + c] : weights[(i * q->c + c) * q->k + k];
    transform_both(f->filter, out + 2, 3, plane, to);
}

/* Of one tile and output channel, over the input channels: the sum of products T, and what roundings of U and V count.
 */
typedef struct sums {
    double product[MOST], rounding[MOST];
} sums;

static void add_channel(const form *f, int positions, const transformed *u, const transformed *v, sums *to)
{
    for (int p = 0; p < positions; p++) {
        to->product[p] += fabs(u->value[p] * v->value[p]);
        to->rounding[p] += f->input_roundings * square(u->value[p] * v->most[p]) +
                           f->filter_roundings * square(u->most[p] * v->value[p]);
    }
}

/* The slack of a tile's outputs where it lies in the image. */
static void store_slack(const correlation *q, const form *f, int out, place at, int k, const sums *s, int after,
                        double *slack)
{
    double product[16], squares[16], rounding[16], root[MOST];
    transform(f->output, out, out + 2, s->product, fabs, product);
    transform(f->output, out, out + 2, s->product, square, squares);
    for (int p = 0; p < positions_of(out); p++) root[p] = sqrt(s->rounding[p]);
    transform(f->output, out, out + 2, root, square, rounding);
    for (int i = 0; i < out && at.y + i < q->y; i++)
        for (int j = 0; j < out && at.x + j < q->x; j++) {
            const int l = i * out + j;
            slack[((at.n * (int64_t)q->y + at.y + i) * q->x + at.x + j) * q->k + k] =
                1.01 * (8 * sqrt(q->c * squares[l] + rounding[l]) + (f->other_roundings + after) * product[l]);
        }
}

static int smaller(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

/* The slack of every sum, a bias and an addend apart. `source`: x, or dy for the input gradient. after: how often the
 * sums are rounded again. */
static void fill_slack(const conv_sizes *z, bool input_gradient, const double *source, const double *weights, int after,
                       double *slack)
{
    enum { TILES = 8, OUTPUTS = 16 }; /* at a time, so that each plane is transformed once for several products */
    const correlation q = correlation_of(z, input_gradient);
    const form *f = z->winograd == 4 ? &form_of_4 : &form_of_2;
    const int out = z->winograd;
    const int64_t all = count_tiles(&q, out);
    for (int64_t tile = 0; tile < all; tile += TILES)
        for (int k = 0; k < q.k; k += OUTPUTS) {
            sums sum[TILES][OUTPUTS] = {{{{0}, {0}}}};
            transformed v[TILES], u;
            const int tiles = smaller(all - tile, TILES), outputs = smaller(q.k - k, OUTPUTS);
            for (int c = 0; c < q.c; c++) {
                for (int t = 0; t < tiles; t++)
                    transform_input(&q, f, out, source, place_of(&q, out, tile + t), c, &v[t]);
                for (int o = 0; o < outputs; o++) {
                    transform_filter(&q, f, out, weights, c, k + o, &u);
                    for (int t = 0; t < tiles; t++) add_channel(f, positions_of(out), &u, &v[t], &sum[t][o]);
                }
            }
            for (int t = 0; t < tiles; t++)
                for (int o = 0; o < outputs; o++)
                    store_slack(&q, f, out, place_of(&q, out, tile + t), k + o, &sum[t][o], after, slack);
        }
}

/* Of the sums, when bias and addend are added and the result is stored. */
static int roundings_after(const clt__array *addend)
{
    return addend->real ? 3 : 2;
}

static void allow_addend(const clt__array *sum, const clt__array *addend)
{
    for (size_t i = 0; i < sum->count && addend->real; i++) sum->slack[i] += clt__growth(0) * fabs(addend->real[i]);
}

bool clt__winograd_forward_bound(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const clt__array *y = &operand[FORWARD_Y], *bias = &operand[FORWARD_BIAS], *addend = &operand[FORWARD_ADDEND];
    if (!z->winograd) return false;
    fill_slack(z, false, operand[FORWARD_X].real, operand[FORWARD_W].real, roundings_after(addend), y->slack);
    for (size_t i = 0; i < y->count && bias->real; i++)
        y->slack[i] += clt__growth(1) * fabs(bias->real[i % bias->count]);
    allow_addend(y, addend);
    return true;
}

bool clt__winograd_input_gradient_bound(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const clt__array *dx = &operand[INPUT_GRADIENT_DX], *addend = &operand[INPUT_GRADIENT_ADDEND];
    if (!z->winograd) return false;
    fill_slack(z, true, operand[INPUT_GRADIENT_DY].real, operand[INPUT_GRADIENT_W].real, roundings_after(addend),
               dx->slack);
    allow_addend(dx, addend);
    return true;
}
