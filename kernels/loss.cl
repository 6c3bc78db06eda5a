/* Losses. `outputs` values x of each image against its targets t; the gradient is that of the mean over the whole batch, of
 * which these may be a micro-batch. The last batch of an epoch may be short: images from step[STEP_VALID] on get 0.
 *
 *   t[n,k]         [k = label[n]] where targets are class labels (one_hot), else target[n,k]
 *   cross_entropy  loss[n] = -sum_k q[n,k] log softmax(x[n])[k] / mean_weight,
 *                  dx[n,k] = (softmax(x[n])[k] sum_j q[n,j] - q[n,k]) / (mean_weight whole),
 *                  q[n,k] = class_weight[k] ((1 - e) t[n,k] + e / outputs)          (softmax fused; e: label smoothing)
 *   mse            loss[n] = sum_k (x - t)^2 / outputs        dx = 2 (x - t) / (outputs whole)
 *   half_mse       loss[n] = sum_k (x - t)^2 / 2              dx = (x - t) / whole
 *   bce            loss[n] = sum_k (log(1 + exp(x)) - x t) / outputs     dx = (sigmoid(x) - t) / (outputs whole)
 *   l1             loss[n] = sum_k |x - t| / outputs          dx = sign(x - t) / (outputs whole)
 *   huber          loss[n] = sum_k h(x - t) / outputs         dx = clamp(x - t, -1, 1) / (outputs whole),
 *                  h(e) = e^2 / 2 where |e| <= 1, else |e| - 1/2
 *   dx is times loss_scale[SCALE_FACTOR], where that is given: what is small in it, and in all gradients that come of it, then is
 *                  no longer too small for halves. update.cl divides by it.
 *   hit[n]         1 where the image has a label and the largest output is that label's, else 0
 *   mean_weight    sum_n class_weight[label[n]] / whole, over the whole batch: what PyTorch's mean divides by
 *   history        history[slot] = (sum of losses, sum of hits) of this step, the micro-batches before this one included
 *
 * Work-item (image); mean_weight and history: one work-item, so that the sum has one order. Where one work-group has all images
 * (ONE_GROUP), its first item adds to the history once all are done, else a launch of its own does. */
#include "params.h"
#include "real.h"

static inline int largest(global const stored *x, const int count)
{
    int best = 0;
    for (int k = 1; k < count; k++)
        if (GET(x + k) > GET(x + best)) best = k;
    return best;
}

/* What the losses read of image n. */
typedef struct example {
    global const stored *x;
    global const real *target;
    int label;
    bool one_hot, labelled;
} example;

static inline example example_of(const loss_sizes z, const int n, global const stored *outputs, global const int *label,
                                 global const real *target)
{
    const size_t row = (size_t)n * z.outputs;
    const example e = {outputs + row, target + (z.one_hot ? 0 : row), z.labelled ? label[n] : -1, z.one_hot, z.labelled};
    return e;
}

static inline real target_of(const example e, const int k)
{
    return e.one_hot ? (k == e.label ? 1 : 0) : e.target[k];
}

static inline real hit_of(const example e, const int outputs)
{
    return e.labelled && largest(e.x, outputs) == e.label ? 1 : 0;
}

static inline real scaled(const real gradient, global const real *loss_scale)
{
    return loss_scale ? gradient * loss_scale[SCALE_FACTOR] : gradient;
}

static inline void add_to_history(const loss_sizes z, global const real *loss, global const real *hit,
                                  global const int *step, global real *slots)
{
    global real *slot = slots + step[STEP_SLOT] * HISTORY_LENGTH;
    const bool goes_on = step[STEP_PART] > 0;
    real losses = goes_on ? slot[HISTORY_LOSS] : 0, hits = goes_on ? slot[HISTORY_HITS] : 0;
    for (int n = 0; n < z.n; n++) {
        losses += loss[n];
        hits += hit[n];
    }
    slot[HISTORY_LOSS] = losses;
    slot[HISTORY_HITS] = hits;
}

/* What a loss's kernels take. */
#ifdef OP_cross_entropy
#define CLASS_WEIGHTS , global const real *restrict class_weight, global const real *restrict mean_weight
#else
#define CLASS_WEIGHTS
#endif
#define OPERANDS                                                                                                       \
    const loss_sizes given, global const stored *restrict outputs, global const int *restrict label,                   \
        global const real *restrict target, global const int *restrict step, global stored *restrict gradient,         \
        global real *restrict loss, global real *restrict hit, global real *restrict slots,                            \
        global const real *restrict loss_scale CLASS_WEIGHTS

#ifdef ONE_GROUP
#define THEN_HISTORY(n)                                                                                                \
    barrier(CLK_GLOBAL_MEM_FENCE);                                                                                     \
    if (n == 0) add_to_history(z, loss, hit, step, slots)
#else
#define THEN_HISTORY(n)
#endif

/* Does `of_image` with image n. */
#define LOSS(name, of_image)                                                                                           \
    kernel void name(OPERANDS)                                                                                         \
    {                                                                                                                  \
        const loss_sizes z = SIZES(given);                                                                             \
        const int n = (int)get_global_id(0);                                                                           \
        if (n < z.n) of_image;                                                                                         \
        THEN_HISTORY(n);                                                                                               \
    }

