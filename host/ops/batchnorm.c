/* Batch normalisation. Formulas and letters: kernels/batchnorm.cl. */
#include "ops/batchnorm.h"

#include "base/number.h"
#include "ops/activation.h"
#include "ops/launch.h"
#include "ops/sums.h"

static double epsilon_of(const norm_sizes *z)
{
    return clt__real_of(z->epsilon);
}

static size_t element(const norm_sizes *z, int pixel, int c)
{
    return (size_t)pixel * (size_t)z->c + (size_t)c;
}

/* ---- reference twins */

/* (1 - momentum) running + momentum x */
static clt__near blend(double momentum, double running, clt__near x, double roundings)
{
    const double kept = (1 - momentum) * running, fresh = momentum * x.value;
    return (clt__near){kept + fresh, momentum * x.slack + roundings * (fabs(kept) + fabs(fresh))};
}

void clt__put_statistics(const clt__array *operand, size_t c, const clt__moments *m, double count, double momentum,
                         double epsilon)
{
    const clt__array *running_mean = &operand[BATCHNORM_STATISTICS_RUNNING_MEAN];
    const clt__array *running_var = &operand[BATCHNORM_STATISTICS_RUNNING_VAR];
    const double unbias = count > 1 ? count / (count - 1) : 1;
    const double kept = (1 - momentum) * running_var->real[c], fresh = momentum * m->variance.value * unbias;
    clt__put(&operand[BATCHNORM_STATISTICS_MEAN], c, m->mean);
    clt__put(&operand[BATCHNORM_STATISTICS_INVERSE], c, clt__inverse_of(m->variance, epsilon));
    clt__put(running_mean, c, blend(momentum, running_mean->real[c], m->mean, 12));
    clt__put(running_var, c,
             (clt__near){kept + fresh, unbias * momentum * m->variance.slack + 14 * (fabs(kept) + fresh)});
}

static void statistics_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    const int count = operand[BATCHNORM_STATISTICS_STEP].integer[STEP_VALID] * z->pixels;
    const double roundoff = operand[BATCHNORM_STATISTICS_MEAN].roundoff, momentum = clt__real_of(z->momentum);
    for (size_t c = 0; c < (size_t)z->c; c++) {
        const clt__moments m = clt__measure(operand[BATCHNORM_STATISTICS_X].real + c, count, 1, (size_t)z->c, roundoff);
        clt__put_statistics(operand, c, &m, count, momentum, epsilon_of(z));
    }
}

/* y = (x - mean) inverse weight + bias + addend */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    for (int i = 0; i < z->n * z->pixels; i++)
        for (int c = 0; c < z->c; c++)
            clt__normalize_element(operand, element(z, i, c), c, (size_t)c,
                                   clt__exactly(operand[NORMALIZE_INVERSE].real[c]));
}

/* The same with inverse = 1 / sqrt(variance + epsilon), whose argument rounds once. */
static void inference_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    for (int i = 0; i < z->n * z->pixels; i++)
        for (int c = 0; c < z->c; c++) {
            const double variance = operand[NORMALIZE_INVERSE].real[c];
            clt__normalize_element(operand, element(z, i, c), c, (size_t)c,
                                   clt__inverse_of((clt__near){variance, fabs(variance)}, epsilon_of(z)));
        }
}

CLT__ACTIVATES(static, finish_forward, norm_sizes, NORMALIZE_Y, NORMALIZE_SUMS)

/* db = sum dy,   dw = sum dy (x - mean) inverse */
static void gradients_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    const double *dy = operand[NORM_DY].real, *x = operand[NORM_X].real;
    const double *mean = operand[NORM_MEAN].real, *inverse = operand[NORM_INVERSE].real;
    const int count = operand[NORM_GRADIENTS_STEP].integer[STEP_VALID] * z->pixels;
    clt__clear(&operand[NORM_GRADIENTS_DW]);
    clt__clear(&operand[NORM_GRADIENTS_DB]);
    for (int i = 0; i < count; i++)
        for (int c = 0; c < z->c; c++) {
            const size_t at = element(z, i, c);
            clt__gather_norm_gradients(operand, at, c, dy[at] * (x[at] - mean[c]) * inverse[c], count);
        }
}

