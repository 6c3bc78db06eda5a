/* Layer and group normalisation. Formulas and letters: kernels/group_norm.cl. */
#include "ops/group_norm.h"

#include "base/number.h"
#include "ops/activation.h"
#include "ops/launch.h"
#include "ops/sums.h"

static int group_channels(const group_norm_sizes *z)
{
    return z->c / z->groups;
}

/* Calls `meet` for every element: its index, its channel, and the row (image, group) that it belongs to. */
static inline void each_element(const group_norm_sizes *z, const clt__array *operand,
                                void (*meet)(const group_norm_sizes *z, const clt__array *operand, size_t at, int c,
                                             size_t row))
{
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int pixel = 0; pixel < z->pixels; pixel++)
            for (int c = 0; c < z->c; c++, at++)
                meet(z, operand, at, c, (size_t)n * (size_t)z->groups + (size_t)(c / group_channels(z)));
}

/* ---- reference twins */

/* mean = sum x / m,   inverse = 1 / sqrt(sum (x - mean)^2 / m + epsilon) */
static void statistics_twin(const void *sizes, const clt__array *operand)
{
    const group_norm_sizes *z = sizes;
    const clt__array *mean = &operand[GROUP_NORM_STATISTICS_MEAN];
    for (size_t row = 0; row < (size_t)z->n * (size_t)z->groups; row++) {
        const size_t image = row / (size_t)z->groups * (size_t)z->pixels * (size_t)z->c;
        const size_t first = image + row % (size_t)z->groups * (size_t)group_channels(z);
        const clt__moments m = clt__measure(operand[GROUP_NORM_STATISTICS_X].real + first, z->pixels, group_channels(z),
                                            (size_t)z->c, mean->roundoff);
        clt__put(mean, row, m.mean);
        clt__put(&operand[GROUP_NORM_STATISTICS_INVERSE], row, clt__inverse_of(m.variance, clt__real_of(z->epsilon)));
    }
}

/* y = (x - mean) inverse weight[c] + bias[c] + addend */
static void forward_element(CLT__UNUSED const group_norm_sizes *z, const clt__array *operand, size_t at, int c,
                            size_t row)
{
    clt__normalize_element(operand, at, c, row, clt__exactly(operand[NORMALIZE_INVERSE].real[row]));
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    each_element(sizes, operand, forward_element);
}

CLT__ACTIVATES(static, finish_forward, group_norm_sizes, NORMALIZE_Y, NORMALIZE_SUMS)

/* db = sum dy,   dw = sum dy (x - mean) inverse */
static void gradients_element(const group_norm_sizes *z, const clt__array *operand, size_t at, int c, size_t row)
{
    const double apart = operand[NORM_X].real[at] - operand[NORM_MEAN].real[row];
    const double product = operand[NORM_DY].real[at] * (apart * operand[NORM_INVERSE].real[row]);
    clt__gather_norm_gradients(operand, at, c, product, (double)z->n * z->pixels);
}

static void gradients_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[NORM_GRADIENTS_DW]);
    clt__clear(&operand[NORM_GRADIENTS_DB]);
    each_element(sizes, operand, gradients_element);
}

/* (x - mean) inverse, and dy weight[c] */
static double normal_of(const clt__array *operand, size_t at, size_t row)
{
    const double apart = operand[NORM_X].real[at] - operand[NORM_MEAN].real[row];
    return apart * operand[NORM_INVERSE].real[row];
}

static double weighted_gradient(const clt__array *operand, size_t at, int c)
{
    const double *dy = operand[NORM_DY].real, *weight = operand[GROUP_NORM_GRADIENT_WEIGHT].real;
    return weight ? dy[at] * weight[c] : dy[at];
}

/* shift = sum dy weight[c] / m,   tilt = sum dy weight[c] (x - mean) inverse / m */
static void sums_element(const group_norm_sizes *z, const clt__array *operand, size_t at, int c, size_t row)
{
    const clt__array *shift = &operand[GROUP_NORM_GRADIENT_SHIFT], *tilt = &operand[GROUP_NORM_GRADIENT_TILT];
    const double m = (double)z->pixels * group_channels(z), growth = clt__growth(m) + CLT__DIVIDE_SLACK + 1;
    const double g = weighted_gradient(operand, at, c) / m, product = g * normal_of(operand, at, row);
    clt__gather(shift, row, g, growth);
    clt__gather(tilt, row, product, growth + 3);
}

static void input_sums_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[GROUP_NORM_GRADIENT_SHIFT]);
    clt__clear(&operand[GROUP_NORM_GRADIENT_TILT]);
    each_element(sizes, operand, sums_element);
}

