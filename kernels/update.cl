/* The parameter update, over all trainable parameters at once: they lie in one tensor, their gradients in another.
 *
 *   g        clip(scale * gradient) + decay * w                      (adamw: without decay)
 *   sgd      v = momentum * v + g;  w = w - rate * (nesterov ? g + momentum * v : v)
 *   adam     m = beta1 * m + (1 - beta1) * g;  s = beta2 * s + (1 - beta2) * g^2
 *            w = w - rate / (1 - beta1^t) * m / (sqrt(s) / sqrt(1 - beta2^t) + eps)       in step t, counted from 1
 *   adamw    w = w - rate * decay * w, then as adam
 *   lamb     m and s as adam;  d = m / (1 - beta1^t) / (sqrt(s) / sqrt(1 - beta2^t) + eps) + decay * w
 *            w = w - rate * trust * d, where a tensor's trust = |w| / |d|, and 1 where either is 0
 *   muon     v = momentum * v + clip(scale * gradient);  d = nesterov ? clip(scale * gradient) + momentum * v : v: see muon.cl
 *   rmsprop  s = alpha * s + (1 - alpha) * g^2;  w = w - rate * g / (sqrt(s) + eps)
 *   adagrad  s = s + g^2;                        w = w - rate * g / (sqrt(s) + eps)
 *
 *   ema            average = keep * average + (1 - keep) * w
 *   accumulate     sum = (sum of the micro-batches, or shards, before) + gradient
 *   restore        running = that before the step, where a shard begins
 *   settle         running = sum / shards, which is that before the next step
 *   unscale        gradient = gradient / loss scale, overflown = 1 where one of them is no finite number, else 0
 *   gradient_norm  scale = min(1, clip / (|gradient| + 1e-6)), |.| the square root of the sum of squares of all gradients
 *   measured_norm  norms[slot] = |gradient|
 *
 * as PyTorch defines them (lamb: You et al., "Large batch optimization for deep learning", 2020, algorithm 2; torch.optim, torch.nn.utils.clip_grad_norm_ and, for clip(), clip_grad_value_). The numbers are
 * the hyper tensor's. `decays` is a parameter's share of the decay, `rates` of the rate, 1 without them. `takers` has the number
 * of the optimiser that takes each block of parameters: others leave it alone. Work-item (vector of parameters). */
#include "update_parts.h"

/* A work-item's parameters: `lanes` from number i on. */
#define MY_PARAMETERS(given)                                                                                           \
    const update_sizes z = SIZES(given);                                                                               \
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;                                                    \
    if (lanes <= 0) return

/* Whether they are this optimiser's. */
static inline bool takes(const update_sizes z, global const int *takers, const int i)
{
#ifdef BY_NAME
    if (takers) return takers[i / UPDATE_BLOCK] == z.taker;
#endif
    return true;
}

/* The same, of an optimiser. */
#define MY_OWN(given)                                                                                                  \
    MY_PARAMETERS(given);                                                                                              \
    if (!takes(z, takers, i)) return

#define OPTIMIZER(name, states)                                                                                        \
    kernel void name(const update_sizes given, global real *restrict weights, OPTIMIZER_READS states)
#define STATE(name) , global real *restrict name
#define OPTIMIZER_READS                                                                                                \
    global const real *restrict gradient, global const real *restrict hyper, global const real *restrict scale,        \
        global const real *restrict decays, global const real *restrict rates, global const int *restrict takers

/* Comparisons, not fmin and fmax, so that a NaN stays one. */
static inline realv take_gradient(const update_sizes z, global const real *gradient, global const real *hyper,
                                  global const real *scale)
{
    const realv g = (scale ? scale[0] : (real)1) * LOAD(gradient);
    if (!z.clip_value) return g;
    const realv most = (realv)hyper[HYPER_CLIP_VALUE];
    return g > most ? most : g < -most ? -most : g;
}

/* The gradient of those that add their decay to it. */
static inline realv decayed_gradient(const update_sizes z, const realv w, global const real *gradient,
                                     global const real *hyper, global const real *scale, global const real *decays,
                                     const int i)
{
    return take_gradient(z, gradient + i, hyper, scale) + decay_of(w, hyper[HYPER_DECAY], decays, i);
}

#ifdef OP_sgd
OPTIMIZER(sgd, STATE(velocity))
{
    MY_OWN(given);
    const realv w = LOAD(weights + i);
    const realv g = decayed_gradient(z, w, gradient, hyper, scale, decays, i);
    const realv v = hyper[HYPER_MOMENTUM] * LOAD(velocity + i) + g;
    store_lanes(v, lanes, velocity + i);
    const realv rate = rated((realv)hyper[HYPER_RATE], rates, i);
    store_lanes(w - rate * (z.nesterov ? g + hyper[HYPER_MOMENTUM] * v : v), lanes, weights + i);
}
#endif

/* top / (sqrt(square) / correction + eps) */
static inline realv over_root(const realv top, const realv square, global const real *hyper)
{
    return top / (sqrt(square) * hyper[HYPER_ROOT] + hyper[HYPER_EPS]);
}

