/* The activations: the twin of each, two functions, and its row. With a line in kernels/activations.h, which has the
 * same formulas, that is all that an activation needs.
 *
 *   VALUE(name, f(x))              an expression in x, with its slack, and a
 *   GRADIENT(name, at, g f'(x))    one in g and `at`, which is y = f(x) for those that are of their output, else x
 *
 * a is the activation's parameter. Only ops/activation.c and layers/activations.c include this. */
#ifndef CLT_OPS_ACTIVATION_ROWS_H
#define CLT_OPS_ACTIVATION_ROWS_H

#include "ops/bounds.h"

#define VALUE(name, ...)                                                                \
    static inline clt__near name##_value(CLT__UNUSED clt__near x, CLT__UNUSED double a) \
    {                                                                                   \
        return __VA_ARGS__;                                                             \
    }
#define GRADIENT(name, at, ...)                                                                       \
    /* NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a parameter */                         \
    static inline clt__near name##_gradient(clt__near g, CLT__UNUSED double at, CLT__UNUSED double a) \
    {                                                                                                 \
        return __VA_ARGS__;                                                                           \
    }

static inline double clt__logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* Of clt__logistic(x), relative: exp's, the sum's and the quotient's. */
enum { CLT__LOGISTIC_SLACK = CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 2 };

/* A value that is off by so many roundoffs of itself. */
static inline clt__near clt__relative(double value, double slack)
{
    return (clt__near){value, slack * fabs(value)};
}

VALUE(none, x)
GRADIENT(none, y, g)

/* ---- of their output. relu and tanh never stretch a difference, sigmoid quarters it; then come the roundings of the
 * function itself. |f'| <= 1 for all of them; forming f' rounds a few times, relative to the terms of 1 - y or 1 - y y.
 */

static inline clt__near clt__sigmoid_of(clt__near x)
{
    const double y = clt__logistic(x.value);
    return (clt__near){y, x.slack / 4 + CLT__LOGISTIC_SLACK * y};
}

VALUE(relu, (clt__near){x.value < 0 ? 0 : x.value, x.slack})
GRADIENT(relu, y, y <= 0 ? clt__exactly(0) : g)
VALUE(sigmoid, clt__sigmoid_of(x))
GRADIENT(sigmoid, y, (clt__near){g.value * y * (1 - y), g.slack *y *(1 - y) + 5 * fabs(g.value) * y})
VALUE(sigmoid_notebook, clt__sigmoid_of(x))
GRADIENT(sigmoid_notebook, y,
         (clt__near){g.value * (clt__logistic(y) * (1 - clt__logistic(y))),
                     g.slack / 4 + (2 * CLT__LOGISTIC_SLACK + 4) * fabs(g.value) / 4})
VALUE(tanh, (clt__near){tanh(x.value), x.slack + CLT__TANH_SLACK *fabs(tanh(x.value))})
GRADIENT(tanh, y, (clt__near){g.value * (1 - y * y), g.slack *(1 - y * y) + 5 * fabs(g.value)})

/* ---- of their input, which has no slack then: g times the slope */

enum { CLT__EXPM1_SLACK = CLT__EXP_SLACK + CLT__DIVIDE_SLACK + 1 };

VALUE(leaky_relu, x.value > 0 ? x : clt__relative(a * x.value, CLT__DIVIDE_SLACK + 1))
GRADIENT(leaky_relu, x, clt__near_multiply(g, x > 0 ? clt__exactly(1) : clt__relative(a, CLT__DIVIDE_SLACK)))
VALUE(elu, x.value > 0 ? x : clt__relative(a * expm1(x.value), CLT__EXPM1_SLACK))
GRADIENT(elu, x, clt__near_multiply(g, x > 0 ? clt__exactly(1) : clt__relative(a * exp(x), CLT__EXPM1_SLACK)))

static const double clt__selu_scale = 1.0507009873554805, clt__selu_alpha = 1.6732632423543772;

VALUE(selu,
      clt__relative(clt__selu_scale *(x.value > 0 ? x.value : clt__selu_alpha * expm1(x.value)), CLT__EXP_SLACK + 4))
GRADIENT(selu, x,
         clt__near_multiply(g,
                            clt__relative(clt__selu_scale *(x > 0 ? 1 : clt__selu_alpha * exp(x)), CLT__EXP_SLACK + 4)))

/* 1 + erf(x / sqrt 2), halved. The sum cancels where x is far below 0: what erf and its argument lose is then absolute.
 */
