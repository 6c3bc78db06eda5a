/* What a device can do at most, for `cltrain bench` to compare ops with. */
#include "params.h"
#include "real.h"

enum { CHAINS = 16 }; /* independent sums: enough to hide a multiply-add's latency */

/* Each work-item: steps * CHAINS * VEC multiply-adds that depend on nothing but themselves. */
kernel void peak_arithmetic(const int steps, global real *restrict out)
{
    realv sum[CHAINS];
    const realv a = (realv)(real)0.999, b = (realv)(real)0.001;
    UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = (realv)(real)i;
    for (int step = 0; step < steps; step++) UNROLL for (int i = 0; i < CHAINS; i++) sum[i] = fma(sum[i], a, b);
    realv all = sum[0];
    UNROLL for (int i = 1; i < CHAINS; i++) all += sum[i];
    STORE(all, out + get_global_id(0) * VEC);
}

/* Each work-item copies `count` vectors that follow one another. */
kernel void peak_copy(const int count, global const real *restrict from, global real *restrict to)
{
    const size_t first = get_global_id(0) * count * VEC;
    for (int i = 0; i < count; i++) STORE(LOAD(from + first + i * VEC), to + first + i * VEC);
}