/* What all of the others but lamb end with. */
static inline realv divide_step(const realv w, const realv top, const realv square, global const real *hyper,
                                global const real *rates, const int i)
{
    return w - rated((realv)hyper[HYPER_STEP], rates, i) * over_root(top, square, hyper);
}

/* The mean gradient of adam, adamw and lamb, from the gradient g on; *s becomes the mean square. */
static inline realv take_moments(const realv g, global real *mean, global real *square, global const real *hyper,
                                 const int lanes, realv *s)
{
    const realv m = hyper[HYPER_BETA1] * LOAD(mean) + hyper[HYPER_BETA1_REST] * g;
    *s = hyper[HYPER_BETA2] * LOAD(square) + hyper[HYPER_BETA2_REST] * (g * g);
    store_lanes(m, lanes, mean);
    store_lanes(*s, lanes, square);
    return m;
}

/* What adam and adamw share: from the gradient g on, for parameters w. */
static inline void adam_step(const realv w, const realv g, global real *weights, global real *mean, global real *square,
                             global const real *hyper, global const real *rates, const int i, const int lanes)
{
    realv s;
    const realv m = take_moments(g, mean + i, square + i, hyper, lanes, &s);
    store_lanes(divide_step(w, m, s, hyper, rates, i), lanes, weights + i);
}

#ifdef OP_adam
OPTIMIZER(adam, STATE(mean) STATE(square))
{
    MY_OWN(given);
    const realv w = LOAD(weights + i);
    const realv g = decayed_gradient(z, w, gradient, hyper, scale, decays, i);
    adam_step(w, g, weights, mean, square, hyper, rates, i, lanes);
}
#endif

#ifdef OP_adamw
OPTIMIZER(adamw, STATE(mean) STATE(square))
{
    MY_OWN(given);
    const realv w = LOAD(weights + i), g = take_gradient(z, gradient + i, hyper, scale);
    const realv lost = rated(decay_of(w, hyper[HYPER_SHRINK], decays, i), rates, i);
    adam_step(w - lost, g, weights, mean, square, hyper, rates, i, lanes);
}
#endif

#ifdef OP_lamb
kernel void lamb(const update_sizes given, global const real *restrict weights, OPTIMIZER_READS
                 STATE(mean) STATE(square) STATE(direction))
{
    MY_PARAMETERS(given);
    if (!takes(z, takers, i)) {
        store_lanes((realv)0, lanes, direction + i);
        return;
    }
    realv s;
    const realv g = take_gradient(z, gradient + i, hyper, scale);
    const realv m = take_moments(g, mean + i, square + i, hyper, lanes, &s);
    const realv pull = decay_of(LOAD(weights + i), hyper[HYPER_DECAY], decays, i);
    store_lanes(over_root(hyper[HYPER_MEAN] * m, s, hyper) + pull, lanes, direction + i);
}
#endif

#ifdef OP_trust_ratio
/* Sums of squares of parts of each tensor: [tensor, part, weights or direction]. Work-item (part, tensor). */
kernel void trust_ratio_parts(const update_sizes given, global const real *restrict weights,
                              global const real *restrict direction, global const int *restrict segments,
                              global real *restrict trust, global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    const int part = (int)get_global_id(0), tensor = (int)get_global_id(1);
    if (part >= z.parts) return;
    const int first = segments[tensor * SEGMENT_LENGTH + SEGMENT_FIRST];
    sum_part(tensor, part, z.parts, segments[tensor * SEGMENT_LENGTH + SEGMENT_COUNT], weights + first, direction + first,
             partial);
}

/* A work-item a tensor adds its parts in order. */
kernel void trust_ratio(const update_sizes given, global const real *restrict weights,
                        global const real *restrict direction, global const int *restrict segments,
                        global real *restrict trust, global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    const int tensor = (int)get_global_id(0);
    if (tensor >= z.tensors) return;
    const squares s = add_parts(tensor, z.parts, partial);
    trust[tensor] = s.weights == 0 || s.direction == 0 ? (real)1 : sqrt(s.weights) / sqrt(s.direction);
}
#endif

#ifdef OP_trust_step
kernel void trust_step(const update_sizes given, global real *restrict weights, global const real *restrict direction,
                       global const int *restrict owners, global const real *restrict trust,
                       global const real *restrict hyper, global const real *restrict rates)
{
    MY_PARAMETERS(given);
    const realv step = rated((realv)(hyper[HYPER_RATE] * trust[owners[i / UPDATE_BLOCK]]), rates, i);
    store_lanes(LOAD(weights + i) - step * LOAD(direction + i), lanes, weights + i);
}
#endif

#ifdef OP_muon
OPTIMIZER(muon, STATE(velocity) STATE(direction))
{
    MY_PARAMETERS(given);
    if (!takes(z, takers, i)) {
        store_lanes((realv)0, lanes, direction + i);
        return;
    }
    const realv g = take_gradient(z, gradient + i, hyper, scale);
    const realv v = hyper[HYPER_MOMENTUM] * LOAD(velocity + i) + g;
    store_lanes(v, lanes, velocity + i);
    store_lanes(z.nesterov ? g + hyper[HYPER_MOMENTUM] * v : v, lanes, direction + i);
}
#endif

