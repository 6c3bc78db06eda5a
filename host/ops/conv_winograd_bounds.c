/* Error bounds of convolution by Winograd tiles, under either schedule.
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
 * have fewer of each: kernels/winograd.h.
 *
 * In a weight gradient tiles of dy stand for the filters, and the sum is over tiles, not over channels, and then over
 * the slices. G has a fourth column, so U's lines have an odd sum too, which with the even one counts as V's do: (1 + 1
 * + 2 + 6 + 6 + 2*6) again. */

#include "ops/bounds.h"
#include "ops/conv.h"
#include "ops/conv_winograd.h"

typedef struct form {
    int side, taps, outs;                     /* of a tile's inputs, of a filter, of the outputs */
    double input[36], filter[24], output[24]; /* B^T [side,side], G [side,taps], A^T [outs,side] */
    double input_roundings, filter_roundings; /* for each term of the sums, weighted as above */
    double other_roundings;                   /* for all of them */
} form;

#define A (WINOGRAD_A / (double)WINOGRAD_UNIT)
#define B (WINOGRAD_B / (double)WINOGRAD_UNIT)
#define SCALE_A (1 / (2 * A * A * (A * A - B * B)))
#define SCALE_B (1 / (2 * B * B * (B * B - A * A)))

/* clang-format off */
#define INPUT_OF_6                                    \
    {A * A * B * B, 0, -(A * A + B * B), 0, 1, 0,     \
     0, -A * B * B, -B * B, A, 1, 0,                  \
     0, A * B * B, -B * B, -A, 1, 0,                  \
     0, -A * A * B, -A * A, B, 1, 0,                  \
     0, A * A * B, -A * A, -B, 1, 0,                  \
     0, A * A * B * B, 0, -(A * A + B * B), 0, 1}
#define INPUT_OF_4 {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, -1, 0, 1}

/* Forward and input gradient. */
static const form form_of_4 = {
    .side = 6, .taps = 3, .outs = 4,
    .input = INPUT_OF_6,
    .filter = {1 / (A * A * B * B), 0, 0,
               SCALE_A, SCALE_A * A, SCALE_A * A * A,
               SCALE_A, -SCALE_A * A, SCALE_A * A * A,
               SCALE_B, SCALE_B * B, SCALE_B * B * B,
               SCALE_B, -SCALE_B * B, SCALE_B * B * B,
               0, 0, 1},
    .output = {1, 1, 1, 1, 1, 0,
               0, A, -A, B, -B, 0,
               0, A * A, A * A, B * B, B * B, 0,
               0, A * A * A, -A * A * A, B * B * B, -B * B * B, 1},
    .input_roundings = 21,
    .filter_roundings = 28,
    .other_roundings = 8,
};
static const form form_of_2 = {
    .side = 4, .taps = 3, .outs = 2,
    .input = INPUT_OF_4,
    .filter = {1, 0, 0,
               0.5, 0.5, 0.5,
               0.5, -0.5, 0.5,
               0, 0, 1},
    .output = {1, 1, 1, 0,
               0, 1, -1, 1},
    .input_roundings = 5,   /* 1 + 4 */
    .filter_roundings = 15, /* 1 + 2 + 4 + 2*4 */
    .other_roundings = 4,
};

/* Weight gradient. */
static const form gradient_form_of_4 = {
    .side = 6, .taps = 4, .outs = 3,
    .input = INPUT_OF_6,
    .filter = {1 / (A * A * B * B), 0, 0, 0,
               SCALE_A, SCALE_A * A, SCALE_A * A * A, SCALE_A * A * A * A,
               SCALE_A, -SCALE_A * A, SCALE_A * A * A, -SCALE_A * A * A * A,
               SCALE_B, SCALE_B * B, SCALE_B * B * B, SCALE_B * B * B * B,
               SCALE_B, -SCALE_B * B, SCALE_B * B * B, -SCALE_B * B * B * B,
               0, 0, 0, 1},
    .output = {1, 1, 1, 1, 1, 0,
               0, A, -A, B, -B, 0,
               0, A * A, A * A, B * B, B * B, 1},
    .input_roundings = 21,
    .filter_roundings = 28,
    .other_roundings = 8,
};
static const form gradient_form_of_2 = {
    .side = 4, .taps = 2, .outs = 3,
    .input = INPUT_OF_4,
    .filter = {1, 0,
               0.5, 0.5,
               0.5, -0.5,
               0, 1},
    .output = {1, 1, 1, 0,
               0, 1, -1, 0,
               0, 1, 1, 1},
    .input_roundings = 5,  /* 1 + 4 */
    .filter_roundings = 5, /* 1 + 4 */
    .other_roundings = 4,
};
/* clang-format on */

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

