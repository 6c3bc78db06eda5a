/* For kernels that add up rows of channels, channel by channel: first over parts of the rows, a work-item each, then
 * over the parts in order. The host's side: clt__launch_channel_sums. */
#ifndef CLT_CHANNEL_PARTS_H
#define CLT_CHANNEL_PARTS_H

#include "params.h"
#include "real.h"

#define PADDED(c) (((c) + VEC - 1) / VEC * VEC)

/* Where part number `part` of `rows` rows begins. */
static inline int part_begin(const int rows, const int part, const int parts)
{
    return (int)((long)rows * part / parts);
}

/* Which vector of channels a work-item sums up, and over which part. Where channels are few, work-items that are spread
 * would leave a dimension of channels half empty. */
#ifdef SPREAD
#define SUMMED_CHANNEL(c) ((int)get_global_id(0) % (c))
#define SUMMED_PART(c) ((int)get_global_id(0) / (c))
#else
#define SUMMED_CHANNEL(c) ((int)get_global_id(0) * VEC)
#define SUMMED_PART(c) ((int)get_global_id(1))
#endif

/* Adds up parts of two sums, which lie in turn in `partial`, for a vector of channels from c on. */
static inline void add_two_sums(global const real *partial, const int parts, const int channels, const int c,
                                global real *first, global real *second)
{
    realv one = (realv)0, other = (realv)0;
    for (int part = 0; part < parts; part++) {
        one += LOAD(partial + 2 * part * PADDED(channels) + c);
        other += LOAD(partial + (2 * part + 1) * PADDED(channels) + c);
    }
    store_lanes(one, channels - c, first + c);
    store_lanes(other, channels - c, second + c);
}

#endif
