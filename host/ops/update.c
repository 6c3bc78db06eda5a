/* The parameter update, the gradient's norm and its sum over micro-batches. Formulas: kernels/update.cl. */
#include "ops/update.h"

#include <float.h>
#include <string.h>

#include "base/text.h"
#include "ops/bounds.h"
#include "ops/launch.h"

_Static_assert((int)HYPER_SHRINK < (int)HYPER_STEP_LENGTH, "a step's hyper parameters fit");
_Static_assert((int)UPDATE_DIRECTION < (int)CLT__MAX_OPERANDS, "an optimiser's operands fit");

/* ---- what the optimisers' twins share */

/* What is read of an optimiser's operands. */
typedef struct reads {
    const double *weights, *gradient, *hyper, *decays, *rates;
    const int32_t *takers;
    int taker;
    bool nesterov;
    double scale, most; /* gradients are clipped at most, INFINITY for not at all */
    double roundoff;
} reads;

static reads read_operands(const void *sizes, const clt__array *operand)
{
    const double *hyper = operand[UPDATE_HYPER].real, *scale = operand[UPDATE_SCALE].real;
    const update_sizes *z = sizes;
    return (reads){.weights = operand[UPDATE_WEIGHTS].real,
                   .gradient = operand[UPDATE_GRADIENT].real,
                   .hyper = hyper,
                   .decays = operand[UPDATE_DECAYS].real,
                   .rates = operand[UPDATE_RATES].real,
                   .takers = operand[UPDATE_TAKERS].integer,
                   .taker = z->taker,
                   .nesterov = z->nesterov,
                   .scale = scale ? scale[0] : 1,
                   .most = z->clip_value ? hyper[HYPER_CLIP_VALUE] : INFINITY,
                   .roundoff = operand[UPDATE_WEIGHTS].roundoff};
}

static bool takes(const reads *o, int i)
{
    return !o->takers || o->takers[i / UPDATE_BLOCK] == o->taker;
}

static clt__near decay_of(const reads *o, double share, int i)
{
    const double decay = share * (o->decays ? o->decays[i] : 1) * o->weights[i];
    return (clt__near){decay, 2 * fabs(decay)};
}

clt__near clt__rated(const double *rates, clt__near x, int i)
{
    return rates ? clt__near_multiply(clt__exactly(rates[i]), x) : x;
}

/* Scaled, then clipped: the limit moves an error no further. */
static clt__near clipped_gradient(const reads *o, int i)
{
    const double g = o->scale * o->gradient[i], clipped = g > o->most ? o->most : g < -o->most ? -o->most : g;
    return (clt__near){clipped, fabs(clipped)};
}

static clt__near gradient_with_decay(const reads *o, int i)
{
    const clt__near gradient = clipped_gradient(o, i), decay = decay_of(o, o->hyper[HYPER_DECAY], i);
    return (clt__near){gradient.value + decay.value, 2 * (fabs(gradient.value) + fabs(decay.value))};
}

/* keep * before + share * x */
static clt__near blend(double keep, double before, double share, clt__near x)
{
    const double kept = keep * before, fresh = share * x.value;
    return (clt__near){kept + fresh, fabs(share) * x.slack + 2 * (fabs(kept) + fabs(fresh))};
}

static clt__near square_of(clt__near x, double roundoff)
{
    return (clt__near){x.value * x.value,
                       2 * fabs(x.value) * x.slack + x.slack * x.slack * roundoff + x.value * x.value};
}

/* What flushing subnormal numbers to zero loses. */
static double flushed(double roundoff)
{
    return roundoff > DBL_EPSILON ? FLT_MIN : DBL_MIN;
}

/* The error of a root whose square is off by `error`: error / root, and sqrt(error) at most. In roundoffs. */
static double root_slack(double root, double error, double roundoff)
{
    return roundoff > 0 ? fmin(root > 0 ? error / root : INFINITY, sqrt(error)) / roundoff : 0;
}

/* sqrt(square) * correction + eps */
static clt__near denominator_of(const reads *o, clt__near square)
{
    const double root = sqrt(square.value), correction = o->hyper[HYPER_ROOT], corrected = root * correction;
    const double slack = root_slack(root, square.slack * o->roundoff + flushed(o->roundoff), o->roundoff);
    const double value = corrected + o->hyper[HYPER_EPS];
    return (clt__near){value, slack * correction + (CLT__SQRT_SLACK + 1) * corrected + value};
}

