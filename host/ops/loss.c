/* Losses and the step's history. Formulas: kernels/loss.cl. */
#include <stdio.h>

#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/loss.h"

static int largest(const double *x, int count)
{
    int best = 0;
    for (int k = 1; k < count; k++)
        if (x[k] > x[best]) best = k;
    return best;
}

/* ---- what the losses read of one image */

enum { OUTPUTS, LABEL, TARGET, STEP };

typedef struct example {
    const double *x, *target;
    int outputs, label;
    bool one_hot, labelled;
} example;

static example example_of(const loss_sizes *z, const clt__array *operand, int n)
{
    const size_t row = (size_t)n * (size_t)z->outputs;
    return (example){.x = operand[OUTPUTS].real + row,
                     .target = z->one_hot ? NULL : operand[TARGET].real + row,
                     .outputs = z->outputs,
                     .label = z->labelled ? operand[LABEL].integer[n] : -1,
                     .one_hot = z->one_hot,
                     .labelled = z->labelled};
}

static double target_of(const example *e, int k)
{
    return e->one_hot ? k == e->label : e->target[k];
}

static double hit_of(const example *e)
{
    return e->labelled && largest(e->x, e->outputs) == e->label;
}

/* ---- cross_entropy(outputs, label, target, step, class_weight, mean_weight -> gradient, loss, hit) */

enum { CLASS_WEIGHT = STEP + 1, MEAN_WEIGHT, GRADIENT, LOSS, HIT };

/* How all images of a batch are weighed. */
typedef struct weighing {
    double smoothing, mean_weight; /* the latter is 1 without class weights */
    const double *class_weight;    /* NULL: all 1 */
    int whole;
} weighing;

static double weight_of(const weighing *w, int k)
{
    return w->class_weight ? w->class_weight[k] : 1;
}

/* q[k] = class_weight[k] ((1 - e) t[k] + e / outputs) */
static double share_of(const weighing *w, const example *e, int k)
{
    return weight_of(w, k) * ((1 - w->smoothing) * target_of(e, k) + w->smoothing / e->outputs);
}

/* Of q[k]: e and e / outputs are off by a quotient or two, and three roundings follow. */
static double share_slack(const weighing *w, const example *e, int k)
{
    return (2 * CLT__DIVIDE_SLACK + 5) * weight_of(w, k) * (fabs(target_of(e, k)) + w->smoothing / e->outputs);
}

/* loss = -sum_k q[k] log softmax(x)[k] / mean_weight,
 * dx[k] = (softmax(x)[k] sum_j q[j] - q[k]) / (mean_weight whole), both from d[k] = x[k] - max(x) so that exp cannot
 * overflow.
 *
 * Slack: d rounds once, so exp(d) is off by |d| roundoffs and its own; the sum of exponentials by their mean (weighted
 * by the softmax) and the growth of the sum. Shares and weights of classes are much alike, so that rounding errors of
 * their sums are, too, and may grow as in the worst case. */
static double cross_entropy_image(const weighing *w, const example *e, double *dx, double *dx_slack, double *loss_slack)
{
    const double most = e->x[largest(e->x, e->outputs)], growth = clt__growth(e->outputs);
    double sum = 0, off = 0, shares = 0, shares_slack = 0, weighted = 0, weighted_slack = 0;
    for (int k = 0; k < e->outputs; k++) {
        const double d = e->x[k] - most, q = share_of(w, e, k), q_slack = share_slack(w, e, k);
        sum += exp(d);
        off += exp(d) * fabs(d);
        shares += q;
        shares_slack += e->outputs * fabs(q) + q_slack;
        weighted += q * d;
        weighted_slack += ((growth + 2) * fabs(q) + q_slack) * fabs(d);
    }
    const double sum_slack = off / sum + CLT__EXP_SLACK + growth;
    for (int k = 0; k < e->outputs; k++) {
        const double d = e->x[k] - most, p = exp(d) / sum, q = share_of(w, e, k), scale = w->mean_weight * w->whole;
        dx[k] = (p * shares - q) / scale;
        if (dx_slack)
            dx_slack[k] = (p * fabs(shares) * (fabs(d) + CLT__EXP_SLACK + sum_slack + CLT__DIVIDE_SLACK + 2) +
                           p * shares_slack + share_slack(w, e, k) + fabs(q)) /
                              scale +
                          (CLT__DIVIDE_SLACK + 1) * fabs(dx[k]);
    }
    /* cppcheck-suppress invalidFunctionArg ; the largest term of the sum is 1 */
    const double logarithm = log(sum), loss = (shares * logarithm - weighted) / w->mean_weight;
    *loss_slack = (fabs(shares) * (sum_slack + (CLT__LOG_SLACK + 2) * fabs(logarithm)) +
                   shares_slack * fabs(logarithm) + weighted_slack + fabs(weighted)) /
                      w->mean_weight +
                  CLT__DIVIDE_SLACK * fabs(loss);
    return loss;
}

