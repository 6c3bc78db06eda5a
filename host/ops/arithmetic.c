/* Two values, element by element. Formulas: kernels/arithmetic.cl. */
#include "ops/arithmetic.h"

#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- reference twins */

/* Which element of a, or of b, goes with channel c of a row of the result. */
static size_t element_of(const arithmetic_sizes *z, bool b, int row, int c)
{
    const int pixels = b ? z->b_pixels : z->a_pixels, channels = b ? z->b_channels : z->a_channels;
    const size_t place = (size_t)(pixels == 1 ? row / z->pixels : row);
    return place * (size_t)channels + (size_t)(channels == 1 ? 0 : c);
}

static clt__near value_of(const arithmetic_sizes *z, bool b, const clt__array *operand, int row, int c)
{
    return clt__exactly(operand->real[element_of(z, b, row, c)]);
}

/* y = a b, a - b or a / b */
static void twin(const void *sizes, const clt__array *operand)
{
    const arithmetic_sizes *z = sizes;
    for (int row = 0; row < z->n * z->pixels; row++)
        for (int c = 0; c < z->c; c++) {
            const clt__near a = value_of(z, false, &operand[ARITHMETIC_A], row, c),
                            b = value_of(z, true, &operand[ARITHMETIC_B], row, c);
            clt__put(&operand[ARITHMETIC_Y], (size_t)row * (size_t)z->c + (size_t)c,
                     z->operation == ARITHMETIC_MUL   ? clt__near_multiply(a, b)
                     : z->operation == ARITHMETIC_SUB ? clt__near_subtract(a, b)
                                                      : clt__near_divide(a, b));
        }
}

/* What one element of the result, whose gradient is g, adds to the gradient by a or by b. */
static clt__near term(const arithmetic_sizes *z, double g, const clt__array *operand, int row, int c)
{
    const clt__array *a = &operand[ARITHMETIC_GRADIENT_A], *b = &operand[ARITHMETIC_GRADIENT_B];
    if (z->operation == ARITHMETIC_SUB) return clt__exactly(z->by_b ? -g : g);
    const clt__near factor = value_of(z, !z->by_b || z->operation == ARITHMETIC_DIV,
                                      z->by_b && z->operation == ARITHMETIC_MUL ? a : b, row, c);
    if (z->operation == ARITHMETIC_MUL) return clt__near_multiply(clt__exactly(g), factor);
    if (!z->by_b) return clt__near_divide(clt__exactly(g), factor);
    const clt__near quotient = clt__near_divide(value_of(z, false, a, row, c), factor);
    return clt__near_multiply(clt__exactly(-g), clt__near_divide(quotient, factor));
}

/* The sum of those terms. One alone is not added to anything. */
static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const arithmetic_sizes *z = sizes;
    const clt__array *dx = &operand[ARITHMETIC_GRADIENT_DX];
    const double terms = (double)z->n * z->pixels * z->c / (double)dx->count;
    const double growth = terms > 1 ? clt__growth(terms) : 0;
    clt__clear(dx);
    for (int row = 0; row < z->n * z->pixels; row++)
        for (int c = 0; c < z->c; c++) {
            const size_t from = (size_t)row * (size_t)z->c + (size_t)c, to = element_of(z, z->by_b, row, c);
            const clt__near one = term(z, operand[ARITHMETIC_GRADIENT_DY].real[from], operand, row, c);
            clt__gather(dx, to, one.value, growth);
            if (dx->slack) dx->slack[to] += one.slack;
        }
}

/* ---- launch rules */

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const arithmetic_sizes *z = sizes;
    clt__launch_pixels("arithmetic.cl", limits, z->n * z->pixels, z->c, to);
}

static void gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const arithmetic_sizes *z = sizes;
    clt__launch_pixels("arithmetic.cl", limits, z->n * (z->by_b ? z->b_pixels : z->a_pixels),
                       z->by_b ? z->b_channels : z->a_channels, to);
}

const clt__op_row clt__arithmetic_op = {
    .name = "arithmetic",
    .operand =
        {[ARITHMETIC_A] = {"a", CLT__READ}, [ARITHMETIC_B] = {"b", CLT__READ}, [ARITHMETIC_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(ARITHMETIC_A) | CLT__STORED(ARITHMETIC_B) | CLT__STORED(ARITHMETIC_Y),
    .twin = twin,
    .launch = launch,
};

const clt__op_row clt__arithmetic_gradient_op = {
    .name = "arithmetic_gradient",
    .operand = {[ARITHMETIC_GRADIENT_DY] = {"dy", CLT__READ},
                [ARITHMETIC_GRADIENT_A] = {"a", CLT__READ},
                [ARITHMETIC_GRADIENT_B] = {"b", CLT__READ},
                [ARITHMETIC_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(ARITHMETIC_GRADIENT_DY) | CLT__STORED(ARITHMETIC_GRADIENT_A) |
              CLT__STORED(ARITHMETIC_GRADIENT_B) | CLT__STORED(ARITHMETIC_GRADIENT_DX),
    .twin = gradient_twin,
    .launch = gradient_launch,
};
