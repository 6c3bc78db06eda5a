/* Ops that go channel by channel, for several layers. */
#ifndef CLT_OPS_CHANNEL_H
#define CLT_OPS_CHANNEL_H

#include "engine/op.h"

/* bias(x, b -> y, sums): b and sums may be absent. channel_sum(dy, x -> sum): x may be absent. */
enum { BIAS_X, BIAS_B, BIAS_Y, BIAS_SUMS };
enum { CHANNEL_SUM_DY, CHANNEL_SUM_X, CHANNEL_SUM_SUM };

extern const clt__op_row clt__bias_op, clt__channel_sum_op;

#endif