/* numerator / denominator, where the denominator is at least eps but for two roundings. */
static clt__near over_root(const reads *o, clt__near numerator, clt__near square)
{
    const clt__near denominator = denominator_of(o, square);
    const double u = o->roundoff, ratio = numerator.value / denominator.value;
    const double least = fmax(denominator.value - denominator.slack * u, o->hyper[HYPER_EPS] * (1 - 2 * u));
    return (clt__near){ratio, (numerator.slack + fabs(ratio) * denominator.slack) / least +
                                  CLT__DIVIDE_SLACK * (fabs(ratio) + numerator.slack * u / least)};
}

/* w - step * direction */
static clt__near step_along(clt__near w, clt__near step, clt__near direction)
{
    return (clt__near){w.value - step.value * direction.value,
                       w.slack + fabs(step.value) * (direction.slack + 2 * fabs(direction.value)) +
                           step.slack * fabs(direction.value) + fabs(w.value)};
}

static clt__near adaptive_step(const reads *o, int i, clt__near w, clt__near numerator, clt__near square)
{
    const clt__near step = clt__rated(o->rates, clt__exactly(o->hyper[HYPER_STEP]), i);
    return step_along(w, step, over_root(o, numerator, square));
}

/* ---- launch rules: a work-item takes a vector of parameters */

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const update_sizes *z = sizes;
    clt__launch_elements("update.cl", limits, z->count, to);
    if (z->by_name) clt__define(to, " -DBY_NAME");
}

/* Sums of squares go over parts, then over these in order. */
static void launch_parts(const char *file, const char *parts_kernel, const char *sum_kernel, int parts, int tensors,
                         const clt__limits *limits, clt__launches *to)
{
    clt__define(to, " -DVEC=%d", limits->vector_width);
    (void)clt__define_spread(to, limits);
    to->file = file;
    to->launch[0] = clt__flat_launch(parts_kernel, limits, parts, true);
    to->launch[0].global[1] = (size_t)tensors;
    to->launch[1] = clt__flat_launch(sum_kernel, limits, tensors, true);
    to->count = 2;
}

int clt__launch_square_parts(const char *file, const char *parts_kernel, const char *sum_kernel, int tensors,
                             const clt__limits *limits, clt__launches *to)
{
    const int parts = limits->schedule == CLT_SCHEDULE_TILE ? 256 : 4 * limits->compute_units;
    launch_parts(file, parts_kernel, sum_kernel, parts, tensors, limits, to);
    to->scratch_reals = (uint64_t)tensors * (uint64_t)parts * 2;
    return parts;
}

/* ---- an optimiser is a twin of one parameter and a row. The states are operands from UPDATE_STATE on. */

#define OPTIMIZER_OPERANDS(access)                                                       \
    [UPDATE_WEIGHTS] = {"weights", access}, [UPDATE_GRADIENT] = {"gradient", CLT__READ}, \
    [UPDATE_HYPER] = {"hyper", CLT__READ}, [UPDATE_SCALE] = {"scale", CLT__READ},        \
    [UPDATE_DECAYS] = {"decays", CLT__READ}, [UPDATE_RATES] = {"rates", CLT__READ},      \
    [UPDATE_TAKERS] = {"takers", CLT__READ}
#define ONE_STATE(name) OPTIMIZER_OPERANDS(CLT__UPDATE), [UPDATE_STATE] = {name, CLT__UPDATE}
#define TWO_STATES(access) \
    OPTIMIZER_OPERANDS(access), [UPDATE_STATE] = {"mean", CLT__UPDATE}, [UPDATE_STATE + 1] = {"square", CLT__UPDATE}

/* Defines NAME_op of NAME_parameter(operands, what is read of them, i); `otherwise` what it does to parameters that
 * another optimiser takes. */
