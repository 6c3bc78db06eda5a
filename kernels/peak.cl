/* What a device can do at most, for `cltrain bench` to compare ops with. */
#include "params.h"
#include "real.h"

enum { CHAINS = 16 }; /* independent sums: enough to hide a multiply-add's latency */

#define EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)

/* Each work-item: steps * CHAINS * VEC multiply-adds that depend on nothing but themselves, nor are the same in two items, so that
 * no compiler finds less to do. The factor is `share` hundredths. The sums have names, for some compilers leave an array of them in
 * memory. */
kernel void peak_arithmetic(const int steps, const int share, global real *restrict out)
{
    const realv a = (realv)((real)share / 100), b = (realv)((real)(100 - share) / 100);
#define BEGIN(i) realv sum##i = (realv)((real)((int)get_global_id(0) + i));
#define STEP(i) sum##i = fma(sum##i, a, b);
#define ADD(i) +sum##i
    EACH_CHAIN(BEGIN)
    for (int step = 0; step < steps; step++) {
        EACH_CHAIN(STEP)
    }
    const realv all = (realv)0 EACH_CHAIN(ADD);
    STORE(all, out + get_global_id(0) * VEC);
}

/* Each work-item copies `count` vectors, every `step`-th from its own first on; neighbours' first ones are `apart`. */
kernel void peak_copy(const int count, const int step, const int apart, global const real *restrict from,
                      global real *restrict to)
{
    const size_t first = get_global_id(0) * apart;
    for (int i = 0; i < count; i++) {
        const size_t at = (first + (size_t)i * step) * VEC;
        STORE(LOAD(from + at), to + at);
    }
}
