/* Softmax and its logarithm. Formulas: kernels/softmax.cl. */
#include "ops/softmax.h"
#include "ops/bounds.h"
#include "ops/launch.h"

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
static void forward_row(const softmax_sizes *z, const clt__array *operand, size_t first)
{
    const double *x = operand[SOFTMAX_X].real + first, most = largest(x, z->length);
    double sum = 0, weighted = 0;
    for (int k = 0; k < z->length; k++) {
        const double d = x[k] - most;
        sum += exp(d);
        weighted += exp(d) * fabs(d);
    }
    const double sum_slack = weighted / sum + CLT__EXP_SLACK + clt__growth(z->length);
    for (int k = 0; k < z->length; k++) {
        const double d = x[k] - most, y = z->logarithm ? d - log(sum) : exp(d) / sum;
        const double slack = z->logarithm ? fabs(d) + sum_slack + CLT__LOG_SLACK * log(sum) + fabs(y)
                                          : (fabs(d) + CLT__EXP_SLACK + sum_slack + CLT__DIVIDE_SLACK) * y;
        clt__put(&operand[SOFTMAX_Y], first + (size_t)k, (clt__near){y, slack});
    }
}

/* dx = y (dy - sum dy y) or dy - exp(y) sum dy */
static void gradient_row(const softmax_sizes *z, const clt__array *operand, size_t first)
{
    const double *dy = operand[SOFTMAX_GRADIENT_DY].real + first, *y = operand[SOFTMAX_GRADIENT_Y].real + first;
    clt__near sum = clt__exactly(0);
    for (int k = 0; k < z->length; k++)
        clt__near_gather(&sum, z->logarithm ? dy[k] : dy[k] * y[k], clt__growth(z->length));
    for (int k = 0; k < z->length; k++) {
        const double share = z->logarithm ? exp(y[k]) : y[k];
        const double dx = z->logarithm ? dy[k] - share * sum.value : share * (dy[k] - sum.value);
        const double slack = z->logarithm ? share * (sum.slack + (CLT__EXP_SLACK + 1) * fabs(sum.value)) + fabs(dx)
                                          : fabs(share) * sum.slack + 3 * fabs(dx);
        clt__put(&operand[SOFTMAX_GRADIENT_DX], first + (size_t)k, (clt__near){dx, slack});
    }
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    const softmax_sizes *z = sizes;
    for (int row = 0; row < z->rows; row++) forward_row(z, operand, (size_t)row * (size_t)z->length);
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const softmax_sizes *z = sizes;
    for (int row = 0; row < z->rows; row++) gradient_row(z, operand, (size_t)row * (size_t)z->length);
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    clt__define(to, " -DVEC=1");
    clt__launch_flat("softmax.cl", limits, ((const softmax_sizes *)sizes)->rows, false, to);
}

const clt__op_row clt__softmax_forward_op = {
    .name = "softmax_forward",
    .operand = {[SOFTMAX_X] = {"x", CLT__READ}, [SOFTMAX_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(SOFTMAX_X) | CLT__STORED(SOFTMAX_Y),
    .twin = forward_twin,
    .launch = launch,
};

const clt__op_row clt__softmax_gradient_op = {
    .name = "softmax_gradient",
    .operand = {[SOFTMAX_GRADIENT_DY] = {"dy", CLT__READ},
                [SOFTMAX_GRADIENT_Y] = {"y", CLT__READ},
                [SOFTMAX_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(SOFTMAX_GRADIENT_DY) | CLT__STORED(SOFTMAX_GRADIENT_Y) | CLT__STORED(SOFTMAX_GRADIENT_DX),
    .twin = gradient_twin,
    .launch = launch,
};