/* dx = f'(x) inverse (dy weight[c] - shift - (x - mean) inverse tilt) */
static void input_gradient_element(const group_norm_sizes *z, const clt__array *operand, size_t at, int c, size_t row)
{
    const double dy = weighted_gradient(operand, at, c), shift = operand[GROUP_NORM_GRADIENT_SHIFT].real[row];
    const double tilt = normal_of(operand, at, row) * operand[GROUP_NORM_GRADIENT_TILT].real[row];
    const double scale = operand[NORM_INVERSE].real[row];
    const clt__near g = {scale * (dy - shift - tilt), 8 * fabs(scale) * (fabs(dy) + fabs(shift) + fabs(tilt))};
    clt__put(&operand[GROUP_NORM_GRADIENT_DX], at, clt__deactivate(z->activation, g, operand[NORM_X].real[at]));
}

static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    each_element(sizes, operand, input_gradient_element);
}

/* ---- launch rules */

/* Sums over each group: by parts of it, then over the parts. */
static void launch_group_sums(group_norm_sizes *z, const clt__limits *limits, const char *parts, const char *sum,
                              clt__launches *to)
{
    enum { LEAST = 256 }; /* elements of a part */
    const int rows = z->n * z->groups, elements = z->pixels * group_channels(z);
    if (limits->schedule == CLT_SCHEDULE_TILE) {
        z->parts = clt__launch_row_sums("group_norm_tile.cl", parts, sum, limits, rows, elements, to);
        return;
    }
    const int most = clt__divide_up(elements, LEAST), wanted = 16 * limits->compute_units / rows + 1;
    int width = limits->vector_width;
    while (width > group_channels(z)) width /= 2;
    clt__define(to, " -DVEC=%d", width);
    z->parts = wanted < most ? wanted : most;
    to->file = "group_norm.cl";
    to->launch[0] = clt__flat_launch(parts, limits, rows * z->parts, true);
    to->scratch_reals = 2 * (uint64_t)rows * (uint64_t)z->parts;
    to->launch[1] = clt__flat_launch(sum, limits, rows, false);
    to->count = 2;
}

static void launch_elements(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const group_norm_sizes *z = sizes;
    clt__define_activation(to, z->activation);
    clt__launch_pixels("group_norm.cl", limits, z->n * z->pixels, z->c, to);
}

static void statistics_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    launch_group_sums(sizes, limits, "group_norm_statistics_parts", "group_norm_statistics_merge", to);
}

static void gradients_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    group_norm_sizes *z = sizes;
    z->parts = clt__launch_channel_sums("group_norm.cl", "group_norm_gradients_parts", "group_norm_gradients_add",
                                        limits, z->n, z->n * z->pixels, z->c, 2, to);
}

static void input_sums_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    launch_group_sums(sizes, limits, "group_norm_input_sums_parts", "group_norm_input_sums_add", to);
}

const clt__op_row clt__group_norm_statistics_op = {
    .name = "group_norm_statistics",
    .operand = {[GROUP_NORM_STATISTICS_X] = {"x", CLT__READ},
                [GROUP_NORM_STATISTICS_MEAN] = {"mean", CLT__WRITE},
                [GROUP_NORM_STATISTICS_INVERSE] = {"inverse", CLT__WRITE}},
    .stored = CLT__STORED(GROUP_NORM_STATISTICS_X),
    .twin = statistics_twin,
    .launch = statistics_launch,
};

const clt__op_row clt__group_norm_forward_op = {
    .name = "group_norm_forward",
    CLT__NORMALIZE_OPERANDS("inverse"),
    .twin = forward_twin,
    .finish = finish_forward,
    .launch = launch_elements,
};

const clt__op_row clt__group_norm_gradients_op = {
    .name = "group_norm_gradients",
    .operand = {CLT__NORM_GRADIENTS_OPERANDS},
    .stored = CLT__NORM_STORED,
    .twin = gradients_twin,
    .launch = gradients_launch,
};

#define INPUT_SUMS_OPERANDS(access)                                        \
    CLT__NORM_READS, [GROUP_NORM_GRADIENT_WEIGHT] = {"weight", CLT__READ}, \
                     [GROUP_NORM_GRADIENT_SHIFT] = {"shift", access}, [GROUP_NORM_GRADIENT_TILT] = {"tilt", access}

const clt__op_row clt__group_norm_input_sums_op = {
    .name = "group_norm_input_sums",
    .operand = {INPUT_SUMS_OPERANDS(CLT__WRITE)},
    .stored = CLT__NORM_STORED,
    .twin = input_sums_twin,
    .launch = input_sums_launch,
};

const clt__op_row clt__group_norm_input_gradient_op = {
    .name = "group_norm_input_gradient",
    .operand = {INPUT_SUMS_OPERANDS(CLT__READ), [GROUP_NORM_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__NORM_STORED | CLT__STORED(GROUP_NORM_GRADIENT_DX),
    .twin = input_gradient_twin,
    .launch = launch_elements,
};
