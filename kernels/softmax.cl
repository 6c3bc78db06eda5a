/* Softmax and its logarithm, over the `length` neighbouring values of a row: a pixel's channels, or a vector.
 *
 *   softmax      y[k] = exp(x[k]) / sum_j exp(x[j])           dx[k] = y[k] (dy[k] - sum_j dy[j] y[j])
 *   log_softmax  y[k] = x[k] - log(sum_j exp(x[j]))           dx[k] = dy[k] - exp(y[k]) sum_j dy[j]
 *
 * The row's largest value is subtracted first, so that exp cannot overflow. Work-item (row). */
#include "params.h"
#include "real.h"

#ifdef OP_softmax_forward
kernel void softmax_forward(const softmax_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const softmax_sizes z = SIZES(given);
    const int row = (int)get_global_id(0);
    if (row >= z.rows) return;
    x += (size_t)row * z.length;
    y += (size_t)row * z.length;
    real most = GET(x), sum = 0;
    for (int k = 1; k < z.length; k++) most = GET(x + k) > most ? GET(x + k) : most;
    for (int k = 0; k < z.length; k++) sum += exp(GET(x + k) - most);
    const real logarithm = log(sum);
    for (int k = 0; k < z.length; k++) PUT(z.logarithm ? GET(x + k) - most - logarithm : exp(GET(x + k) - most) / sum, y + k);
}
#endif

#ifdef OP_softmax_gradient
kernel void softmax_gradient(const softmax_sizes given, global const stored *restrict dy, global const stored *restrict y,
                             global stored *restrict dx)
{
    const softmax_sizes z = SIZES(given);
    const int row = (int)get_global_id(0);
    if (row >= z.rows) return;
    const size_t first = (size_t)row * z.length;
    real sum = 0;
    for (int k = 0; k < z.length; k++) sum += z.logarithm ? GET(dy + first + k) : GET(dy + first + k) * GET(y + first + k);
    for (int k = 0; k < z.length; k++) {
        const real g = GET(dy + first + k), here = GET(y + first + k);
        PUT(z.logarithm ? g - exp(here) * sum : here * (g - sum), dx + first + k);
    }
}
#endif
