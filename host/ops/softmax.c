/* Softmax and its logarithm. Formulas: kernels/softmax.cl. */
#include <stdio.h>

#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/softmax.h"

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

const clt__op_row clt__softmax_forward_op = {
    .name = "softmax_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__softmax_gradient_op = {
    .name = "softmax_gradient",
    .operand = {{"dy", CLT__READ}, {"y", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};
