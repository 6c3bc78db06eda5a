/* Activations: fused into the layer before them where that is possible, else ops of their own (kernels/activation.cl).
 */
#include <stdio.h>

#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- the functions themselves, for every twin that has an activation fused */

static double sigmoid(double v)
{
    return 1 / (1 + exp(-v));
}

double clt__activate(int activation, double sum)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return sum < 0 ? 0 : sum;
    case ACTIVATION_SIGMOID:
    case ACTIVATION_SIGMOID_NOTEBOOK:
        return sigmoid(sum);
    case ACTIVATION_TANH:
        return tanh(sum);
    default:
        return sum;
    }
}

double clt__deactivate(int activation, double gradient, double y)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return y <= 0 ? 0 : gradient;
    case ACTIVATION_SIGMOID:
        return gradient * y * (1 - y);
    case ACTIVATION_TANH:
        return gradient * (1 - y * y);
    case ACTIVATION_SIGMOID_NOTEBOOK:
        return gradient * (sigmoid(y) * (1 - sigmoid(y)));
    default:
        return gradient;
    }
}

/* relu and tanh never stretch a difference, sigmoid quarters it; then come the roundings of the function itself. The
 * sum 1 + exp(-v) and the quotient add theirs to exp's, all relative to y <= 1. */
double clt__activate_slack(int activation, double sum, double slack)
{
    switch (activation) {
    case ACTIVATION_SIGMOID:
    case ACTIVATION_SIGMOID_NOTEBOOK:
        return slack / 4 + (CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 2) * sigmoid(sum);
    case ACTIVATION_TANH:
        return slack + CLT__TANH_SLACK * fabs(tanh(sum));
    default:
        return slack;
    }
}

/* |f'| <= 1 for all of them; forming f' rounds a few times, relative to the terms of 1 - y or 1 - y * y. */
double clt__deactivate_slack(int activation, double gradient, double slack, double y)
{
    switch (activation) {
    case ACTIVATION_RELU:
        return y <= 0 ? 0 : slack;
    case ACTIVATION_SIGMOID:
        return slack * y * (1 - y) + 5 * fabs(gradient) * y;
    case ACTIVATION_TANH:
        return slack * (1 - y * y) + 5 * fabs(gradient);
    case ACTIVATION_SIGMOID_NOTEBOOK:
        return slack / 4 + (2 * (CLT__EXP_SLACK + CLT__DIVIDE_SLACK) + 8) * fabs(gradient) / 4;
    default:
        return slack;
    }
}

/* ---- the ops:  y = f(x),  dx = dy f'(x) */

static void forward_twin(const void *sizes, const clt__array *operand)
{
    const element_sizes *z = sizes;
    const double *x = operand[0].real;
    double *y = operand[1].real, *slack = operand[1].slack;
    for (int i = 0; i < z->count; i++) {
        y[i] = clt__activate(z->activation, x[i]);
        if (slack) slack[i] = clt__activate_slack(z->activation, x[i], 0);
    }
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const element_sizes *z = sizes;
    const double *dy = operand[0].real, *y = operand[1].real;
    double *dx = operand[2].real, *slack = operand[2].slack;
    for (int i = 0; i < z->count; i++) {
        dx[i] = clt__deactivate(z->activation, dy[i], y[i]);
        if (slack) slack[i] = clt__deactivate_slack(z->activation, dy[i], 0, y[i]);
    }
}

static clt_status plan(const void *sizes, const clt__limits *limits, const char *kernel, clt__launch_plan *plan)
{
    const element_sizes *z = sizes;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%d", limits->vector_width,
                   z->activation);
    plan->file = "activation.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, clt__divide_up(z->count, limits->vector_width), false);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan(sizes, limits, "activation_forward", launches);
}

static clt_status gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan(sizes, limits, "activation_gradient", launches);
}

const clt__op_row clt__activation_forward_op = {
    .name = "activation_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__activation_gradient_op = {
    .name = "activation_gradient",
    .operand = {{"dy", CLT__READ}, {"y", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};