/* dx = g(x) weight inverse (dy - db / m - (x - mean) inverse dw / m), 0 for what is no valid image's */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    const double *dy = operand[NORM_DY].real, *x = operand[NORM_X].real;
    const double *mean = operand[NORM_MEAN].real, *inverse = operand[NORM_INVERSE].real;
    const double *weight = operand[BATCHNORM_GRADIENT_WEIGHT].real;
    const double *dw = operand[BATCHNORM_GRADIENT_DW].real, *db = operand[BATCHNORM_GRADIENT_DB].real;
    const int valid = operand[BATCHNORM_GRADIENT_STEP].integer[STEP_VALID] * z->pixels;
    for (int i = 0; i < z->n * z->pixels; i++)
        for (int c = 0; c < z->c; c++) {
            const size_t at = element(z, i, c);
            const double scale = weight[c] * inverse[c], normal = (x[at] - mean[c]) * inverse[c];
            const double tilt = normal * dw[c] / valid, shift = db[c] / valid;
            const double terms = fabs(scale) * (fabs(dy[at]) + fabs(shift) + fabs(tilt));
            const clt__near g = {scale * (dy[at] - shift - tilt), (CLT__DIVIDE_SLACK + 8) * terms};
            clt__put(&operand[BATCHNORM_GRADIENT_DX], at,
                     i < valid ? clt__deactivate(z->activation, g, x[at]) : clt__exactly(0));
        }
}

/* ---- launch rules */

/* Sums by parts, then over the parts. */
static void launch_sums(norm_sizes *z, const clt__limits *limits, const char *parts, const char *sum, clt__launches *to)
{
    clt__define_activation(to, z->activation);
    z->parts = clt__launch_channel_sums("batchnorm.cl", parts, sum, limits, z->n, z->n * z->pixels, z->c, 2, to);
}

/* Pixel by pixel, the batch cut into parts; or, spread, a few elements at a time. */
static void launch_pixels(void *sizes, const clt__limits *limits, clt__launches *to)
{
    norm_sizes *z = sizes;
    const int wanted = 16 * limits->compute_units, pixels = z->n * z->pixels;
    const int width = clt__define_width(to, limits, z->c);
    clt__define_activation(to, z->activation);
    const bool spread = clt__define_spread(to, limits);
    z->parts = spread || wanted > pixels ? pixels : wanted;
    clt__launch_flat("batchnorm.cl", limits, spread ? z->parts * (z->c / width) : z->parts, true, to);
}

static void statistics_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    launch_sums(sizes, limits, "batchnorm_statistics_parts", "batchnorm_statistics_merge", to);
}

static void gradients_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    launch_sums(sizes, limits, "batchnorm_gradients_parts", "batchnorm_gradients_sum", to);
}

const clt__op_row clt__batchnorm_statistics_op = {
    .name = "batchnorm_statistics",
    .operand = {[BATCHNORM_STATISTICS_X] = {"x", CLT__READ},
                [BATCHNORM_STATISTICS_STEP] = {"step", CLT__READ},
                [BATCHNORM_STATISTICS_MEAN] = {"mean", CLT__WRITE},
                [BATCHNORM_STATISTICS_INVERSE] = {"inverse", CLT__WRITE},
                [BATCHNORM_STATISTICS_RUNNING_MEAN] = {"running_mean", CLT__UPDATE},
                [BATCHNORM_STATISTICS_RUNNING_VAR] = {"running_var", CLT__UPDATE}},
    .stored = CLT__STORED(BATCHNORM_STATISTICS_X),
    .twin = statistics_twin,
    .launch = statistics_launch,
};

const clt__op_row clt__batchnorm_forward_op = {
    .name = "batchnorm_forward",
    CLT__NORMALIZE_OPERANDS("inverse"),
    .twin = forward_twin,
    .finish = finish_forward,
    .launch = launch_pixels,
};

const clt__op_row clt__batchnorm_inference_op = {
    .name = "batchnorm_inference",
    CLT__NORMALIZE_OPERANDS("variance"),
    .twin = inference_twin,
    .finish = finish_forward,
    .launch = launch_pixels,
};

const clt__op_row clt__batchnorm_gradients_op = {
    .name = "batchnorm_gradients",
    .operand = {CLT__NORM_GRADIENTS_OPERANDS, [NORM_GRADIENTS_STEP] = {"step", CLT__READ}},
    .stored = CLT__NORM_STORED,
    .twin = gradients_twin,
    .launch = gradients_launch,
};

const clt__op_row clt__batchnorm_input_gradient_op = {
    .name = "batchnorm_input_gradient",
    .operand = {CLT__NORM_READS, [BATCHNORM_GRADIENT_WEIGHT] = {"weight", CLT__READ},
                [BATCHNORM_GRADIENT_DW] = {"dw", CLT__READ}, [BATCHNORM_GRADIENT_DB] = {"db", CLT__READ},
                [BATCHNORM_GRADIENT_STEP] = {"step", CLT__READ}, [BATCHNORM_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__NORM_STORED | CLT__STORED(BATCHNORM_GRADIENT_DX),
    .twin = input_gradient_twin,
    .launch = launch_pixels,
};
