/* Optimisers, and what else goes over all parameters or their gradients. */
#ifndef CLT_OPS_UPDATE_H
#define CLT_OPS_UPDATE_H

#include "engine/op.h"

enum { CLT__MAX_STATES = 2 };

/* What an optimiser keeps for each parameter. Zero before the first step. */
typedef struct clt__state_row {
    const char *name; /* in checkpoints: PyTorch's, but for sgd's velocity */
    bool square;      /* it is never negative */
} clt__state_row;

/* The op's operands: weights, gradient, the states, hyper, scale (may be absent), decays (may be absent). Where
 * `trusts` it writes a direction, its last operand, in place of the weights. */
typedef struct clt__optimizer_row {
    const char *name;
    const char *help;
    const clt__op_row *op;
    clt__state_row state[CLT__MAX_STATES + 1]; /* ends with a NULL name */
    bool corrects_bias;                        /* HYPER_STEP and HYPER_ROOT change with the number of the step */
    bool trusts; /* each tensor moves along the direction by its trust ratio: trust_ratio and trust_step follow */
    double eps;  /* by default; 0 where it has none */
} clt__optimizer_row;

extern const clt__optimizer_row *const clt__optimizer_rows[]; /* ends with NULL */

extern const clt__op_row clt__accumulate_op, clt__gradient_norm_op, clt__trust_ratio_op, clt__trust_step_op,
    clt__ema_op;

#endif
