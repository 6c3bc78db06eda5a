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

/* ---- mse, half_mse, bce, l1 and huber(outputs, label, target, step -> gradient, loss, hit) */

/* What one output adds to the loss, but for the factor, and that by x, each with its slack. */
typedef struct measure {
    double value, value_slack, slope, slope_slack;
} measure;

typedef measure (*measure_function)(double x, double t);

static measure square(double x, double t)
{
    const double e = x - t;
    return (measure){e * e, 3 * e * e, 2 * e, 2 * fabs(e)};
}

/* z = exp(-|x|) is off by its own roundoffs, 1 + z by half of those and one, and log1p(z) by those of z and its own. */
static measure logistic(double x, double t)
{
    const double z = exp(-fabs(x)), top = x < 0 ? 0 : x, p = (x < 0 ? z : 1) / (1 + z);
    return (measure){.value = top - x * t + log1p(z),
                     .value_slack = 3 * (top + fabs(x * t)) + (CLT__LOG_SLACK + 1) * log1p(z) + CLT__EXP_SLACK * z,
                     .slope = p - t,
                     .slope_slack = (2 * CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 2) * p + fabs(p - t)};
}

static double sign_of(double e)
{
    return e > 0 ? 1 : e < 0 ? -1 : e;
}

static measure absolute(double x, double t)
{
    const double e = x - t;
    return (measure){fabs(e), fabs(e), sign_of(e), 0};
}

static measure huber_of(double x, double t)
{
    const double e = x - t, size = fabs(e), slope = size > 1 ? sign_of(e) : e;
    const double value = size > 1 ? size - 0.5 : e * e / 2;
    return (measure){value, fabs(slope) * size + 2 * value, slope, fabs(slope)};
}

/* loss = factor * sum_k value[k],  dx = factor slope / whole */
static void add_measures(const loss_sizes *z, const clt__array *operand, measure_function function, double factor)
{
    const double *x = operand[0].real, *target = operand[2].real;
    const int32_t *label = operand[1].integer;
    const int valid = operand[3].integer[STEP_VALID], whole = operand[3].integer[STEP_WHOLE];
    const clt__array *gradient = &operand[4], *loss = &operand[5], *hit = &operand[6];
    for (int n = 0; n < z->n; n++) {
        const size_t row = (size_t)n * (size_t)z->outputs;
        const double used = n < valid ? factor : 0;
        double sum = 0, magnitude = 0, slack = 0;
        for (int k = 0; k < z->outputs; k++) {
            const size_t at = row + (size_t)k;
            const measure m = function(x[at], z->one_hot ? k == label[n] : target[at]);
            sum += m.value;
            magnitude += fabs(m.value);
            slack += m.value_slack;
            gradient->real[at] = used * m.slope / whole;
            if (gradient->slack)
                gradient->slack[at] =
                    used * m.slope_slack / whole + (2 * CLT__DIVIDE_SLACK + 3) * fabs(gradient->real[at]);
        }
        loss->real[n] = used * sum;
        hit->real[n] = z->one_hot && n < valid && largest(x + row, z->outputs) == label[n];
        if (loss->slack)
            loss->slack[n] = used * (slack + (clt__growth(z->outputs) + CLT__DIVIDE_SLACK + 2) * magnitude);
    }
}

#define MEAN_TWIN(name, function)                                         \
    static void name##_twin(const void *sizes, const clt__array *operand) \
    {                                                                     \
        const loss_sizes *z = sizes;                                      \
        add_measures(z, operand, function, 1.0 / z->outputs);             \
    }

MEAN_TWIN(mse, square)
MEAN_TWIN(bce, logistic)
MEAN_TWIN(l1, absolute)
MEAN_TWIN(huber, huber_of)

static void half_mse_twin(const void *sizes, const clt__array *operand)
{
    add_measures(sizes, operand, square, 0.5);
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

#define IMAGES_PLAN(name)                                                                             \
    static clt_status name##_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, \
                                  clt_error *error)                                                   \
    {                                                                                                 \
        (void)error;                                                                                  \
        return plan(#name, limits, ((loss_sizes *)sizes)->n, launches);                               \
    }

IMAGES_PLAN(cross_entropy)
IMAGES_PLAN(mse)
IMAGES_PLAN(half_mse)
IMAGES_PLAN(bce)
IMAGES_PLAN(l1)
IMAGES_PLAN(huber)

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

#define TARGET_OPERANDS                                                                           \
    {                                                                                             \
        {"outputs", CLT__READ}, {"label", CLT__READ}, {"target", CLT__READ}, {"step", CLT__READ}, \
            {"gradient", CLT__WRITE}, {"loss", CLT__WRITE},                                       \
        {                                                                                         \
            "hit", CLT__WRITE                                                                     \
        }                                                                                         \
    }

static const clt__op_row mse_op = {.name = "mse", .operand = TARGET_OPERANDS, .twin = mse_twin, .plan = mse_plan};

static const clt__op_row half_mse_op = {
    .name = "half_mse", .operand = TARGET_OPERANDS, .twin = half_mse_twin, .plan = half_mse_plan};

static const clt__op_row bce_op = {.name = "bce", .operand = TARGET_OPERANDS, .twin = bce_twin, .plan = bce_plan};

static const clt__op_row l1_op = {.name = "l1", .operand = TARGET_OPERANDS, .twin = l1_twin, .plan = l1_plan};

static const clt__op_row huber_op = {
    .name = "huber", .operand = TARGET_OPERANDS, .twin = huber_twin, .plan = huber_plan};

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
const clt__loss_row clt__bce = {
    .name = "bce",
    .help = "binary cross-entropy of each output's sigmoid, mean over the outputs; class labels become one-hot targets",
    .op = &bce_op,
    .real_targets = true};
const clt__loss_row clt__l1 = {.name = "l1",
                               .help = "mean absolute error; class labels become one-hot targets",
                               .op = &l1_op,
                               .real_targets = true};
const clt__loss_row clt__huber = {.name = "huber",
                                  .help = "mean of half the squared error up to an error of 1, linear beyond it",
                                  .op = &huber_op,
                                  .real_targets = true};
