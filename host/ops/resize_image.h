/* Images made another size: x -> y, and dy -> dx. */
#ifndef CLT_OPS_RESIZE_IMAGE_H
#define CLT_OPS_RESIZE_IMAGE_H

#include "engine/op.h"

enum { RESIZE_FROM, RESIZE_TO };

extern const clt__op_row clt__nearest_forward_op, clt__nearest_gradient_op, clt__bilinear_forward_op,
    clt__bilinear_gradient_op, clt__bicubic_forward_op, clt__bicubic_gradient_op;

#endif
