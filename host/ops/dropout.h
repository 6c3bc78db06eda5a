/* dropout(x, step -> y) */
#ifndef CLT_OPS_DROPOUT_H
#define CLT_OPS_DROPOUT_H

#include "engine/op.h"

extern const clt__op_row clt__dropout_op;

#endif
