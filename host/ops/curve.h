/* Activations whose derivative needs their input: curve_forward(x -> y) and curve_gradient(dy, x -> dx). */
#ifndef CLT_OPS_CURVE_H
#define CLT_OPS_CURVE_H

#include "engine/op.h"

extern const clt__op_row clt__curve_forward_op, clt__curve_gradient_op;

#endif