#define OPTIMIZER_OP(called, otherwise, ...)                                   \
    static void called##_twin(const void *sizes, const clt__array *operand)    \
    {                                                                          \
        const reads o = read_operands(sizes, operand);                         \
        for (int i = 0; i < ((const update_sizes *)sizes)->count; i++)         \
            (takes(&o, i) ? called##_parameter : (otherwise))(operand, &o, i); \
    }                                                                          \
    static const clt__op_row called##_op = {                                   \
        .name = #called, .operand = {__VA_ARGS__}, .twin = called##_twin, .launch = launch}

static void put(const clt__array *operand, int which, int i, clt__near x)
{
    clt__put(&operand[which], (size_t)i, x);
}

static void leave_alone(const clt__array *operand, const reads *o, int i)
{
    (void)operand;
    (void)o;
    (void)i;
}

static void go_nowhere(const clt__array *operand, const reads *o, int i)
{
    (void)o;
    put(operand, UPDATE_DIRECTION, i, clt__exactly(0));
}

/* ---- sgd */

static void sgd_parameter(const clt__array *operand, const reads *o, int i)
{
    const double momentum = o->hyper[HYPER_MOMENTUM];
    const clt__near g = gradient_with_decay(o, i), v = blend(momentum, operand[UPDATE_STATE].real[i], 1, g);
    const double pushed = momentum * v.value;
    const clt__near ahead = {g.value + pushed, g.slack + momentum * v.slack + 2 * (fabs(g.value) + fabs(pushed))};
    put(operand, UPDATE_STATE, i, v);
    put(operand, UPDATE_WEIGHTS, i,
        step_along(clt__exactly(o->weights[i]), clt__rated(o->rates, clt__exactly(o->hyper[HYPER_RATE]), i),
                   o->nesterov ? ahead : v));
}

OPTIMIZER_OP(sgd, leave_alone, ONE_STATE("velocity"));

/* ---- adam, adamw, lamb */

/* The mean gradient; *square becomes the mean square. */
static clt__near take_moments(const clt__array *operand, const reads *o, int i, clt__near g, clt__near *square)
{
    const double *hyper = o->hyper;
    const clt__near mean = blend(hyper[HYPER_BETA1], operand[UPDATE_STATE].real[i], hyper[HYPER_BETA1_REST], g);
    *square = blend(hyper[HYPER_BETA2], operand[UPDATE_STATE + 1].real[i], hyper[HYPER_BETA2_REST],
                    square_of(g, o->roundoff));
    put(operand, UPDATE_STATE, i, mean);
    put(operand, UPDATE_STATE + 1, i, *square);
    return mean;
}

static void adam_step(const clt__array *operand, const reads *o, int i, clt__near w, clt__near g)
{
    clt__near square;
    const clt__near mean = take_moments(operand, o, i, g, &square);
    put(operand, UPDATE_WEIGHTS, i, adaptive_step(o, i, w, mean, square));
}

static void adam_parameter(const clt__array *operand, const reads *o, int i)
{
    adam_step(operand, o, i, clt__exactly(o->weights[i]), gradient_with_decay(o, i));
}

static void adamw_parameter(const clt__array *operand, const reads *o, int i)
{
    const clt__near decay = clt__rated(o->rates, decay_of(o, o->hyper[HYPER_SHRINK], i), i);
    const double w = o->weights[i];
    adam_step(operand, o, i, (clt__near){w - decay.value, decay.slack + fabs(w)}, clipped_gradient(o, i));
}

/* Leaves the weights alone. */
static void lamb_parameter(const clt__array *operand, const reads *o, int i)
{
    const double correction = o->hyper[HYPER_MEAN];
    const clt__near decay = decay_of(o, o->hyper[HYPER_DECAY], i);
    clt__near square;
    const clt__near mean = take_moments(operand, o, i, clipped_gradient(o, i), &square);
    const clt__near numerator = {correction * mean.value, correction * (mean.slack + fabs(mean.value))};
    const clt__near ratio = over_root(o, numerator, square);
    put(operand, UPDATE_DIRECTION, i,
        (clt__near){ratio.value + decay.value, ratio.slack + fabs(ratio.value) + 3 * fabs(decay.value)});
}

OPTIMIZER_OP(adam, leave_alone, TWO_STATES(CLT__UPDATE));
OPTIMIZER_OP(adamw, leave_alone, TWO_STATES(CLT__UPDATE));
OPTIMIZER_OP(lamb, go_nowhere, TWO_STATES(CLT__READ), [UPDATE_DIRECTION] = {"direction", CLT__WRITE});

/* ---- muon: see ops/muon.c for what follows */

static void muon_parameter(const clt__array *operand, const reads *o, int i)
{
    const double momentum = o->hyper[HYPER_MOMENTUM];
    const clt__near g = clipped_gradient(o, i), v = blend(momentum, operand[UPDATE_STATE].real[i], 1, g);
    const clt__near pushed = clt__near_multiply(clt__exactly(momentum), v);
    put(operand, UPDATE_STATE, i, v);
    put(operand, UPDATE_STATE + 1, i, o->nesterov ? clt__near_add(g, pushed) : v);
}

static void go_nowhere_by_muon(const clt__array *operand, const reads *o, int i)
{
    (void)o;
    put(operand, UPDATE_STATE + 1, i, clt__exactly(0));
}

OPTIMIZER_OP(muon, go_nowhere_by_muon, OPTIMIZER_OPERANDS(CLT__READ), [UPDATE_STATE] = {"velocity", CLT__UPDATE},
             [UPDATE_STATE + 1] = {"direction", CLT__WRITE});

/* ---- rmsprop, adagrad */

/* square = keep * square + share * g^2, and the step by its root */
static void scale_by_square(const clt__array *operand, const reads *o, int i, double keep, double share)
{
    const clt__near g = gradient_with_decay(o, i);
    const clt__near square = blend(keep, operand[UPDATE_STATE].real[i], share, square_of(g, o->roundoff));
    put(operand, UPDATE_STATE, i, square);
    put(operand, UPDATE_WEIGHTS, i, adaptive_step(o, i, clt__exactly(o->weights[i]), g, square));
}

static void rmsprop_parameter(const clt__array *operand, const reads *o, int i)
{
    scale_by_square(operand, o, i, o->hyper[HYPER_ALPHA], o->hyper[HYPER_ALPHA_REST]);
}

static void adagrad_parameter(const clt__array *operand, const reads *o, int i)
{
    scale_by_square(operand, o, i, 1, 1);
}

OPTIMIZER_OP(rmsprop, leave_alone, ONE_STATE("square"));
OPTIMIZER_OP(adagrad, leave_alone, ONE_STATE("square"));

/* ---- rows */

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
static const clt__optimizer_row muon = {
    .name = "muon",
    .help = "momentum made orthogonal, for the filters of convolutions and what is named; others have sgd",
    .op = &muon_op,
    .state = {{"momentum_buffer", false}},
    .orthogonalizes = true};
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
#define OPTIMIZERS(ROW) ROW(sgd) ROW(adam) ROW(adamw) ROW(lamb) ROW(muon) ROW(rmsprop) ROW(adagrad)

#define LIST(name) &(name),
const clt__optimizer_row *const clt__optimizer_rows[] = {OPTIMIZERS(LIST) NULL};
_Static_assert(sizeof clt__optimizer_rows / sizeof *clt__optimizer_rows - 1 <= CLT__MAX_OPTIMIZERS,
               "a net has room for all optimisers at once");

const char *const *clt_optimizer_names(void)
{
#define NAME(name) #name,
    static const char *const names[] = {OPTIMIZERS(NAME) NULL};
    return names;
}

const clt__optimizer_row *clt__find_optimizer(const char *name)
{
    for (const clt__optimizer_row *const *row = clt__optimizer_rows; *row; row++)
        if (strcmp((*row)->name, name) == 0) return *row;
    return NULL;
}

const clt__optimizer_row *clt__choose_optimizer(const clt__optimizer_row *all, const char *named, const char *parameter,
                                                int dimensions)
{
    char part[CLT__LIST_PART];
    const char *name = clt__named_value(named, parameter, part);
    if (name) return clt__find_optimizer(name);
    return all->orthogonalizes && dimensions != CLT__SHOWN_FILTER ? &sgd : all;
}

/* ---- trust_ratio */

/* Its terms are positive, so that the sum's error is relative, but for squares that
 * are flushed to zero. */
clt__near clt__norm_of(const double *x, int count, double roundoff)
{
    double sum = 0;
    for (int i = 0; i < count; i++) sum += x[i] * x[i];
    const double norm = sqrt(sum), lost = norm > 0 ? root_slack(norm, count * flushed(roundoff), roundoff) : 0;
    return (clt__near){norm, norm * (clt__growth(count) / 2 + CLT__SQRT_SLACK) + lost};
}

/* A norm that rounding alone may make 0 leaves it open. */
clt__near clt__norm_ratio(clt__near w, clt__near d, double roundoff)
{
    const bool both = w.value > 0 && d.value > 0;
    const double trust = both ? w.value / d.value : !isnan(w.value + d.value) ? 1 : NAN;
    const double least = d.value - d.slack * roundoff;
    if ((w.value > 0 && w.value <= w.slack * roundoff) || (d.value > 0 && least <= 0))
        return (clt__near){trust, INFINITY};
    if (!both) return clt__exactly(trust);
    return (clt__near){trust, (w.slack + trust * d.slack) / least +
                                  CLT__DIVIDE_SLACK * (w.value + w.slack * roundoff) / least};
}

static void trust_twin(const void *sizes, const clt__array *operand)
{
    const clt__array *trust = &operand[TRUST_RATIO_TRUST];
    for (int t = 0; t < ((const update_sizes *)sizes)->tensors; t++) {
        const int32_t *segment = &operand[TRUST_RATIO_SEGMENTS].integer[t * SEGMENT_LENGTH];
        /* cppcheck-suppress objectIndex ; `integer` points to an array */
        const int first = segment[SEGMENT_FIRST], count = segment[SEGMENT_COUNT];
        const clt__near w = clt__norm_of(operand[TRUST_RATIO_WEIGHTS].real + first, count, trust->roundoff);
        const clt__near d = clt__norm_of(operand[TRUST_RATIO_DIRECTION].real + first, count, trust->roundoff);
        clt__put(trust, (size_t)t, clt__norm_ratio(w, d, trust->roundoff));
    }
}

static void trust_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    update_sizes *z = sizes;
    z->parts = clt__launch_square_parts("update.cl", "trust_ratio_parts", "trust_ratio", z->tensors, limits, to);
}

