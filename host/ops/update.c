/* The parameter update, the gradient's norm and its sum over micro-batches. Formulas: kernels/update.cl. */
#include <float.h>
#include <stdio.h>

#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/update.h"

/* ---- what the twins share: values, each with its slack */

typedef struct estimate {
    double value, slack;
} estimate;

/* An update's operands; see clt__optimizer_row. */
typedef struct operands {
    const update_sizes *sizes;
    const clt__array *weights;
    const double *gradient, *hyper, *decays;
    double scale;
} operands;

static operands take_operands(const void *sizes, const clt__array *operand, int states)
{
    const clt__array *rest = operand + 2 + states;
    return (operands){.sizes = sizes,
                      .weights = &operand[0],
                      .gradient = operand[1].real,
                      .hyper = rest[0].real,
                      .scale = rest[1].real ? rest[1].real[0] : 1,
                      .decays = rest[2].real};
}

static double decay_of(const operands *o, double share, int i)
{
    return share * (o->decays ? o->decays[i] : 1) * o->weights->real[i];
}

/* Scaled, then clipped: the limit moves an error no further. */
static double push_of(const operands *o, int i)
{
    const double g = o->scale * o->gradient[i], most = o->hyper[HYPER_CLIP_VALUE];
    if (!o->sizes->clip_value) return g;
    return g > most ? most : g < -most ? -most : g;
}

static estimate gradient_with_decay(const operands *o, int i)
{
    const double pull = decay_of(o, o->hyper[HYPER_DECAY], i), push = push_of(o, i);
    return (estimate){push + pull, 2 * (fabs(push) + fabs(pull))};
}

/* keep * before + share * x */
static estimate blend(double keep, double before, double share, estimate x)
{
    const double kept = keep * before, fresh = share * x.value;
    return (estimate){kept + fresh, fabs(share) * x.slack + 2 * (fabs(kept) + fabs(fresh))};
}

static estimate square_of(estimate x, double roundoff)
{
    return (estimate){x.value * x.value,
                      2 * fabs(x.value) * x.slack + x.slack * x.slack * roundoff + x.value * x.value};
}

static void put(const clt__array *to, int i, estimate x)
{
    to->real[i] = x.value;
    if (to->slack) to->slack[i] = x.slack;
}

/* sqrt(square) * correction + eps. An error d under the root becomes d / sqrt(square), and sqrt(d) at most; d counts
 * what flushing a subnormal square to zero loses. */
static estimate bottom_of(const operands *o, estimate square)
{
    const double u = o->weights->roundoff, root = sqrt(square.value), correction = o->hyper[HYPER_ROOT];
    const double d = square.slack * u + (u > DBL_EPSILON ? FLT_MIN : DBL_MIN);
    const double root_slack = u > 0 ? fmin(root > 0 ? d / root : INFINITY, sqrt(d)) / u : 0;
    const double corrected = root * correction, value = corrected + o->hyper[HYPER_EPS];
    return (estimate){value, root_slack * correction + (CLT__SQRT_SLACK + 1) * corrected + value};
}

/* top / (sqrt(square) * correction + eps), where bottom is at least eps but for two roundings. */
static estimate over_root(const operands *o, estimate top, estimate square)
{
    const estimate bottom = bottom_of(o, square);
    const double u = o->weights->roundoff, ratio = top.value / bottom.value;
    const double least = fmax(bottom.value - bottom.slack * u, o->hyper[HYPER_EPS] * (1 - 2 * u));
    return (estimate){ratio, (top.slack + fabs(ratio) * bottom.slack) / least +
                                 CLT__DIVIDE_SLACK * (fabs(ratio) + top.slack * u / least)};
}

/* w - step * top / (sqrt(square) * correction + eps) */
static void divide_step(const operands *o, int i, estimate w, estimate top, estimate square)
{
    const estimate ratio = over_root(o, top, square);
    const double step = fabs(o->hyper[HYPER_STEP]), value = w.value - o->hyper[HYPER_STEP] * ratio.value;
    put(o->weights, i, (estimate){value, w.slack + step * (ratio.slack + 2 * fabs(ratio.value)) + fabs(w.value)});
}

static estimate weight_of(const operands *o, int i)
{
    return (estimate){o->weights->real[i], 0};
}

