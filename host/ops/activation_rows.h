/* The activations: the twin of each, two functions, and its row. With a line in kernels/activations.h, which has the
 * same formulas, that is all that an activation needs.
 *
 *   VALUE(name, f(x))              an expression in x, with its slack, and a
 *   GRADIENT(name, at, g f'(x))    one in g and `at`, which is y = f(x) for those that are of their output, else x
 *
 * a and b are the activation's parameters. Only ops/activation.c and layers/activations.c include this. */
#ifndef CLT_OPS_ACTIVATION_ROWS_H
#define CLT_OPS_ACTIVATION_ROWS_H

#include <limits.h>

#include "ops/bounds.h"

#define VALUE(name, ...)                                                                                      \
    static inline clt__near name##_value(CLT__UNUSED clt__near x, CLT__UNUSED double a, CLT__UNUSED double b) \
    {                                                                                                         \
        return __VA_ARGS__;                                                                                   \
    }
#define GRADIENT(name, at, ...)                                                                       \
    /* NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a parameter */                         \
    static inline clt__near name##_gradient(clt__near g, CLT__UNUSED double at, CLT__UNUSED double a, \
                                            CLT__UNUSED double b)                                     \
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

/* Nothing that is held between two numbers is stretched. */
static inline clt__near clt__hold(clt__near x, double least, double most)
{
    const double above = x.value < least ? least : x.value;
    return (clt__near){above > most ? most : above, x.slack};
}

/* a x + b, where both parameters are quotients. */
static inline clt__near clt__slanted(double x, double a, double b)
{
    return clt__near_add(clt__near_multiply(clt__exactly(x), clt__relative(a, CLT__DIVIDE_SLACK)),
                         clt__relative(b, CLT__DIVIDE_SLACK));
}

/* So near a corner that a x + b may be rounded to its other side, in float at the most, the slope may be 0 or a. */
static inline clt__near clt__hardsigmoid_slope(double x, double a, double b)
{
    const clt__near slant = clt__slanted(x, a, b);
    const double doubt = ldexp(slant.slack, -24), slope = slant.value > 0 && slant.value < 1 ? a : 0;
    if (fabs(slant.value) <= doubt || fabs(slant.value - 1) <= doubt) return (clt__near){slope, ldexp(a, 53)};
    return clt__relative(slope, CLT__DIVIDE_SLACK);
}

/* tanh(softplus(x)) = top / bottom and sqrt(1 - its square) = 2 fall / bottom, in terms of w = exp(-|x|): nothing
 * cancels. */
typedef struct clt__mish_parts {
    clt__near w, top, bottom, fall;
} clt__mish_parts;

static inline clt__mish_parts clt__mish_parts_of(double x)
{
    const clt__near one = clt__exactly(1), two = clt__exactly(2), w = clt__relative(exp(-fabs(x)), CLT__EXP_SLACK);
    const clt__near twice = clt__near_multiply(two, w), sum = clt__near_add(one, w);
    const clt__near top = x > 0 ? clt__near_add(one, twice) : clt__near_multiply(w, clt__near_add(w, two));
    const clt__near rest = x > 0 ? clt__near_multiply(twice, w) : two;
    return (clt__mish_parts){w, top, clt__near_add(top, rest), x > 0 ? clt__near_multiply(sum, w) : sum};
}

static inline clt__near clt__mish_share(double x)
{
    const clt__mish_parts m = clt__mish_parts_of(x);
    return clt__near_divide(m.top, m.bottom);
}

static inline clt__near clt__mish_slope(double x)
{
    const clt__mish_parts m = clt__mish_parts_of(x);
    const clt__near sigmoid = clt__near_divide(x > 0 ? clt__exactly(1) : m.w, clt__near_add(clt__exactly(1), m.w));
    const clt__near sech = clt__near_divide(clt__near_multiply(clt__exactly(2), m.fall), m.bottom);
    return clt__near_add(
        clt__near_divide(m.top, m.bottom),
        clt__near_multiply(clt__near_multiply(clt__exactly(x), sigmoid), clt__near_multiply(sech, sech)));
}

/* gelu's share by tanh, (1 + tanh(t)) / 2 = sigmoid(2 t), 2 t being x lift (1 + bend x x). An error of 2 t multiplies
 * exp's result. */
static const double clt__gelu_lift = 1.5957691216057308, clt__gelu_bend = 0.044715;

