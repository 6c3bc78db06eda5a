/* Average pooling to a given size: adaptive_forward(x -> y) and adaptive_gradient(dy -> dx). */
#ifndef CLT_OPS_ADAPTIVE_H
#define CLT_OPS_ADAPTIVE_H

#include "engine/op.h"

enum { ADAPTIVE_FROM, ADAPTIVE_TO };

/* Part i of `parts` in `size` pixels: its first, and the one behind its last. */
typedef struct clt__part {
    int first, end;
} clt__part;

clt__part clt__part_of(int i, int parts, int size);

extern const clt__op_row clt__adaptive_forward_op, clt__adaptive_gradient_op;

#endif
