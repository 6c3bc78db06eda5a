/* Average pooling: average_forward(x -> y) and average_gradient(dy -> dx). */
#ifndef CLT_OPS_AVERAGE_H
#define CLT_OPS_AVERAGE_H

#include "engine/op.h"

enum { AVERAGE_FROM, AVERAGE_TO };

extern const clt__op_row clt__average_forward_op, clt__average_gradient_op;

#endif
