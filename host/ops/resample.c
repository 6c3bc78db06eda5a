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

#define FORWARD_OPERANDS                                                                \
    .operand = {[RESAMPLE_FROM] = {"x", CLT__READ}, [RESAMPLE_TO] = {"y", CLT__WRITE}}, \
    .stored = CLT__STORED(RESAMPLE_FROM) | CLT__STORED(RESAMPLE_TO)
#define GRADIENT_OPERANDS                                                                 \
    .operand = {[RESAMPLE_FROM] = {"dy", CLT__READ}, [RESAMPLE_TO] = {"dx", CLT__WRITE}}, \
    .stored = CLT__STORED(RESAMPLE_FROM) | CLT__STORED(RESAMPLE_TO)

const clt__op_row clt__resample_forward_op = {
    .name = "resample_forward", FORWARD_OPERANDS, .twin = forward_twin, .launch = forward_launch};

const clt__op_row clt__resample_gradient_op = {.name = "resample_gradient",
                                               GRADIENT_OPERANDS,
                                               .twin = gradient_twin,
                                               .growth = gradient_growth,
                                               .launch = gradient_launch};