static inline clt__near clt__normal_share(double x)
{
    const double t = x * 0.7071067811865476, e = erf(t);
    return (clt__near){(1 + e) / 2,
                       (CLT__ERF_SLACK * fabs(e) + 3 * fabs(t) * 1.1283791670955126 * exp(-t * t) + fabs(1 + e)) / 2};
}

/* exp's argument is off by two roundings of x x / 2, which its result multiplies. */
static inline clt__near clt__gelu_slope(double x)
{
    const clt__near share = clt__normal_share(x);
    const double bell = x * exp(-x * x / 2) * 0.3989422804014327, slope = share.value + bell;
    const double bell_slack = (CLT__EXP_SLACK + CLT__DIVIDE_SLACK * x * x / 2 + x * x + 3) * fabs(bell);
    return (clt__near){slope, share.slack + bell_slack + fabs(slope)};
}

VALUE(gelu, clt__near_multiply(x, clt__normal_share(x.value)))
GRADIENT(gelu, x, clt__near_multiply(g, clt__gelu_slope(x)))

/* 1 - s cancels: what s loses is then absolute. */
static inline clt__near clt__silu_slope(double x)
{
    const double s = clt__logistic(x), slope = s * (1 + x * (1 - s));
    const double slack = CLT__LOGISTIC_SLACK * s * (fabs(1 + x * (1 - s)) + fabs(x) * s);
    return (clt__near){slope, slack + 3 * s * (1 + fabs(x) * (1 - s))};
}

VALUE(silu, clt__relative(x.value *clt__logistic(x.value), CLT__LOGISTIC_SLACK))
GRADIENT(silu, x, clt__near_multiply(g, clt__silu_slope(x)))

static inline clt__near clt__hardswish_slope(double x)
{
    const double slope = x / 3 + 0.5;
    if (!(x > -3 && x < 3)) return clt__exactly(x <= -3 ? 0 : 1);
    return (clt__near){slope, CLT__DIVIDE_SLACK * fabs(x) / 3 + fabs(slope)};
}

VALUE(hardswish, clt__relative(x.value *fmin(fmax(x.value + 3, 0), 6) / 6, CLT__DIVIDE_SLACK + 3))
GRADIENT(hardswish, x, clt__near_multiply(g, clt__hardswish_slope(x)))
VALUE(relu6, clt__exactly(x.value > 6 ? 6 : x.value < 0 ? 0 : x.value))
GRADIENT(relu6, x, clt__near_multiply(g, clt__exactly(x > 0 && x < 6)))

static inline clt__near clt__softplus_of(double x)
{
    const double logarithm = log1p(exp(-fabs(x))), y = fmax(x, 0) + logarithm;
    return (clt__near){y, (CLT__LOG_SLACK + CLT__EXP_SLACK) * logarithm + y};
}

VALUE(softplus, clt__softplus_of(x.value))
GRADIENT(softplus, x, clt__near_multiply(g, clt__relative(clt__logistic(x), CLT__LOGISTIC_SLACK)))

#undef VALUE
#undef GRADIENT

/* ---- the rows: the name, whether the gradient is of the output, help, what the tests say behind the name, and the
 * parameter as an option of a layer (layers/layer.h), {0} where there is none. `cltrain help nets` has this order. */

/* clang-format off */
#define CLT__ACTIVATIONS(ROW)                                                                                          \
    ROW(relu, true, "max(x, 0)", "", {0})                                                                              \
    ROW(sigmoid, true, "1 / (1 + exp(-x))", "", {0})                                                                   \
    ROW(tanh, true, "the hyperbolic tangent", "", {0})                                                                 \
    ROW(leaky_relu, false, "x where it is positive, else slope times x", " slope=0.2",                                 \
        {"slope", CLT__REAL, 0, 10000, "of the negative side"})                                                        \
    ROW(elu, false, "x where it is positive, else alpha (exp(x) - 1)", " alpha=0.7",                                   \
        {"alpha", CLT__REAL, 0, 1000000, "what the negative side tends to, negated"})                                  \
    ROW(selu, false, "the scaled exponential linear unit of self-normalising nets", "", {0})                           \
    ROW(gelu, false, "x times the normal distribution's share below x (by erf)", "", {0})                              \
    ROW(silu, false, "x times its sigmoid (swish)", "", {0})                                                           \
    ROW(hardswish, false, "x times (x + 3) / 6, that held between 0 and 1", "", {0})                                   \
    ROW(relu6, false, "x held between 0 and 6", "", {0})                                                               \
    ROW(softplus, false, "log(1 + exp(x))", "", {0})                                                                   \
    ROW(sigmoid_notebook, true,                                                                                        \
        "sigmoid whose derivative is taken at its output, as the notebook of `cltrain example` has it", "", {0})
/* clang-format on */

#endif
