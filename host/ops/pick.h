/* Channels in another order, or some of them: pick(x -> y). The gradient is the op with other sizes. */
#ifndef CLT_OPS_PICK_H
#define CLT_OPS_PICK_H

#include "engine/op.h"

enum { PICK_FROM, PICK_TO };

extern const clt__op_row clt__pick_op;

#endif
