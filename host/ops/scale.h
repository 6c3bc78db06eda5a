/* scale(x, w, b -> y): w and b may be absent */
#ifndef CLT_OPS_SCALE_H
#define CLT_OPS_SCALE_H

#include "engine/op.h"

enum { SCALE_X, SCALE_W, SCALE_B, SCALE_Y };

extern const clt__op_row clt__scale_op;

#endif
