/* The ops of layer and group normalisation. Formulas: kernels/group_norm.cl. */
#ifndef CLT_OPS_GROUP_NORM_H
#define CLT_OPS_GROUP_NORM_H

#include "engine/op.h"

extern const clt__op_row clt__group_norm_statistics_op, clt__group_norm_forward_op, clt__group_norm_gradients_op,
    clt__group_norm_input_sums_op, clt__group_norm_input_gradient_op;

#endif
