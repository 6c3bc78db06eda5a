/* Losses. `outputs` values of each image against its class label or its real targets; the gradient is that of the mean
 * over the whole batch, of which these may be a micro-batch. The last batch of an epoch may be short: images from
 * step[STEP_VALID] on get 0.
 *
 *   cross_entropy  loss[n] = log(sum_k exp(x[n,k])) - sum_k q[n,k] x[n,k],  q = (1 - e) [k = label] + e / outputs
 *                  dx[n,k] = (softmax(x[n])[k] - q[n,k]) / whole                     (softmax fused; e: label smoothing)
 *   mse            loss[n] = sum_k (x - t)^2 / outputs        dx = 2 (x - t) / (outputs whole)
 *   half_mse       loss[n] = sum_k (x - t)^2 / 2              dx = (x - t) / whole
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

/* What mse and half_mse share: they differ in the factor of the loss, and the gradient's is twice that. */
static inline void squared_error(const loss_sizes z, global const real *outputs, global const int *label,
                                 global const real *target, global const int *step, global real *gradient,
                                 global real *loss, global real *hit, const real factor)
{
    const int n = (int)get_global_id(0), valid = step[STEP_VALID];
    if (n >= z.n) return;
    const size_t row = (size_t)n * z.outputs;
    real sum = 0;
    for (int k = 0; k < z.outputs; k++) {
        const real wanted = z.one_hot ? (k == label[n] ? 1 : 0) : target[row + k];
        const real error = outputs[row + k] - wanted;
        sum += error * error;
        gradient[row + k] = n < valid ? 2 * factor * error / step[STEP_WHOLE] : 0;
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
    squared_error(z, outputs, label, target, step, gradient, loss, hit, 1 / (real)z.outputs);
}
#endif

#ifdef OP_half_mse
kernel void half_mse(const loss_sizes given, global const real *restrict outputs, global const int *restrict label,
                     global const real *restrict target, global const int *restrict step, global real *restrict gradient,
                     global real *restrict loss, global real *restrict hit)
{
    const loss_sizes z = SIZES(given);
    squared_error(z, outputs, label, target, step, gradient, loss, hit, (real)1 / 2);
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
