/* The activations, a line each: y = f(x), and the gradient by x, dx = g f'(x), where g is the gradient by y. Those OF_OUTPUT
 * write it in terms of y, so that they can be fused into the op that makes x; those OF_INPUT, in terms of x. a is the
 * activation's parameter. host/ops/activation_rows.h has their twins. NaN passes through.
 *
 * The host chooses one with -DACTIVATION=ACTIVATION_name: a name without a line here does not build. */
#ifndef CLT_ACTIVATIONS_H
#define CLT_ACTIVATIONS_H

#include "real.h"

#ifndef ACTIVATION
#define ACTIVATION ACTIVATION_none
#endif

#define PAIR(name, at, value, gradient)                                                                                \
    static inline realv name##_value(const realv x, const real a)                                                      \
    {                                                                                                                  \
        return value;                                                                                                  \
    }                                                                                                                  \
    static inline realv name##_gradient(const realv g, const realv at, const real a)                                   \
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

/* What a fused op applies to its sum, and to the gradient by the y that its input was. */
#define activate(sum) JOIN(ACTIVATION, _value)(sum, 0)
#define deactivate(g, y) JOIN(ACTIVATION, _gradient)(g, y, 0)

#endif
