/* Pixels around an image: pad_forward(x -> y) and pad_gradient(dy -> dx). */
#ifndef CLT_OPS_PAD_H
#define CLT_OPS_PAD_H

#include "engine/op.h"

enum { PAD_FROM, PAD_TO };

/* The pixel that is shown `at` pixels from the first of `size`, -1 where there is none: kernels/border.h. */
int clt__border_source(int mode, int at, int size);

extern const clt__op_row clt__pad_forward_op, clt__pad_gradient_op;

#endif
