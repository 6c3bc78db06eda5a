/* Activations whose derivative needs their input. Formulas: kernels/curve.cl. */
#include <stdio.h>

#include "ops/bounds.h"
#include "ops/curve.h"
#include "ops/launch.h"

static const double selu_scale = 1.0507009873554805, selu_alpha = 1.6732632423543772;

/* ---- the functions, each with how far a device may be off, in roundoffs */

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* Of logistic(x), relative: exp's, the sum's and the quotient's. */
enum { LOGISTIC_SLACK = CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 2 };

/* 1 + erf(x / sqrt 2), halved. The sum cancels where x is far below 0: what erf and its argument lose is then absolute.
 */
static double normal_share(double x, double *slack)
{
    const double t = x * 0.7071067811865476, e = erf(t);
    *slack = (CLT__ERF_SLACK * fabs(e) + 3 * fabs(t) * 1.1283791670955126 * exp(-t * t) + fabs(1 + e)) / 2;
    return (1 + e) / 2;
}

static double curve(int which, double a, double x, double *slack)
{
    double share, y;
    switch (which) {
    case CURVE_LEAKY_RELU:
        y = x > 0 ? x : a * x;
        *slack = x > 0 ? 0 : (CLT__DIVIDE_SLACK + 1) * fabs(y);
        return y;
    case CURVE_ELU:
        y = x > 0 ? x : a * expm1(x);
        *slack = x > 0 ? 0 : (CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 1) * fabs(y);
        return y;
    case CURVE_SELU:
        y = selu_scale * (x > 0 ? x : selu_alpha * expm1(x));
        *slack = (CLT__EXP_SLACK + 4) * fabs(y);
        return y;
    case CURVE_GELU:
        share = normal_share(x, slack);
        *slack = fabs(x) * (*slack + share);
        return x * share;
    case CURVE_SILU:
        y = x * logistic(x);
        *slack = LOGISTIC_SLACK * fabs(y);
        return y;
    case CURVE_HARDSWISH:
        y = x * fmin(fmax(x + 3, 0), 6) / 6;
        *slack = (CLT__DIVIDE_SLACK + 3) * fabs(y);
        return y;
    case CURVE_RELU6:
        *slack = 0;
        return x > 6 ? 6 : x < 0 ? 0 : x;
    default:
        y = fmax(x, 0) + log1p(exp(-fabs(x)));
        *slack = (CLT__LOG_SLACK + CLT__EXP_SLACK) * log1p(exp(-fabs(x))) + y;
        return y;
    }
}

static double slope(int which, double a, double x, double *slack)
{
    const double s = logistic(x);
    double share, bell, k;
    *slack = 0;
    switch (which) {
    case CURVE_LEAKY_RELU:
        if (x <= 0) *slack = CLT__DIVIDE_SLACK * fabs(a);
        return x > 0 ? 1 : a;
    case CURVE_ELU:
        if (x <= 0) *slack = (CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 1) * fabs(a) * exp(x);
        return x > 0 ? 1 : a * exp(x);
    case CURVE_SELU:
        k = selu_scale * (x > 0 ? 1 : selu_alpha * exp(x));
        *slack = (CLT__EXP_SLACK + 4) * k;
        return k;
    case CURVE_GELU: /* exp's argument is off by two roundings of x x / 2, which its result multiplies */
        share = normal_share(x, slack);
        bell = x * exp(-x * x / 2) * 0.3989422804014327;
        *slack += (CLT__EXP_SLACK + CLT__DIVIDE_SLACK * x * x / 2 + x * x + 3) * fabs(bell) + fabs(share + bell);
        return share + bell;
    case CURVE_SILU: /* 1 - s cancels: what s loses is then absolute */
        *slack = LOGISTIC_SLACK * s * (fabs(1 + x * (1 - s)) + fabs(x) * s) + 3 * s * (1 + fabs(x) * (1 - s));
        return s * (1 + x * (1 - s));
    case CURVE_HARDSWISH:
        if (x > -3 && x < 3) *slack = CLT__DIVIDE_SLACK * fabs(x) / 3 + fabs(x / 3 + 0.5);
        return x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1;
    case CURVE_RELU6:
        return x > 0 && x < 6 ? 1 : 0;
    default:
        *slack = LOGISTIC_SLACK * s;
        return s;
    }
}

/* ---- curve_forward(x -> y) and curve_gradient(dy, x -> dx) */

static void forward_twin(const void *sizes, const clt__array *operand)
{
    const curve_sizes *z = sizes;
    const clt__array *y = &operand[1];
    for (int i = 0; i < z->count; i++) {
        double slack;
        y->real[i] = curve(z->curve, z->alpha_ppm * 1e-6, operand[0].real[i], &slack);
        if (y->slack) y->slack[i] = slack;
    }
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const curve_sizes *z = sizes;
    const clt__array *dx = &operand[2];
    for (int i = 0; i < z->count; i++) {
        const double dy = operand[0].real[i];
        double slack;
        dx->real[i] = dy * slope(z->curve, z->alpha_ppm * 1e-6, operand[1].real[i], &slack);
        if (dx->slack) dx->slack[i] = fabs(dy) * slack + fabs(dx->real[i]);
    }
}

static clt_status plan(const char *kernel, const curve_sizes *z, const clt__limits *limits, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DCURVE=%d", limits->vector_width, z->curve);
    plan->file = "curve.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, clt__divide_up(z->count, limits->vector_width), false);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("curve_forward", sizes, limits, launches);
}

static clt_status gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("curve_gradient", sizes, limits, launches);
}

const clt__op_row clt__curve_forward_op = {
    .name = "curve_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__curve_gradient_op = {
    .name = "curve_gradient",
    .operand = {{"dy", CLT__READ}, {"x", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};