/* ---- launch rules: a work-item takes a vector of parameters */

static clt_status plan_elements(const char *kernel, const update_sizes *z, const clt__limits *limits,
                                clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d", limits->vector_width);
    plan->file = "update.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, clt__divide_up(z->count, limits->vector_width), false);
    plan->launches = 1;
    return CLT_OK;
}

#define ELEMENTS_PLAN(name)                                                                                         \
    static clt_status name##_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error) \
    {                                                                                                               \
        (void)error;                                                                                                \
        return plan_elements(#name, sizes, limits, plan);                                                           \
    }

ELEMENTS_PLAN(sgd)
ELEMENTS_PLAN(adam)
ELEMENTS_PLAN(adamw)
ELEMENTS_PLAN(lamb)
ELEMENTS_PLAN(trust_step)
ELEMENTS_PLAN(rmsprop)
ELEMENTS_PLAN(adagrad)
ELEMENTS_PLAN(accumulate)
ELEMENTS_PLAN(ema)

/* ---- sgd */

static void sgd_twin(const void *sizes, const clt__array *operand)
{
    const operands o = take_operands(sizes, operand, 1);
    const clt__array *velocity = &operand[2];
    const double momentum = o.hyper[HYPER_MOMENTUM], rate = o.hyper[HYPER_RATE];
    for (int i = 0; i < o.sizes->count; i++) {
        const estimate g = gradient_with_decay(&o, i), v = blend(momentum, velocity->real[i], 1, g);
        const estimate d =
            o.sizes->nesterov
                ? (estimate){g.value + momentum * v.value,
                             g.slack + momentum * v.slack + 2 * (fabs(g.value) + fabs(momentum * v.value))}
                : v;
        const double w = o.weights->real[i];
        put(velocity, i, v);
        put(o.weights, i, (estimate){w - rate * d.value, fabs(rate) * (d.slack + 2 * fabs(d.value)) + fabs(w)});
    }
}

/* ---- adam, adamw, lamb */

/* The mean gradient; *s becomes the mean square. */
static estimate take_moments(const operands *o, const clt__array *operand, int i, estimate g, estimate *s)
{
    const clt__array *mean = &operand[2], *square = &operand[3];
    const double *hyper = o->hyper;
    const estimate m = blend(hyper[HYPER_BETA1], mean->real[i], hyper[HYPER_BETA1_REST], g);
    *s = blend(hyper[HYPER_BETA2], square->real[i], hyper[HYPER_BETA2_REST], square_of(g, o->weights->roundoff));
    put(mean, i, m);
    put(square, i, *s);
    return m;
}

static void adam_step(const operands *o, const clt__array *operand, int i, estimate w, estimate g)
{
    estimate s;
    const estimate m = take_moments(o, operand, i, g, &s);
    divide_step(o, i, w, m, s);
}

static void adam_twin(const void *sizes, const clt__array *operand)
{
    const operands o = take_operands(sizes, operand, 2);
    for (int i = 0; i < o.sizes->count; i++) adam_step(&o, operand, i, weight_of(&o, i), gradient_with_decay(&o, i));
}

static void adamw_twin(const void *sizes, const clt__array *operand)
{
    const operands o = take_operands(sizes, operand, 2);
    for (int i = 0; i < o.sizes->count; i++) {
        const double push = push_of(&o, i), lost = decay_of(&o, o.hyper[HYPER_SHRINK], i), w = o.weights->real[i];
        adam_step(&o, operand, i, (estimate){w - lost, 2 * fabs(lost) + fabs(w)}, (estimate){push, fabs(push)});
    }
}

/* Leaves the weights alone: the direction is the operand after decays. */
static void lamb_twin(const void *sizes, const clt__array *operand)
{
    const operands o = take_operands(sizes, operand, 2);
    const double correction = o.hyper[HYPER_MEAN];
    for (int i = 0; i < o.sizes->count; i++) {
        estimate s;
        const double push = push_of(&o, i), pull = decay_of(&o, o.hyper[HYPER_DECAY], i);
        const estimate m = take_moments(&o, operand, i, (estimate){push, fabs(push)}, &s),
                       top = {correction * m.value, correction * (m.slack + fabs(m.value))};
        const estimate ratio = over_root(&o, top, s);
        put(&operand[7], i, (estimate){ratio.value + pull, ratio.slack + fabs(ratio.value) + 3 * fabs(pull)});
    }
}

/* ---- rmsprop, adagrad */

/* square = keep * square + share * g^2 */
static void scaled_by_squares(const void *sizes, const clt__array *operand, int keep, int share)
{
    const operands o = take_operands(sizes, operand, 1);
    const clt__array *square = &operand[2];
    for (int i = 0; i < o.sizes->count; i++) {
        const estimate g = gradient_with_decay(&o, i);
        const estimate s = blend(keep < 0 ? 1 : o.hyper[keep], square->real[i], share < 0 ? 1 : o.hyper[share],
                                 square_of(g, o.weights->roundoff));
        put(square, i, s);
        divide_step(&o, i, weight_of(&o, i), g, s);
    }
}

static void rmsprop_twin(const void *sizes, const clt__array *operand)
{
    scaled_by_squares(sizes, operand, HYPER_ALPHA, HYPER_ALPHA_REST);
}

static void adagrad_twin(const void *sizes, const clt__array *operand)
{
    scaled_by_squares(sizes, operand, -1, -1);
}

/* ---- rows */

#define OPERANDS(...)                                                                                               \
    {                                                                                                               \
        {"weights", CLT__UPDATE}, {"gradient", CLT__READ}, __VA_ARGS__, {"hyper", CLT__READ}, {"scale", CLT__READ}, \
            {"decays", CLT__READ},                                                                                  \
    }
#define STATE(name)       \
    {                     \
        name, CLT__UPDATE \
    }

static const clt__op_row sgd_op = {
    .name = "sgd", .operand = OPERANDS(STATE("velocity")), .twin = sgd_twin, .plan = sgd_plan};
static const clt__op_row adam_op = {
    .name = "adam", .operand = OPERANDS(STATE("mean"), STATE("square")), .twin = adam_twin, .plan = adam_plan};
static const clt__op_row adamw_op = {
    .name = "adamw", .operand = OPERANDS(STATE("mean"), STATE("square")), .twin = adamw_twin, .plan = adamw_plan};
static const clt__op_row lamb_op = {
    .name = "lamb",
    .operand = {{"weights", CLT__READ},
                {"gradient", CLT__READ},
                STATE("mean"),
                STATE("square"),
                {"hyper", CLT__READ},
                {"scale", CLT__READ},
                {"decays", CLT__READ},
                {"direction", CLT__WRITE}},
    .twin = lamb_twin,
    .plan = lamb_plan,
};
static const clt__op_row rmsprop_op = {
    .name = "rmsprop", .operand = OPERANDS(STATE("square")), .twin = rmsprop_twin, .plan = rmsprop_plan};
static const clt__op_row adagrad_op = {
    .name = "adagrad", .operand = OPERANDS(STATE("square")), .twin = adagrad_twin, .plan = adagrad_plan};

static const clt__optimizer_row sgd = {
    .name = "sgd",
    .help = "stochastic gradient descent with momentum, Nesterov momentum and weight decay",
    .op = &sgd_op,
    .state = {{"velocity", false}}};
static const clt__optimizer_row adam = {.name = "adam",
                                        .help = "steps by the mean gradient over the root of its mean square",
                                        .op = &adam_op,
                                        .state = {{"exp_avg", false}, {"exp_avg_sq", true}},
                                        .corrects_bias = true,
                                        .eps = 1e-8};
static const clt__optimizer_row adamw = {.name = "adamw",
                                         .help = "adam whose weight decay is apart from the gradient",
                                         .op = &adamw_op,
                                         .state = {{"exp_avg", false}, {"exp_avg_sq", true}},
                                         .corrects_bias = true,
                                         .eps = 1e-8};
static const clt__optimizer_row lamb = {
    .name = "lamb",
    .help = "adam's direction, with weight decay, each tensor's step scaled by its norm",
    .op = &lamb_op,
    .state = {{"exp_avg", false}, {"exp_avg_sq", true}},
    .corrects_bias = true,
    .trusts = true,
    .eps = 1e-6};
static const clt__optimizer_row rmsprop = {.name = "rmsprop",
                                           .help = "steps by the gradient over the root of its mean square",
                                           .op = &rmsprop_op,
                                           .state = {{"square_avg", true}},
                                           .eps = 1e-8};
static const clt__optimizer_row adagrad = {.name = "adagrad",
                                           .help = "steps by the gradient over the root of its sum of squares",
                                           .op = &adagrad_op,
                                           .state = {{"sum", true}},
                                           .eps = 1e-10};

/* In the order in which `cltrain help train` shows them. */
const clt__optimizer_row *const clt__optimizer_rows[] = {&sgd, &adam, &adamw, &lamb, &rmsprop, &adagrad, NULL};

/* ---- trust_ratio(weights, direction, segments -> trust) */

/* |x|, the root of a sum of squares: its terms are positive, so that the sum's error is relative, but for squares that
 * are flushed to zero. */
static estimate norm_of(const double *x, int count, double u)
{
    double sum = 0;
    for (int i = 0; i < count; i++) sum += x[i] * x[i];
    const double norm = sqrt(sum), flushed = count * (u > DBL_EPSILON ? FLT_MIN : DBL_MIN);
    const double lost = u > 0 ? fmin(norm > 0 ? flushed / norm : INFINITY, sqrt(flushed)) / u : 0;
    return (estimate){norm, norm * (clt__growth(count) / 2 + CLT__SQRT_SLACK) + (norm > 0 ? lost : 0)};
}

/* trust = |w| / |d|, 1 where either is 0. A norm that rounding alone may make 0 leaves it open. */
static void trust_twin(const void *sizes, const clt__array *operand)
{
    const update_sizes *z = sizes;
    const clt__array *trust = &operand[3];
    const double u = trust->roundoff;
    for (int t = 0; t < z->tensors; t++) {
        const int32_t *segment = &operand[2].integer[t * SEGMENT_LENGTH];
        /* cppcheck-suppress objectIndex ; `integer` points to an array */
        const estimate w = norm_of(operand[0].real + segment[SEGMENT_FIRST], segment[SEGMENT_COUNT], u);
        /* cppcheck-suppress objectIndex */
        const estimate d = norm_of(operand[1].real + segment[SEGMENT_FIRST], segment[SEGMENT_COUNT], u);
        trust->real[t] = w.value > 0 && d.value > 0 ? w.value / d.value : !isnan(w.value + d.value) ? 1 : NAN;
        if (!trust->slack) continue;
        const double least = d.value - d.slack * u;
        const bool open = (w.value > 0 && w.value <= w.slack * u) || (d.value > 0 && least <= 0);
        trust->slack[t] = open                           ? INFINITY
                          : (w.value > 0 && d.value > 0) ? (w.slack + trust->real[t] * d.slack) / least +
                                                               CLT__DIVIDE_SLACK * (w.value + w.slack * u) / least
                                                         : 0;
    }
}

static clt_status trust_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    update_sizes *z = sizes;
    z->parts = limits->schedule == CLT_SCHEDULE_TILE ? 256 : 4 * limits->compute_units;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d%s", limits->vector_width, clt__spread_define(limits));
    plan->file = "update.cl";
    plan->scratch_reals = (uint64_t)z->tensors * (uint64_t)z->parts * 2;
    plan->launch[0] = clt__flat_launch("trust_ratio_parts", limits, z->parts, true);
    plan->launch[0].global[1] = (size_t)z->tensors;
    plan->launch[1] = clt__flat_launch("trust_ratio", limits, z->tensors, true);
    plan->launches = 2;
    return CLT_OK;
}

