/* lrn_forward(x -> base, y) and lrn_gradient(dy, x, base, y -> dx) */
#ifndef CLT_OPS_LRN_H
#define CLT_OPS_LRN_H

#include "engine/op.h"

enum { LRN_X, LRN_BASE, LRN_Y };
enum { LRN_GRADIENT_DY, LRN_GRADIENT_X, LRN_GRADIENT_BASE, LRN_GRADIENT_Y, LRN_GRADIENT_DX };

extern const clt__op_row clt__lrn_forward_op, clt__lrn_gradient_op;

#endif