static void cross_entropy_twin(const void *sizes, const clt__array *operand)
{
    const loss_sizes *z = sizes;
    const int32_t *step = operand[STEP].integer;
    const clt__array *gradient = &operand[GRADIENT], *loss = &operand[LOSS], *hit = &operand[HIT];
    const weighing w = {.smoothing = z->smoothing_ppm * 1e-6,
                        .mean_weight = operand[MEAN_WEIGHT].real ? *operand[MEAN_WEIGHT].real : 1,
                        .class_weight = operand[CLASS_WEIGHT].real,
                        .whole = step[STEP_WHOLE]};
    for (int n = 0; n < z->n; n++) {
        const size_t row = (size_t)n * (size_t)z->outputs;
        double *slack = gradient->slack ? gradient->slack + row : NULL, loss_slack = 0;
        loss->real[n] = hit->real[n] = 0;
        if (n < step[STEP_VALID]) {
            const example e = example_of(z, operand, n);
            loss->real[n] = cross_entropy_image(&w, &e, gradient->real + row, slack, &loss_slack);
            hit->real[n] = hit_of(&e);
        } else {
            for (int k = 0; k < z->outputs; k++) gradient->real[row + (size_t)k] = 0;
        }
        if (loss->slack) loss->slack[n] = loss_slack;
    }
}

/* ---- mean_weight(labels, order, step, class_weight -> mean) */

static void mean_weight_twin(const void *sizes, const clt__array *operand)
{
    (void)sizes;
    const int32_t *labels = operand[0].integer, *order = operand[1].integer, *step = operand[2].integer;
    const int first = step[STEP_FIRST] - step[STEP_BEFORE], whole = step[STEP_WHOLE];
    double sum = 0;
    for (int n = 0; n < whole; n++) sum += operand[3].real[labels[order[first + n]]];
    *operand[4].real = sum / whole;
    if (operand[4].slack)
        *operand[4].slack = (whole + CLT__DIVIDE_SLACK) * fabs(sum / whole); /* the weights are alike */
}

/* ---- mse, half_mse, bce, l1 and huber(outputs, label, target, step -> gradient, loss, hit) */