const clt__op_row clt__trust_ratio_op = {
    .name = "trust_ratio",
    .operand = {{"weights", CLT__READ}, {"direction", CLT__READ}, {"segments", CLT__READ}, {"trust", CLT__WRITE}},
    .twin = trust_twin,
    .plan = trust_plan,
};

/* ---- trust_step(weights, direction, owners, trust, hyper) */

/* w = w - rate * trust * d, the trust being that of the tensor that w belongs to */
static void step_twin(const void *sizes, const clt__array *operand)
{
    const update_sizes *z = sizes;
    const clt__array *weights = &operand[0];
    for (int i = 0; i < z->count; i++) {
        const double step = operand[4].real[HYPER_RATE] * operand[3].real[operand[2].integer[i / UPDATE_BLOCK]];
        const double w = weights->real[i], moved = step * operand[1].real[i];
        put(weights, i, (estimate){w - moved, 3 * fabs(moved) + fabs(w)});
    }
}

const clt__op_row clt__trust_step_op = {
    .name = "trust_step",
    .operand = {{"weights", CLT__UPDATE},
                {"direction", CLT__READ},
                {"owners", CLT__READ},
                {"trust", CLT__READ},
                {"hyper", CLT__READ}},
    .twin = step_twin,
    .plan = trust_step_plan,
};

