/* Losses and the step's history. Formulas: kernels/loss.cl. */
#include <stdio.h>

#include "layers/bounds.h"
#include "layers/launch.h"
#include "layers/layer.h"

static int largest(const double *x, int count)
{
    int best = 0;
    for (int k = 1; k < count; k++)
        if (x[k] > x[best]) best = k;
    return best;
}

/* ---- cross_entropy(outputs, label, step -> gradient, loss, hit) */

typedef struct image_loss {
    const double *x;
    int outputs, label, whole;
    double smoothing;
} image_loss;

/* loss = log(sum_k exp(x[k])) - sum_k q[k] x[k],  q = (1 - e) [k = label] + e / outputs,
 * dx[k] = (softmax(x)[k] - q[k]) / whole, both from d[k] = x[k] - max(x) so that exp cannot overflow.
 *
 * Slack: d rounds once, so exp(d) is off by |d| roundoffs and its own; the sum of exponentials by their mean (weighted
 * by the softmax) and the growth of the sum. */
static double cross_entropy_image(const image_loss *z, double *dx, double *dx_slack, double *loss_slack)
{
    const double most = z->x[largest(z->x, z->outputs)], low = z->smoothing / z->outputs;
    double sum = 0, mean = 0, weighted = 0;
    for (int k = 0; k < z->outputs; k++) {
        const double d = z->x[k] - most;
        sum += exp(d);
        mean += d / z->outputs;
        weighted += exp(d) * fabs(d);
    }
    const double sum_slack = weighted / sum + CLT__EXP_SLACK + clt__growth(z->outputs);
    for (int k = 0; k < z->outputs; k++) {
        const double d = z->x[k] - most, p = exp(d) / sum, q = (k == z->label ? 1 - z->smoothing : 0) + low;
        dx[k] = (p - q) / z->whole;
        if (dx_slack)
            dx_slack[k] = (p * (fabs(d) + CLT__EXP_SLACK + sum_slack + CLT__DIVIDE_SLACK) +
                           (CLT__DIVIDE_SLACK + 4) * p + (3 * CLT__DIVIDE_SLACK + 4) * (q + z->smoothing)) /
                          z->whole;
    }
    const double target = z->x[z->label] - most;
    *loss_slack = sum_slack + (CLT__LOG_SLACK + 2) * fabs(log(sum)) + 5 * fabs(target) +
                  z->smoothing * (CLT__DIVIDE_SLACK * fabs(target) +
                                  (clt__growth(z->outputs) + 2 * CLT__DIVIDE_SLACK + 4) * fabs(mean));
    return log(sum) - (1 - z->smoothing) * target - z->smoothing * mean;
}

static void cross_entropy_twin(const void *sizes, const clt__array *operand)
{
    const loss_sizes *z = sizes;
    const int32_t *label = operand[1].integer;
    const int valid = operand[2].integer[STEP_VALID], whole = operand[2].integer[STEP_WHOLE];
    const clt__array *gradient = &operand[3], *loss = &operand[4], *hit = &operand[5];
    for (int n = 0; n < z->n; n++) {
        const size_t row = (size_t)n * (size_t)z->outputs;
        double *slack = gradient->slack ? gradient->slack + row : NULL, loss_slack = 0;
        loss->real[n] = hit->real[n] = 0;
        if (n < valid) {
            const image_loss image = {operand[0].real + row, z->outputs, label[n], whole, z->smoothing_ppm * 1e-6};
            loss->real[n] = cross_entropy_image(&image, gradient->real + row, slack, &loss_slack);
            hit->real[n] = largest(image.x, z->outputs) == label[n];
        } else {
            for (int k = 0; k < z->outputs; k++) gradient->real[row + (size_t)k] = 0;
        }
        if (loss->slack) loss->slack[n] = loss_slack;
    }
}

/* ---- mse and half_mse(outputs, label, target, step -> gradient, loss, hit) */

/* loss = factor * sum_k (x - t)^2,  dx = 2 factor (x - t) / whole; factor: 1 / outputs (mse) or 1/2 (half_mse) */
static void squared_error_twin(const loss_sizes *z, const clt__array *operand, double factor)
{
    const double *x = operand[0].real, *target = operand[2].real;
    const int32_t *label = operand[1].integer;
    const int valid = operand[3].integer[STEP_VALID], whole = operand[3].integer[STEP_WHOLE];
    const clt__array *gradient = &operand[4], *loss = &operand[5], *hit = &operand[6];
    for (int n = 0; n < z->n; n++) {
        const size_t row = (size_t)n * (size_t)z->outputs;
        double sum = 0;
        for (int k = 0; k < z->outputs; k++) {
            const size_t at = row + (size_t)k;
            const double e = x[at] - (z->one_hot ? k == label[n] : target[at]);
            sum += e * e;
            gradient->real[at] = n < valid ? 2 * factor * e / whole : 0;
            if (gradient->slack) gradient->slack[at] = (2 * CLT__DIVIDE_SLACK + 4) * fabs(gradient->real[at]);
        }
        loss->real[n] = n < valid ? factor * sum : 0;
        hit->real[n] = z->one_hot && n < valid && largest(x + row, z->outputs) == label[n];
        if (loss->slack) loss->slack[n] = (clt__growth(z->outputs) + CLT__DIVIDE_SLACK + 4) * fabs(loss->real[n]);
    }
}