static place place_of(const clt__correlation *q, int out, int64_t tile)
{
    const int across = clt__divide_up(q->x, out), in_image = clt__divide_up(q->y, out) * across;
    const int at = (int)(tile % in_image);
    return (place){(int)(tile / in_image), at / across * out, at % across * out};
}

/* Channel `c` of some square of an image [h,w,channels] that may lie partly outside, where it is 0. */
static void load_plane(const double *images, int h, int w, int channels, place at, int c, int side, double *plane)
{
    for (int i = 0; i < side; i++)
        for (int j = 0; j < side; j++) {
            const int64_t y = (int64_t)at.y + i, x = (int64_t)at.x + j;
            const bool inside = y >= 0 && y < h && x >= 0 && x < w;
            plane[i * side + j] = inside ? images[((at.n * (int64_t)h + y) * w + x) * channels + c] : 0;
        }
}

/* V of one channel under one tile. */
static void transform_input(const clt__correlation *q, const form *f, const double *source, place at, int c,
                            transformed *to)
{
    double plane[MOST];
    const place corner = {at.n, at.y - q->pad_y, at.x - q->pad_x};
    load_plane(source, q->h, q->w, q->c, corner, c, f->side, plane);
    transform_both(f->input, f->side, f->side, plane, to);
}

/* U of one pair of channels. */
static void transform_filter(const clt__correlation *q, const form *f, const double *weights, int c, int k,
                             transformed *to)
{
    double plane[9];
    for (int64_t i = 0; i < 9; i++)
        plane[i] = q->turned ? weights[((8 - i) * q->k + k) * q->c + c] : weights[(i * q->c + c) * q->k + k];
    transform_both(f->filter, f->side, f->taps, plane, to);
}

/* U of one channel of a tile of dy. */
static void transform_gradient(const clt__correlation *q, const form *f, const double *dy, place at, int k,
                               transformed *to)
{
    double plane[MOST];
    load_plane(dy, q->y, q->x, q->k, at, k, f->taps, plane);
    transform_both(f->filter, f->side, f->taps, plane, to);
}

/* Over the terms of the sums at each position: the sum of products T, and what roundings of U and V count. */
typedef struct sums {
    double product[MOST], rounding[MOST];
} sums;

static void add_term(const form *f, const transformed *u, const transformed *v, sums *to)
{
    for (int p = 0; p < f->side * f->side; p++) {
        to->product[p] += fabs(u->value[p] * v->value[p]);
        to->rounding[p] += f->input_roundings * square(u->value[p] * v->most[p]) +
                           f->filter_roundings * square(u->most[p] * v->value[p]);
    }
}

/* The slack [outs,outs] of what sums of so many roundings become. */
static void slack_of(const form *f, double roundings, const sums *s, double *slack)
{
    double product[16], squares[16], rounding[16], root[MOST];
    transform(f->output, f->outs, f->side, s->product, fabs, product);
    transform(f->output, f->outs, f->side, s->product, square, squares);
    for (int p = 0; p < f->side * f->side; p++) root[p] = sqrt(s->rounding[p]);
    transform(f->output, f->outs, f->side, root, square, rounding);
    for (int i = 0; i < f->outs * f->outs; i++)
        slack[i] = 1.01 * (8 * sqrt(roundings * squares[i] + rounding[i]) + (f->other_roundings + 2) * product[i]);
}

/* Of a tile's outputs where it lies in the image. */
static void store_slack(const clt__correlation *q, const form *f, place at, int k, const sums *s, double *slack)
{
    double plane[16];
    slack_of(f, q->c, s, plane);
    for (int i = 0; i < f->outs && at.y + i < q->y; i++)
        for (int j = 0; j < f->outs && at.x + j < q->x; j++)
            slack[((at.n * (int64_t)q->y + at.y + i) * q->x + at.x + j) * q->k + k] = plane[i * f->outs + j];
}

