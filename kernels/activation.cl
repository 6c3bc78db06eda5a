/* Activations on their own, element by element. Their functions: activations.h.
 *
 *   forward    y[i] = f(x[i])
 *   gradient   dx[i] = dy[i] f'(x[i]), where at[i] is y[i] or x[i], whatever f' is written in terms of
 *
 * Work-item (vector of elements). */
#include "params.h"
#include "activations.h"

#define PARAMETER(kept) (z.numbers ? number_of(kept) : real_of(kept))
#define PARAMETERS PARAMETER(z.a), PARAMETER(z.b)

#ifdef OP_activation_forward
kernel void activation_forward(const element_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const element_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    store_lanes(JOIN(ACTIVATION, _value)(load_lanes(x + i, lanes), PARAMETERS), lanes, y + i);
}
#endif

#ifdef OP_activation_gradient
kernel void activation_gradient(const element_sizes given, global const stored *restrict dy,
                                global const stored *restrict at, global stored *restrict dx)
{
    const element_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    const realv g = load_lanes(dy + i, lanes), here = load_lanes(at + i, lanes);
    store_lanes(JOIN(ACTIVATION, _gradient)(g, here, PARAMETERS), lanes, dx + i);
}
#endif
