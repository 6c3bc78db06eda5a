/* Each channel scaled and shifted; `shared`, all of them by one number.
 *
 *   y = w[c] x + b[c]
 *
 * Either may be absent. The same op takes the gradient by the output to that by the input: dx = w[c] dy (by w and by b:
 * channel_sum in channel.cl). Work-item (vector of channels of a row). */
#include "params.h"
#include "pixel.h"

static inline realv of_channel(const channel_sizes z, const place p, global const real *numbers)
{
    return z.shared ? (realv)numbers[0] : load_lanes(numbers + p.c, p.lanes);
}

kernel void scale(const channel_sizes given, global const stored *restrict x, global const real *restrict w,
                  global const real *restrict b, global stored *restrict y)
{
    const channel_sizes z = SIZES(given);
    const place p = place_of(z.rows, 1, 1, z.c);
    if (p.lanes <= 0) return;
    realv value = load_lanes(x + p.at, p.lanes);
    if (w) value *= of_channel(z, p, w);
    if (b) value += of_channel(z, p, b);
    store_lanes(value, p.lanes, y + p.at);
}
