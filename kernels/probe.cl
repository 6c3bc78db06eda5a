/* What drivers have been seen to break, each checked by every item of one work-group: ok[check * items + item] becomes 1. What is
 * read, in[PROBE_INPUTS], is the host's (device/probe.c), so that no compiler knows it. */
#include "params.h"
#include "real.h"

kernel void probe(const int loops, global const real *restrict in, global const real *restrict absent,
                  global real *restrict scratch, global int *restrict ok)
{
    local real tile[PROBE_ITEMS];
    const int item = (int)get_local_id(0), items = (int)get_local_size(0), opposite = items - 1 - item;

    ok[PROBE_NULL * items + item] = absent ? 0 : 1;

    tile[item] = in[PROBE_ONE] + item;
    barrier(CLK_LOCAL_MEM_FENCE);
    ok[PROBE_LOCAL * items + item] = tile[opposite] == in[PROBE_ONE] + opposite;

    /* 1 + 2 + ... + items, by a tree. */
    for (int reach = items / 2; reach > 0; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < reach) tile[item] += tile[item + reach];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    ok[PROBE_BARRIERS * items + item] = tile[0] == (real)(items * (items + 1) / 2);

    /* Vectors from and to places that are no multiple of them; what lies before and behind stays. */
    global real *own = scratch + PROBE_STRIDE * item;
    vstore4(vload4(0, in + PROBE_ROW + 1) * in[PROBE_TWO], 0, own + 3);
    int right = own[2] == 0 && own[7] == 0;
    for (int i = 0; i < 4; i++) right &= own[3 + i] == in[PROBE_ROW + 1 + i] * in[PROBE_TWO];
    ok[PROBE_VECTORS * items + item] = right;

    /* Rounded once: the product and -1 nearly cancel. */
    ok[PROBE_FMA * items + item] = fma(in[PROBE_ABOVE], in[PROBE_BELOW], -in[PROBE_ONE]) == in[PROBE_REST];

    /* A subnormal number, or 0 where they are flushed. */
    const real tiny = in[PROBE_SMALLEST] / in[PROBE_TWO];
    ok[PROBE_SUBNORMAL * items + item] = tiny == 0 || tiny * in[PROBE_TWO] == in[PROBE_SMALLEST];

    real sum = 0;
    for (int i = 0; i < loops; i++) sum += in[PROBE_ONES + i % PROBE_ITEMS];
    ok[PROBE_LOOPS * items + item] = sum == (real)loops;
}