enum { MEASURED_GRADIENT = STEP + 1, MEASURED_LOSS, MEASURED_HIT };

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
    const int valid = operand[STEP].integer[STEP_VALID], whole = operand[STEP].integer[STEP_WHOLE];
    const clt__array *gradient = &operand[MEASURED_GRADIENT], *loss = &operand[MEASURED_LOSS];
    for (int n = 0; n < z->n; n++) {
        const example e = example_of(z, operand, n);
        const double used = n < valid ? factor : 0;
        double sum = 0, magnitude = 0, slack = 0;
        for (int k = 0; k < z->outputs; k++) {
            const size_t at = (size_t)n * (size_t)z->outputs + (size_t)k;
            const measure m = function(e.x[k], target_of(&e, k));
            sum += m.value;
            magnitude += fabs(m.value);
            slack += m.value_slack;
            gradient->real[at] = used * m.slope / whole;
            if (gradient->slack)
                gradient->slack[at] =
                    used * m.slope_slack / whole + (2 * CLT__DIVIDE_SLACK + 3) * fabs(gradient->real[at]);
        }
        loss->real[n] = used * sum;
        operand[MEASURED_HIT].real[n] = n < valid ? hit_of(&e) : 0;
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

#define ONE_ITEM_PLAN(name)                                                                           \
    static clt_status name##_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, \
                                  clt_error *error)                                                   \
    {                                                                                                 \
        (void)sizes;                                                                                  \
        (void)error;                                                                                  \
        return plan(#name, limits, 1, launches);                                                      \
    }

ONE_ITEM_PLAN(mean_weight)
ONE_ITEM_PLAN(history)

static const clt__op_row cross_entropy_op = {
    .name = "cross_entropy",
    .operand = {{"outputs", CLT__READ},
                {"label", CLT__READ},
                {"target", CLT__READ},
                {"step", CLT__READ},
                {"class_weight", CLT__READ},
                {"mean_weight", CLT__READ},
                {"gradient", CLT__WRITE},
                {"loss", CLT__WRITE},
                {"hit", CLT__WRITE}},
    .twin = cross_entropy_twin,
    .plan = cross_entropy_plan,
};

const clt__op_row clt__mean_weight_op = {
    .name = "mean_weight",
    .operand = {{"labels", CLT__READ},
                {"order", CLT__READ},
                {"step", CLT__READ},
                {"class_weight", CLT__READ},
                {"mean", CLT__WRITE}},
    .twin = mean_weight_twin,
    .plan = mean_weight_plan,
};

#define MEASURED_OP(called)                   \
    static const clt__op_row called##_op = {  \
        .name = #called,                      \
        .operand = {{"outputs", CLT__READ},   \
                    {"label", CLT__READ},     \
                    {"target", CLT__READ},    \
                    {"step", CLT__READ},      \
                    {"gradient", CLT__WRITE}, \
                    {"loss", CLT__WRITE},     \
                    {"hit", CLT__WRITE}},     \
        .twin = called##_twin,                \
        .plan = called##_plan,                \
    }

MEASURED_OP(mse);
MEASURED_OP(half_mse);
MEASURED_OP(bce);
MEASURED_OP(l1);
MEASURED_OP(huber);

const clt__op_row clt__history_op = {
    .name = "history",
    .operand = {{"loss", CLT__READ}, {"hit", CLT__READ}, {"step", CLT__READ}, {"history", CLT__UPDATE}},
    .twin = history_twin,
    .plan = history_plan,
};

static const clt__loss_row cross_entropy = {
    .name = "cross_entropy",
    .help = "softmax and negative log likelihood of the class label, or of targets that are probabilities, fused",
    .op = &cross_entropy_op,
    .probabilities = true,
    .of_classes = true};
static const clt__loss_row mse = {
    .name = "mse", .help = "mean squared error; class labels become one-hot targets", .op = &mse_op};
static const clt__loss_row half_mse = {
    .name = "half_mse", .help = "half the squared error, summed over the outputs", .op = &half_mse_op};
static const clt__loss_row bce = {
    .name = "bce",
    .help = "binary cross-entropy of each output's sigmoid, mean over the outputs; class labels become one-hot targets",
    .op = &bce_op,
    .probabilities = true};
static const clt__loss_row l1 = {
    .name = "l1", .help = "mean absolute error; class labels become one-hot targets", .op = &l1_op};
static const clt__loss_row huber = {
    .name = "huber", .help = "mean of half the squared error up to an error of 1, linear beyond it", .op = &huber_op};

/* In the order in which `cltrain help nets` shows them. */
const clt__loss_row *const clt__loss_rows[] = {&cross_entropy, &mse, &half_mse, &bce, &l1, &huber, NULL};

double clt__image_loss(const clt__loss_row *row, double *outputs, int count, const int32_t *label, const double *target,
                       double *gradient)
{
    const loss_sizes sizes = {.n = 1, .outputs = count, .one_hot = label != NULL, .labelled = label != NULL};
    int32_t step[STEP_LENGTH] = {[STEP_VALID] = 1, [STEP_WHOLE] = 1}, class = label ? *label : 0;
    double loss = 0, hit = 0;
    clt__array operand[CLT__MAX_OPERANDS] = {
        [OUTPUTS] = {.real = outputs}, [LABEL] = {.integer = &class}, [STEP] = {.integer = step}};
    operand[TARGET].real = (double *)target;
    operand[row->of_classes ? GRADIENT : MEASURED_GRADIENT].real = gradient;
    operand[row->of_classes ? LOSS : MEASURED_LOSS].real = &loss;
    operand[row->of_classes ? HIT : MEASURED_HIT].real = &hit;
    row->op->twin(&sizes, operand);
    return loss;
}
