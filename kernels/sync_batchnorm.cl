/* Batch normalisation over all shards of a batch (SyncBatchNorm): each shard finds what it can by itself, what all have found comes
 * to all of them, a row a shard, and each goes on from the same rows, in their order. Shards may lie on other devices: the host
 * moves the rows (host/session/syncs.c).
 *
 *   moments      found[0][c] = mean of the shard,   found[1][c] = sum (x - mean)^2;   all[shard] = found
 *   statistics   as in batchnorm.cl, of the rows of `all` merged one after another
 *   gradients    dw[c] = m_shard / m  sum over shards of all[shard][0][c],   db[c] the same of all[shard][1][c]
 *
 * A shard has m_shard pixels of valid images, all have m. What takes dw and db divides them by m_shard. A micro-batch meets those of
 * the same number in the other shards. */
#include "batch_moments.h"

/* Pixels of the micro-batch of a shard. */
static inline int pixels_of(const sync_norm_sizes z, global const int *step, const int shard)
{
    const int whole = step[STEP_WHOLE];
    const int begin = min((int)((long)z.images * shard / z.shards), whole);
    const int end = min((int)((long)z.images * (shard + 1) / z.shards), whole);
    return clamp(end - begin - step[STEP_PART] * z.n, 0, z.n) * z.pixels;
}

/* The vector of channels of a work-item: `lanes` of them are left from `c` on. */
#define MY_CHANNELS(given)                                      \
    const sync_norm_sizes z = SIZES(given);                     \
    const int c = (int)get_global_id(0) * VEC, lanes = z.c - c; \
    if (lanes <= 0) return

#ifdef OP_sync_batchnorm_moments
/* Work-group (vectors of channels, part) */
kernel SUM_GROUP void sync_batchnorm_moments_parts(const norm_sizes given, global const stored *restrict x,
                                                   global const int *restrict step, global real *restrict found,
                                                   global real *restrict partial TREE)
{
    const norm_sizes z = SIZES(given);
    TREE_OF(moments, tree);
    measure_part(z, x, step[STEP_VALID] * z.pixels, partial, tree);
}

/* Work-group (vectors of channels) */
kernel LAST_GROUP void sync_batchnorm_moments_merge(const norm_sizes given, global const stored *restrict x,
                                                    global const int *restrict step, global real *restrict found,
                                                    global real *restrict partial TREE)
{
    const norm_sizes z = SIZES(given);
    TREE_OF(moments, tree);
    const int c = COLUMN(LAST_ACROSS), lanes = z.c - c;
    const moments sum = merge_parts(z, step[STEP_VALID] * z.pixels, partial, tree);
    if (c >= z.c || ROW(LAST_ACROSS) > 0) return;
    store_lanes(sum.mean, lanes, found + c);
    store_lanes(sum.squares, lanes, found + z.c + c);
}
#endif

#ifdef OP_sync_batchnorm_statistics
kernel void sync_batchnorm_statistics(const sync_norm_sizes given, global const real *restrict all,
                                      global const int *restrict step, global real *restrict mean,
                                      global real *restrict inverse, global real *restrict running_mean,
                                      global real *restrict running_var)
{
    MY_CHANNELS(given);
    moments sum = {0, (realv)0, (realv)0};
    for (int shard = 0; shard < z.shards; shard++) {
        global const real *row = all + (size_t)2 * shard * z.c + c;
        const moments one = {pixels_of(z, step, shard), load_lanes(row, lanes), load_lanes(row + z.c, lanes)};
        if (one.count > 0) sum = merge(sum, one);
    }
    put_statistics(sum, EPSILON(z), MOMENTUM(z), c, lanes, mean, inverse, running_mean, running_var);
}
#endif

#ifdef OP_sync_batchnorm_gradients
kernel void sync_batchnorm_gradients(const sync_norm_sizes given, global const real *restrict all,
                                     global const int *restrict step, global real *restrict dw,
                                     global real *restrict db)
{
    MY_CHANNELS(given);
    realv weight = (realv)0, bias = (realv)0;
    int count = 0;
    for (int shard = 0; shard < z.shards; shard++) {
        global const real *row = all + (size_t)2 * shard * z.c + c;
        const int pixels = pixels_of(z, step, shard);
        if (pixels == 0) continue;
        count += pixels;
        weight += load_lanes(row, lanes);
        bias += load_lanes(row + z.c, lanes);
    }
    const real share = (real)(step[STEP_VALID] * z.pixels) / (real)count;
    store_lanes(weight * share, lanes, dw + c);
    store_lanes(bias * share, lanes, db + c);
}
#endif
