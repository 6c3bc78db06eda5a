/* Losses and the step's history. Formulas: kernels/loss.cl. */
#include "ops/loss.h"

#include "ops/bounds.h"
#include "ops/launch.h"

static int largest(const double *x, int count)
{
    int best = 0;
    for (int k = 1; k < count; k++)
        if (x[k] > x[best]) best = k;
    return best;
}

/* ---- what the losses read of one image */

typedef struct example {
    const double *x, *target;
    int outputs, label;
    bool one_hot, labelled;
} example;

static example example_of(const loss_sizes *z, const clt__array *operand, int n)
{
    const size_t row = (size_t)n * (size_t)z->outputs;
    return (example){.x = operand[LOSS_OUTPUTS].real + row,
                     .target = z->one_hot ? NULL : operand[LOSS_TARGET].real + row,
                     .outputs = z->outputs,
                     .label = z->labelled ? operand[LOSS_LABEL].integer[n] : -1,
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

/* A power of two scales bounds, too. */
static void scale_gradient(const clt__array *operand)
{
    const double *scale = operand[LOSS_SCALE].real;
    const clt__array *gradient = &operand[LOSS_GRADIENT];
    for (size_t i = 0; i < gradient->count && scale; i++) {
        gradient->real[i] *= scale[SCALE_FACTOR];
        if (gradient->slack) gradient->slack[i] *= scale[SCALE_FACTOR];
    }
}

/* ---- the history, which all of them end with: the loss that is added up may be off already */

static void add_to_history(const loss_sizes *z, const clt__array *operand)
{
    const clt__array *history = &operand[LOSS_HISTORY], *loss = &operand[LOSS_LOSS];
    const int32_t *step = operand[LOSS_STEP].integer;
    if (!history->real) return;
    const size_t slot = (size_t)step[STEP_SLOT] * HISTORY_LENGTH;
    const double growth = clt__growth(z->n + 1);
    const bool goes_on = step[STEP_PART] > 0;
    const double losses = goes_on ? history->real[slot + HISTORY_LOSS] : 0;
    clt__near sum = {losses, growth * fabs(losses)};
    double hits = goes_on ? history->real[slot + HISTORY_HITS] : 0;
    for (int n = 0; n < z->n; n++) {
        clt__near_gather(&sum, loss->real[n], growth);
        sum.slack += loss->slack ? loss->slack[n] : 0;
        hits += operand[LOSS_HIT].real[n];
    }
    clt__put(history, slot + HISTORY_LOSS, sum);
    history->real[slot + HISTORY_HITS] = hits;
}

/* ---- cross_entropy */

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

/* q[k] = class_weight[k] ((1 - e) t[k] + e / outputs): e and e / outputs are off by a quotient or two, and three
 * roundings follow. */
static clt__near share_of(const weighing *w, const example *e, int k)
{
    const double weight = weight_of(w, k), t = target_of(e, k), low = w->smoothing / e->outputs;
    return (clt__near){weight * ((1 - w->smoothing) * t + low), (2 * CLT__DIVIDE_SLACK + 5) * weight * (fabs(t) + low)};
}

/* loss = -sum_k q[k] log softmax(x)[k] / mean_weight,
 * dx[k] = (softmax(x)[k] sum_j q[j] - q[k]) / (mean_weight whole), both from d[k] = x[k] - max(x) so that exp cannot
 * overflow.
 *
 * Slack: d rounds once, so exp(d) is off by |d| roundoffs and its own; the sum of exponentials by their mean (weighted
 * by the softmax) and the growth of the sum. Shares and weights of classes are much alike, so that rounding errors of
 * their sums are, too, and may grow as in the worst case. */
static clt__near cross_entropy_image(const weighing *w, const example *e, const clt__array *gradient, size_t row)
{
    const double most = e->x[largest(e->x, e->outputs)], growth = clt__growth(e->outputs);
    const double scale = w->mean_weight * w->whole;
    double sum = 0, off = 0;
    clt__near shares = clt__exactly(0), weighted = clt__exactly(0);
    for (int k = 0; k < e->outputs; k++) {
        const double d = e->x[k] - most;
        const clt__near q = share_of(w, e, k);
        sum += exp(d);
        off += exp(d) * fabs(d);
        shares.value += q.value;
        shares.slack += e->outputs * fabs(q.value) + q.slack;
        weighted.value += q.value * d;
        weighted.slack += ((growth + 2) * fabs(q.value) + q.slack) * fabs(d);
    }
    const double sum_slack = off / sum + CLT__EXP_SLACK + growth;
    for (int k = 0; k < e->outputs; k++) {
        const double d = e->x[k] - most, p = exp(d) / sum;
        const double p_slack = fabs(d) + CLT__EXP_SLACK + sum_slack + CLT__DIVIDE_SLACK + 2;
        const clt__near q = share_of(w, e, k);
        const double dx = (p * shares.value - q.value) / scale;
        const double slack = p * fabs(shares.value) * p_slack + p * shares.slack + q.slack + fabs(q.value);
        clt__put(gradient, row + (size_t)k, (clt__near){dx, slack / scale + (CLT__DIVIDE_SLACK + 1) * fabs(dx)});
    }
    /* cppcheck-suppress invalidFunctionArg ; the largest term of the sum is 1 */
    const double logarithm = log(sum), loss = (shares.value * logarithm - weighted.value) / w->mean_weight;
    const double slack = fabs(shares.value) * (sum_slack + (CLT__LOG_SLACK + 2) * fabs(logarithm)) +
                         shares.slack * fabs(logarithm) + weighted.slack + fabs(weighted.value);
    return (clt__near){loss, slack / w->mean_weight + CLT__DIVIDE_SLACK * fabs(loss)};
}

static void cross_entropy_twin(const void *sizes, const clt__array *operand)
{
    const loss_sizes *z = sizes;
    const int32_t *step = operand[LOSS_STEP].integer;
    const weighing w = {.smoothing = z->smoothing_ppm * 1e-6,
                        .mean_weight = operand[LOSS_MEAN_WEIGHT].real ? *operand[LOSS_MEAN_WEIGHT].real : 1,
                        .class_weight = operand[LOSS_CLASS_WEIGHT].real,
                        .whole = step[STEP_WHOLE]};
    for (int n = 0; n < z->n; n++) {
        const size_t row = (size_t)n * (size_t)z->outputs;
        const bool valid = n < step[STEP_VALID];
        const example e = example_of(z, operand, n);
        for (size_t k = 0; k < (size_t)z->outputs; k++) operand[LOSS_GRADIENT].real[row + k] = 0;
        clt__put(&operand[LOSS_LOSS], (size_t)n,
                 valid ? cross_entropy_image(&w, &e, &operand[LOSS_GRADIENT], row) : clt__exactly(0));
        operand[LOSS_HIT].real[n] = valid ? hit_of(&e) : 0;
    }
    scale_gradient(operand);
    add_to_history(z, operand);
}

/* ---- mean_weight */

/* The weights are alike, so that rounding errors are, too. */
static void mean_weight_twin(CLT__UNUSED const void *sizes, const clt__array *operand)
{
    const int32_t *labels = operand[MEAN_WEIGHT_LABELS].integer, *order = operand[MEAN_WEIGHT_ORDER].integer;
    const int32_t *step = operand[MEAN_WEIGHT_STEP].integer;
    const int first = step[STEP_FIRST] - step[STEP_BEFORE], whole = step[STEP_WHOLE];
    double sum = 0;
    for (int n = 0; n < whole; n++) sum += operand[MEAN_WEIGHT_CLASS_WEIGHT].real[labels[order[first + n]]];
    const double mean = sum / whole;
    clt__put(&operand[MEAN_WEIGHT_MEAN], 0, (clt__near){mean, (whole + CLT__DIVIDE_SLACK) * fabs(mean)});
}

/* ---- mse, half_mse, bce, l1 and huber: a function of an output and its target, summed over the outputs */

/* What one output adds to the loss, but for the factor, and that by x. */
typedef struct measure {
    clt__near value, slope;
} measure;

typedef measure (*measure_function)(double x, double t);

static measure square(double x, double t)
{
    const double e = x - t;
    return (measure){{e * e, 3 * e * e}, {2 * e, 2 * fabs(e)}};
}

/* z = exp(-|x|) is off by its own roundoffs, 1 + z by half of those and one, and log1p(z) by those of z and its own. */
static measure logistic(double x, double t)
{
    const double z = exp(-fabs(x)), top = x < 0 ? 0 : x, p = (x < 0 ? z : 1) / (1 + z);
    return (measure){
        {top - x * t + log1p(z), 3 * (top + fabs(x * t)) + (CLT__LOG_SLACK + 1) * log1p(z) + CLT__EXP_SLACK * z},
        {p - t, (2 * CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 2) * p + fabs(p - t)}};
}

static double sign_of(double e)
{
    return e > 0 ? 1 : e < 0 ? -1 : e;
}

static measure absolute(double x, double t)
{
    const double e = x - t;
    return (measure){{fabs(e), fabs(e)}, clt__exactly(sign_of(e))};
}

static measure huber_of(double x, double t)
{
    const double e = x - t, size = fabs(e), slope = size > 1 ? sign_of(e) : e;
    const double value = size > 1 ? size - 0.5 : e * e / 2;
    return (measure){{value, fabs(slope) * size + 2 * value}, {slope, fabs(slope)}};
}

/* loss = factor * sum_k value[k],  dx = factor slope / whole */
static void add_measures(const loss_sizes *z, const clt__array *operand, measure_function function, double factor)
{
    const int valid = operand[LOSS_STEP].integer[STEP_VALID], whole = operand[LOSS_STEP].integer[STEP_WHOLE];
    const double growth = clt__growth(z->outputs) + CLT__DIVIDE_SLACK + 2;
    for (int n = 0; n < z->n; n++) {
        const example e = example_of(z, operand, n);
        const double used = n < valid ? factor : 0;
        clt__near sum = clt__exactly(0);
        for (int k = 0; k < z->outputs; k++) {
            const measure m = function(e.x[k], target_of(&e, k));
            const double dx = used * m.slope.value / whole;
            clt__near_gather(&sum, m.value.value, growth);
            sum.slack += m.value.slack;
            clt__put(&operand[LOSS_GRADIENT], (size_t)n * (size_t)z->outputs + (size_t)k,
                     (clt__near){dx, used * m.slope.slack / whole + (2 * CLT__DIVIDE_SLACK + 3) * fabs(dx)});
        }
        clt__put(&operand[LOSS_LOSS], (size_t)n, (clt__near){used * sum.value, used * sum.slack});
        operand[LOSS_HIT].real[n] = n < valid ? hit_of(&e) : 0;
    }
    scale_gradient(operand);
    add_to_history(z, operand);
}

/* ---- launch rules and rows. A scalar work-item an image, for there are few; one for what has one sum. */

/* Values of a batch for each lane of a compute unit, up to which that unit is done with all of them sooner than another
 * launch could begin. */
enum { ONE_GROUP_VALUES = 64 };

/* A group in which every image has an item, so that the history's sum can follow in the same launch. Images that are
 * one wave of items would have no other group in any case. */
static bool launch_one_group(const loss_sizes *z, const clt__limits *limits, clt__launches *to)
{
    const bool tile = limits->schedule == CLT_SCHEDULE_TILE;
    const int lanes = tile ? limits->unit_lanes : limits->vector_width,
              multiple = tile && limits->preferred_multiple > 0 ? limits->preferred_multiple : 1,
              items = clt__round_up(z->n, multiple);
    const bool few = (int64_t)z->n * z->outputs <= (int64_t)ONE_GROUP_VALUES * lanes;
    if (items > limits->work_group_items || !(few || items == multiple)) return false;
    clt__define(to, " -DONE_GROUP");
    to->file = "loss.cl";
    to->launch[0] = (clt__launch){to->op, {(size_t)items, 1, 1}, {(size_t)items, 1, 1}, false};
    to->count = 1;
    return true;
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const loss_sizes *z = sizes;
    clt__define(to, " -DVEC=1");
    if (launch_one_group(z, limits, to)) return;
    clt__launch_flat("loss.cl", limits, z->n, true, to);
    to->launch[to->count++] = clt__flat_launch("history", limits, 1, true);
}

static void launch_mean_weight(CLT__UNUSED void *sizes, const clt__limits *limits, clt__launches *to)
{
    clt__define(to, " -DVEC=1");
    clt__launch_flat("loss.cl", limits, 1, true, to);
}

#define COMMON_OPERANDS                                                                                               \
    [LOSS_OUTPUTS] = {"outputs", CLT__READ}, [LOSS_LABEL] = {"label", CLT__READ},                                     \
    [LOSS_TARGET] = {"target", CLT__READ}, [LOSS_STEP] = {"step", CLT__READ},                                         \
    [LOSS_GRADIENT] = {"gradient", CLT__WRITE}, [LOSS_LOSS] = {"loss", CLT__WRITE}, [LOSS_HIT] = {"hit", CLT__WRITE}, \
    [LOSS_HISTORY] = {"history", CLT__UPDATE}, [LOSS_SCALE] = {"loss_scale", CLT__READ}

#define COMMON_STORED (CLT__STORED(LOSS_OUTPUTS) | CLT__STORED(LOSS_GRADIENT))

static const clt__op_row cross_entropy_op = {
    .name = "cross_entropy",
    .operand = {COMMON_OPERANDS, [LOSS_CLASS_WEIGHT] = {"class_weight", CLT__READ},
                [LOSS_MEAN_WEIGHT] = {"mean_weight", CLT__READ}},
    .stored = COMMON_STORED,
    .twin = cross_entropy_twin,
    .launch = launch,
};

/* Defines NAME_op, of a measure and the factor of its sum. */
#define MEASURED_OP(called, function, factor)                               \
    static void called##_twin(const void *sizes, const clt__array *operand) \
    {                                                                       \
        const loss_sizes *z = sizes;                                        \
        add_measures(z, operand, function, factor);                         \
    }                                                                       \
    static const clt__op_row called##_op = {.name = #called,                \
                                            .operand = {COMMON_OPERANDS},   \
                                            .stored = COMMON_STORED,        \
                                            .twin = called##_twin,          \
                                            .launch = launch}

MEASURED_OP(mse, square, 1.0 / z->outputs);
MEASURED_OP(half_mse, square, 0.5);
MEASURED_OP(bce, logistic, 1.0 / z->outputs);
MEASURED_OP(l1, absolute, 1.0 / z->outputs);
MEASURED_OP(huber, huber_of, 1.0 / z->outputs);

const clt__op_row clt__mean_weight_op = {
    .name = "mean_weight",
    .operand = {[MEAN_WEIGHT_LABELS] = {"labels", CLT__READ},
                [MEAN_WEIGHT_ORDER] = {"order", CLT__READ},
                [MEAN_WEIGHT_STEP] = {"step", CLT__READ},
                [MEAN_WEIGHT_CLASS_WEIGHT] = {"class_weight", CLT__READ},
                [MEAN_WEIGHT_MEAN] = {"mean", CLT__WRITE}},
    .twin = mean_weight_twin,
    .launch = launch_mean_weight,
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
#define LOSSES(ROW) ROW(cross_entropy) ROW(mse) ROW(half_mse) ROW(bce) ROW(l1) ROW(huber)

#define LIST(name) &(name),
const clt__loss_row *const clt__loss_rows[] = {LOSSES(LIST) NULL};

const char *const *clt_loss_names(void)
{
#define NAME(name) #name,
    static const char *const names[] = {LOSSES(NAME) NULL};
    return names;
}

double clt__image_loss(const clt__loss_row *row, const double *outputs, int count, const int32_t *label,
                       const double *target, double *gradient)
{
    const loss_sizes sizes = {.n = 1, .outputs = count, .one_hot = label != NULL, .labelled = label != NULL};
    int32_t step[STEP_LENGTH] = {[STEP_VALID] = 1, [STEP_WHOLE] = 1}, class = label ? *label : 0;
    double loss = 0, hit = 0;
    const clt__array operand[CLT__MAX_OPERANDS] = {[LOSS_OUTPUTS] = {.real = (double *)outputs},
                                                   [LOSS_LABEL] = {.integer = &class},
                                                   [LOSS_TARGET] = {.real = (double *)target},
                                                   [LOSS_STEP] = {.integer = step},
                                                   [LOSS_GRADIENT] = {.real = gradient},
                                                   [LOSS_LOSS] = {.real = &loss},
                                                   [LOSS_HIT] = {.real = &hit}};
    row->op->twin(&sizes, operand);
    return loss;
}
