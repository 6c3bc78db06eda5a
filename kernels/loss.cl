/* Losses. `outputs` values of each image against its class label or its real targets; the gradient is that of the mean
 * over the whole batch, of which these may be a micro-batch. The last batch of an epoch may be short: images from
 * step[STEP_VALID] on get 0.
 *
 *   cross_entropy  loss[n] = log(sum_k exp(x[n,k])) - sum_k q[n,k] x[n,k],  q = (1 - e) [k = label] + e / outputs
 *                  dx[n,k] = (softmax(x[n])[k] - q[n,k]) / whole                     (softmax fused; e: label smoothing)
 *   mse            loss[n] = sum_k (x - t)^2 / outputs        dx = 2 (x - t) / (outputs whole)
 *   half_mse       loss[n] = sum_k (x - t)^2 / 2              dx = (x - t) / whole
 *   bce            loss[n] = sum_k (log(1 + exp(x)) - x t) / outputs     dx = (sigmoid(x) - t) / (outputs whole)
 *   l1             loss[n] = sum_k |x - t| / outputs          dx = sign(x - t) / (outputs whole)
 *   huber          loss[n] = sum_k h(x - t) / outputs         dx = clamp(x - t, -1, 1) / (outputs whole),
 *                  h(e) = e^2 / 2 where |e| <= 1, else |e| - 1/2
 *   hit[n]         1 where the largest output is the label's, else 0
 *   history        history[slot] = (sum of losses, sum of hits) of this step, the micro-batches before this one included
 *
 * Work-item (image); history: one work-item, so that the sum has one order. */
#include "params.h"
#include "real.h"

static inline int largest(global const real *x, const int count)
{
    int best = 0;
    for (int k = 1; k < count; k++)
        if (x[k] > x[best]) best = k;
    return best;
}

#ifdef OP_cross_entropy
kernel void cross_entropy(const loss_sizes given, global const real *restrict outputs, global const int *restrict label,
                          global const int *restrict step, global real *restrict gradient, global real *restrict loss,
                          global real *restrict hit)
{
    const loss_sizes z = SIZES(given);
    const int n = (int)get_global_id(0);
    if (n >= z.n) return;
    global const real *x = outputs + (size_t)n * z.outputs;
    global real *dx = gradient + (size_t)n * z.outputs;
    if (n >= step[STEP_VALID]) {
        for (int k = 0; k < z.outputs; k++) dx[k] = 0;
        loss[n] = hit[n] = 0;
        return;
    }
    const int best = largest(x, z.outputs), target = label[n];
    const real most = x[best], smoothing = z.smoothing_ppm / (real)1000000, low = smoothing / z.outputs;
    real sum = 0, mean = 0;
    for (int k = 0; k < z.outputs; k++) {
        sum += exp(x[k] - most);
        mean += (x[k] - most) / z.outputs;
    }
    for (int k = 0; k < z.outputs; k++) {
        const real q = k == target ? 1 - smoothing + low : low;
        dx[k] = (exp(x[k] - most) / sum - q) / step[STEP_WHOLE];
    }
    loss[n] = log(sum) - (1 - smoothing) * (x[target] - most) - smoothing * mean;
    hit[n] = best == target ? 1 : 0;
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
static inline void add_measures(const loss_sizes z, const int kind, global const real *outputs, global const int *label,
                                global const real *target, global const int *step, global real *gradient,
                                global real *loss, global real *hit, const real factor)
{
    const int n = (int)get_global_id(0), valid = step[STEP_VALID];
    if (n >= z.n) return;
    const size_t row = (size_t)n * z.outputs;
    real sum = 0;
    for (int k = 0; k < z.outputs; k++) {
        const real wanted = z.one_hot ? (k == label[n] ? 1 : 0) : target[row + k];
        real slope;
        sum += measure(kind, outputs[row + k], wanted, &slope);
        gradient[row + k] = n < valid ? factor * slope / step[STEP_WHOLE] : 0;
    }
    loss[n] = n < valid ? factor * sum : 0;
    hit[n] = z.one_hot && n < valid && largest(outputs + row, z.outputs) == label[n] ? 1 : 0;
}

#ifdef OP_mse
kernel void mse(const loss_sizes given, global const real *restrict outputs, global const int *restrict label,
                global const real *restrict target, global const int *restrict step, global real *restrict gradient,
                global real *restrict loss, global real *restrict hit)
{
    const loss_sizes z = SIZES(given);
    add_measures(z, SQUARE, outputs, label, target, step, gradient, loss, hit, 1 / (real)z.outputs);
}
#endif

#ifdef OP_half_mse
kernel void half_mse(const loss_sizes given, global const real *restrict outputs, global const int *restrict label,
                     global const real *restrict target, global const int *restrict step, global real *restrict gradient,
                     global real *restrict loss, global real *restrict hit)
{
    const loss_sizes z = SIZES(given);
    add_measures(z, SQUARE, outputs, label, target, step, gradient, loss, hit, (real)1 / 2);
}
#endif

#ifdef OP_bce
kernel void bce(const loss_sizes given, global const real *restrict outputs, global const int *restrict label,
                global const real *restrict target, global const int *restrict step, global real *restrict gradient,
                global real *restrict loss, global real *restrict hit)
{
    const loss_sizes z = SIZES(given);
    add_measures(z, LOGISTIC, outputs, label, target, step, gradient, loss, hit, 1 / (real)z.outputs);
}
#endif

#ifdef OP_l1
kernel void l1(const loss_sizes given, global const real *restrict outputs, global const int *restrict label,
               global const real *restrict target, global const int *restrict step, global real *restrict gradient,
               global real *restrict loss, global real *restrict hit)
{
    const loss_sizes z = SIZES(given);
    add_measures(z, ABSOLUTE, outputs, label, target, step, gradient, loss, hit, 1 / (real)z.outputs);
}
#endif

#ifdef OP_huber
kernel void huber(const loss_sizes given, global const real *restrict outputs, global const int *restrict label,
                  global const real *restrict target, global const int *restrict step, global real *restrict gradient,
                  global real *restrict loss, global real *restrict hit)
{
    const loss_sizes z = SIZES(given);
    add_measures(z, HUBER, outputs, label, target, step, gradient, loss, hit, 1 / (real)z.outputs);
}
#endif

#ifdef OP_history
kernel void history(const loss_sizes given, global const real *restrict loss, global const real *restrict hit,
                    global const int *restrict step, global real *restrict slots)
{
    const loss_sizes z = SIZES(given);
    if (get_global_id(0) > 0) return;
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
#endif
