/* The ops of convolutions in groups or with a dilated filter: launch rules, for the twins are conv.c's. Formulas:
 * kernels/grouped_conv.cl, depthwise_conv.cl, grouped_conv_tile.cl. */
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/launch.h"
#include "ops/sums.h"

static bool is_depthwise(const conv_sizes *z)
{
    return z->groups == z->c && z->groups == z->k;
}

static double flops_of(const conv_sizes *z)
{
    return 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c / z->groups;
}

/* Short vectors where a group, or a pixel, has few channels. */
static int width_for(const clt__limits *limits, int lanes)
{
    int width = limits->vector_width;
    while (width > 1 && width / 2 >= lanes) width /= 2;
    return width;
}

/* `rows` rows of vectors, a work-item each. `lanes`: neighbours that a vector may take. */
static void launch(const conv_sizes *z, const clt__limits *limits, int64_t rows, int lanes, int lane_groups,
                   clt__launches *to)
{
    const int width = width_for(limits, lanes);
    clt__define(to, " -DVEC=%d%s", width, is_depthwise(z) ? " -DDEPTHWISE" : "");
    clt__define_activation(to, z->activation);
    clt__launch_flat("grouped_conv.cl", limits, (int)(rows * lane_groups * clt__divide_up(lanes, width)), false, to);
    to->flops = flops_of(z);
}

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int groups = is_depthwise(z) ? 1 : z->groups;
    launch(z, limits, (int64_t)z->n * z->y * z->x, z->k / groups, groups, to);
}

static void input_gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int64_t pixels = (int64_t)z->n * z->h * z->w;
    const bool depthwise = is_depthwise(z);
    launch(z, limits, pixels, depthwise ? z->c : 1, depthwise ? 1 : z->c, to);
}

/* Whether the sums of all taps fit into registers, give or take a few that compilers keep in the first cache. Not for
 * the plainest kernels, which have no vectors. */
static bool has_few_taps(const conv_sizes *z, const clt__limits *limits)
{
    return limits->vector_width > 1 && (int64_t)z->r * z->s <= 2 * (int64_t)limits->registers;
}

/* A few slices for each compute unit, so that all are done at about the same time. */
static void launch_depthwise_weight_gradient(conv_sizes *z, const clt__limits *limits, clt__launches *to)
{
    enum { SLICES_A_UNIT = 4 };
    const int width = width_for(limits, z->k), vectors = clt__divide_up(z->k, width), taps = z->r * z->s;
    const int64_t rows = (int64_t)z->n * z->y, wanted = clt__divide_up(SLICES_A_UNIT * limits->compute_units, vectors);
    z->slices = (int)(rows < wanted ? rows : wanted);
    clt__define(to, " -DVEC=%d -DTAPS_Y=%d -DTAPS_X=%d", width, z->r, z->s);
    to->file = "depthwise_conv.cl";
    to->scratch_reals = (uint64_t)z->slices * (uint64_t)(taps + 1) * (uint64_t)vectors * (uint64_t)width;
    to->launch[0] =
        (clt__launch){"depthwise_weight_gradient_slices", {(size_t)vectors, (size_t)z->slices, 1}, {1, 1, 1}, false};
    to->launch[1] = (clt__launch){
        "depthwise_weight_gradient_sum", {(size_t)vectors, (size_t)(taps + z->bias), 1}, {1, 1, 1}, false};
    to->count = 2;
    to->flops = flops_of(z);
}

static void weight_gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    if (is_depthwise(z) && has_few_taps(z, limits)) {
        launch_depthwise_weight_gradient(z, limits, to);
        return;
    }
    const int groups = is_depthwise(z) ? 1 : z->groups;
    const int64_t rows = (int64_t)z->r * z->s * (z->c / z->groups) + z->bias;
    launch(z, limits, rows, z->k / groups, groups, to);
}

static void weight_gradient_launch_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    clt__define_activation(to, CLT__NO_ACTIVATION);
    z->slices = clt__launch_matrix_sums("grouped_conv_tile.cl", "grouped_conv_weight_gradient_parts",
                                        "grouped_conv_weight_gradient_add", limits, z->n * z->y * z->x, z->k,
                                        z->r * z->s * (z->c / z->groups) + z->bias, to);
    to->flops = flops_of(z);
}

static const clt__op_row forward_op = {
    .name = "grouped_conv_forward",
    CLT__FORWARD_OPERANDS,
    .twin = clt__conv_forward_twin,
    .growth = clt__conv_forward_growth,
    .finish = clt__conv_finish_forward,
    .launch = forward_launch,
};

static const clt__op_row input_gradient_op = {
    .name = "grouped_conv_input_gradient",
    CLT__INPUT_GRADIENT_OPERANDS,
    .twin = clt__grouped_conv_input_gradient_twin,
    .growth = clt__conv_input_gradient_growth,
    .finish = clt__conv_finish_input_gradient,
    .launch = input_gradient_launch,
};

static const clt__op_row weight_gradient_op = {
    .name = "grouped_conv_weight_gradient",
    CLT__WEIGHT_GRADIENT_OPERANDS,
    .twin = clt__conv_weight_gradient_twin,
    .growth = clt__conv_weight_gradient_growth,
    .launch = weight_gradient_launch,
    .launch_tile = weight_gradient_launch_tile,
};

const clt__weighted_ops clt__grouped_conv_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};