const clt__op_row clt__trust_ratio_op = {
    .name = "trust_ratio",
    .operand = {[TRUST_RATIO_WEIGHTS] = {"weights", CLT__READ},
                [TRUST_RATIO_DIRECTION] = {"direction", CLT__READ},
                [TRUST_RATIO_SEGMENTS] = {"segments", CLT__READ},
                [TRUST_RATIO_TRUST] = {"trust", CLT__WRITE}},
    .twin = trust_twin,
    .launch = trust_launch,
};

/* ---- trust_step */

/* w = w - rate * trust * d, the trust being that of the tensor that w belongs to */
static void step_twin(const void *sizes, const clt__array *operand)
{
    const clt__array *weights = &operand[TRUST_STEP_WEIGHTS];
    const double rate = operand[TRUST_STEP_HYPER].real[HYPER_RATE], *direction = operand[TRUST_STEP_DIRECTION].real;
    for (int i = 0; i < ((const update_sizes *)sizes)->count; i++) {
        const int32_t owner = operand[TRUST_STEP_OWNERS].integer[i / UPDATE_BLOCK];
        const clt__near trusted =
            clt__near_multiply(clt__exactly(rate), clt__exactly(operand[TRUST_STEP_TRUST].real[owner]));
        clt__put(weights, (size_t)i,
                 step_along(clt__exactly(weights->real[i]), clt__rated(operand[TRUST_STEP_RATES].real, trusted, i),
                            clt__exactly(direction[i])));
    }
}

