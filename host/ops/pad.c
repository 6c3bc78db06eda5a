/* Pixels around an image. Formulas: kernels/pad.cl. */
#include "ops/pad.h"

#include <stdlib.h>

#include "base/number.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- pad_forward(x -> y) and pad_gradient(dy -> dx) */

int clt__border_source(int mode, int at, int size)
{
    if (at >= 0 && at < size) return at;
    if (mode == PAD_CONSTANT) return -1;
    if (mode == PAD_REPLICATE) return at < 0 ? 0 : size - 1;
    const int period = size > 1 ? 2 * (size - 1) : 1, place = abs(at) % period; /* it is as it is the other way */
    return place < size ? place : period - place;
}

/* Calls `meet` for every output, with its index and that of the input that it shows; `shows`: if there is one. */
static inline void each_output(const pad_sizes *z, const clt__array *operand,
                               void (*meet)(const pad_sizes *z, const clt__array *operand, size_t output, bool shows,
                                            size_t input))
{
    size_t output = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int c = 0; c < z->c; c++, output++) {
                    const int h = clt__border_source(z->mode, y - z->before_y, z->h);
                    const int w = clt__border_source(z->mode, x - z->before_x, z->w);
                    const bool shows = h >= 0 && w >= 0;
                    const size_t row = (size_t)n * (size_t)z->h + (size_t)(shows ? h : 0);
                    const size_t pixel = row * (size_t)z->w + (size_t)(shows ? w : 0);
                    meet(z, operand, output, shows, pixel * (size_t)z->c + (size_t)c);
                }
}

static void show(const pad_sizes *z, const clt__array *operand, size_t output, bool shows, size_t input)
{
    const double value = shows ? operand[PAD_FROM].real[input] : clt__number_of(z->value);
    clt__put(&operand[PAD_TO], output, clt__exactly(value));
}

static void add(const pad_sizes *z, const clt__array *operand, size_t output, bool shows, size_t input)
{
    (void)z;
    if (shows) operand[PAD_TO].real[input] += operand[PAD_FROM].real[output];
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    each_output(sizes, operand, show);
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[PAD_TO]);
    each_output(sizes, operand, add);
}

/* The outputs, on one side, that show the same of `size` pixels, at most: a pixel and its two mirror images, or the
 * pixel at a corner and all around it. */
static double most(int mode, int size, int outputs)
{
    if (mode == PAD_CONSTANT) return 1;
    return mode == PAD_REFLECT ? 3 : outputs - size + 1;
}

CLT__GROWTH(static, gradient_growth, pad_sizes, clt__growth(most(z->mode, z->h, z->y) * most(z->mode, z->w, z->x)))

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const pad_sizes *z = sizes;
    clt__launch_pixels("pad.cl", limits, z->n * z->y * z->x, z->c, to);
}

static void gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const pad_sizes *z = sizes;
    clt__launch_pixels("pad.cl", limits, z->n * z->h * z->w, z->c, to);
}

const clt__op_row clt__pad_forward_op = {
    .name = "pad_forward",
    .operand = {[PAD_FROM] = {"x", CLT__READ}, [PAD_TO] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(PAD_FROM) | CLT__STORED(PAD_TO),
    .twin = forward_twin,
    .launch = forward_launch,
};

const clt__op_row clt__pad_gradient_op = {
    .name = "pad_gradient",
    .operand = {[PAD_FROM] = {"dy", CLT__READ}, [PAD_TO] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(PAD_FROM) | CLT__STORED(PAD_TO),
    .twin = gradient_twin,
    .growth = gradient_growth,
    .launch = gradient_launch,
};