static inline clt__near clt__gelu_tanh_share(double x)
{
    const double twice = x * clt__gelu_lift * (1 + clt__gelu_bend * x * x), s = clt__logistic(twice);
    return clt__relative(s, (CLT__EXP_SLACK + 7 * fabs(twice)) * (1 - s) + CLT__DIVIDE_SLACK + 2);
}

static inline clt__near clt__gelu_tanh_slope(double x)
{
    const clt__near s = clt__gelu_tanh_share(x),
                    steep = clt__relative(x * clt__gelu_lift * (1 + 3 * clt__gelu_bend * x * x), 8);
    return clt__near_add(s, clt__near_multiply(clt__near_multiply(steep, s), clt__near_subtract(clt__exactly(1), s)));
}

/* exp(x / a), where a is a quotient too. */
static inline clt__near clt__celu_decay(double quotient)
{
    return clt__relative(exp(quotient), CLT__EXP_SLACK + 2 * CLT__DIVIDE_SLACK * fabs(quotient));
}

/* a x^(a - 1), whose exponent rounds: x^d is off by d log x of itself. */
static inline clt__near clt__pow_slope(double x, double a)
{
    const double power = pow(x, a - 1), off = x == 0 ? 0 : fabs((a - 1) * log(fabs(x)));
    return clt__relative(a * power, CLT__POW_SLACK + off + 1);
}

VALUE(hardsigmoid, clt__hold(clt__slanted(x.value, a, b), 0, 1))
GRADIENT(hardsigmoid, x, clt__near_multiply(g, clt__hardsigmoid_slope(x, a, b)))
VALUE(mish, clt__near_multiply(x, clt__mish_share(x.value)))
GRADIENT(mish, x, clt__near_multiply(g, clt__mish_slope(x)))
VALUE(gelu_tanh, clt__near_multiply(x, clt__gelu_tanh_share(x.value)))
GRADIENT(gelu_tanh, x, clt__near_multiply(g, clt__gelu_tanh_slope(x)))
VALUE(celu, x.value > 0 ? x : clt__relative(a * expm1(x.value / a), CLT__EXPM1_SLACK + 2 * CLT__DIVIDE_SLACK))
GRADIENT(celu, x, clt__near_multiply(g, x > 0 ? clt__exactly(1) : clt__celu_decay(x / a)))
VALUE(softsign, clt__relative(x.value / (1 + fabs(x.value)), CLT__DIVIDE_SLACK + 1))
GRADIENT(softsign, x, clt__near_divide(g, clt__relative((1 + fabs(x)) * (1 + fabs(x)), 3)))
VALUE(thresholded_relu, x.value <= a ? clt__exactly(0) : x)
GRADIENT(thresholded_relu, x, x <= a ? clt__exactly(0) : g)
VALUE(clip, clt__hold(x, a, b))
GRADIENT(clip, x, x >= a && x <= b ? g : clt__exactly(0))
VALUE(erf, clt__relative(erf(x.value), CLT__ERF_SLACK))
GRADIENT(erf, x, clt__near_multiply(g, clt__relative(1.1283791670955126 * exp(-x * x), CLT__EXP_SLACK + x * x + 2)))
VALUE(exp, clt__relative(exp(x.value), CLT__EXP_SLACK))
GRADIENT(exp, x, clt__near_multiply(g, clt__relative(exp(x), CLT__EXP_SLACK)))
VALUE(log, clt__relative(log(x.value), CLT__LOG_SLACK))
GRADIENT(log, x, clt__near_divide(g, clt__exactly(x)))
VALUE(sqrt, clt__relative(sqrt(x.value), CLT__SQRT_SLACK))
GRADIENT(sqrt, x, clt__near_divide(g, clt__relative(2 * sqrt(x), CLT__SQRT_SLACK)))
VALUE(pow, clt__relative(pow(x.value, a), CLT__POW_SLACK))
GRADIENT(pow, x, a == 0 ? clt__exactly(0) : clt__near_multiply(g, clt__pow_slope(x, a)))
VALUE(reciprocal, clt__relative(1 / x.value, CLT__DIVIDE_SLACK))
GRADIENT(reciprocal, x, clt__near_multiply(g, clt__relative(-1 / x / x, 2 * CLT__DIVIDE_SLACK + 1)))
VALUE(abs, clt__exactly(fabs(x.value)))
GRADIENT(abs, x, clt__near_multiply(g, clt__exactly((x > 0) - (x < 0))))
VALUE(neg, clt__exactly(-x.value))
GRADIENT(neg, x, clt__exactly(-g.value))