const clt__op_row clt__trust_step_op = {
    .name = "trust_step",
    .operand = {[TRUST_STEP_WEIGHTS] = {"weights", CLT__UPDATE},
                [TRUST_STEP_DIRECTION] = {"direction", CLT__READ},
                [TRUST_STEP_OWNERS] = {"owners", CLT__READ},
                [TRUST_STEP_TRUST] = {"trust", CLT__READ},
                [TRUST_STEP_HYPER] = {"hyper", CLT__READ},
                [TRUST_STEP_RATES] = {"rates", CLT__READ}},
    .twin = step_twin,
    .launch = launch,
};

/* ---- ema */

/* average = keep * average + (1 - keep) * w */
static void ema_twin(const void *sizes, const clt__array *operand)
{
    const double *hyper = operand[EMA_HYPER].real, *averages = operand[EMA_AVERAGES].real;
    for (int i = 0; i < ((const update_sizes *)sizes)->count; i++)
        put(operand, EMA_AVERAGES, i,
            blend(hyper[HYPER_AVERAGE], averages[i], hyper[HYPER_AVERAGE_REST],
                  clt__exactly(operand[EMA_WEIGHTS].real[i])));
}

const clt__op_row clt__ema_op = {
    .name = "ema",
    .operand = {[EMA_AVERAGES] = {"averages", CLT__UPDATE},
                [EMA_WEIGHTS] = {"weights", CLT__READ},
                [EMA_HYPER] = {"hyper", CLT__READ}},
    .twin = ema_twin,
    .launch = launch,
};