/* ---- ema(averages, weights, hyper) */

/* average = keep * average + (1 - keep) * w */
static void ema_twin(const void *sizes, const clt__array *operand)
{
    const update_sizes *z = sizes;
    const clt__array *averages = &operand[0];
    const double *hyper = operand[2].real;
    for (int i = 0; i < z->count; i++)
        put(averages, i,
            blend(hyper[HYPER_AVERAGE], averages->real[i], hyper[HYPER_AVERAGE_REST],
                  (estimate){operand[1].real[i], 0}));
}

const clt__op_row clt__ema_op = {
    .name = "ema",
    .operand = {{"averages", CLT__UPDATE}, {"weights", CLT__READ}, {"hyper", CLT__READ}},
    .twin = ema_twin,
    .plan = ema_plan,
};

/* ---- accumulate(gradient, step, sum) */

/* sum = (sum of the micro-batches before) + gradient */
static void accumulate_twin(const void *sizes, const clt__array *operand)
{
    const update_sizes *z = sizes;
    const double *gradient = operand[0].real;
    const bool goes_on = operand[1].integer[STEP_PART] > 0;
    const clt__array *sum = &operand[2];
    for (int i = 0; i < z->count; i++) {
        sum->real[i] = goes_on ? sum->real[i] + gradient[i] : gradient[i];
        if (sum->slack) sum->slack[i] = goes_on ? fabs(sum->real[i]) : 0;
    }
}