static void mse_twin(const void *sizes, const clt__array *operand)
{
    const loss_sizes *z = sizes;
    squared_error_twin(z, operand, 1.0 / z->outputs);
}

static void half_mse_twin(const void *sizes, const clt__array *operand)
{
    squared_error_twin(sizes, operand, 0.5);
}

/* ---- history(loss, hit, step -> history) */

static void history_twin(const void *sizes, const clt__array *operand)
{
    const loss_sizes *z = sizes;
    double *slot = operand[3].real + (size_t)operand[2].integer[STEP_SLOT] * HISTORY_LENGTH;
    const bool goes_on = operand[2].integer[STEP_PART] > 0;
    double losses = goes_on ? slot[HISTORY_LOSS] : 0, hits = goes_on ? slot[HISTORY_HITS] : 0, magnitude = fabs(losses);
    for (int n = 0; n < z->n; n++) {
        losses += operand[0].real[n];
        hits += operand[1].real[n];
        magnitude += fabs(operand[0].real[n]);
    }
    slot[HISTORY_LOSS] = losses;
    slot[HISTORY_HITS] = hits;
    if (operand[3].slack) operand[3].slack[slot - operand[3].real + HISTORY_LOSS] = clt__growth(z->n + 1) * magnitude;
}

/* ---- launch rules: one scalar work-item an image, for there are few */

static clt_status plan(const char *kernel, const clt__limits *limits, int items, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=1");
    plan->file = "loss.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, items, true);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status cross_entropy_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches,
                                     clt_error *error)
{
    (void)error;
    return plan("cross_entropy", limits, ((loss_sizes *)sizes)->n, launches);
}

static clt_status mse_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("mse", limits, ((loss_sizes *)sizes)->n, launches);
}

static clt_status half_mse_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("half_mse", limits, ((loss_sizes *)sizes)->n, launches);
}

static clt_status history_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)sizes;
    (void)error;
    return plan("history", limits, 1, launches);
}

static const clt__op_row cross_entropy_op = {
    .name = "cross_entropy",
    .operand = {{"outputs", CLT__READ},
                {"label", CLT__READ},
                {"step", CLT__READ},
                {"gradient", CLT__WRITE},
                {"loss", CLT__WRITE},
                {"hit", CLT__WRITE}},
    .twin = cross_entropy_twin,
    .plan = cross_entropy_plan,
};

#define SQUARED_ERROR_OPERANDS                                                                    \
    {                                                                                             \
        {"outputs", CLT__READ}, {"label", CLT__READ}, {"target", CLT__READ}, {"step", CLT__READ}, \
            {"gradient", CLT__WRITE}, {"loss", CLT__WRITE},                                       \
        {                                                                                         \
            "hit", CLT__WRITE                                                                     \
        }                                                                                         \
    }

static const clt__op_row mse_op = {
    .name = "mse", .operand = SQUARED_ERROR_OPERANDS, .twin = mse_twin, .plan = mse_plan};

static const clt__op_row half_mse_op = {
    .name = "half_mse", .operand = SQUARED_ERROR_OPERANDS, .twin = half_mse_twin, .plan = half_mse_plan};

const clt__op_row clt__history_op = {
    .name = "history",
    .operand = {{"loss", CLT__READ}, {"hit", CLT__READ}, {"step", CLT__READ}, {"history", CLT__UPDATE}},
    .twin = history_twin,
    .plan = history_plan,
};

const clt__loss_row clt__cross_entropy = {.name = "cross_entropy",
                                          .help = "softmax and negative log likelihood of the class label, fused",
                                          .op = &cross_entropy_op,
                                          .smooths = true};
const clt__loss_row clt__mse = {.name = "mse",
                                .help = "mean squared error; class labels become one-hot targets",
                                .op = &mse_op,
                                .real_targets = true};
const clt__loss_row clt__half_mse = {.name = "half_mse",
                                     .help = "half the squared error, summed over the outputs",
                                     .op = &half_mse_op,
                                     .real_targets = true};