#ifdef OP_rmsprop
OPTIMIZER(rmsprop, STATE(square))
{
    MY_OWN(given);
    const realv w = LOAD(weights + i);
    const realv g = decayed_gradient(z, w, gradient, hyper, scale, decays, i);
    const realv s = hyper[HYPER_ALPHA] * LOAD(square + i) + hyper[HYPER_ALPHA_REST] * (g * g);
    store_lanes(s, lanes, square + i);
    store_lanes(divide_step(w, g, s, hyper, rates, i), lanes, weights + i);
}
#endif

#ifdef OP_adagrad
OPTIMIZER(adagrad, STATE(square))
{
    MY_OWN(given);
    const realv w = LOAD(weights + i);
    const realv g = decayed_gradient(z, w, gradient, hyper, scale, decays, i);
    const realv s = LOAD(square + i) + g * g;
    store_lanes(s, lanes, square + i);
    store_lanes(divide_step(w, g, s, hyper, rates, i), lanes, weights + i);
}
#endif

#ifdef OP_ema
kernel void ema(const update_sizes given, global real *restrict averages, global const real *restrict weights,
                    global const real *restrict hyper)
{
    MY_PARAMETERS(given);
    store_lanes(hyper[HYPER_AVERAGE] * LOAD(averages + i) + hyper[HYPER_AVERAGE_REST] * LOAD(weights + i), lanes,
                averages + i);
}
#endif

#ifdef OP_accumulate
kernel void accumulate(const update_sizes given, global const real *restrict gradient, global const int *restrict step,
                       global real *restrict sums)
{
    MY_PARAMETERS(given);
    const realv g = LOAD(gradient + i);
    store_lanes(step[STEP_PART] > 0 ? LOAD(sums + i) + g : g, lanes, sums + i);
}
#endif

#ifdef OP_restore
kernel void restore(const update_sizes given, global const real *restrict before, global const int *restrict step,
                    global real *restrict running)
{
    MY_PARAMETERS(given);
    if (step[STEP_PART] == 0) store_lanes(LOAD(before + i), lanes, running + i);
}
#endif

#ifdef OP_settle
/* The step's part is the last shard's number. */
kernel void settle(const update_sizes given, global const real *restrict sum, global const int *restrict step,
                   global real *restrict running, global real *restrict before)
{
    MY_PARAMETERS(given);
    const realv mean = LOAD(sum + i) / (realv)(step[STEP_PART] + 1);
    store_lanes(mean, lanes, running + i);
    store_lanes(mean, lanes, before + i);
}
#endif

#ifdef OP_unscale
/* Of each part 0, or NaN where something in it will not be finite. Work-item (part). */
kernel void unscale_parts(const update_sizes given, global real *restrict gradient, global const real *restrict loss_scale,
                          global real *restrict overflown, global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    const int part = (int)get_global_id(0);
    if (part >= z.parts) return;
    const run r = part_of(z.count, part, z.parts);
    real lost = 0;
    for (int i = r.begin; i < r.end; i += r.step) lost += gradient[i] * loss_scale[SCALE_INVERSE] * 0;
    partial[part] = lost;
}

/* The first work-item looks at all parts, too. */
kernel void unscale(const update_sizes given, global real *restrict gradient, global const real *restrict loss_scale,
                    global real *restrict overflown, global real *restrict partial)
{
    MY_PARAMETERS(given);
    store_lanes(LOAD(gradient + i) * loss_scale[SCALE_INVERSE], lanes, gradient + i);
    if (i > 0) return;
    real lost = 0;
    for (int part = 0; part < z.parts; part++) lost += partial[part];
    overflown[0] = lost == 0 ? 0 : 1;
}
#endif

#ifdef OP_gradient_norm
/* Sums of squares of parts. Work-item (part). */
kernel void gradient_norm_parts(const update_sizes given, global const real *restrict gradient,
                                global const real *restrict hyper, global real *restrict scale,
                                global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    const int part = (int)get_global_id(0);
    if (part >= z.parts) return;
    partial[part] = sum_of_squares(gradient, part_of(z.count, part, z.parts));
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

#ifdef OP_measured_norm
/* As gradient_norm_parts. */
kernel void measured_norm_parts(const update_sizes given, global const real *restrict gradient,
                                global const int *restrict step, global real *restrict norms,
                                global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    const int part = (int)get_global_id(0);
    if (part >= z.parts) return;
    partial[part] = sum_of_squares(gradient, part_of(z.count, part, z.parts));
}

/* One work-item adds the parts in order. */
kernel void measured_norm_root(const update_sizes given, global const real *restrict gradient,
                               global const int *restrict step, global real *restrict norms,
                               global real *restrict partial)
{
    const update_sizes z = SIZES(given);
    real sum = 0;
    for (int part = 0; part < z.parts; part++) sum += partial[part];
    norms[step[STEP_SLOT] / NORM_STEPS] = sqrt(sum);
}
#endif
