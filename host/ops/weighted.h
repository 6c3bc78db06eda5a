/* Ops that multiply by a weight, and may add a bias. */
#ifndef CLT_OPS_WEIGHTED_H
#define CLT_OPS_WEIGHTED_H

#include "engine/op.h"

typedef struct clt__weighted_ops {
    const clt__op_row *forward;         /* (x, w, bias -> y, sums) */
    const clt__op_row *weight_gradient; /* (x, dy -> dw, db) */
    const clt__op_row *input_gradient;  /* (dy, w, x -> dx) */
} clt__weighted_ops;

#endif
