/* Ops that go channel by channel, for several layers. Formulas: kernels/channel.cl. */
#include "ops/channel.h"

#include "ops/activation.h"
#include "ops/launch.h"
#include "ops/sums.h"

/* ---- reference twins */

/* y = x + b[c] */
static void bias_twin(const void *sizes, const clt__array *operand)
{
    const channel_sizes *z = sizes;
    const double *x = operand[BIAS_X].real, *b = operand[BIAS_B].real;
    for (size_t i = 0; i < (size_t)z->rows * (size_t)z->c; i++)
        clt__put(&operand[BIAS_Y], i, clt__near_add(clt__exactly(x[i]), clt__exactly(b ? b[i % (size_t)z->c] : 0)));
}

CLT__ACTIVATES(static, finish_bias, channel_sizes, BIAS_Y, BIAS_SUMS)

/* sum[c] = sum of dy, of dy x, or of dy min(x, 0) */
static void sum_twin(const void *sizes, const clt__array *operand)
{
    const channel_sizes *z = sizes;
    const double *dy = operand[CHANNEL_SUM_DY].real, *x = operand[CHANNEL_SUM_X].real;
    const size_t values = (size_t)z->rows * (size_t)z->c, sums = z->shared ? 1 : (size_t)z->c;
    const double growth = clt__growth((double)z->rows * (z->shared ? z->c : 1));
    for (size_t c = 0; c < sums; c++) {
        clt__near sum = clt__exactly(0);
        for (size_t i = c; i < values; i += sums)
            clt__near_gather(&sum, x ? dy[i] * (z->negative && x[i] > 0 ? 0 : x[i]) : dy[i], growth);
        clt__put(&operand[CHANNEL_SUM_SUM], c, sum);
    }
}

/* ---- launch rules */

static void bias_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const channel_sizes *z = sizes;
    clt__define_activation(to, z->activation);
    clt__launch_pixels("channel.cl", limits, z->rows, z->c, to);
}

static void sum_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    channel_sizes *z = sizes;
    z->parts = clt__launch_channel_sums("channel.cl", "channel_sum_parts", "channel_sum_add", limits, z->n, z->rows,
                                        z->c, 1, to);
}

const clt__op_row clt__bias_op = {
    .name = "bias",
    .operand = {[BIAS_X] = {"x", CLT__READ},
                [BIAS_B] = {"b", CLT__READ},
                [BIAS_Y] = {"y", CLT__WRITE},
                [BIAS_SUMS] = {"sums", CLT__WRITE}},
    .stored = CLT__STORED(BIAS_X) | CLT__STORED(BIAS_Y) | CLT__STORED(BIAS_SUMS),
    .twin = bias_twin,
    .finish = finish_bias,
    .launch = bias_launch,
};

const clt__op_row clt__channel_sum_op = {
    .name = "channel_sum",
    .operand = {[CHANNEL_SUM_DY] = {"dy", CLT__READ},
                [CHANNEL_SUM_X] = {"x", CLT__READ},
                [CHANNEL_SUM_SUM] = {"sum", CLT__WRITE}},
    .stored = CLT__STORED(CHANNEL_SUM_DY) | CLT__STORED(CHANNEL_SUM_X),
    .twin = sum_twin,
    .launch = sum_launch,
};
