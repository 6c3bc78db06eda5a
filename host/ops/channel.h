/* Ops that go channel by channel, for several layers. Formulas: kernels/channel.cl. */
#ifndef CLT_OPS_CHANNEL_H
#define CLT_OPS_CHANNEL_H

#include "engine/op.h"

/* bias(x, b -> y, sums): b and sums may be absent. channel_sum(dy, x -> sum): x may be absent. */
extern const clt__op_row clt__bias_op, clt__channel_sum_op;

#endif
