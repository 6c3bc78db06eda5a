/* Max pooling. Formulas and letters: kernels/pool.cl. */
#include "ops/pool.h"
#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/weighted.h"

static size_t input_index(const pool_sizes *z, int n, int h, int w, int c)
{
    return (((size_t)n * (size_t)z->h + (size_t)h) * (size_t)z->w + (size_t)w) * (size_t)z->c + (size_t)c;
}

/* The first pixel of a window, in reading order, that has the window's maximum, as h * width + w; NaN beats all. */
static int winner(const pool_sizes *z, const double *x, int n, int y, int ox, int c)
{
    int best = -1;
    double most = 0;
    const int top = y * z->stride_y - z->pad_y, left = ox * z->stride_x - z->pad_x;
    for (int r = 0; r < z->r; r++)
        for (int s = 0; s < z->s; s++) {
            const int h = top + r * z->dilation_y, w = left + s * z->dilation_x;
            if (h < 0 || w < 0 || h >= z->h || w >= z->w) continue;
            const double value = x[input_index(z, n, h, w, c)];
            if (best >= 0 && !(value > most || (isnan(value) && !isnan(most)))) continue;
            most = value;
            best = h * z->w + w;
        }
    return best;
}

/* y[n,y,x,c] = max over r,s of x[n, y*stride_y + r*dilation_y - pad_y, x*stride_x + s*dilation_x - pad_x, c]: nothing
 * is rounded */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const pool_sizes *z = sizes;
    const double *x = operand[POOL_X].real;
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int ox = 0; ox < z->x; ox++)
                for (int c = 0; c < z->c; c++, at++) {
                    const int best = winner(z, x, n, y, ox, c);
                    operand[POOL_Y].real[at] = x[input_index(z, n, best / z->w, best % z->w, c)];
                    operand[POOL_BEST].integer[at] = best;
                }
}

/* dx[n,h,w,c] = sum over the windows (y,x) whose best is (h,w) of dy[n,y,x,c] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const pool_sizes *z = sizes;
    const int32_t *best = operand[POOL_GRADIENT_BEST].integer;
    size_t at = 0;
    clt__clear(&operand[POOL_GRADIENT_DX]);
    for (int n = 0; n < z->n; n++)
        for (int window = 0; window < z->y * z->x; window++)
            for (int c = 0; c < z->c; c++, at++)
                operand[POOL_GRADIENT_DX].real[input_index(z, n, best[at] / z->w, best[at] % z->w, c)] +=
                    operand[POOL_GRADIENT_DY].real[at];
}

CLT__GROWTH(static, input_gradient_growth, pool_sizes, clt__growth((double)z->r * z->s))
CLT__DEACTIVATES(static, finish_input_gradient, pool_sizes, POOL_GRADIENT_DX, POOL_GRADIENT_X)

static bool covers(const pool_sizes *z)
{
    return z->stride_y == z->r && z->stride_x == z->s && !z->pad_y && !z->pad_x && z->dilation_y == 1 &&
           z->dilation_x == 1 && z->y * z->r == z->h && z->x * z->s == z->w;
}

/* Whether the op after this one is of that row, one that may be merged, and reads as its operand `operand` what this
 * one has made. */
static bool follows(const clt__op *op, size_t left, const clt__op_row *row, int operand, int made)
{
    return left > 1 && op[1].row == row && op[1].tensor[operand] == op->tensor[made] &&
           covers((const pool_sizes *)op[1].sizes.number);
}

int clt__count_with_pool(const clt__op *op, size_t left)
{
    return follows(op, left, &clt__pool_forward_op, POOL_X, FORWARD_Y) ? 2 : 1;
}

int clt__count_with_pool_gradient(const clt__op *op, size_t left)
{
    const bool apart = op->tensor[INPUT_GRADIENT_X] >= 0; /* an activation's derivative comes before the pool's */
    return !apart && follows(op, left, &clt__pool_input_gradient_op, POOL_GRADIENT_DY, INPUT_GRADIENT_DX) ? 2 : 1;
}

/* A row of an image a work-item or, spread, an element. */
static void launch_rows(const pool_sizes *z, const clt__limits *limits, int rows, int columns, clt__launches *to)
{
    clt__define(to, " -DVEC=%d", limits->vector_width);
    clt__define_activation(to, z->activation);
    const bool spread = clt__define_spread(to, limits);
    clt__launch_flat("pool.cl", limits, spread ? rows * columns * z->c : rows, true, to);
    to->launch[0].global[1] = (size_t)z->n;
    to->flops = (double)z->n * z->y * z->x * z->c * z->r * z->s;
}

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const pool_sizes *z = sizes;
    launch_rows(z, limits, z->y, z->x, to);
}

static void input_gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const pool_sizes *z = sizes;
    launch_rows(z, limits, z->h, z->w, to);
}

const clt__op_row clt__pool_forward_op = {
    .name = "pool_forward",
    .operand = {[POOL_X] = {"x", CLT__READ}, [POOL_Y] = {"y", CLT__WRITE}, [POOL_BEST] = {"best", CLT__WRITE}},
    .stored = CLT__STORED(POOL_X) | CLT__STORED(POOL_Y),
    .twin = forward_twin,
    .launch = forward_launch,
};

const clt__op_row clt__pool_input_gradient_op = {
    .name = "pool_input_gradient",
    .operand = {[POOL_GRADIENT_DY] = {"dy", CLT__READ},
                [POOL_GRADIENT_BEST] = {"best", CLT__READ},
                [POOL_GRADIENT_X] = {"x", CLT__READ},
                [POOL_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(POOL_GRADIENT_DY) | CLT__STORED(POOL_GRADIENT_X) | CLT__STORED(POOL_GRADIENT_DX),
    .twin = input_gradient_twin,
    .growth = input_gradient_growth,
    .finish = finish_input_gradient,
    .launch = input_gradient_launch,
};
