/* The parameter update, over all trainable parameters at once: they lie in one tensor, their gradients in another.
 *
 *   sgd            g = scale * gradient + decay * w;  v = momentum * v + g;  w = w - rate * (nesterov ? g + momentum * v : v)
 *   accumulate     sum = (sum of the micro-batches before) + gradient
 *   gradient_norm  scale = min(1, clip / (|gradient| + 1e-6)), |.| the square root of the sum of squares of all gradients
 *
 * as PyTorch defines them (torch.optim.SGD, torch.nn.utils.clip_grad_norm_). rate, momentum, decay and clip are the
 * hyper tensor. Work-item (vector of parameters). */
#include "params.h"
#include "real.h"

#ifdef OP_sgd
kernel void sgd(const update_sizes given, global real *restrict weights, global const real *restrict gradient,
                global real *restrict velocity, global const real *restrict hyper, global const real *restrict scale)
{
    const update_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    const realv w = LOAD(weights + i);
    const realv g = (scale ? scale[0] : (real)1) * LOAD(gradient + i) + hyper[HYPER_DECAY] * w;
    const realv v = hyper[HYPER_MOMENTUM] * LOAD(velocity + i) + g;
    store_lanes(v, lanes, velocity + i);
    store_lanes(w - hyper[HYPER_RATE] * (z.nesterov ? g + hyper[HYPER_MOMENTUM] * v : v), lanes, weights + i);
}
#endif

#ifdef OP_accumulate
kernel void accumulate(const update_sizes given, global const real *restrict gradient, global const int *restrict step,
                       global real *restrict sums)
{
    const update_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    const realv g = LOAD(gradient + i);
    store_lanes(step[STEP_PART] > 0 ? LOAD(sums + i) + g : g, lanes, sums + i);
}
#endif

#ifdef OP_gradient_norm
/* Sums of squares of z.parts parts, each a run of neighbours or, spread, every z.parts-th element. Work-item (part). */
kernel void gradient_norm_parts(const update_sizes given, global const real *restrict gradient,
                                global const real *restrict hyper, global real *restrict scale,
                                global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    const int part = (int)get_global_id(0);
    if (part >= z.parts) return;
#ifdef SPREAD
    const int begin = part, end = z.count, step = z.parts;
#else
    const int begin = (int)((long)z.count * part / z.parts), end = (int)((long)z.count * (part + 1) / z.parts), step = 1;
#endif
    real sum = 0;
    for (int i = begin; i < end; i += step) sum += gradient[i] * gradient[i];
    partial[part] = sum;
}

/* One work-item adds the parts in order. */
kernel void gradient_norm_scale(const update_sizes given, global const real *restrict gradient,
                                global const real *restrict hyper, global real *restrict scale,
                                global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    real sum = 0;
    for (int part = 0; part < z.parts; part++) sum += partial[part];
    const real wanted = hyper[HYPER_CLIP] / (sqrt(sum) + (real)1e-6);
    scale[0] = wanted > 1 ? 1 : wanted;
}
#endif
