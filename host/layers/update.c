/* The parameter update, the gradient's norm and its sum over micro-batches. Formulas: kernels/update.cl. */
#include <stdio.h>

#include "layers/bounds.h"
#include "layers/launch.h"
#include "layers/layer.h"

/* ---- sgd(weights, gradient, velocity, hyper, scale) */

/* g = scale * gradient + decay * w;  v = momentum * v + g;  w = w - rate * (nesterov ? g + momentum * v : v) */
static void sgd_twin(const void *sizes, const clt__array *operand)
{
    const update_sizes *z = sizes;
    const clt__array *weights = &operand[0], *velocity = &operand[2];
    const double *gradient = operand[1].real, *hyper = operand[3].real;
    const double scale = operand[4].real ? operand[4].real[0] : 1, momentum = hyper[HYPER_MOMENTUM];
    for (int i = 0; i < z->count; i++) {
        const double w = weights->real[i], pull = hyper[HYPER_DECAY] * w, push = scale * gradient[i];
        const double g = push + pull, kept = momentum * velocity->real[i], v = kept + g;
        const double d = z->nesterov ? g + momentum * v : v;
        const double g_slack = 2 * (fabs(push) + fabs(pull)), v_slack = g_slack + 2 * (fabs(kept) + fabs(g));
        const double d_slack = z->nesterov ? g_slack + v_slack + 2 * (fabs(g) + fabs(momentum * v)) : v_slack;
        velocity->real[i] = v;
        weights->real[i] = w - hyper[HYPER_RATE] * d;
        if (velocity->slack) velocity->slack[i] = v_slack;
        if (weights->slack) weights->slack[i] = fabs(hyper[HYPER_RATE]) * (d_slack + 2 * fabs(d)) + fabs(w);
    }
}

/* A work-item takes a vector of parameters. */
static clt_status plan_elements(const char *kernel, const update_sizes *z, const clt__limits *limits,
                                clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d", limits->vector_width);
    plan->file = "update.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, clt__divide_up(z->count, limits->vector_width), false);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status sgd_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_elements("sgd", sizes, limits, plan);
}

static const clt__op_row sgd_op = {
    .name = "sgd",
    .operand = {{"weights", CLT__UPDATE},
                {"gradient", CLT__READ},
                {"velocity", CLT__UPDATE},
                {"hyper", CLT__READ},
                {"scale", CLT__READ}},
    .twin = sgd_twin,
    .plan = sgd_plan,
};

const clt__optimizer_row clt__sgd = {
    .name = "sgd",
    .help = "stochastic gradient descent with momentum, Nesterov momentum and weight decay",
    .op = &sgd_op};

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

static clt_status accumulate_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_elements("accumulate", sizes, limits, plan);
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
