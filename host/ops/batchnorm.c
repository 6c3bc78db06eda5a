/* Batch normalisation. Formulas and letters: kernels/batchnorm.cl. */
#include <stdio.h>

#include "ops/activation.h"
#include "ops/batchnorm.h"
#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/moments.h"

static double epsilon_of(const norm_sizes *z)
{
    return z->epsilon_ppm * 1e-6;
}

static size_t element(const norm_sizes *z, int pixel, int c)
{
    return (size_t)pixel * (size_t)z->c + (size_t)c;
}

/* ---- reference twins */

enum { S_X, S_STEP, S_MEAN, S_INVERSE, S_RUNNING_MEAN, S_RUNNING_VAR };

static void statistics_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    const int count = operand[S_STEP].integer[STEP_VALID] * z->pixels;
    const double momentum = z->momentum_ppm * 1e-6, unbias = count > 1 ? count / (count - 1.0) : 1;
    const clt__array *mean = &operand[S_MEAN], *inverse = &operand[S_INVERSE];
    const clt__array *running_mean = &operand[S_RUNNING_MEAN], *running_var = &operand[S_RUNNING_VAR];
    for (int c = 0; c < z->c; c++) {
        const clt__moments m = clt__measure(operand[S_X].real + c, count, 1, (size_t)z->c, mean->roundoff);
        const double kept_mean = (1 - momentum) * running_mean->real[c],
                     kept_var = (1 - momentum) * running_var->real[c];
        mean->real[c] = m.mean;
        inverse->real[c] = 1 / sqrt(m.variance + epsilon_of(z));
        running_mean->real[c] = kept_mean + momentum * m.mean;
        running_var->real[c] = kept_var + momentum * m.variance * unbias;
        if (!mean->slack) continue;
        mean->slack[c] = m.mean_slack;
        inverse->slack[c] = inverse->real[c] * clt__inverse_slack(m.variance, m.variance_slack, epsilon_of(z));
        running_mean->slack[c] = momentum * m.mean_slack + 12 * (fabs(kept_mean) + momentum * fabs(m.mean));
        running_var->slack[c] =
            unbias * momentum * m.variance_slack + 14 * (fabs(kept_var) + unbias * momentum * m.variance);
    }
}

/* y = f( (x - mean) inverse weight + bias ); from a variance, inverse = 1 / sqrt(variance + epsilon) */
static void apply(const norm_sizes *z, const clt__array *operand, bool from_variance)
{
    const double *x = operand[0].real, *mean = operand[1].real, *weight = operand[3].real, *bias = operand[4].real;
    const clt__array *y = &operand[5], *before = &operand[6];
    const double error = from_variance ? clt__inverse_slack(1, 1, 0) + 4 : 4;
    for (int i = 0; i < z->n * z->pixels; i++)
        for (int c = 0; c < z->c; c++) {
            const size_t at = element(z, i, c);
            const double given = operand[2].real[c], inverse = from_variance ? 1 / sqrt(given + epsilon_of(z)) : given;
            const double scaled = (x[at] - mean[c]) * inverse * weight[c], sum = scaled + bias[c];
            const double slack = error * fabs(scaled) + 2 * fabs(sum);
            y->real[at] = clt__activate(z->activation, clt__exactly(sum)).value;
            if (y->slack) y->slack[at] = clt__activate(z->activation, (clt__near){sum, slack}).slack;
            if (before->real) before->real[at] = sum;
            if (before->slack) before->slack[at] = slack;
        }
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    apply(sizes, operand, false);
}

static void inference_twin(const void *sizes, const clt__array *operand)
{
    apply(sizes, operand, true);
}

/* db = sum dy,   dw = sum dy (x - mean) inverse */
static void gradients_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    const double *dy = operand[0].real, *x = operand[1].real, *mean = operand[2].real, *inverse = operand[3].real;
    const int count = operand[4].integer[STEP_VALID] * z->pixels;
    const clt__array *dw = &operand[5], *db = &operand[6];
    const double growth = clt__growth(count) + 3;
    for (int c = 0; c < z->c; c++) {
        double weight = 0, bias = 0, weight_magnitude = 0, bias_magnitude = 0;
        for (int i = 0; i < count; i++) {
            const size_t at = element(z, i, c);
            const double product = dy[at] * (x[at] - mean[c]) * inverse[c];
            weight += product;
            bias += dy[at];
            weight_magnitude += fabs(product);
            bias_magnitude += fabs(dy[at]);
        }
        dw->real[c] = weight;
        db->real[c] = bias;
        if (dw->slack) dw->slack[c] = growth * weight_magnitude;
        if (db->slack) db->slack[c] = growth * bias_magnitude;
    }
}

