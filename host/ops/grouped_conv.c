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

/* Whether depthwise_conv.cl suits: the sums of all taps of a weight gradient fit into registers, give or take a few
 * that compilers keep in the first cache, and PIXELS of the `pixels` of a row make a tile. Not for the plainest
 * kernels, which have no vectors. */
static bool goes_by_rows(const conv_sizes *z, const clt__limits *limits, int pixels)
{
    return is_depthwise(z) && limits->vector_width > 1 && pixels > 0 &&
           (int64_t)z->r * z->s <= 2 * (int64_t)limits->registers;
}

/* Tiles of a quarter of the registers, or of as many fewer pixels as make the same number of tiles of a row. Returns
 * the row's vectors. */
static int define_rows(const conv_sizes *z, const clt__limits *limits, int pixels, int phases, clt__launches *to)
{
    const int width = width_for(limits, z->k), most = limits->registers / 4;
    const int tile = clt__divide_up(pixels, clt__divide_up(pixels, most));
    clt__define(to, " -DVEC=%d -DPIXELS=%d -DTAPS_Y=%d -DTAPS_X=%d -DPHASES=%d", width, tile, z->r, z->s, phases);
    to->file = "depthwise_conv.cl";
    to->bakes_sizes = true;
    to->flops = flops_of(z);
    return clt__divide_up(z->k, width);
}

/* A work-item for each vector of channels of `rows` rows of each image. */
static void launch_rows(const conv_sizes *z, const char *kernel, const clt__limits *limits, int rows, int pixels,
                        int phases, clt__launches *to)
{
    const size_t vectors = (size_t)define_rows(z, limits, pixels, phases, to);
    clt__define_activation(to, z->activation);
    to->launch[0] = (clt__launch){kernel, {vectors, (size_t)z->n * (size_t)rows, 1}, {1, 1, 1}, false};
    to->count = 1;
}

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int groups = is_depthwise(z) ? 1 : z->groups;
    if (goes_by_rows(z, limits, z->x))
        launch_rows(z, "depthwise_forward", limits, z->y, z->x, 1, to);
    else
        launch(z, limits, (int64_t)z->n * z->y * z->x, z->k / groups, groups, to);
}

static void input_gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int64_t pixels = (int64_t)z->n * z->h * z->w;
    const bool depthwise = is_depthwise(z);
    const int of_phase = z->w / z->stride_x; /* or one more */
    if (goes_by_rows(z, limits, of_phase))
        launch_rows(z, "depthwise_input_gradient", limits, z->h, of_phase, z->stride_x, to);
    else
        launch(z, limits, pixels, depthwise ? z->c : 1, depthwise ? 1 : z->c, to);
}

/* A few slices for each compute unit, so that all are done at about the same time. */
static void launch_depthwise_weight_gradient(conv_sizes *z, const clt__limits *limits, clt__launches *to)
{
    enum { SLICES_A_UNIT = 4 };
    const int taps = z->r * z->s, width = width_for(limits, z->k);
    const int vectors = define_rows(z, limits, z->x, 1, to);
    const int64_t rows = (int64_t)z->n * z->y, wanted = clt__divide_up(SLICES_A_UNIT * limits->compute_units, vectors);
    z->slices = (int)(rows < wanted ? rows : wanted);
    to->scratch_reals = (uint64_t)z->slices * (uint64_t)(taps + 1) * (uint64_t)vectors * (uint64_t)width;
    to->launch[0] =
        (clt__launch){"depthwise_weight_gradient_slices", {(size_t)vectors, (size_t)z->slices, 1}, {1, 1, 1}, false};
    to->launch[1] = (clt__launch){
        "depthwise_weight_gradient_sum", {(size_t)vectors, (size_t)(taps + z->bias), 1}, {1, 1, 1}, false};
    to->count = 2;
}

static void weight_gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    const int groups = is_depthwise(z) ? 1 : z->groups;
    const int64_t rows = (int64_t)z->r * z->s * (z->c / z->groups) + z->bias;
    if (goes_by_rows(z, limits, z->x))
        launch_depthwise_weight_gradient(z, limits, to);
    else
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
