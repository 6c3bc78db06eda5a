/* A leaky relu whose slope a is learned: one for each channel or, shared, one for all.
 *
 *   forward   y = x > 0 ? x : a[c] x
 *   gradient  dx = x > 0 ? dy : a[c] dy            (by a: channel_sum in channel.cl)
 *
 * Work-item (vector of channels of a row). */
#include "params.h"
#include "pixel.h"

static inline realv bend(const channel_sizes z, const place p, const realv x, const realv value,
                         global const real *slope)
{
    const realv a = z.shared ? (realv)slope[0] : load_lanes(slope + p.c, p.lanes);
    return x > (realv)0 ? value : a * value;
}

#ifdef OP_prelu_forward
kernel void prelu_forward(const channel_sizes given, global const stored *restrict x, global const real *restrict slope,
                          global stored *restrict y)
{
    const channel_sizes z = SIZES(given);
    const place p = place_of(z.rows, 1, 1, z.c);
    if (p.lanes <= 0) return;
    const realv here = load_lanes(x + p.at, p.lanes);
    store_lanes(bend(z, p, here, here, slope), p.lanes, y + p.at);
}
#endif

#ifdef OP_prelu_gradient
kernel void prelu_gradient(const channel_sizes given, global const stored *restrict dy, global const stored *restrict x,
                           global const real *restrict slope, global stored *restrict dx)
{
    const channel_sizes z = SIZES(given);
    const place p = place_of(z.rows, 1, 1, z.c);
    if (p.lanes <= 0) return;
    store_lanes(bend(z, p, load_lanes(x + p.at, p.lanes), load_lanes(dy + p.at, p.lanes), slope), p.lanes, dx + p.at);
}
#endif
