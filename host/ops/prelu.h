/* prelu_forward(x, slope -> y) and prelu_gradient(dy, x, slope -> dx) */
#ifndef CLT_OPS_PRELU_H
#define CLT_OPS_PRELU_H

#include "engine/op.h"

extern const clt__op_row clt__prelu_forward_op, clt__prelu_gradient_op;

#endif
