/* softmax_forward(x -> y) and softmax_gradient(dy, y -> dx) */
#ifndef CLT_OPS_SOFTMAX_H
#define CLT_OPS_SOFTMAX_H

#include "engine/op.h"

enum { SOFTMAX_X, SOFTMAX_Y };
enum { SOFTMAX_GRADIENT_DY, SOFTMAX_GRADIENT_Y, SOFTMAX_GRADIENT_DX };

extern const clt__op_row clt__softmax_forward_op, clt__softmax_gradient_op;

#endif
