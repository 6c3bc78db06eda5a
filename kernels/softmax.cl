/* Softmax and its logarithm, over the `length` neighbouring values of a row: a pixel's channels, or a vector.
 *
 *   softmax      y[k] = exp(x[k]) / sum_j exp(x[j])           dx[k] = y[k] (dy[k] - sum_j dy[j] y[j])
 *   log_softmax  y[k] = x[k] - log(sum_j exp(x[j]))           dx[k] = dy[k] - exp(y[k]) sum_j dy[j]
 *
 * The row's largest value is subtracted first, so that exp cannot overflow. Work-item (row). */
#include "params.h"
#include "real.h"

#ifdef OP_softmax_forward
kernel void softmax_forward(const softmax_sizes given, global const real *restrict x, global real *restrict y)
{
    const softmax_sizes z = SIZES(given);
    const int row = (int)get_global_id(0);
    if (row >= z.rows) return;
    x += (size_t)row * z.length;
    y += (size_t)row * z.length;
    real most = x[0], sum = 0;
    for (int k = 1; k < z.length; k++) most = x[k] > most ? x[k] : most;
    for (int k = 0; k < z.length; k++) sum += exp(x[k] - most);
    const real logarithm = log(sum);
    for (int k = 0; k < z.length; k++) y[k] = z.logarithm ? x[k] - most - logarithm : exp(x[k] - most) / sum;
}
#endif

#ifdef OP_softmax_gradient
kernel void softmax_gradient(const softmax_sizes given, global const real *restrict dy, global const real *restrict y,
                             global real *restrict dx)
{
    const softmax_sizes z = SIZES(given);
    const int row = (int)get_global_id(0);
    if (row >= z.rows) return;
    const size_t first = (size_t)row * z.length;
    real sum = 0;
    for (int k = 0; k < z.length; k++) sum += z.logarithm ? dy[first + k] : dy[first + k] * y[first + k];
    for (int k = 0; k < z.length; k++) {
        const real g = dy[first + k], here = y[first + k];
        dx[first + k] = z.logarithm ? g - exp(here) * sum : here * (g - sum);
    }
}
#endif