const clt__op_row clt__accumulate_op = {
    .name = "accumulate",
    .operand = {{"gradient", CLT__READ}, {"step", CLT__READ}, {"sum", CLT__UPDATE}},
    .twin = accumulate_twin,
    .plan = accumulate_plan,
};

/* ---- gradient_norm(gradient, hyper -> scale) */

/* scale = min(1, clip / (|gradient| + 1e-6)); all terms are positive, so the sum's error is relative */
static void norm_twin(const void *sizes, const clt__array *operand)
{
    const update_sizes *z = sizes;
    double sum = 0;
    for (int i = 0; i < z->count; i++) sum += operand[0].real[i] * operand[0].real[i];
    const double wanted = operand[1].real[HYPER_CLIP] / (sqrt(sum) + 1e-6);
    operand[2].real[0] = wanted > 1 ? 1 : wanted;
    if (operand[2].slack)
        operand[2].slack[0] = fmin(wanted, 2) * (clt__growth(z->count) / 2 + CLT__SQRT_SLACK + CLT__DIVIDE_SLACK + 2);
}

static clt_status norm_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    update_sizes *z = sizes;
    /* The tile schedule's are enough for a GPU, and not too many for the one item that adds them up. */
    const int wanted = limits->schedule == CLT_SCHEDULE_TILE ? 1024 : 16 * limits->compute_units;
    z->parts = wanted < z->count ? wanted : z->count;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d%s", limits->vector_width, clt__spread_define(limits));
    plan->file = "update.cl";
    plan->scratch_reals = (uint64_t)z->parts;
    plan->launch[0] = clt__flat_launch("gradient_norm_parts", limits, z->parts, true);
    plan->launch[1] = (clt__launch){"gradient_norm_scale", {1, 1, 1}, {1, 1, 1}, false};
    plan->launches = 2;
    return CLT_OK;
}

const clt__op_row clt__gradient_norm_op = {
    .name = "gradient_norm",
    .operand = {{"gradient", CLT__READ}, {"hyper", CLT__READ}, {"scale", CLT__WRITE}},
    .twin = norm_twin,
    .plan = norm_plan,
};
