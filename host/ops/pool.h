/* Max pooling: pool_forward(x -> y, best) and pool_input_gradient(dy, best, x -> dx). */
#ifndef CLT_OPS_POOL_H
#define CLT_OPS_POOL_H

#include "engine/op.h"

extern const clt__op_row clt__pool_forward_op, clt__pool_input_gradient_op;

#endif
