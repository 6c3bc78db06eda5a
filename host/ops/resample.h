/* Zero padding and upsampling: x -> y, and dy -> dx. */
#ifndef CLT_OPS_RESAMPLE_H
#define CLT_OPS_RESAMPLE_H

#include "engine/op.h"

enum { RESAMPLE_FROM, RESAMPLE_TO };

extern const clt__op_row clt__resample_forward_op, clt__resample_gradient_op;

#endif
