/* Max pooling. Formulas and letters: kernels/pool.cl. */
#include <stdio.h>

#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/pool.h"

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
    for (int h = top < 0 ? 0 : top; h < top + z->r && h < z->h; h++)
        for (int w = left < 0 ? 0 : left; w < left + z->s && w < z->w; w++) {
            const double value = x[input_index(z, n, h, w, c)];
            if (best >= 0 && !(value > most || (isnan(value) && !isnan(most)))) continue;
            most = value;
            best = h * z->w + w;
        }
    return best;
}

/* y[n,y,x,c] = max over r,s of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const pool_sizes *z = sizes;
    const double *x = operand[0].real;
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int ox = 0; ox < z->x; ox++)
                for (int c = 0; c < z->c; c++, at++) {
                    const int best = winner(z, x, n, y, ox, c);
                    operand[1].real[at] = x[input_index(z, n, best / z->w, best % z->w, c)];
                    if (operand[1].slack) operand[1].slack[at] = 0; /* nothing is rounded */
                    operand[2].integer[at] = best;
                }
}

/* dx[n,h,w,c] = g(x) * sum over the windows (y,x) whose best is (h,w) of dy[n,y,x,c] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const pool_sizes *z = sizes;
    const double *dy = operand[0].real, *x = operand[2].real;
    const int32_t *best = operand[1].integer;
    double *dx = operand[3].real, *slack = operand[3].slack;
    const size_t inputs = input_index(z, z->n, 0, 0, 0);
    const double growth = clt__growth((double)z->r * z->s);
    clt__clear(&operand[3], inputs);
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int window = 0; window < z->y * z->x; window++)
            for (int c = 0; c < z->c; c++, at++) {
                const size_t to = input_index(z, n, best[at] / z->w, best[at] % z->w, c);
                dx[to] += dy[at];
                if (slack) slack[to] += growth * fabs(dy[at]);
            }
    for (size_t i = 0; i < inputs && x; i++) {
        if (slack) slack[i] = clt__deactivate(z->activation, (clt__near){dx[i], slack[i]}, x[i]).slack;
        dx[i] = clt__deactivate(z->activation, clt__exactly(dx[i]), x[i]).value;
    }
}

/* A row of an image a work-item or, spread, an element. */
static void plan_rows(const pool_sizes *z, const clt__limits *limits, const char *kernel, int rows, int columns,
                      clt__launch_plan *plan)
{
    const bool spread = limits->schedule == CLT_SCHEDULE_TILE;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%s%s", limits->vector_width,
                   clt__activation_name(z->activation), clt__spread_define(limits));
    plan->file = "pool.cl";
    plan->flops = (double)z->n * z->y * z->x * z->c * z->r * z->s;
    plan->launch[0] = clt__flat_launch(kernel, limits, spread ? rows * columns * z->c : rows, true);
    plan->launch[0].global[1] = (size_t)z->n;
    plan->launches = 1;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const pool_sizes *z = sizes;
    plan_rows(z, limits, "pool_forward", z->y, z->x, plan);
    return CLT_OK;
}

static clt_status input_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const pool_sizes *z = sizes;
    plan_rows(z, limits, "pool_input_gradient", z->h, z->w, plan);
    return CLT_OK;
}

const clt__op_row clt__pool_forward_op = {
    .name = "pool_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}, {"best", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__pool_input_gradient_op = {
    .name = "pool_input_gradient",
    .operand = {{"dy", CLT__READ}, {"best", CLT__READ}, {"x", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = input_gradient_twin,
    .plan = input_gradient_plan,
};
