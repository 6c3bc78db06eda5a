/* Images made another size. Formulas: kernels/resize.cl. */
#include "ops/resize_image.h"

#include "base/number.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- nearest_forward, bilinear_forward, bicubic_forward (x -> y) and their gradients (dy -> dx) */

/* The inputs around an output, and the shares that they have: one, two or four of them. */
typedef struct around {
    int input[4];
    double share[4];
} around;

static int within(int64_t input, int size)
{
    return input < 0 ? 0 : input < size ? (int)input : size - 1;
}

static around nearest(int y, int size, int step, int start, int parts)
{
    const int64_t place = (int64_t)step * y + start;
    return (around){{within(place > 0 ? place / parts : 0, size)}, {1}};
}

static around of_two(int y, int size, int step, int start, int parts)
{
    const int64_t place = (int64_t)step * y + start, at = place > 0 ? place : 0;
    const double lower = (double)(at % parts) / parts;
    return (around){{within(at / parts, size), within(at / parts + 1, size)}, {1 - lower, lower}};
}

static around of_four(int y, int size, int step, int start, int parts, const resize_sizes *z)
{
    const int64_t place = (int64_t)step * y + start, before = (place + parts) / parts - 1;
    const double t = (double)(place - before * parts) / parts, s = 1 - t, a = clt__number_of(z->cubic_a);
    around all = {{0},
                  {a * t * s * s, s * (s * (1 + 2 * t) - a * t * t), t * (t * (1 + 2 * s) - a * s * s), a * s * t * t}};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        all.input[i] = within(before + i - 1, size);
        if (z->exclude_outside && all.input[i] != before + i - 1) all.share[i] = 0;
        sum += all.share[i];
    }
    for (int i = 0; i < 4 && z->exclude_outside; i++) all.share[i] /= sum;
    return all;
}

static around inputs_of(int taps, int y, int size, int step, int start, int parts, const resize_sizes *z)
{
    return taps == 1   ? nearest(y, size, step, start, parts)
           : taps == 2 ? of_two(y, size, step, start, parts)
                       : of_four(y, size, step, start, parts, z);
}

/* Calls `meet` for each output and each of the inputs around it, `taps` rows of `taps`, with both their indices, the
 * input's share, and the roundoffs of itself that their product may be off. */
typedef void meet_function(const clt__array *operand, size_t input, size_t output, double share, double growth);

static inline void each_share(const resize_sizes *z, const clt__array *operand, int taps, meet_function *meet,
                              double growth)
{
    size_t output = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++) {
                const around down = inputs_of(taps, y, z->h, z->step_y, z->start_y, z->parts_y, z);
                const around across = inputs_of(taps, x, z->w, z->step_x, z->start_x, z->parts_x, z);
                for (int c = 0; c < z->c; c++, output++)
                    for (int i = 0; i < taps * taps; i++) {
                        const size_t row = (size_t)n * (size_t)z->h + (size_t)down.input[i / taps];
                        const size_t input = (row * (size_t)z->w + (size_t)across.input[i % taps]) * (size_t)z->c;
                        meet(operand, input + (size_t)c, output, down.share[i / taps] * across.share[i % taps], growth);
                    }
            }
}

static void add_input(const clt__array *operand, size_t input, size_t output, double share, double growth)
{
    clt__gather(&operand[RESIZE_TO], output, share * operand[RESIZE_FROM].real[input], growth);
}

static void add_output(const clt__array *operand, size_t input, size_t output, double share, double growth)
{
    clt__gather(&operand[RESIZE_TO], input, share * operand[RESIZE_FROM].real[output], growth);
}

/* ---- how far a term may be off */

/* The outputs, at most, that lie within `pixels` of the input on both sides. */
static double readers_on(int pixels, int step, int parts, int outputs)
{
    const double most = step ? floor((double)pixels * parts / step) + 1 : outputs;
    return most < outputs ? most : outputs;
}

static double readers(const resize_sizes *z, int pixels)
{
    return readers_on(pixels, z->step_y, z->parts_y, z->y) * readers_on(pixels, z->step_x, z->parts_x, z->x);
}

/* A sum of so many products of two shares, which are off by `slack` of themselves each, and a value. */
static double share_growth(double terms, double slack)
{
    return clt__growth(terms) + 2 * slack + 1;
}

/* A quotient, and where the image ends two that are added. */
enum { BILINEAR_SLACK = CLT__DIVIDE_SLACK + 1 };

/* The quotients t and s, three of them in a row in s (s (1 + 2 t) - A t^2), four more roundings there, and three where
 * the image ends and shares are added. Where those outside it are excluded, all is divided by the sum of those inside,
 * whose absolute values add up to at most twice that while -1 <= A <= 0 and the output's place is within the image. */
static double bicubic_slack(const resize_sizes *z)
{
    const double slack = 3 * (CLT__DIVIDE_SLACK + 1) + 4 + 3;
    return z->exclude_outside ? slack + 2 * (slack + 3) + CLT__DIVIDE_SLACK + 1 : slack;
}

/* ---- reference twins. Outputs before the first pixel's place count as at it: they are less than a pixel away, and
 * have none before them. */

#define TWIN(name, taps, meet, growth)                             \
    static void name(const void *sizes, const clt__array *operand) \
    {                                                              \
        const resize_sizes *z = sizes;                             \
        clt__clear(&operand[RESIZE_TO]);                           \
        each_share(z, operand, taps, meet, growth);                \
    }

TWIN(nearest_forward_twin, 1, add_input, 0)
TWIN(nearest_gradient_twin, 1, add_output, clt__growth(readers(z, 1)))
TWIN(bilinear_forward_twin, 2, add_input, share_growth(4, BILINEAR_SLACK))
TWIN(bilinear_gradient_twin, 2, add_output, share_growth(readers(z, 2), BILINEAR_SLACK))
TWIN(bicubic_forward_twin, 4, add_input, share_growth(16, bicubic_slack(z)))
TWIN(bicubic_gradient_twin, 4, add_output, share_growth(readers(z, 4), bicubic_slack(z)))

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

#define FORWARD_OP(kind)                                                                \
    const clt__op_row clt__##kind##_forward_op = {                                      \
        .name = #kind "_forward",                                                       \
        .operand = {[RESIZE_FROM] = {"x", CLT__READ}, [RESIZE_TO] = {"y", CLT__WRITE}}, \
        .stored = CLT__STORED(RESIZE_FROM) | CLT__STORED(RESIZE_TO),                    \
        .twin = kind##_forward_twin,                                                    \
        .launch = forward_launch}

#define GRADIENT_OP(kind)                                                                 \
    const clt__op_row clt__##kind##_gradient_op = {                                       \
        .name = #kind "_gradient",                                                        \
        .operand = {[RESIZE_FROM] = {"dy", CLT__READ}, [RESIZE_TO] = {"dx", CLT__WRITE}}, \
        .stored = CLT__STORED(RESIZE_FROM) | CLT__STORED(RESIZE_TO),                      \
        .twin = kind##_gradient_twin,                                                     \
        .launch = gradient_launch}

FORWARD_OP(nearest);
FORWARD_OP(bilinear);
FORWARD_OP(bicubic);
GRADIENT_OP(nearest);
GRADIENT_OP(bilinear);
GRADIENT_OP(bicubic);