#undef VALUE
#undef GRADIENT

/* What options are kept as, see base/number.h: 1/6, in a float. */
enum { CLT__SIXTH = 0x3e2aaaab | INT_MIN, CLT__NUMBER_ONE = 0x3f800000 };

/* ---- the rows: the name, whether the gradient is of the output, help, what the tests say before the name (where x
 * must be positive) and behind it, and the parameters as options of a layer (layers/layer.h), all of one kind; {0}
 * where there are none. `cltrain help nets` has this order. */

/* clang-format off */
#define CLT__ACTIVATIONS(ROW)                                                                                          \
    ROW(relu, true, "max(x, 0)", "", "", {0})                                                                          \
    ROW(sigmoid, true, "1 / (1 + exp(-x))", "", "", {0})                                                               \
    ROW(tanh, true, "the hyperbolic tangent", "", "", {0})                                                             \
    ROW(leaky_relu, false, "x where it is positive, else slope times x", "", " slope=0.2",                             \
        {"slope", CLT__REAL, 0, 10000, "of the negative side"})                                                        \
    ROW(elu, false, "x where it is positive, else alpha (exp(x) - 1)", "", " alpha=0.7",                               \
        {"alpha", CLT__REAL, 0, 1000000, "what the negative side tends to, negated"})                                  \
    ROW(celu, false, "x where it is positive, else alpha (exp(x / alpha) - 1)", "", " alpha=0.7",                      \
        {"alpha", CLT__REAL, 1, 1000000, "what the negative side tends to, negated"})                                  \
    ROW(selu, false, "the scaled exponential linear unit of self-normalising nets", "", "", {0})                       \
    ROW(gelu, false, "x times the normal distribution's share below x (by erf)", "", "", {0})                          \
    ROW(gelu_tanh, false, "the same by tanh, nearly", "", "", {0})                                                     \
    ROW(silu, false, "x times its sigmoid (swish)", "", "", {0})                                                       \
    ROW(mish, false, "x times the tanh of its softplus", "", "", {0})                                                  \
    ROW(hardswish, false, "x times (x + 3) / 6, that held between 0 and 1", "", "", {0})                               \
    ROW(hardsigmoid, false, "alpha x + beta, held between 0 and 1", "", " alpha=0.3 beta=0.4",                         \
        {"alpha", CLT__REAL, 0, CLT__SIXTH, "the slope"}, {"beta", CLT__REAL, 0, 500000, "what 0 becomes"})            \
    ROW(relu6, false, "x held between 0 and 6", "", "", {0})                                                           \
    ROW(clip, false, "x held between two numbers", "", " least=-0.3 most=0.4",                                         \
        {"least", CLT__NUMBER, 0, CLT__REQUIRED, "the smallest value"},                                                \
        {"most", CLT__NUMBER, 0, CLT__REQUIRED, "the largest value"})                                                  \
    ROW(thresholded_relu, false, "x where it is above alpha, else 0", "", " alpha=-0.1",                               \
        {"alpha", CLT__NUMBER, 0, CLT__NUMBER_ONE, "the threshold"})                                                   \
    ROW(softplus, false, "log(1 + exp(x))", "", "", {0})                                                               \
    ROW(softsign, false, "x / (1 + |x|)", "", "", {0})                                                                 \
    ROW(erf, false, "the error function", "", "", {0})                                                                 \
    ROW(exp, false, "e to the power x", "", "", {0})                                                                   \
    ROW(log, false, "the natural logarithm", "softplus; ", "", {0})                                                    \
    ROW(sqrt, false, "the square root", "softplus; ", "", {0})                                                         \
    ROW(pow, false, "x to a power", "softplus; ", " exponent=1.7",                                                     \
        {"exponent", CLT__NUMBER, 0, CLT__REQUIRED, "the power"})                                                      \
    ROW(reciprocal, false, "1 / x", "softplus; ", "", {0})                                                             \
    ROW(abs, false, "|x|", "", "", {0})                                                                                \
    ROW(neg, false, "-x", "", "", {0})                                                                                 \
    ROW(sigmoid_notebook, true,                                                                                        \
        "sigmoid whose derivative is taken at its output, as the notebook of `cltrain example` has it", "", "", {0})
/* clang-format on */

#endif
