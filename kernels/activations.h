/* The activations, a line each: y = f(x), and the gradient by x, dx = g f'(x), where g is the gradient by y. Those OF_OUTPUT
 * write it in terms of y, so that they can be fused into the op that makes x; those OF_INPUT, in terms of x. a and
 * b are the activation's parameters. host/ops/activation_rows.h has their twins. NaN passes through.
 *
 * The host chooses one with -DACTIVATION=ACTIVATION_name: a name without a line here does not build. */
#ifndef CLT_ACTIVATIONS_H
#define CLT_ACTIVATIONS_H

#include "real.h"

#ifndef ACTIVATION
#define ACTIVATION ACTIVATION_none
#endif

#define PAIR(name, at, value, gradient)                                                                                \
    static inline realv name##_value(const realv x, const real a, const real b)                                                      \
    {                                                                                                                  \
        return value;                                                                                                  \
    }                                                                                                                  \
    static inline realv name##_gradient(const realv g, const realv at, const real a, const real b)                                   \
    {                                                                                                                  \
        return gradient;                                                                                               \
    }
/* Here, as a driver may have macros called tanh. */
#define OF_OUTPUT(name, value, gradient) PAIR(ACTIVATION_##name, y, value, gradient)
#define OF_INPUT(name, value, gradient) PAIR(ACTIVATION_##name, x, value, gradient)

#define ZERO ((realv)0)
#define ONE ((realv)1)
/* Klambauer et al., Self-normalizing neural networks, 2017 */
#define SELU_SCALE ((real)1.0507009873554805)
#define SELU_ALPHA ((real)1.6732632423543772)

static inline realv sigmoid(const realv x)
{
    return ONE / (ONE + exp(-x));
}

/* The normal distribution's share below x, and x times its density there. */
#define SHARE(x) ((ONE + erf(x * (real)0.7071067811865476)) / 2)
#define BELL(x) (x * exp(x * x / -2) * (real)0.3989422804014327)

/* tanh(softplus(x)) and 1 - its square, in terms of w = exp(-|x|): nothing cancels. */
#define MISH_TOP(x, w) (x > ZERO ? ONE + 2 * w : w * (w + 2))
#define MISH_BOTTOM(x, w) (MISH_TOP(x, w) + (x > ZERO ? 2 * w * w : (realv)2))

static inline realv mish(const realv x)
{
    const realv w = exp(-fabs(x));
    return x * (MISH_TOP(x, w) / MISH_BOTTOM(x, w));
}

static inline realv mish_slope(const realv x)
{
    const realv w = exp(-fabs(x)), bottom = MISH_BOTTOM(x, w);
    const realv sech = 2 * (x > ZERO ? (ONE + w) * w : ONE + w) / bottom;
    return MISH_TOP(x, w) / bottom + x * ((x > ZERO ? ONE : w) / (ONE + w)) * (sech * sech);
}

/* gelu's share by tanh: (1 + tanh(t)) / 2 = sigmoid(2 t). */
#define GELU_LIFT ((real)1.5957691216057308)
#define GELU_BEND ((real)0.044715)

static inline realv gelu_tanh_share(const realv x)
{
    return sigmoid(x * (GELU_LIFT * (ONE + GELU_BEND * x * x)));
}

static inline realv gelu_tanh_slope(const realv x)
{
    const realv s = gelu_tanh_share(x);
    return s + x * (GELU_LIFT * (ONE + 3 * GELU_BEND * x * x)) * s * (ONE - s);
}

static inline realv hold(const realv x, const real least, const real most)
{
    const realv above = x < (realv)least ? (realv)least : x;
    return above > (realv)most ? (realv)most : above;
}

static inline realv hardsigmoid_slope(const realv slant, const real a)
{
    return slant > ZERO ? (slant < ONE ? (realv)a : ZERO) : ZERO;
}

OF_OUTPUT(none, x, g)
OF_OUTPUT(relu, x < ZERO ? ZERO : x, y <= ZERO ? ZERO : g)
OF_OUTPUT(sigmoid, sigmoid(x), g * y * (ONE - y))
OF_OUTPUT(sigmoid_notebook, sigmoid(x), g * (sigmoid(y) * (ONE - sigmoid(y)))) /* wrong, and meant to be: see `example` */
OF_OUTPUT(tanh, tanh(x), g * (ONE - y * y))
OF_INPUT(leaky_relu, x > ZERO ? x : a * x, g * (x > ZERO ? ONE : (realv)a))
OF_INPUT(elu, x > ZERO ? x : a * expm1(x), g * (x > ZERO ? ONE : a * exp(x)))
OF_INPUT(selu, SELU_SCALE * (x > ZERO ? x : SELU_ALPHA * expm1(x)), g * (SELU_SCALE * (x > ZERO ? ONE : SELU_ALPHA * exp(x))))
OF_INPUT(gelu, x * SHARE(x), g * (SHARE(x) + BELL(x)))
OF_INPUT(silu, x / (ONE + exp(-x)), g * (sigmoid(x) * (ONE + x * (ONE - sigmoid(x)))))
OF_INPUT(hardswish, x * fmin(fmax(x + 3, ZERO), (realv)6) / 6, g * (x <= (realv)-3 ? ZERO : (x < (realv)3 ? x / 3 + (real)0.5 : ONE)))
OF_INPUT(relu6, x > ZERO ? (x < (realv)6 ? x : (realv)6) : (x == x ? ZERO : x), g * (x > ZERO ? (x < (realv)6 ? ONE : ZERO) : ZERO))
OF_INPUT(softplus, fmax(x, ZERO) + log1p(exp(-fabs(x))), g * sigmoid(x))
OF_INPUT(hardsigmoid, hold(a * x + b, 0, 1), g * hardsigmoid_slope(a * x + b, a))
OF_INPUT(mish, mish(x), g * mish_slope(x))
OF_INPUT(gelu_tanh, x * gelu_tanh_share(x), g * gelu_tanh_slope(x))
OF_INPUT(celu, x > ZERO ? x : a * expm1(x / a), g * (x > ZERO ? ONE : exp(x / a)))
OF_INPUT(softsign, x / (ONE + fabs(x)), g / ((ONE + fabs(x)) * (ONE + fabs(x))))
OF_INPUT(thresholded_relu, x <= (realv)a ? ZERO : x, x <= (realv)a ? ZERO : g)
OF_INPUT(clip, hold(x, a, b), x >= (realv)a ? (x <= (realv)b ? g : ZERO) : ZERO)
OF_INPUT(erf, erf(x), g * ((real)1.1283791670955126 * exp(-x * x)))
OF_INPUT(exp, exp(x), g * exp(x))
OF_INPUT(log, log(x), g / x)
OF_INPUT(sqrt, sqrt(x), g / (2 * sqrt(x)))
OF_INPUT(pow, pow(x, (realv)a), a == 0 ? ZERO : g * (a * pow(x, (realv)(a - 1))))
OF_INPUT(reciprocal, ONE / x, -g * (ONE / x) * (ONE / x))
OF_INPUT(abs, fabs(x), g * sign(x))
OF_INPUT(neg, -x, -g)

/* What a fused op applies to its sum, and to the gradient by the y that its input was. */
#define activate(sum) JOIN(ACTIVATION, _value)(sum, 0, 0)
#define deactivate(g, y) JOIN(ACTIVATION, _gradient)(g, y, 0, 0)

#endif
