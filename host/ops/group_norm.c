/* Layer and group normalisation. Formulas and letters: kernels/group_norm.cl. */
#include <stdio.h>
#include <string.h>

#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/group_norm.h"
#include "ops/launch.h"
#include "ops/moments.h"

static double epsilon_of(const group_norm_sizes *z)
{
    return z->epsilon_ppm * 1e-6;
}

static int group_channels(const group_norm_sizes *z)
{
    return z->c / z->groups;
}

/* Calls `meet` for every element: its index, its channel, and the row (image, group) that it belongs to. */
static void each_element(const group_norm_sizes *z, void (*meet)(void *user, size_t at, int c, size_t row), void *user)
{
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int pixel = 0; pixel < z->pixels; pixel++)
            for (int c = 0; c < z->c; c++, at++)
                meet(user, at, c, (size_t)n * (size_t)z->groups + (size_t)(c / group_channels(z)));
}

/* ---- reference twins */

/* mean = sum x / m,   inverse = 1 / sqrt(sum (x - mean)^2 / m + epsilon) */
static void statistics_twin(const void *sizes, const clt__array *operand)
{
    const group_norm_sizes *z = sizes;
    const clt__array *mean = &operand[1], *inverse = &operand[2];
    const int rows = z->n * z->groups;
    for (int row = 0; row < rows; row++) {
        const size_t image = (size_t)(row / z->groups) * (size_t)z->pixels * (size_t)z->c;
        const size_t first = image + (size_t)(row % z->groups) * (size_t)group_channels(z);
        const clt__moments m =
            clt__measure(operand[0].real + first, z->pixels, group_channels(z), (size_t)z->c, mean->roundoff);
        mean->real[row] = m.mean;
        inverse->real[row] = 1 / sqrt(m.variance + epsilon_of(z));
        if (mean->slack) mean->slack[row] = m.mean_slack;
        if (inverse->slack)
            inverse->slack[row] = inverse->real[row] * clt__inverse_slack(m.variance, m.variance_slack, epsilon_of(z));
    }
}

/* What the others' loops know. */
typedef struct trial {
    const group_norm_sizes *z;
    const clt__array *operand;
} trial;

enum { F_X, F_MEAN, F_INVERSE, F_WEIGHT, F_BIAS, F_Y, F_BEFORE };

/* y = f( (x - mean) inverse weight[c] + bias[c] ) */
static void forward_element(void *user, size_t at, int c, size_t row)
{
    const trial *t = user;
    const clt__array *o = t->operand, *y = &o[F_Y], *before = &o[F_BEFORE];
    const double normal = (o[F_X].real[at] - o[F_MEAN].real[row]) * o[F_INVERSE].real[row];
    const double scaled = o[F_WEIGHT].real ? normal * o[F_WEIGHT].real[c] : normal;
    const double sum = scaled + (o[F_BIAS].real ? o[F_BIAS].real[c] : 0), slack = 4 * fabs(scaled) + 2 * fabs(sum);
    y->real[at] = clt__activate(t->z->activation, clt__exactly(sum)).value;
    if (y->slack) y->slack[at] = clt__activate(t->z->activation, (clt__near){sum, slack}).slack;
    if (before->real) before->real[at] = sum;
    if (before->slack) before->slack[at] = slack;
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    each_element(sizes, forward_element, &(trial){sizes, operand});
}

enum { B_DY, B_X, B_MEAN, B_INVERSE, B_WEIGHT, B_SHIFT, B_TILT, B_DX };

static double normal_of(const clt__array *o, size_t at, size_t row)
{
    return (o[B_X].real[at] - o[B_MEAN].real[row]) * o[B_INVERSE].real[row];
}

/* db = sum dy,   dw = sum dy (x - mean) inverse */
static void gradients_element(void *user, size_t at, int c, size_t row)
{
    const trial *t = user;
    const clt__array *dw = &t->operand[4], *db = &t->operand[5];
    const double dy = t->operand[B_DY].real[at], product = dy * normal_of(t->operand, at, row);
    const double growth = clt__growth((double)t->z->n * t->z->pixels);
    dw->real[c] += product;
    db->real[c] += dy;
    if (dw->slack) dw->slack[c] += (growth + 3) * fabs(product);
    if (db->slack) db->slack[c] += growth * fabs(dy);
}

static void gradients_twin(const void *sizes, const clt__array *operand)
{
    const group_norm_sizes *z = sizes;
    clt__clear(&operand[4], (size_t)z->c);
    clt__clear(&operand[5], (size_t)z->c);
    each_element(z, gradients_element, &(trial){z, operand});
}

/* shift = sum dy weight[c] / m,   tilt = sum dy weight[c] (x - mean) inverse / m */
static void sums_element(void *user, size_t at, int c, size_t row)
{
    const trial *t = user;
    const clt__array *o = t->operand, *shift = &o[B_SHIFT], *tilt = &o[B_TILT];
    const double m = (double)t->z->pixels * group_channels(t->z), growth = clt__growth(m) + CLT__DIVIDE_SLACK + 1;
    const double g = (o[B_WEIGHT].real ? o[B_DY].real[at] * o[B_WEIGHT].real[c] : o[B_DY].real[at]) / m;
    const double product = g * normal_of(o, at, row);
    shift->real[row] += g;
    tilt->real[row] += product;
    if (shift->slack) shift->slack[row] += growth * fabs(g);
    if (tilt->slack) tilt->slack[row] += (growth + 3) * fabs(product);
}