/* dx = g(x) weight inverse (dy - db / m - (x - mean) inverse dw / m) */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    const double *dy = operand[0].real, *x = operand[1].real, *mean = operand[2].real, *inverse = operand[3].real;
    const double *weight = operand[4].real, *dw = operand[5].real, *db = operand[6].real;
    const int valid = operand[7].integer[STEP_VALID] * z->pixels;
    double *dx = operand[8].real, *slack = operand[8].slack;
    for (int i = 0; i < z->n * z->pixels; i++)
        for (int c = 0; c < z->c; c++) {
            const size_t at = element(z, i, c);
            const double scale = weight[c] * inverse[c], normal = (x[at] - mean[c]) * inverse[c];
            const double tilt = normal * dw[c] / valid, shift = db[c] / valid, g = scale * (dy[at] - shift - tilt);
            const double terms = fabs(scale) * (fabs(dy[at]) + fabs(shift) + fabs(tilt));
            dx[at] = i < valid ? clt__deactivate(z->activation, clt__exactly(g), x[at]).value : 0;
            if (slack)
                slack[at] =
                    i < valid
                        ? clt__deactivate(z->activation, (clt__near){g, (CLT__DIVIDE_SLACK + 8) * terms}, x[at]).slack
                        : 0;
        }
}

/* ---- launch rules */

static void define(const norm_sizes *z, const clt__limits *limits, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%s%s", limits->vector_width,
                   clt__activation_name(z->activation), clt__spread_define(limits));
    plan->file = "batchnorm.cl";
}

/* Sums by parts, then over the parts. */
static clt_status plan_sums(norm_sizes *z, const clt__limits *limits, const char *parts, const char *sum,
                            clt__launch_plan *plan)
{
    define(z, limits, plan);
    z->parts = clt__plan_channel_sums(parts, sum, limits, z->n, z->n * z->pixels, z->c, 2, plan);
    return CLT_OK;
}

/* Pixel by pixel, the batch cut into parts; or, spread, element by element. */
static clt_status plan_pixels(norm_sizes *z, const clt__limits *limits, const char *kernel, clt__launch_plan *plan)
{
    const int wanted = 16 * limits->compute_units, pixels = z->n * z->pixels;
    const bool spread = limits->schedule == CLT_SCHEDULE_TILE;
    define(z, limits, plan);
    z->parts = spread || wanted > pixels ? pixels : wanted;
    plan->launch[0] = clt__flat_launch(kernel, limits, spread ? z->parts * z->c : z->parts, true);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status statistics_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_sums(sizes, limits, "batchnorm_statistics_parts", "batchnorm_statistics_merge", plan);
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_pixels(sizes, limits, "batchnorm_forward", plan);
}

static clt_status inference_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_pixels(sizes, limits, "batchnorm_inference", plan);
}

static clt_status gradients_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_sums(sizes, limits, "batchnorm_gradients_parts", "batchnorm_gradients_sum", plan);
}

static clt_status input_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_pixels(sizes, limits, "batchnorm_input_gradient", plan);
}

const clt__op_row clt__batchnorm_statistics_op = {
    .name = "batchnorm_statistics",
    .operand = {{"x", CLT__READ},
                {"step", CLT__READ},
                {"mean", CLT__WRITE},
                {"inverse", CLT__WRITE},
                {"running_mean", CLT__UPDATE},
                {"running_var", CLT__UPDATE}},
    .twin = statistics_twin,
    .plan = statistics_plan,
};

const clt__op_row clt__batchnorm_forward_op = {
    .name = "batchnorm_forward",
    .operand = {{"x", CLT__READ},
                {"mean", CLT__READ},
                {"inverse", CLT__READ},
                {"weight", CLT__READ},
                {"bias", CLT__READ},
                {"y", CLT__WRITE},
                {"sums", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__batchnorm_inference_op = {
    .name = "batchnorm_inference",
    .operand = {{"x", CLT__READ},
                {"mean", CLT__READ},
                {"variance", CLT__READ},
                {"weight", CLT__READ},
                {"bias", CLT__READ},
                {"y", CLT__WRITE},
                {"sums", CLT__WRITE}},
    .twin = inference_twin,
    .plan = inference_plan,
};

const clt__op_row clt__batchnorm_gradients_op = {
    .name = "batchnorm_gradients",
    .operand = {{"dy", CLT__READ},
                {"x", CLT__READ},
                {"mean", CLT__READ},
                {"inverse", CLT__READ},
                {"step", CLT__READ},
                {"dw", CLT__WRITE},
                {"db", CLT__WRITE}},
    .twin = gradients_twin,
    .plan = gradients_plan,
};

const clt__op_row clt__batchnorm_input_gradient_op = {
    .name = "batchnorm_input_gradient",
    .operand = {{"dy", CLT__READ},
                {"x", CLT__READ},
                {"mean", CLT__READ},
                {"inverse", CLT__READ},
                {"weight", CLT__READ},
                {"dw", CLT__READ},
                {"db", CLT__READ},
                {"step", CLT__READ},
                {"dx", CLT__WRITE}},
    .twin = input_gradient_twin,
    .plan = input_gradient_plan,
};
