/* Softmax and its logarithm. Formulas: kernels/softmax.cl. */
#include <stdio.h>

#include "layers/bounds.h"
#include "layers/launch.h"
#include "layers/layer.h"

/* ---- softmax_forward(x -> y) and softmax_gradient(dy, y -> dx) */

static double largest(const double *x, int count)
{
    double most = x[0];
    for (int k = 1; k < count; k++) most = x[k] > most ? x[k] : most;
    return most;
}

/* y = exp(d) / sum exp(d) or d - log(sum exp(d)), d = x - max(x).
 *
 * Slack: d rounds once, so exp(d) is off by |d| roundoffs and its own; the sum of exponentials by their mean (weighted
 * by the softmax) and the growth of the sum. */
static void forward_row(const softmax_sizes *z, const double *x, double *y, double *slack)
{
    const double most = largest(x, z->length);
    double sum = 0, weighted = 0;
    for (int k = 0; k < z->length; k++) {
        const double d = x[k] - most;
        sum += exp(d);
        weighted += exp(d) * fabs(d);
    }
    const double sum_slack = weighted / sum + CLT__EXP_SLACK + clt__growth(z->length);
    for (int k = 0; k < z->length; k++) {
        const double d = x[k] - most;
        y[k] = z->logarithm ? d - log(sum) : exp(d) / sum;
        if (!slack) continue;
        slack[k] = z->logarithm ? fabs(d) + sum_slack + CLT__LOG_SLACK * log(sum) + fabs(y[k])
                                : (fabs(d) + CLT__EXP_SLACK + sum_slack + CLT__DIVIDE_SLACK) * y[k];
    }
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    const softmax_sizes *z = sizes;
    const clt__array *y = &operand[1];
    for (int row = 0; row < z->rows; row++) {
        const size_t first = (size_t)row * (size_t)z->length;
        forward_row(z, operand[0].real + first, y->real + first, y->slack ? y->slack + first : NULL);
    }
}

/* dx = y (dy - sum dy y) or dy - exp(y) sum dy */
static void gradient_row(const softmax_sizes *z, const double *dy, const double *y, double *dx, double *slack)
{
    double sum = 0, magnitude = 0;
    for (int k = 0; k < z->length; k++) {
        const double term = z->logarithm ? dy[k] : dy[k] * y[k];
        sum += term;
        magnitude += fabs(term);
    }
    const double sum_slack = clt__growth(z->length) * magnitude;
    for (int k = 0; k < z->length; k++) {
        const double share = z->logarithm ? exp(y[k]) : y[k];
        dx[k] = z->logarithm ? dy[k] - share * sum : share * (dy[k] - sum);
        if (!slack) continue;
        slack[k] = z->logarithm ? fabs(share) * (sum_slack + (CLT__EXP_SLACK + 1) * fabs(sum)) + fabs(dx[k])
                                : fabs(share) * sum_slack + 3 * fabs(dx[k]);
    }
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const softmax_sizes *z = sizes;
    const clt__array *dx = &operand[2];
    for (int row = 0; row < z->rows; row++) {
        const size_t first = (size_t)row * (size_t)z->length;
        gradient_row(z, operand[0].real + first, operand[1].real + first, dx->real + first,
                     dx->slack ? dx->slack + first : NULL);
    }
}

static clt_status plan(const char *kernel, const softmax_sizes *z, const clt__limits *limits, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=1");
    plan->file = "softmax.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, z->rows, false);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("softmax_forward", sizes, limits, launches);
}

static clt_status gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("softmax_gradient", sizes, limits, launches);
}

static const clt__op_row forward_op = {
    .name = "softmax_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

static const clt__op_row gradient_op = {
    .name = "softmax_gradient",
    .operand = {{"dy", CLT__READ}, {"y", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};

/* ---- the layers */

static softmax_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    const int pixels = s.height * s.width;
    return (softmax_sizes){.rows = layer->out.flat ? layer->batch : layer->batch * pixels,
                           .length = layer->out.flat ? s.channels * pixels : s.channels,
                           .logarithm = layer->row == &clt__log_softmax};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const softmax_sizes sizes = sizes_of(layer);
    const int tensor[] = {layer->in[0].tensor, layer->out.tensor};
    return clt__tape_add_op(tape, &forward_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    if (layer->in[0].gradient < 0) return CLT_OK;
    const softmax_sizes sizes = sizes_of(layer);
    const int tensor[] = {layer->out.gradient, layer->out.tensor, layer->in[0].gradient};
    return clt__tape_add_op(tape, &gradient_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static const clt__case softmax_cases[] = {
    {3, "input 17x5x3; softmax; flatten; softmax"},
    {64, "input 2x3x3; flatten; softmax; dense out=1; softmax"},
    {0, NULL},
};

static const clt__case log_softmax_cases[] = {
    {3, "input 17x5x3; batchnorm; tanh; log_softmax; flatten; log_softmax"},
    {0, NULL},
};

const clt__layer_row clt__softmax = {
    .name = "softmax",
    .help = "exp(x) over its sum, of a pixel's channels or a vector (the loss cross_entropy has its own)",
    .shape = clt__same_shape,
    .forward = forward,
    .backward = backward,
    .cases = softmax_cases,
};

const clt__layer_row clt__log_softmax = {
    .name = "log_softmax",
    .help = "the logarithm of softmax",
    .shape = clt__same_shape,
    .forward = forward,
    .backward = backward,
    .cases = log_softmax_cases,
};
