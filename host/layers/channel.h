/* Ops that go channel by channel, for several layers. Formulas: kernels/channel.cl. */
#ifndef CLT_LAYERS_CHANNEL_H
#define CLT_LAYERS_CHANNEL_H

#include "layers/layer.h"

/* bias(x, b -> y, sums): b and sums may be absent. channel_sum(dy, x -> sum): x may be absent. */
extern const clt__op_row clt__bias_op, clt__channel_sum_op;

/* Of a value whose channels have numbers of their own: an image's, or every element of a vector. */
channel_sizes clt__channel_sizes_of(const clt__layer *layer, const clt__value *value);

/* A parameter of one number for each of those channels. */
clt__parameter clt__channel_parameter(const char *name, const clt__value *value, double initial);

#endif