static void input_sums_twin(const void *sizes, const clt__array *operand)
{
    const group_norm_sizes *z = sizes;
    clt__clear(&operand[B_SHIFT], (size_t)z->n * (size_t)z->groups);
    clt__clear(&operand[B_TILT], (size_t)z->n * (size_t)z->groups);
    each_element(z, sums_element, &(trial){z, operand});
}

/* dx = f'(x) inverse (dy weight[c] - shift - (x - mean) inverse tilt) */
static void input_gradient_element(void *user, size_t at, int c, size_t row)
{
    const trial *t = user;
    const clt__array *o = t->operand, *dx = &o[B_DX];
    const double dy = o[B_WEIGHT].real ? o[B_DY].real[at] * o[B_WEIGHT].real[c] : o[B_DY].real[at];
    const double shift = o[B_SHIFT].real[row], tilt = normal_of(o, at, row) * o[B_TILT].real[row];
    const double scale = o[B_INVERSE].real[row], g = scale * (dy - shift - tilt), x = o[B_X].real[at];
    const double slack = 8 * fabs(scale) * (fabs(dy) + fabs(shift) + fabs(tilt));
    dx->real[at] = clt__deactivate(t->z->activation, clt__exactly(g), x).value;
    if (dx->slack) dx->slack[at] = clt__deactivate(t->z->activation, (clt__near){g, slack}, x).slack;
}

static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    each_element(sizes, input_gradient_element, &(trial){sizes, operand});
}

/* ---- launch rules */

/* Sums over each group: by parts of it, then over the parts. */
static clt_status plan_group_sums(group_norm_sizes *z, const clt__limits *limits, const char *parts, const char *sum,
                                  clt__launch_plan *plan)
{
    enum { LEAST = 256 }; /* elements of a part */
    const int rows = z->n * z->groups, most = clt__divide_up(z->pixels * group_channels(z), LEAST);
    const bool tile = limits->schedule == CLT_SCHEDULE_TILE;
    const int64_t wanted = (tile ? clt__busy_items(limits) : 16 * (int64_t)limits->compute_units) / rows + 1;
    int width = limits->vector_width;
    while (width > group_channels(z)) width /= 2;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d", width);
    plan->file = "group_norm.cl";
    z->parts = wanted < most ? (int)wanted : most;
    plan->scratch_reals = 2 * (uint64_t)rows * (uint64_t)z->parts;
    plan->launch[0] = clt__flat_launch(parts, limits, rows * z->parts, true);
    plan->launch[1] = clt__flat_launch(sum, limits, rows, false);
    plan->launches = 2;
    return CLT_OK;
}

static clt_status plan_elements(const group_norm_sizes *z, const clt__limits *limits, const char *kernel,
                                clt__launch_plan *plan)
{
    plan->file = "group_norm.cl";
    clt__plan_pixels(kernel, limits, z->n * z->pixels, z->c, plan);
    const size_t length = strlen(plan->defines);
    (void)snprintf(plan->defines + length, sizeof plan->defines - length, " -DACTIVATION=%s",
                   clt__activation_name(z->activation));
    return CLT_OK;
}

static clt_status statistics_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_group_sums(sizes, limits, "group_norm_statistics_parts", "group_norm_statistics_merge", plan);
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_elements(sizes, limits, "group_norm_forward", plan);
}

static clt_status gradients_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    group_norm_sizes *z = sizes;
    plan->file = "group_norm.cl";
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d%s", limits->vector_width, clt__spread_define(limits));
    z->parts = clt__plan_channel_sums("group_norm_gradients_parts", "group_norm_gradients_add", limits, z->n,
                                      z->n * z->pixels, z->c, 2, plan);
    return CLT_OK;
}

static clt_status input_sums_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_group_sums(sizes, limits, "group_norm_input_sums_parts", "group_norm_input_sums_add", plan);
}

static clt_status input_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_elements(sizes, limits, "group_norm_input_gradient", plan);
}

const clt__op_row clt__group_norm_statistics_op = {
    .name = "group_norm_statistics",
    .operand = {{"x", CLT__READ}, {"mean", CLT__WRITE}, {"inverse", CLT__WRITE}},
    .twin = statistics_twin,
    .plan = statistics_plan,
};

const clt__op_row clt__group_norm_forward_op = {
    .name = "group_norm_forward",
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

const clt__op_row clt__group_norm_gradients_op = {
    .name = "group_norm_gradients",
    .operand = {{"dy", CLT__READ},
                {"x", CLT__READ},
                {"mean", CLT__READ},
                {"inverse", CLT__READ},
                {"dw", CLT__WRITE},
                {"db", CLT__WRITE}},
    .twin = gradients_twin,
    .plan = gradients_plan,
};

const clt__op_row clt__group_norm_input_sums_op = {
    .name = "group_norm_input_sums",
    .operand = {{"dy", CLT__READ},
                {"x", CLT__READ},
                {"mean", CLT__READ},
                {"inverse", CLT__READ},
                {"weight", CLT__READ},
                {"shift", CLT__WRITE},
                {"tilt", CLT__WRITE}},
    .twin = input_sums_twin,
    .plan = input_sums_plan,
};

const clt__op_row clt__group_norm_input_gradient_op = {
    .name = "group_norm_input_gradient",
    .operand = {{"dy", CLT__READ},
                {"x", CLT__READ},
                {"mean", CLT__READ},
                {"inverse", CLT__READ},
                {"weight", CLT__READ},
                {"shift", CLT__READ},
                {"tilt", CLT__READ},
                {"dx", CLT__WRITE}},
    .twin = input_gradient_twin,
    .plan = input_gradient_plan,
};
