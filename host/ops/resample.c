/* Zero padding and upsampling. Formulas: kernels/resample.cl. */
#include "ops/resample.h"

#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- resample_forward(x -> y) and resample_gradient(dy -> dx) */

/* Calls `meet` for every output that is an input, with both their indices. */
static inline void each_pair(const resample_sizes *z, const clt__array *operand,
                             void (*meet)(const clt__array *operand, size_t input, size_t output))
{
    for (int n = 0; n < z->n; n++)
        for (int h = 0; h < z->h * z->scale_y; h++)
            for (int w = 0; w < z->w * z->scale_x; w++)
                for (int c = 0; c < z->c; c++) {
                    const size_t row = (size_t)n * (size_t)z->h + (size_t)(h / z->scale_y);
                    const size_t wide = (size_t)n * (size_t)z->y + (size_t)(h + z->pad_y);
                    meet(operand, (row * (size_t)z->w + (size_t)(w / z->scale_x)) * (size_t)z->c + (size_t)c,
                         (wide * (size_t)z->x + (size_t)(w + z->pad_x)) * (size_t)z->c + (size_t)c);
                }
}

static void copy(const clt__array *operand, size_t input, size_t output)
{
    operand[RESAMPLE_TO].real[output] = operand[RESAMPLE_FROM].real[input];
}

static void add(const clt__array *operand, size_t input, size_t output)
{
    operand[RESAMPLE_TO].real[input] += operand[RESAMPLE_FROM].real[output];
}

/* Nothing is rounded. */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[RESAMPLE_TO]);
    each_pair(sizes, operand, copy);
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[RESAMPLE_TO]);
    each_pair(sizes, operand, add);
}

CLT__GROWTH(static, gradient_growth, resample_sizes, clt__growth((double)z->scale_y * z->scale_x))

/* ---- bilinear_forward(x -> y) and bilinear_gradient(dy -> dx) */

/* The inputs above and below an output, and the shares that they have: kernels/resample.cl. */
typedef struct between {
    int input[2];
    double share[2];
} between;

static between inputs_of(int y, int size, int scale)
{
    const int parts = 2 * scale, u = 2 * y + 1 > scale ? 2 * y + 1 - scale : 0, above = u / parts;
    const double lower = (double)(u % parts) / parts;
    return (between){{above, above + 1 < size ? above + 1 : above}, {1 - lower, lower}};
}

/* Calls `meet` for each output and each of the four inputs around it, with both their indices and the input's share. */
static inline void each_share(const resample_sizes *z, const clt__array *operand,
                              void (*meet)(const clt__array *operand, size_t input, size_t output, double share))
{
    size_t output = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int c = 0; c < z->c; c++, output++) {
                    const between down = inputs_of(y, z->h, z->scale_y), across = inputs_of(x, z->w, z->scale_x);
                    for (int i = 0; i < 4; i++) {
                        const size_t row = (size_t)n * (size_t)z->h + (size_t)down.input[i / 2];
                        const size_t input = (row * (size_t)z->w + (size_t)across.input[i % 2]) * (size_t)z->c;
                        meet(operand, input + (size_t)c, output, down.share[i / 2] * across.share[i % 2]);
                    }
                }
}

static void add_input(const clt__array *operand, size_t input, size_t output, double share)
{
    operand[RESAMPLE_TO].real[output] += share * operand[RESAMPLE_FROM].real[input];
}

static void add_output(const clt__array *operand, size_t input, size_t output, double share)
{
    operand[RESAMPLE_TO].real[input] += share * operand[RESAMPLE_FROM].real[output];
}

static void bilinear_forward_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[RESAMPLE_TO]);
    each_share(sizes, operand, add_input);
}

static void bilinear_gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[RESAMPLE_TO]);
    each_share(sizes, operand, add_output);
}

/* Of products with a share, which is itself a product of two quotients. */
static double share_growth(double terms)
{
    return clt__growth(terms) + 2 * CLT__DIVIDE_SLACK + 3;
}

static double bilinear_forward_growth(CLT__UNUSED const void *sizes)
{
    return share_growth(4);
}

CLT__GROWTH(static, bilinear_gradient_growth, resample_sizes, share_growth(9.0 * z->scale_y * z->scale_x))

/* ---- the ops */

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const resample_sizes *z = sizes;
    clt__launch_pixels("resample.cl", limits, z->n * z->y * z->x, z->c, to);
}

static void gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const resample_sizes *z = sizes;
    clt__launch_pixels("resample.cl", limits, z->n * z->h * z->w, z->c, to);
}

#define FORWARD_OPERANDS .operand = {[RESAMPLE_FROM] = {"x", CLT__READ}, [RESAMPLE_TO] = {"y", CLT__WRITE}}
#define GRADIENT_OPERANDS .operand = {[RESAMPLE_FROM] = {"dy", CLT__READ}, [RESAMPLE_TO] = {"dx", CLT__WRITE}}

const clt__op_row clt__resample_forward_op = {
    .name = "resample_forward", FORWARD_OPERANDS, .twin = forward_twin, .launch = forward_launch};

const clt__op_row clt__resample_gradient_op = {.name = "resample_gradient",
                                               GRADIENT_OPERANDS,
                                               .twin = gradient_twin,
                                               .growth = gradient_growth,
                                               .launch = gradient_launch};

const clt__op_row clt__bilinear_forward_op = {.name = "bilinear_forward",
                                              FORWARD_OPERANDS,
                                              .twin = bilinear_forward_twin,
                                              .growth = bilinear_forward_growth,
                                              .launch = forward_launch};

const clt__op_row clt__bilinear_gradient_op = {.name = "bilinear_gradient",
                                               GRADIENT_OPERANDS,
                                               .twin = bilinear_gradient_twin,
                                               .growth = bilinear_gradient_growth,
                                               .launch = gradient_launch};
