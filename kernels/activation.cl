/* Activations on their own, element by element.
 *
 *   forward    y[i] = f(x[i])
 *   gradient   dx[i] = dy[i] f'(x[i]), written in terms of y[i]
 *
 * Work-item (vector of elements). */
#include "params.h"
#include "real.h"

#ifdef OP_activation_forward
kernel void activation_forward(const element_sizes given, global const real *restrict x, global real *restrict y)
{
    const element_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    store_lanes(activate(load_lanes(x + i, lanes)), lanes, y + i);
}
#endif

#ifdef OP_activation_gradient
kernel void activation_gradient(const element_sizes given, global const real *restrict dy,
                                global const real *restrict y, global real *restrict dx)
{
    const element_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    store_lanes(deactivate(load_lanes(dy + i, lanes), load_lanes(y + i, lanes)), lanes, dx + i);
}
#endif
