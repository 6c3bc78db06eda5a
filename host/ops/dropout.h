/* dropout(x, step -> y) */
#ifndef CLT_OPS_DROPOUT_H
#define CLT_OPS_DROPOUT_H

#include "engine/op.h"

enum { DROPOUT_X, DROPOUT_STEP, DROPOUT_Y };

extern const clt__op_row clt__dropout_op;

#endif
