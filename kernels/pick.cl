/* Channels taken from an image in another order, or some of them, or none: channels last.
 *
 *   y[p,k] = x[p, source(k)], or 0 where that is no channel of x              p: a pixel
 *   source(k) = (k mod groups) K / groups + k / groups + first
 *
 * With one group channels from `first` on are taken, and the other way round with -first. With first = 0 channel i of group g
 * becomes channel i groups + g, and the other way round with K / groups groups.
 *
 * Work-item (vector of channels of a pixel of the result). */
#include "params.h"
#include "pixel.h"

#ifdef OP_pick
kernel void pick(const pick_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const pick_sizes z = SIZES(given);
    const place p = place_of(z.rows, 1, 1, z.k);
    if (p.lanes <= 0) return;
    global const stored *from = x + (size_t)p.n * z.c;
    real lane[VEC];
    for (int i = 0; i < VEC; i++) {
        const int k = p.c + i, source = k % z.groups * (z.k / z.groups) + k / z.groups + z.first;
        lane[i] = i < p.lanes && source >= 0 && source < z.c ? GET(from + source) : (real)0;
    }
    store_lanes(LOAD(lane), p.lanes, y + p.at);
}
#endif