#if !defined ONE_GROUP && !defined OP_mean_weight
kernel void history(OPERANDS)
{
    const loss_sizes z = SIZES(given);
    if (get_global_id(0) == 0) add_to_history(z, loss, hit, step, slots);
}
#endif

#ifdef OP_cross_entropy
static inline real weight_of(global const real *class_weight, const int k)
{
    return class_weight ? class_weight[k] : 1;
}

static inline void cross_entropy_of(const loss_sizes z, const int n, global const stored *outputs, global const int *label,
                                    global const real *target, global const int *step, global stored *gradient,
                                    global real *loss, global real *hit, global const real *loss_scale,
                                    global const real *class_weight, global const real *mean_weight)
{
    global stored *dx = gradient + (size_t)n * z.outputs;
    if (n >= step[STEP_VALID]) {
        for (int k = 0; k < z.outputs; k++) PUT((real)0, dx + k);
        loss[n] = hit[n] = 0;
        return;
    }
    const example e = example_of(z, n, outputs, label, target);
    const real most = GET(e.x + largest(e.x, z.outputs)), smoothing = z.smoothing_ppm / (real)1000000,
               low = smoothing / z.outputs, weight = mean_weight ? *mean_weight : 1;
    real sum = 0, targets = 0, weights = 0, weighted = 0;
    for (int k = 0; k < z.outputs; k++) {
        const real d = GET(e.x + k) - most, w = weight_of(class_weight, k), t = target_of(e, k);
        sum += exp(d);
        targets += w * t;
        weights += w;
        weighted += w * ((1 - smoothing) * t + low) * d;
    }
    /* The sum of q: adding up e / outputs itself would round the same way each time. */
    const real shares = (1 - smoothing) * targets + low * weights;
    for (int k = 0; k < z.outputs; k++) {
        const real p = exp(GET(e.x + k) - most) / sum, q = weight_of(class_weight, k) * ((1 - smoothing) * target_of(e, k) + low);
        PUT(scaled((p * shares - q) / (weight * step[STEP_WHOLE]), loss_scale), dx + k);
    }
    loss[n] = (shares * log(sum) - weighted) / weight;
    hit[n] = hit_of(e, z.outputs);
}

LOSS(cross_entropy,
     cross_entropy_of(z, n, outputs, label, target, step, gradient, loss, hit, loss_scale, class_weight, mean_weight))
#endif

#ifdef OP_mean_weight
kernel void mean_weight(const loss_sizes given, global const int *restrict labels, global const int *restrict order,
                        global const int *restrict step, global const real *restrict class_weight,
                        global real *restrict mean)
{
    const int first = step[STEP_FIRST] - step[STEP_BEFORE], whole = step[STEP_WHOLE];
    if (get_global_id(0) > 0) return;
    real sum = 0;
    for (int n = 0; n < whole; n++) sum += class_weight[labels[order[first + n]]];
    *mean = sum / whole;
}
#endif

/* What one output adds to the loss, but for the factor, and that by x. */
enum { SQUARE, LOGISTIC, ABSOLUTE, HUBER };

static inline real measure(const int kind, const real x, const real t, real *slope)
{
    const real e = x - t, size = fabs(e), sign = e > 0 ? 1 : e < 0 ? -1 : e;
    if (kind == SQUARE) {
        *slope = 2 * e;
        return e * e;
    }
    if (kind == LOGISTIC) { /* exp never overflows */
        const real z = exp(-fabs(x));
        *slope = (x < 0 ? z : 1) / (1 + z) - t;
        return (x < 0 ? 0 : x) - x * t + log1p(z);
    }
    if (kind == ABSOLUTE) {
        *slope = sign;
        return size;
    }
    *slope = size > 1 ? sign : e;
    return size > 1 ? size - (real)1 / 2 : e * e / 2;
}

/* The losses that are a sum over outputs. */
static inline void add_measures(const loss_sizes z, const int n, const int kind, global const stored *outputs, global const int *label,
                                global const real *target, global const int *step, global stored *gradient,
                                global real *loss, global real *hit, global const real *loss_scale, const real factor)
{
    const bool valid = n < step[STEP_VALID];
    const example e = example_of(z, n, outputs, label, target);
    global stored *dx = gradient + (size_t)n * z.outputs;
    real sum = 0;
    for (int k = 0; k < z.outputs; k++) {
        real slope;
        sum += measure(kind, GET(e.x + k), target_of(e, k), &slope);
        PUT(valid ? scaled(factor * slope / step[STEP_WHOLE], loss_scale) : 0, dx + k);
    }
    loss[n] = valid ? factor * sum : 0;
    hit[n] = valid ? hit_of(e, z.outputs) : 0;
}

#define MEASURED(name, kind, factor)                                                                                   \
    LOSS(name,                                                                                                         \
         add_measures(z, n, kind, outputs, label, target, step, gradient, loss, hit, loss_scale, factor))

#ifdef OP_mse
MEASURED(mse, SQUARE, 1 / (real)z.outputs)
#endif
#ifdef OP_half_mse
MEASURED(half_mse, SQUARE, (real)1 / 2)
#endif
#ifdef OP_bce
MEASURED(bce, LOGISTIC, 1 / (real)z.outputs)
#endif
#ifdef OP_l1
MEASURED(l1, ABSOLUTE, 1 / (real)z.outputs)
#endif
#ifdef OP_huber
MEASURED(huber, HUBER, 1 / (real)z.outputs)
#endif