static int smaller(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

/* The slack of every sum, a bias and an addend apart. `source`: x, or dy for the input gradient. */
static void fill_slack(const conv_sizes *z, bool input_gradient, const double *source, const double *weights,
                       double *slack)
{
    enum { TILES = 8, OUTPUTS = 16 }; /* at a time, so that each plane is transformed once for several products */
    const clt__correlation q = clt__correlation_of(z, input_gradient);
    const form *f = z->winograd == 4 ? &form_of_4 : &form_of_2;
    const int out = z->winograd;
    const int64_t all = clt__winograd_tiles(&q, out);
    for (int64_t tile = 0; tile < all; tile += TILES)
        for (int k = 0; k < q.k; k += OUTPUTS) {
            sums sum[TILES][OUTPUTS] = {{{{0}, {0}}}};
            transformed v[TILES], u;
            const int tiles = smaller(all - tile, TILES), outputs = smaller(q.k - k, OUTPUTS);
            for (int c = 0; c < q.c; c++) {
                for (int t = 0; t < tiles; t++) transform_input(&q, f, source, place_of(&q, out, tile + t), c, &v[t]);
                for (int o = 0; o < outputs; o++) {
                    transform_filter(&q, f, weights, c, k + o, &u);
                    for (int t = 0; t < tiles; t++) add_term(f, &u, &v[t], &sum[t][o]);
                }
            }
            for (int t = 0; t < tiles; t++)
                for (int o = 0; o < outputs; o++)
                    store_slack(&q, f, place_of(&q, out, tile + t), k + o, &sum[t][o], slack);
        }
}

/* The slack of every weight's gradient. */
static void fill_weight_slack(const conv_sizes *z, const double *x, const double *dy, double *slack)
{
    enum { INPUTS = 8, OUTPUTS = 16 }; /* at a time, so that each plane is transformed once for several products */
    const clt__correlation q = clt__correlation_of(z, false);
    const form *f = z->winograd == 4 ? &gradient_form_of_4 : &gradient_form_of_2;
    const int64_t all = clt__winograd_tiles(&q, z->winograd);
    for (int c = 0; c < q.c; c += INPUTS)
        for (int k = 0; k < q.k; k += OUTPUTS) {
            sums sum[INPUTS][OUTPUTS] = {{{{0}, {0}}}};
            transformed v, u[OUTPUTS];
            const int inputs = smaller(q.c - c, INPUTS), outputs = smaller(q.k - k, OUTPUTS);
            for (int64_t tile = 0; tile < all; tile++) {
                const place at = place_of(&q, z->winograd, tile);
                for (int o = 0; o < outputs; o++) transform_gradient(&q, f, dy, at, k + o, &u[o]);
                for (int i = 0; i < inputs; i++) {
                    transform_input(&q, f, x, at, c + i, &v);
                    for (int o = 0; o < outputs; o++) add_term(f, &u[o], &v, &sum[i][o]);
                }
            }
            for (int i = 0; i < inputs; i++)
                for (int o = 0; o < outputs; o++) {
                    double plane[9];
                    slack_of(f, (double)all + z->slices, &sum[i][o], plane);
                    for (int rs = 0; rs < 9; rs++) slack[((int64_t)rs * q.c + c + i) * q.k + k + o] = plane[rs];
                }
        }
}

/* A bias or an addend, if there is one: each is part of two roundings at most, its own addition's and the other's. */
static void allow_added(const clt__array *sum, const clt__array *added)
{
    for (size_t i = 0; i < sum->count && added->real; i++)
        sum->slack[i] += clt__growth(0) * fabs(added->real[i % added->count]);
}

bool clt__winograd_forward_bound(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const clt__array *y = &operand[FORWARD_Y];
    if (!z->winograd) return false;
    fill_slack(z, false, operand[FORWARD_X].real, operand[FORWARD_W].real, y->slack);
    allow_added(y, &operand[FORWARD_BIAS]);
    allow_added(y, &operand[FORWARD_ADDEND]);
    return true;
}

bool clt__winograd_input_gradient_bound(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const clt__array *dx = &operand[INPUT_GRADIENT_DX];
    if (!z->winograd) return false;
    fill_slack(z, true, operand[INPUT_GRADIENT_DY].real, operand[INPUT_GRADIENT_W].real, dx->slack);
    allow_added(dx, &operand[INPUT_GRADIENT_ADDEND]);
    return true;
}

bool clt__winograd_weight_gradient_bound(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const clt__array *dy = &operand[WEIGHT_GRADIENT_DY], *db = &operand[WEIGHT_GRADIENT_DB];
    if (!z->winograd) return false;
    fill_weight_slack(z, operand[WEIGHT_GRADIENT_X].real, dy->real, operand[WEIGHT_GRADIENT_DW].slack);
    /* Of sums of dy, which have no more terms, whichever tiles and slices they go by. */
    const double growth = clt__conv_weight_gradient_growth(z);
    for (size_t i = 0; i < dy->count && db->slack; i++) db->slack[i % db->count] += growth * fabs(dy->real[i]);
    return true;
}
