/* Channel by channel, over rows (pixels of all images) of c channels.
 *
 *   bias         y = f( x + b[c] )
 *   channel_sum  sum[c] = sum over the rows of dy, of dy x where there is an x, or `negative` of dy min(x, 0);
 *               `shared` sums the channels too
 *
 * Reads past the last channel stay inside the tensor or its guard, and their lanes are never stored. */
#include "sums.h"
#include "pixel.h"
#include "activations.h"

#ifdef OP_bias
/* Work-item (vector of channels of a row). b may be NULL; before: the sums, or NULL. */
kernel void bias(const channel_sizes given, global const stored *restrict x, global const real *restrict b,
                 global stored *restrict y, global stored *restrict before)
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
/* Work-group (vectors of channels, part). partial: [part][padded c] */
kernel SUM_GROUP void channel_sum_parts(const channel_sizes given, global const stored *restrict dy,
                                        global const stored *restrict x, global real *restrict sum,
                                        global real *restrict partial TREE)
{
    const channel_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int c = FIRST_COLUMN(ACROSS);
    const turns t = my_turns(z.rows, z.parts, z.c, ACROSS, DOWN);
    realv total[BESIDE];
    UNROLL for (int v = 0; v < BESIDE; v++) total[v] = (realv)0;
    for (int i = t.first; i < t.end; i += AHEAD * t.step) {
        realv g[AHEAD][BESIDE], here[AHEAD][BESIDE];
        UNROLL for (int j = 0; j < AHEAD; j++) EACH_BESIDE(v, c, z.c)
        {
            g[j][v] = row_of(dy + c + v * VEC, z.c, i + j * t.step, t);
            here[j][v] = x ? row_of(x + c + v * VEC, z.c, i + j * t.step, t) : (realv)1;
        }
        UNROLL for (int j = 0; j < AHEAD; j++) EACH_BESIDE(v, c, z.c)
        {
            if (z.negative)
                total[v] += g[j][v] * (here[j][v] > (realv)0 ? (realv)0 : here[j][v]); /* NaN stays one */
            else
                total[v] += g[j][v] * here[j][v];
        }
    }
    UNROLL for (int v = 0; v < BESIDE; v++)
    {
        const realv all = add_rows(total[v], ACROSS, DOWN, tree);
        if (c + v * VEC < z.c && ROW(ACROSS) == 0)
            STORE(all, partial + (size_t)get_group_id(1) * PADDED(z.c) + c + v * VEC);
    }
}

/* Work-group (vectors of channels); where the channels share one sum, the first group makes it. */
kernel LAST_GROUP void channel_sum_add(const channel_sizes given, global const stored *restrict dy,
                                       global const stored *restrict x, global real *restrict sum,
                                       global real *restrict partial TREE)
{
    const channel_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int c = COLUMN(LAST_ACROSS);
    if (z.shared) {
        real all = 0;
        for (int at = (int)get_local_id(0); at < z.parts * PADDED(z.c) && get_group_id(0) == 0; at += LAST_ITEMS)
            if (at % PADDED(z.c) < z.c) all += partial[at];
        const realv sums = add_rows((realv)all, 1, LAST_ITEMS, tree);
        if (get_global_id(0) == 0) store_lanes(sums, 1, sum);
        return;
    }
    const realv total = add_parts(partial, PADDED(z.c), z.parts, z.c, LAST_ACROSS, LAST_DOWN, tree);
    if (c < z.c && ROW(LAST_ACROSS) == 0) store_lanes(total, z.c - c, sum + c);
}
#endif
