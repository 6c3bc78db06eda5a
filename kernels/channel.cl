/* Channel by channel, over rows (pixels of all images) of c channels.
 *
 *   bias         y = f( x + b[c] )
 *   channel_sum  sum[c] = sum over the rows of dy, of dy x where there is an x, or `negative` of dy min(x, 0);
 *               `shared` sums the channels too
 *
 * Reads past the last channel stay inside the tensor or its guard, and their lanes are never stored. */
#include "channel_parts.h"
#include "pixel.h"
#include "activations.h"

#ifdef OP_bias
/* Work-item (vector of channels of a row). b may be NULL; before: the sums, or NULL. */
kernel void bias(const channel_sizes given, global const real *restrict x, global const real *restrict b,
                 global real *restrict y, global real *restrict before)
{
    const channel_sizes z = SIZES(given);
    const place p = place_of(z.rows, 1, 1, z.c);
    if (p.lanes <= 0) return;
    realv sum = load_lanes(x + p.at, p.lanes);
    if (b) sum += load_lanes(b + p.c, p.lanes);
    if (before) store_lanes(sum, p.lanes, before + p.at);
    store_lanes(activate(sum), p.lanes, y + p.at);
}
#endif

#ifdef OP_channel_sum
/* Work-item (vector of channels, part). partial: [part][padded c] */
kernel void channel_sum_parts(const channel_sizes given, global const real *restrict dy, global const real *restrict x,
                              global real *restrict sum, global real *restrict partial)
{
    const channel_sizes z = SIZES(given);
    const int c = SUMMED_CHANNEL(z.c), part = SUMMED_PART(z.c);
#ifdef SPREAD
    if (part >= z.parts) return;
#endif
    realv total = 0;
    for (int i = part_begin(z.rows, part, z.parts); i < part_begin(z.rows, part + 1, z.parts); i++) {
        const size_t at = (size_t)i * z.c + c;
        const realv here = x ? LOAD(x + at) : (realv)1;
        if (z.negative)
            total += LOAD(dy + at) * (here > (realv)0 ? (realv)0 : here); /* NaN stays one */
        else
            total += LOAD(dy + at) * here;
    }
    STORE(total, partial + part * PADDED(z.c) + c);
}

/* Work-item (vector of channels); where the channels share one sum, the first makes it. */
kernel void channel_sum_add(const channel_sizes given, global const real *restrict dy, global const real *restrict x,
                            global real *restrict sum, global real *restrict partial)
{
    const channel_sizes z = SIZES(given);
    const int c = (int)get_global_id(0) * VEC;
    if (c >= z.c || (z.shared && c > 0)) return;
    if (z.shared) {
        real all = 0;
        for (int part = 0; part < z.parts; part++)
            for (int k = 0; k < z.c; k++) all += partial[part * PADDED(z.c) + k];
        sum[0] = all;
        return;
    }
    realv total = 0;
    for (int part = 0; part < z.parts; part++) total += LOAD(partial + part * PADDED(z.c) + c);
    store_lanes(total, z.c - c, sum + c);
}
#endif
