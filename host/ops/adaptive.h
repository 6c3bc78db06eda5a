/* Average pooling to a given size: adaptive_forward(x -> y) and adaptive_gradient(dy -> dx). */
#ifndef CLT_OPS_ADAPTIVE_H
#define CLT_OPS_ADAPTIVE_H

#include "engine/op.h"

enum { ADAPTIVE_FROM, ADAPTIVE_TO };

extern const clt__op_row clt__adaptive_forward_op, clt__adaptive_gradient_op;

#endif
