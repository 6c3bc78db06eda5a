/* prelu_forward(x, slope -> y) and prelu_gradient(dy, x, slope -> dx) */
#ifndef CLT_OPS_PRELU_H
#define CLT_OPS_PRELU_H

#include "engine/op.h"

enum { PRELU_X, PRELU_SLOPE, PRELU_Y };
enum { PRELU_GRADIENT_DY, PRELU_GRADIENT_X, PRELU_GRADIENT_SLOPE, PRELU_GRADIENT_DX };

extern const clt__op_row clt__prelu_forward_op, clt__prelu_gradient_op;

#endif
