/* Batch normalisation. Formulas and letters: kernels/batchnorm.cl. */
#include <stdio.h>

#include "layers/bounds.h"
#include "layers/channel.h"
#include "layers/launch.h"
#include "layers/moments.h"

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
            y->real[at] = clt__activate(z->activation, sum);
            if (y->slack) y->slack[at] = clt__activate_slack(z->activation, sum, slack);
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
            dx[at] = i < valid ? clt__deactivate(z->activation, g, x[at]) : 0;
            if (slack)
                slack[at] =
                    i < valid ? clt__deactivate_slack(z->activation, g, (CLT__DIVIDE_SLACK + 8) * terms, x[at]) : 0;
        }
}

/* ---- launch rules */

static void define(const norm_sizes *z, const clt__limits *limits, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%d%s", limits->vector_width,
                   z->activation, clt__spread_define(limits));
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

static const clt__op_row statistics_op = {
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

static const clt__op_row forward_op = {
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

static const clt__op_row inference_op = {
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

static const clt__op_row gradients_op = {
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

static const clt__op_row input_gradient_op = {
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

/* ---- the layer */

enum { MOMENTUM, EPSILON };
enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };
enum { MEAN, INVERSE, WEIGHT_GRADIENT, BIAS_GRADIENT };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    if (layer->value[MOMENTUM][0] > 1000000)
        return FAIL(error, CLT_BAD_NET, "%s: a momentum of %g: it should be from 0 to 1", layer->name,
                    layer->value[MOMENTUM][0] * 1e-6);
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; i++) {
        layer->parameter[i] = clt__channel_parameter(names[i], &layer->in[0], i == WEIGHT || i == RUNNING_VAR ? 1 : 0);
        layer->parameter[i].state = i >= RUNNING_MEAN;
    }
    layer->parameters = 4;
    return clt__same_shape(layer, error);
}

static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    static const char *const names[] = {"mean", "inverse", "weight.gradient", "bias.gradient"};
    for (int i = 0; i < 4 && layer->training; i++) {
        char name[64];
        if (i >= WEIGHT_GRADIENT) layer->saved[i] = layer->parameter[i - WEIGHT_GRADIENT].gradient;
        if (layer->saved[i] >= 0) continue; /* a frozen layer's input gradient still needs both sums */
        (void)snprintf(name, sizeof name, "%s.%s", layer->name, names[i]);
        TRY(clt__tape_add(tape, name, CLT__REALS, CLT__FILTERS, layer->parameter[WEIGHT].extent, 1, -1,
                          &layer->saved[i], error));
    }
    return CLT_OK;
}

static norm_sizes sizes_of(const clt__layer *layer, int activation)
{
    const channel_sizes all = clt__channel_sizes_of(layer, &layer->in[0]);
    return (norm_sizes){.n = all.n,
                        .pixels = all.rows / all.n,
                        .c = all.c,
                        .epsilon_ppm = layer->value[EPSILON][0],
                        .momentum_ppm = layer->value[MOMENTUM][0],
                        .activation = activation};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const norm_sizes sizes = sizes_of(layer, layer->out.activation);
    const clt__parameter *p = layer->parameter;
    const bool training = layer->training;
    if (training) {
        const int tensor[] = {layer->in[0].tensor,    layer->step,          layer->saved[MEAN], layer->saved[INVERSE],
                              p[RUNNING_MEAN].tensor, p[RUNNING_VAR].tensor};
        TRY(clt__tape_add_op(tape, &statistics_op, layer->name, &sizes, sizeof sizes, tensor, error));
    }
    const int tensor[] = {layer->in[0].tensor,
                          training ? layer->saved[MEAN] : p[RUNNING_MEAN].tensor,
                          training ? layer->saved[INVERSE] : p[RUNNING_VAR].tensor,
                          p[WEIGHT].tensor,
                          p[BIAS].tensor,
                          layer->out.tensor,
                          layer->before};
    return clt__tape_add_op(tape, training ? &forward_op : &inference_op, layer->name, &sizes, sizeof sizes, tensor,
                            error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const norm_sizes sizes = sizes_of(layer, layer->in[0].activation);
    const int sums[] = {layer->out.gradient,        layer->in[0].tensor, layer->saved[MEAN],
                        layer->saved[INVERSE],      layer->step,         layer->saved[WEIGHT_GRADIENT],
                        layer->saved[BIAS_GRADIENT]};
    TRY(clt__tape_add_op(tape, &gradients_op, layer->name, &sizes, sizeof sizes, sums, error));
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int tensor[] = {layer->out.gradient,
                          layer->in[0].tensor,
                          layer->saved[MEAN],
                          layer->saved[INVERSE],
                          layer->parameter[WEIGHT].tensor,
                          layer->saved[WEIGHT_GRADIENT],
                          layer->saved[BIAS_GRADIENT],
                          layer->step,
                          layer->in[0].gradient};
    return clt__tape_add_op(tape, &input_gradient_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static const clt__case cases[] = {
    {3, "input 1x1x1; batchnorm"},
    {3, "input 3x7x5; conv out=17 kernel=2; relu; batchnorm; tanh"},
    {64, "input 2x5x3; conv out=33 kernel=1 bias=no; batchnorm momentum=0.3 eps=0.001; relu; maxpool kernel=2"},
    {3, "input 70x3x2; batchnorm; relu; flatten; dense out=13; sigmoid; batchnorm; sigmoid"},
    {2, "input 3x33x31; conv out=16 kernel=3; batchnorm frozen=yes; relu; conv out=2"},
    {0, NULL},
};

const clt__layer_row clt__batchnorm = {
    .name = "batchnorm",
    .help = "each channel minus its mean, over its standard deviation, then scaled and shifted",
    .option = {{"momentum", CLT__REAL, 0, 100000, "share of a batch in the running statistics"},
               {"eps", CLT__REAL, 1, 10, "added to the variance"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .takes_activation = true,
    .cases = cases,
};
