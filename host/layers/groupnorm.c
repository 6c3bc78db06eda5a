/* Layer and group normalisation. Formulas and letters: kernels/group_norm.cl. */
#include <stdio.h>
#include <string.h>

#include "layers/bounds.h"
#include "layers/channel.h"
#include "layers/launch.h"
#include "layers/moments.h"

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
    y->real[at] = clt__activate(t->z->activation, sum);
    if (y->slack) y->slack[at] = clt__activate_slack(t->z->activation, sum, slack);
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
    dx->real[at] = clt__deactivate(t->z->activation, g, x);
    if (dx->slack) dx->slack[at] = clt__deactivate_slack(t->z->activation, g, slack, x);
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
    (void)snprintf(plan->defines + length, sizeof plan->defines - length, " -DACTIVATION=%d", z->activation);
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

static const clt__op_row statistics_op = {
    .name = "group_norm_statistics",
    .operand = {{"x", CLT__READ}, {"mean", CLT__WRITE}, {"inverse", CLT__WRITE}},
    .twin = statistics_twin,
    .plan = statistics_plan,
};

static const clt__op_row forward_op = {
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

static const clt__op_row gradients_op = {
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

static const clt__op_row input_sums_op = {
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

static const clt__op_row input_gradient_op = {
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

/* ---- the layers */

enum { EPSILON, AFFINE, GROUPS };
enum { WEIGHT, BIAS };
enum { MEAN, INVERSE, SHIFT, TILT };

static bool is_whole(const clt__layer *layer)
{
    return layer->row == &clt__layernorm;
}

static int groups_of(const clt__layer *layer)
{
    return is_whole(layer) ? 1 : layer->value[GROUPS][0];
}

/* Normalised as a whole, an image is a vector: each element has a weight and a bias. */
static clt__value normalised(const clt__layer *layer)
{
    clt__value value = layer->in[0];
    value.flat = value.flat || is_whole(layer);
    return value;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const clt__value value = normalised(layer);
    const clt_shape in = value.shape;
    if (!is_whole(layer) && value.flat && (in.height > 1 || in.width > 1))
        return FAIL(error, CLT_BAD_NET, "%s needs an image, its input was flattened", layer->name);
    if (in.channels % groups_of(layer))
        return FAIL(error, CLT_BAD_NET, "%s: groups=%d does not divide its %d channels", layer->name, groups_of(layer),
                    in.channels);
    layer->parameter[WEIGHT] = clt__channel_parameter("weight", &value, 1);
    layer->parameter[BIAS] = clt__channel_parameter("bias", &value, 0);
    if (is_whole(layer) && !layer->in[0].flat)
        layer->parameter[WEIGHT].shown = layer->parameter[BIAS].shown = CLT__SHOWN_IMAGE;
    layer->parameters = layer->value[AFFINE][0] ? 2 : 0;
    return clt__same_shape(layer, error);
}

static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    static const char *const names[] = {"mean", "inverse", "shift", "tilt"};
    const int extent[4] = {layer->batch, groups_of(layer), 1, 1};
    for (int i = 0; i < (layer->training ? 4 : 2); i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s.%s", layer->name, names[i]);
        TRY(clt__tape_add(tape, name, CLT__REALS, CLT__PLAIN, extent, 2, -1, &layer->saved[i], error));
    }
    return CLT_OK;
}

static group_norm_sizes sizes_of(const clt__layer *layer, int activation)
{
    const clt__value value = normalised(layer);
    const channel_sizes all = clt__channel_sizes_of(layer, &value);
    return (group_norm_sizes){.n = all.n,
                              .pixels = all.rows / all.n,
                              .c = all.c,
                              .groups = groups_of(layer),
                              .epsilon_ppm = layer->value[EPSILON][0],
                              .activation = activation};
}

/* A parameter's tensor, -1 without them. */
static int tensor_of(const clt__layer *layer, int parameter)
{
    return layer->parameters ? layer->parameter[parameter].tensor : -1;
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const group_norm_sizes sizes = sizes_of(layer, layer->out.activation);
    const int *saved = layer->saved, x = layer->in[0].tensor;
    const int statistics[] = {x, saved[MEAN], saved[INVERSE]};
    TRY(clt__tape_add_op(tape, &statistics_op, layer->name, &sizes, sizeof sizes, statistics, error));
    const int tensor[] = {x,
                          saved[MEAN],
                          saved[INVERSE],
                          tensor_of(layer, WEIGHT),
                          tensor_of(layer, BIAS),
                          layer->out.tensor,
                          layer->before};
    return clt__tape_add_op(tape, &forward_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const group_norm_sizes sizes = sizes_of(layer, layer->in[0].activation);
    const int *saved = layer->saved, x = layer->in[0].tensor, dy = layer->out.gradient;
    const clt__parameter *p = layer->parameter;
    if (layer->parameters && p[WEIGHT].gradient >= 0) {
        const int tensor[] = {dy, x, saved[MEAN], saved[INVERSE], p[WEIGHT].gradient, p[BIAS].gradient};
        TRY(clt__tape_add_op(tape, &gradients_op, layer->name, &sizes, sizeof sizes, tensor, error));
    }
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int sums[] = {dy, x, saved[MEAN], saved[INVERSE], tensor_of(layer, WEIGHT), saved[SHIFT], saved[TILT]};
    TRY(clt__tape_add_op(tape, &input_sums_op, layer->name, &sizes, sizeof sizes, sums, error));
    const int tensor[] = {dy,           x,           saved[MEAN],          saved[INVERSE], tensor_of(layer, WEIGHT),
                          saved[SHIFT], saved[TILT], layer->in[0].gradient};
    return clt__tape_add_op(tape, &input_gradient_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

#define EPSILON_AND_AFFINE                                  \
    {"eps", CLT__REAL, 1, 10, "added to the variance"},     \
    {                                                       \
        "affine", CLT__FLAG, 0, 1, "then scales and shifts" \
    }

static const clt__case layer_cases[] = {
    {3, "input 17x9x8; batchnorm; relu; layernorm; tanh; globalavgpool; layernorm affine=no"},
    {64, "input 3x3x3; layernorm eps=0.001 frozen=yes; relu; flatten; layernorm"},
    {0, NULL},
};

static const clt__case group_cases[] = {
    {3, "input 34x9x8; batchnorm; tanh; groupnorm groups=2; relu; groupnorm groups=17 affine=no; globalavgpool"},
    {64, "input 6x3x3; groupnorm groups=3; maxpool kernel=3; flatten; groupnorm groups=2"},
    {0, NULL},
};

const clt__layer_row clt__layernorm = {
    .name = "layernorm",
    .help = "each image minus its mean, over its standard deviation, then element by element scaled and shifted",
    .option = {EPSILON_AND_AFFINE},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .takes_activation = true,
    .cases = layer_cases,
};

const clt__layer_row clt__groupnorm = {
    .name = "groupnorm",
    .help = "the same for each group of an image's channels, then channel by channel scaled and shifted",
    .option = {EPSILON_AND_AFFINE, {"groups", CLT__COUNT, 1, CLT__REQUIRED, "equal parts of the channels"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .takes_activation = true,
    .cases = group_cases,
};
