/* The ops of convolutions in groups or with a dilated filter. Formulas and letters: kernels/grouped_conv.cl. */
#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/conv.h"
#include "ops/launch.h"

/* ---- reference twins */

static size_t pixel_index(int n, int h, int w, int height, int width, int channels)
{
    return (((size_t)n * (size_t)height + (size_t)h) * (size_t)width + (size_t)w) * (size_t)channels;
}

/* One product of the convolution: which input, weight and output meet. */
typedef struct meeting {
    size_t x, w, y;
} meeting;

/* Calls `meet` for every product, in the order n, y, x, k, r, s, c. */
static inline void each_meeting(const conv_sizes *z, const clt__array *operand,
                                void (*meet)(const clt__array *operand, meeting m))
{
    const int cg = z->c / z->groups, kg = z->k / z->groups;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int k = 0; k < z->k; k++)
                    for (int r = 0; r < z->r; r++)
                        for (int s = 0; s < z->s; s++) {
                            const int h = y * z->stride_y + r * z->dilation_y - z->pad_y;
                            const int w = x * z->stride_x + s * z->dilation_x - z->pad_x;
                            if (h < 0 || h >= z->h || w < 0 || w >= z->w) continue;
                            const size_t input = pixel_index(n, h, w, z->h, z->w, z->c) + (size_t)(k / kg * cg);
                            const size_t weight = (size_t)((r * z->s + s) * cg) * (size_t)z->k + (size_t)k;
                            const size_t output = pixel_index(n, y, x, z->y, z->x, z->k) + (size_t)k;
                            for (size_t c = 0; c < (size_t)cg; c++)
                                meet(operand, (meeting){input + c, weight + c * (size_t)z->k, output});
                        }
}

static void add_to_output(const clt__array *operand, meeting m)
{
    operand[FORWARD_Y].real[m.y] += operand[FORWARD_X].real[m.x] * operand[FORWARD_W].real[m.w];
}

static void add_to_input(const clt__array *operand, meeting m)
{
    operand[INPUT_GRADIENT_DX].real[m.x] += operand[INPUT_GRADIENT_DY].real[m.y] * operand[INPUT_GRADIENT_W].real[m.w];
}

static void add_to_weight(const clt__array *operand, meeting m)
{
    operand[WEIGHT_GRADIENT_DW].real[m.w] +=
        operand[WEIGHT_GRADIENT_X].real[m.x] * operand[WEIGHT_GRADIENT_DY].real[m.y];
}

/* y = b + sum of products */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[FORWARD_Y]);
    each_meeting(sizes, operand, add_to_output);
    clt__add_bias(&operand[FORWARD_Y], &operand[FORWARD_BIAS]);
}

/* dx = sum of products of dy and w */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[INPUT_GRADIENT_DX]);
    each_meeting(sizes, operand, add_to_input);
}

/* dw = sum of products of x and dy, db = sum of dy */
static void weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[WEIGHT_GRADIENT_DW]);
    each_meeting(sizes, operand, add_to_weight);
    clt__sum_bias_gradient(&operand[WEIGHT_GRADIENT_DY], &operand[WEIGHT_GRADIENT_DB]);
}

static double forward_growth(const void *sizes)
{
    const conv_sizes *z = sizes;
    return clt__growth((double)z->r * z->s * z->c / z->groups + 1);
}

static double input_gradient_growth(const void *sizes)
{
    const conv_sizes *z = sizes;
    return clt__growth((double)z->r * z->s * z->k / z->groups);
}

static double weight_gradient_growth(const void *sizes)
{
    const conv_sizes *z = sizes;
    return clt__growth((double)z->n * z->y * z->x);
}

/* ---- launch rules */

static bool is_depthwise(const conv_sizes *z)
{
    return z->groups == z->c && z->groups == z->k;
}

/* Short vectors where a group, or a pixel, has few channels. */
static int width_for(const clt__limits *limits, int lanes)
{
    int width = limits->vector_width;
    while (width > 1 && width / 2 >= lanes) width /= 2;
    return width;
}

/* `rows` rows of vectors, a work-item each. `lanes`: neighbours that a vector may take. */
static void launch(const char *kernel, const conv_sizes *z, const clt__limits *limits, int64_t rows, int lanes,
                   int lane_groups, clt__launches *to)
{
    const int width = width_for(limits, lanes);
    clt__define(to, " -DVEC=%d%s", width, is_depthwise(z) ? " -DDEPTHWISE" : "");
    clt__define_activation(to, z->activation);
    clt__launch_flat("grouped_conv.cl", kernel, limits, (int)(rows * lane_groups * clt__divide_up(lanes, width)), false,
                     to);
    to->flops = 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c / z->groups;
}

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int groups = is_depthwise(z) ? 1 : z->groups;
    launch("grouped_conv_forward", z, limits, (int64_t)z->n * z->y * z->x, z->k / groups, groups, to);
}

static void input_gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int64_t pixels = (int64_t)z->n * z->h * z->w;
    const bool depthwise = is_depthwise(z);
    launch("grouped_conv_input_gradient", z, limits, pixels, depthwise ? z->c : 1, depthwise ? 1 : z->c, to);
}

static void weight_gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int groups = is_depthwise(z) ? 1 : z->groups;
    const int64_t rows = (int64_t)z->r * z->s * (z->c / z->groups) + z->bias;
    launch("grouped_conv_weight_gradient", z, limits, rows, z->k / groups, groups, to);
}

static const clt__op_row forward_op = {
    .name = "grouped_conv_forward",
    CLT__FORWARD_OPERANDS,
    .twin = forward_twin,
    .growth = forward_growth,
    .finish = clt__conv_finish_forward,
    .launch = forward_launch,
};

static const clt__op_row input_gradient_op = {
    .name = "grouped_conv_input_gradient",
    CLT__INPUT_GRADIENT_OPERANDS,
    .twin = input_gradient_twin,
    .growth = input_gradient_growth,
    .finish = clt__conv_finish_input_gradient,
    .launch = input_gradient_launch,
};

static const clt__op_row weight_gradient_op = {
    .name = "grouped_conv_weight_gradient",
    CLT__WEIGHT_GRADIENT_OPERANDS,
    .twin = weight_gradient_twin,
    .growth = weight_gradient_growth,
    .launch = weight_gradient_launch,
};

const clt__weighted_ops clt__grouped_conv_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};
