/* Activations whose derivative needs their input: ops of their own, element by element. a: the curve's parameter.
 *
 *   leaky_relu   y = x > 0 ? x : a x                                   dx = dy (x > 0 ? 1 : a)
 *   elu          y = x > 0 ? x : a (exp(x) - 1)                        dx = dy (x > 0 ? 1 : a exp(x))
 *   selu         y = l (x > 0 ? x : s (exp(x) - 1))                    dx = dy l (x > 0 ? 1 : s exp(x))
 *   gelu         y = x P,  P = (1 + erf(x / sqrt 2)) / 2               dx = dy (P + x exp(-x x / 2) / sqrt(2 pi))
 *   silu         y = x S,  S = 1 / (1 + exp(-x))                       dx = dy S (1 + x (1 - S))
 *   hardswish    y = x min(max(x + 3, 0), 6) / 6                       dx = dy (x <= -3 ? 0 : x < 3 ? x / 3 + 1/2 : 1)
 *   relu6        y = min(max(x, 0), 6)                                 dx = 0 < x < 6 ? dy : 0
 *   softplus     y = max(x, 0) + log(1 + exp(-|x|))                    dx = dy S
 *
 * l = 1.0507009873554805, s = 1.6732632423543772 (Klambauer et al., Self-normalizing neural networks, 2017); the others as
 * torch.nn has them. Work-item (vector of elements). CURVE is a constant of the build. */
#include "params.h"
#include "real.h"

#define SELU_SCALE ((real)1.0507009873554805)
#define SELU_ALPHA ((real)1.6732632423543772)

#ifdef OP_curve_forward
static inline realv curve(const realv x, const real a)
{
    const realv zero = 0, one = 1;
    if (CURVE == CURVE_LEAKY_RELU) return x > zero ? x : a * x;
    if (CURVE == CURVE_ELU) return x > zero ? x : a * expm1(x);
    if (CURVE == CURVE_SELU) return SELU_SCALE * (x > zero ? x : SELU_ALPHA * expm1(x));
    if (CURVE == CURVE_GELU) return x * ((one + erf(x * (real)0.7071067811865476)) / 2);
    if (CURVE == CURVE_SILU) return x / (one + exp(-x));
    if (CURVE == CURVE_HARDSWISH) return x * fmin(fmax(x + 3, zero), (realv)6) / 6;
    if (CURVE == CURVE_RELU6) return x > zero ? (x < (realv)6 ? x : (realv)6) : (x == x ? zero : x);
    return fmax(x, zero) + log1p(exp(-fabs(x)));
}

kernel void curve_forward(const curve_sizes given, global const real *restrict x, global real *restrict y)
{
    const curve_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    store_lanes(curve(load_lanes(x + i, lanes), z.alpha_ppm / (real)1000000), lanes, y + i);
}
#endif

#ifdef OP_curve_gradient
static inline realv slope(const realv x, const real a)
{
    const realv zero = 0, one = 1;
    if (CURVE == CURVE_LEAKY_RELU) return x > zero ? one : (realv)a;
    if (CURVE == CURVE_ELU) return x > zero ? one : a * exp(x);
    if (CURVE == CURVE_SELU) return SELU_SCALE * (x > zero ? one : SELU_ALPHA * exp(x));
    if (CURVE == CURVE_GELU)
        return (one + erf(x * (real)0.7071067811865476)) / 2 + x * exp(x * x / -2) * (real)0.3989422804014327;
    if (CURVE == CURVE_HARDSWISH) return x <= (realv)-3 ? zero : (x < (realv)3 ? x / 3 + (real)0.5 : one);
    if (CURVE == CURVE_RELU6) return x > zero ? (x < (realv)6 ? one : zero) : zero;
    const realv s = one / (one + exp(-x));
    return CURVE == CURVE_SILU ? s * (one + x * (one - s)) : s;
}

kernel void curve_gradient(const curve_sizes given, global const real *restrict dy, global const real *restrict x,
                           global real *restrict dx)
{
    const curve_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    const realv k = slope(load_lanes(x + i, lanes), z.alpha_ppm / (real)1000000);
    store_lanes(load_lanes(dy + i, lanes) * k, lanes, dx + i);
}
#endif
