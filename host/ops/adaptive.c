/* Average pooling to a given size. Formulas: kernels/adaptive.cl. */
#include "ops/adaptive.h"

#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- adaptive_forward(x -> y) and adaptive_gradient(dy -> dx) */

clt__part clt__part_of(int i, int parts, int size)
{
    return (clt__part){(int)((int64_t)i * size / parts), (int)(((int64_t)(i + 1) * size + parts - 1) / parts)};
}

/* Calls `meet` for each output and each input of its parts, with both their indices and the pixels of both parts. */
static inline void each_pair(const adaptive_sizes *z, const clt__array *operand,
                             void (*meet)(const clt__array *operand, size_t input, size_t output, int area))
{
    size_t output = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int c = 0; c < z->c; c++, output++) {
                    const clt__part down = clt__part_of(y, z->y, z->h), across = clt__part_of(x, z->x, z->w);
                    const int area = (down.end - down.first) * (across.end - across.first);
                    for (int h = down.first; h < down.end; h++)
                        for (int w = across.first; w < across.end; w++) {
                            const size_t row = (size_t)n * (size_t)z->h + (size_t)h;
                            meet(operand, (row * (size_t)z->w + (size_t)w) * (size_t)z->c + (size_t)c, output, area);
                        }
                }
}

static void add_input(const clt__array *operand, size_t input, size_t output, int area)
{
    operand[ADAPTIVE_TO].real[output] += operand[ADAPTIVE_FROM].real[input] / area;
}

static void add_output(const clt__array *operand, size_t input, size_t output, int area)
{
    operand[ADAPTIVE_TO].real[input] += operand[ADAPTIVE_FROM].real[output] / area;
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[ADAPTIVE_TO]);
    each_pair(sizes, operand, add_input);
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[ADAPTIVE_TO]);
    each_pair(sizes, operand, add_output);
}

/* At least the pixels of the largest part of `parts` in `size`: a part begins less than a pixel before its true
 * beginning and ends less than a pixel after its true end; right there where the quotient is whole. */
static double most(int parts, int size)
{
    return size % parts ? size / parts + 2 : size / parts;
}

CLT__GROWTH(static, forward_growth, adaptive_sizes,
            clt__growth(most(z->y, z->h) * most(z->x, z->w)) + CLT__DIVIDE_SLACK)
CLT__GROWTH(static, gradient_growth, adaptive_sizes,
            clt__growth(most(z->h, z->y) * most(z->w, z->x)) + CLT__DIVIDE_SLACK)

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const adaptive_sizes *z = sizes;
    clt__launch_pixels("adaptive.cl", limits, z->n * z->y * z->x, z->c, to);
}

static void gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const adaptive_sizes *z = sizes;
    clt__launch_pixels("adaptive.cl", limits, z->n * z->h * z->w, z->c, to);
}

const clt__op_row clt__adaptive_forward_op = {
    .name = "adaptive_forward",
    .operand = {[ADAPTIVE_FROM] = {"x", CLT__READ}, [ADAPTIVE_TO] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(ADAPTIVE_FROM) | CLT__STORED(ADAPTIVE_TO),
    .twin = forward_twin,
    .growth = forward_growth,
    .launch = forward_launch,
};

const clt__op_row clt__adaptive_gradient_op = {
    .name = "adaptive_gradient",
    .operand = {[ADAPTIVE_FROM] = {"dy", CLT__READ}, [ADAPTIVE_TO] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(ADAPTIVE_FROM) | CLT__STORED(ADAPTIVE_TO),
    .twin = gradient_twin,
    .growth = gradient_growth,
    .launch = gradient_launch,
};
