/* Local response normalisation. Formulas: kernels/lrn.cl. */
#include "ops/lrn.h"
#include "base/number.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- numbers: each is as far off as its conversions and divisions on the device */

static clt__near number_of(int kept)
{
    const double value = clt__real_of(kept);
    return (clt__near){value, (CLT__DIVIDE_SLACK + 1) * value};
}

/* base^-beta. What beta is off multiplies by the base's logarithm. */
static clt__near power_of(clt__near base, clt__near beta)
{
    const double value = pow(base.value, -beta.value);
    return (clt__near){
        value, value * (CLT__POW_SLACK + beta.value * base.slack / base.value + beta.slack * fabs(log(base.value)))};
}

static clt__near per_channel(clt__near value, int size)
{
    return clt__near_divide(value, clt__exactly(size));
}

/* ---- the window of channel c: from its first channel to the one behind its last */

static int window_begin(const lrn_sizes *z, int c)
{
    return c > z->size / 2 ? c - z->size / 2 : 0;
}

static int window_end(const lrn_sizes *z, int c)
{
    return c + z->size / 2 + 1 < z->c ? c + z->size / 2 + 1 : z->c;
}

/* ---- reference twins */

/* base[c] = k + alpha / size sum of x^2, y[c] = x[c] base[c]^-beta */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const lrn_sizes *z = sizes;
    const clt__near alpha = per_channel(number_of(z->alpha), z->size), beta = number_of(z->beta), k = number_of(z->k);
    const double growth = clt__growth(z->size);
    for (size_t row = 0; row < (size_t)z->rows; row++)
        for (int c = 0; c < z->c; c++) {
            const double *x = operand[LRN_X].real + row * (size_t)z->c;
            const size_t at = row * (size_t)z->c + (size_t)c;
            clt__near squares = clt__exactly(0);
            for (int i = window_begin(z, c); i < window_end(z, c); i++) clt__near_gather(&squares, x[i] * x[i], growth);
            const clt__near base = clt__near_add(k, clt__near_multiply(alpha, squares));
            clt__put(&operand[LRN_BASE], at, base);
            clt__put(&operand[LRN_Y], at, clt__near_multiply(clt__exactly(x[c]), power_of(base, beta)));
        }
}

/* dx[c] = dy[c] base[c]^-beta - 2 alpha beta / size x[c] sum of dy y / base */
static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const lrn_sizes *z = sizes;
    const clt__near beta = number_of(z->beta),
                    share = per_channel(
                        clt__near_multiply(clt__near_multiply(clt__exactly(2), number_of(z->alpha)), beta), z->size);
    const double growth = clt__growth(z->size) + CLT__DIVIDE_SLACK + 1;
    for (size_t row = 0; row < (size_t)z->rows; row++)
        for (int c = 0; c < z->c; c++) {
            const size_t first = row * (size_t)z->c, at = first + (size_t)c;
            const double *dy = operand[LRN_GRADIENT_DY].real + first, *y = operand[LRN_GRADIENT_Y].real + first,
                         *base = operand[LRN_GRADIENT_BASE].real + first;
            clt__near sum = clt__exactly(0);
            for (int i = window_begin(z, c); i < window_end(z, c); i++)
                clt__near_gather(&sum, dy[i] * y[i] / base[i], growth);
            const clt__near x = clt__exactly(operand[LRN_GRADIENT_X].real[at]),
                            direct = clt__near_multiply(clt__exactly(dy[c]), power_of(clt__exactly(base[c]), beta));
            clt__put(&operand[LRN_GRADIENT_DX], at,
                     clt__near_subtract(direct, clt__near_multiply(clt__near_multiply(share, x), sum)));
        }
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const lrn_sizes *z = sizes;
    clt__define(to, " -DVEC=1");
    clt__launch_flat("lrn.cl", limits, z->rows * z->c, false, to);
}

const clt__op_row clt__lrn_forward_op = {
    .name = "lrn_forward",
    .operand = {[LRN_X] = {"x", CLT__READ}, [LRN_BASE] = {"base", CLT__WRITE}, [LRN_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(LRN_X) | CLT__STORED(LRN_Y),
    .twin = forward_twin,
    .launch = launch,
};

const clt__op_row clt__lrn_gradient_op = {
    .name = "lrn_gradient",
    .operand = {[LRN_GRADIENT_DY] = {"dy", CLT__READ},
                [LRN_GRADIENT_X] = {"x", CLT__READ},
                [LRN_GRADIENT_BASE] = {"base", CLT__READ},
                [LRN_GRADIENT_Y] = {"y", CLT__READ},
                [LRN_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(LRN_GRADIENT_DY) | CLT__STORED(LRN_GRADIENT_X) | CLT__STORED(LRN_GRADIENT_Y) |
              CLT__STORED(LRN_GRADIENT_DX),
    .twin = gradient_twin,
    .launch = launch,
};