/* ---- accumulate */

/* sum = (sum of the parts before) + gradient */
static void accumulate_twin(const void *sizes, const clt__array *operand)
{
    const bool goes_on = operand[ACCUMULATE_STEP].integer[STEP_PART] > 0;
    for (int i = 0; i < ((const update_sizes *)sizes)->count; i++) {
        const clt__near gradient = clt__exactly(operand[ACCUMULATE_GRADIENT].real[i]);
        const clt__near before = clt__exactly(operand[ACCUMULATE_SUM].real[i]);
        put(operand, ACCUMULATE_SUM, i, goes_on ? clt__near_add(before, gradient) : gradient);
    }
}

const clt__op_row clt__accumulate_op = {
    .name = "accumulate",
    .operand = {[ACCUMULATE_GRADIENT] = {"gradient", CLT__READ},
                [ACCUMULATE_STEP] = {"step", CLT__READ},
                [ACCUMULATE_SUM] = {"sum", CLT__UPDATE}},
    .twin = accumulate_twin,
    .launch = launch,
};

/* ---- restore and settle: what layers keep from step to step, shard by shard */

/* running = what it was before the step, where a shard begins */
static void restore_twin(const void *sizes, const clt__array *operand)
{
    const bool begins = operand[RESTORE_STEP].integer[STEP_PART] == 0;
    for (int i = 0; i < ((const update_sizes *)sizes)->count; i++)
        put(operand, RESTORE_RUNNING, i, clt__exactly(operand[begins ? RESTORE_BEFORE : RESTORE_RUNNING].real[i]));
}

const clt__op_row clt__restore_op = {
    .name = "restore",
    .operand = {[RESTORE_BEFORE] = {"before", CLT__READ},
                [RESTORE_STEP] = {"step", CLT__READ},
                [RESTORE_RUNNING] = {"running", CLT__UPDATE}},
    .twin = restore_twin,
    .launch = launch,
};

/* running = sum / shards, and it begins the next step; the step's part is then the last shard's number */
static void settle_twin(const void *sizes, const clt__array *operand)
{
    const double shards = operand[SETTLE_STEP].integer[STEP_PART] + 1;
    for (int i = 0; i < ((const update_sizes *)sizes)->count; i++) {
        const double mean = operand[SETTLE_SUM].real[i] / shards;
        put(operand, SETTLE_RUNNING, i, (clt__near){mean, CLT__DIVIDE_SLACK * fabs(mean)});
        put(operand, SETTLE_BEFORE, i, (clt__near){mean, CLT__DIVIDE_SLACK * fabs(mean)});
    }
}

const clt__op_row clt__settle_op = {
    .name = "settle",
    .operand = {[SETTLE_SUM] = {"sum", CLT__READ},
                [SETTLE_STEP] = {"step", CLT__READ},
                [SETTLE_RUNNING] = {"running", CLT__UPDATE}, /* so that the reference rounds them */
                [SETTLE_BEFORE] = {"before", CLT__UPDATE}},
    .twin = settle_twin,
    .launch = launch,
};

/* ---- gradient_norm */

/* scale = min(1, clip / (|gradient| + 1e-6)); all terms are positive, so the sum's error is relative */
static void norm_twin(const void *sizes, const clt__array *operand)
{
    const int count = ((const update_sizes *)sizes)->count;
    const double norm = clt__norm_of(operand[GRADIENT_NORM_GRADIENT].real, count, 0).value;
    const double wanted = operand[GRADIENT_NORM_HYPER].real[HYPER_CLIP] / (norm + 1e-6);
    const double growth = clt__growth(count) / 2 + CLT__SQRT_SLACK + CLT__DIVIDE_SLACK + 2;
    clt__put(&operand[GRADIENT_NORM_SCALE], 0, (clt__near){wanted > 1 ? 1 : wanted, fmin(wanted, 2) * growth});
}

