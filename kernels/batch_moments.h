/* The mean and variance of each channel over the pixels of a batch's valid images, and what batch normalisation makes of them.
 * Sums go over parts of the batch, then over the parts; partial: [part][mean, squares][padded c] */
#ifndef CLT_BATCH_MOMENTS_H
#define CLT_BATCH_MOMENTS_H

#include "moments.h"

#define EPSILON(z) real_of(z.epsilon)
#define MOMENTUM(z) real_of(z.momentum)

#ifdef ACROSS /* an op that sums */
/* Work-group (vectors of channels, part) */
static inline void measure_part(const norm_sizes z, global const stored *x, const int valid, global real *partial,
                                local moments *tree)
{
    const int c = FIRST_COLUMN(ACROSS);
    const turns t = my_turns(valid, z.parts, z.c, ACROSS, DOWN);
    moments sum[BESIDE];
    UNROLL for (int v = 0; v < BESIDE; v++) sum[v] = (moments){0, (realv)0, (realv)0};
    int i = t.first;
    for (; i + (CHUNK - 1) * t.step < t.end; i += CHUNK * t.step) measure(x + (size_t)i * z.c, CHUNK, t.step, c, z.c, sum);
    if (i < t.end) measure(x + (size_t)i * z.c, (t.end - i + t.step - 1) / t.step, t.step, c, z.c, sum);
    UNROLL for (int v = 0; v < BESIDE; v++)
    {
        const moments whole = merge_rows(sum[v], ACROSS, DOWN, tree);
        if (c + v * VEC >= z.c || ROW(ACROSS) > 0) continue;
        global real *to = partial + (size_t)2 * get_group_id(1) * PADDED(z.c) + c + v * VEC;
        STORE(whole.mean, to);
        STORE(whole.squares, to + PADDED(z.c));
    }
}

/* Work-group (vectors of channels): the first item of each column has all of it. */
static inline moments merge_parts(const norm_sizes z, const int valid, global const real *partial, local moments *tree)
{
    const int c = COLUMN(LAST_ACROSS);
    const turns t = my_turns(z.parts, 1, z.c, LAST_ACROSS, LAST_DOWN);
    moments sum = {0, (realv)0, (realv)0};
    for (int part = t.first; part < t.end; part += t.step) {
        const int count = part_begin(valid, part + 1, z.parts) - part_begin(valid, part, z.parts);
        const moments one = {count, LOAD(partial + 2 * part * PADDED(z.c) + c),
                             LOAD(partial + (2 * part + 1) * PADDED(z.c) + c)};
        if (count > 0) sum = merge(sum, one);
    }
    return merge_rows(sum, LAST_ACROSS, LAST_DOWN, tree);
}
#endif

/* Of a vector of channels from `c` on, of which `lanes` are left. */
static inline void put_statistics(const moments sum, const real epsilon, const real momentum, const int c,
                                  const int lanes, global real *mean, global real *inverse, global real *running_mean,
                                  global real *running_var)
{
    const realv variance = sum.squares / (realv)sum.count;
    const realv unbiased = sum.squares / (realv)max(sum.count - 1, 1);
    store_lanes(sum.mean, lanes, mean + c);
    store_lanes((realv)1 / sqrt(variance + (realv)epsilon), lanes, inverse + c);
    const realv keep = (realv)(1 - momentum), take = (realv)momentum;
    store_lanes(keep * load_lanes(running_mean + c, lanes) + take * sum.mean, lanes, running_mean + c);
    store_lanes(keep * load_lanes(running_var + c, lanes) + take * unbiased, lanes, running_var + c);
}

#endif
