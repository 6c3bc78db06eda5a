/* Images made another size. Formulas: kernels/resize.cl. */
#include "ops/resize_image.h"

#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- nearest_forward, bilinear_forward (x -> y) and nearest_gradient, bilinear_gradient (dy -> dx) */

/* The inputs above and below an output, and the shares that they have. */
typedef struct between {
    int input[2];
    double share[2];
} between;

static between inputs_of(int y, int size, int step, int start, int parts)
{
    const int64_t place = (int64_t)step * y + start, at = place > 0 ? place : 0;
    const int above = at / parts < size ? (int)(at / parts) : size - 1;
    const double lower = (double)(at % parts) / parts;
    return (between){{above, above + 1 < size ? above + 1 : above}, {1 - lower, lower}};
}

typedef void meet_function(const clt__array *operand, size_t input, size_t output, double share);

/* Calls `meet` for each output and each of the inputs around it, the one above and to the left alone where it is the
 * nearest, with both their indices and the input's share. */
static inline void each_share(const resize_sizes *z, const clt__array *operand, bool nearest, meet_function *meet)
{
    size_t output = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int c = 0; c < z->c; c++, output++) {
                    const between down = inputs_of(y, z->h, z->step_y, z->start_y, z->parts_y);
                    const between across = inputs_of(x, z->w, z->step_x, z->start_x, z->parts_x);
                    for (int i = 0; i < (nearest ? 1 : 4); i++) {
                        const size_t row = (size_t)n * (size_t)z->h + (size_t)down.input[i / 2];
                        const size_t input = (row * (size_t)z->w + (size_t)across.input[i % 2]) * (size_t)z->c;
                        const double share = nearest ? 1 : down.share[i / 2] * across.share[i % 2];
                        meet(operand, input + (size_t)c, output, share);
                    }
                }
}

static void add_input(const clt__array *operand, size_t input, size_t output, double share)
{
    operand[RESIZE_TO].real[output] += share * operand[RESIZE_FROM].real[input];
}

static void add_output(const clt__array *operand, size_t input, size_t output, double share)
{
    operand[RESIZE_TO].real[input] += share * operand[RESIZE_FROM].real[output];
}

#define TWIN(name, nearest, meet)                                  \
    static void name(const void *sizes, const clt__array *operand) \
    {                                                              \
        clt__clear(&operand[RESIZE_TO]);                           \
        each_share(sizes, operand, nearest, meet);                 \
    }

TWIN(nearest_forward_twin, true, add_input) /* nothing is rounded */
TWIN(nearest_gradient_twin, true, add_output)
TWIN(bilinear_forward_twin, false, add_input)
TWIN(bilinear_gradient_twin, false, add_output)

/* The outputs, at most, that lie within `pixels` of the input. */
static double readers(int pixels, int step, int parts, int outputs)
{
    const double most = step ? floor((double)pixels * parts / step) + 1 : outputs;
    return most < outputs ? most : outputs;
}

/* A share is a quotient each way, or two that are added where the image ends, and the product of both. */
static double share_growth(double terms)
{
    return clt__growth(terms) + 2 * (CLT__DIVIDE_SLACK + 1) + 1;
}

static double bilinear_forward_growth(CLT__UNUSED const void *sizes)
{
    return share_growth(4);
}

/* Those before the first pixel's place count as at it: they are less than a pixel away, and have none before them. */
CLT__GROWTH(static, nearest_gradient_growth, resize_sizes,
            clt__growth(readers(1, z->step_y, z->parts_y, z->y) * readers(1, z->step_x, z->parts_x, z->x)))
CLT__GROWTH(static, bilinear_gradient_growth, resize_sizes,
            share_growth(readers(2, z->step_y, z->parts_y, z->y) * readers(2, z->step_x, z->parts_x, z->x)))

/* ---- the ops */

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const resize_sizes *z = sizes;
    clt__launch_pixels("resize.cl", limits, z->n * z->y * z->x, z->c, to);
}

static void gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const resize_sizes *z = sizes;
    clt__launch_pixels("resize.cl", limits, z->n * z->h * z->w, z->c, to);
}

#define FORWARD_OPERANDS .operand = {[RESIZE_FROM] = {"x", CLT__READ}, [RESIZE_TO] = {"y", CLT__WRITE}}
#define GRADIENT_OPERANDS .operand = {[RESIZE_FROM] = {"dy", CLT__READ}, [RESIZE_TO] = {"dx", CLT__WRITE}}

const clt__op_row clt__nearest_forward_op = {
    .name = "nearest_forward", FORWARD_OPERANDS, .twin = nearest_forward_twin, .launch = forward_launch};

const clt__op_row clt__nearest_gradient_op = {.name = "nearest_gradient",
                                              GRADIENT_OPERANDS,
                                              .twin = nearest_gradient_twin,
                                              .growth = nearest_gradient_growth,
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