/* The tile schedule's are enough for a GPU, and not too many for the one item that adds them up. */
static int parts_of(const update_sizes *z, const clt__limits *limits)
{
    const int wanted = limits->schedule == CLT_SCHEDULE_TILE ? 1024 : 16 * limits->compute_units;
    return wanted < z->count ? wanted : z->count;
}

/* The sum of squares of a gradient goes over parts, then one work-item adds these. */
static void launch_norm(update_sizes *z, const char *parts_kernel, const char *sum_kernel, const clt__limits *limits,
                        clt__launches *to)
{
    z->parts = parts_of(z, limits);
    launch_parts("update.cl", parts_kernel, sum_kernel, z->parts, 1, limits, to);
    to->launch[1] = (clt__launch){sum_kernel, {1, 1, 1}, {1, 1, 1}, false};
    to->scratch_reals = (uint64_t)z->parts;
}

static void norm_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    launch_norm(sizes, "gradient_norm_parts", "gradient_norm_scale", limits, to);
}

const clt__op_row clt__gradient_norm_op = {
    .name = "gradient_norm",
    .operand = {[GRADIENT_NORM_GRADIENT] = {"gradient", CLT__READ},
                [GRADIENT_NORM_HYPER] = {"hyper", CLT__READ},
                [GRADIENT_NORM_SCALE] = {"scale", CLT__WRITE}},
    .twin = norm_twin,
    .launch = norm_launch,
};

/* ---- unscale */

/* gradient = gradient / loss scale, a power of two; overflown = 1 where that is not finite somewhere, else 0 */
static void unscale_twin(const void *sizes, const clt__array *operand)
{
    bool finite = true;
    for (int i = 0; i < ((const update_sizes *)sizes)->count; i++) {
        const double g = operand[UNSCALE_GRADIENT].real[i] * operand[UNSCALE_SCALE].real[SCALE_INVERSE];
        finite = finite && isfinite(g);
        put(operand, UNSCALE_GRADIENT, i, clt__exactly(g));
    }
    operand[UNSCALE_OVERFLOWN].real[0] = finite ? 0 : 1;
}

static void unscale_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    update_sizes *z = sizes;
    z->parts = parts_of(z, limits);
    launch(z, limits, to);
    (void)clt__define_spread(to, limits);
    to->launch[1] = to->launch[0];
    to->launch[0] = clt__flat_launch("unscale_parts", limits, z->parts, true);
    to->count = 2;
    to->scratch_reals = (uint64_t)z->parts;
}

const clt__op_row clt__unscale_op = {
    .name = "unscale",
    .operand = {[UNSCALE_GRADIENT] = {"gradient", CLT__UPDATE},
                [UNSCALE_SCALE] = {"loss_scale", CLT__READ},
                [UNSCALE_OVERFLOWN] = {"overflown", CLT__WRITE}},
    .twin = unscale_twin,
    .launch = unscale_launch,
};

/* ---- measured_norm */

/* |gradient| goes to the step's slot. Where the sum of squares may be more than the largest number it is left open. */
static void measured_norm_twin(const void *sizes, const clt__array *operand)
{
    const clt__array *norms = &operand[MEASURED_NORM_NORMS];
    const int32_t slot = operand[MEASURED_NORM_STEP].integer[STEP_SLOT] / NORM_STEPS;
    const double most = norms->roundoff > DBL_EPSILON ? FLT_MAX : DBL_MAX;
    clt__near norm =
        clt__norm_of(operand[MEASURED_NORM_GRADIENT].real, ((const update_sizes *)sizes)->count, norms->roundoff);
    if (norm.value > sqrt(most) / 2) norm.slack = INFINITY;
    clt__put(norms, (size_t)slot, norm);
}

static void measured_norm_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    launch_norm(sizes, "measured_norm_parts", "measured_norm_root", limits, to);
}

const clt__op_row clt__measured_norm_op = {
    .name = "measured_norm",
    .operand = {[MEASURED_NORM_GRADIENT] = {"gradient", CLT__READ},
                [MEASURED_NORM_STEP] = {"step", CLT__READ},
                [MEASURED_NORM_NORMS] = {"norms", CLT__UPDATE}},
    .twin = measured_norm_twin,
    .launch = measured_norm_launch,
};
