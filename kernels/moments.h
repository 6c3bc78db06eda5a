/* Means and variances of samples, which merge exactly (Chan, Golub and LeVeque 1979). Variances are summed as deviations from
 * the mean of a few elements, so that a large mean costs no digits. */
#ifndef CLT_MOMENTS_H
#define CLT_MOMENTS_H

#include "sums.h"

/* Elements whose mean is taken first: spread, they stay in registers, else in the first-level cache. */
#ifdef SPREAD
enum { CHUNK = 8 };
#else
enum { CHUNK = 64 };
#endif

/* A sample's count, mean and sum of squared deviations. */
typedef struct {
    int count;
    realv mean, squares;
} moments;

static inline moments merge(const moments a, const moments b)
{
    if (a.count == 0) return b;
    moments both = {a.count + b.count, a.mean, a.squares + b.squares};
    const realv apart = b.mean - a.mean;
    const real share = (real)b.count / both.count;
    both.mean += apart * share;
    both.squares += apart * apart * (a.count * share);
    return both;
}

/* Merges `count` rows of `columns`, every step-th, into the moments of BESIDE vectors of columns, from column c on. */
static inline void measure(global const stored *x, const int count, const int step, const int c, const int columns,
                           moments sum[BESIDE])
{
    const size_t pitch = (size_t)step * columns;
    moments m[BESIDE];
    UNROLL for (int v = 0; v < BESIDE; v++) m[v] = (moments){count, (realv)0, (realv)0};
    for (int i = 0; i < count; i++) EACH_BESIDE(v, c, columns) m[v].mean += LOAD(x + i * pitch + c + v * VEC);
    UNROLL for (int v = 0; v < BESIDE; v++) m[v].mean /= (realv)count;
    for (int i = 0; i < count; i++) EACH_BESIDE(v, c, columns)
    {
        const realv deviation = LOAD(x + i * pitch + c + v * VEC) - m[v].mean;
        m[v].squares += deviation * deviation;
    }
    UNROLL for (int v = 0; v < BESIDE; v++) sum[v] = merge(sum[v], m[v]);
}

/* What the items of a column have, merged for the first of them. */
static inline moments merge_rows(const moments own, const int across, const int down, local moments *tree)
{
    const int item = (int)get_local_id(0);
    if (down == 1) return own;
    tree[item] = own;
    for (int reach = down / 2; reach > 0; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item / across < reach) {
            const moments below = tree[item + reach * across];
            if (below.count > 0) tree[item] = merge(tree[item], below);
        }
    }
    const moments whole = tree[item];
    barrier(CLK_LOCAL_MEM_FENCE); /* the tree may be used again */
    return whole;
}

#endif
