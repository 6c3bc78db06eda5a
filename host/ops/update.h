/* Optimisers, and what else goes over all parameters or their gradients. */
#ifndef CLT_OPS_UPDATE_H
#define CLT_OPS_UPDATE_H

#include "engine/op.h"
#include "engine/tape.h"
#include "ops/bounds.h"

enum { CLT__MAX_STATES = 2, CLT__MAX_OPTIMIZERS = 8 };

/* What an optimiser keeps for each parameter. Zero before the first step. */
typedef struct clt__state_row {
    const char *name; /* in checkpoints: PyTorch's, but for sgd's velocity */
    bool square;      /* it is never negative */
} clt__state_row;

enum {
    UPDATE_WEIGHTS,
    UPDATE_GRADIENT,
    UPDATE_HYPER,
    UPDATE_SCALE,  /* may be absent */
    UPDATE_DECAYS, /* may be absent, as the next two */
    UPDATE_RATES,
    UPDATE_TAKERS,
    UPDATE_STATE, /* the first */
    UPDATE_DIRECTION = UPDATE_STATE + CLT__MAX_STATES
};
enum { TRUST_RATIO_WEIGHTS, TRUST_RATIO_DIRECTION, TRUST_RATIO_SEGMENTS, TRUST_RATIO_TRUST };
enum {
    TRUST_STEP_WEIGHTS,
    TRUST_STEP_DIRECTION,
    TRUST_STEP_OWNERS,
    TRUST_STEP_TRUST,
    TRUST_STEP_HYPER,
    TRUST_STEP_RATES
};
enum { EMA_AVERAGES, EMA_WEIGHTS, EMA_HYPER };
enum { ACCUMULATE_GRADIENT, ACCUMULATE_STEP, ACCUMULATE_SUM };
enum { RESTORE_BEFORE, RESTORE_STEP, RESTORE_RUNNING };
enum { SETTLE_SUM, SETTLE_STEP, SETTLE_RUNNING, SETTLE_BEFORE };
enum { UNSCALE_GRADIENT, UNSCALE_SCALE, UNSCALE_OVERFLOWN };
enum { GRADIENT_NORM_GRADIENT, GRADIENT_NORM_HYPER, GRADIENT_NORM_SCALE };
enum { MEASURED_NORM_GRADIENT, MEASURED_NORM_STEP, MEASURED_NORM_NORMS };

/* The op's operands: UPDATE_WEIGHTS and so on. Where `trusts` it has two states and writes a direction in place of the
 * weights. */
typedef struct clt__optimizer_row {
    const char *name;
    const char *help;
    const clt__op_row *op;
    clt__state_row state[CLT__MAX_STATES + 1]; /* ends with a NULL name */
    bool corrects_bias;                        /* HYPER_STEP and HYPER_ROOT change with the number of the step */
    bool orthogonalizes; /* of one state: matrices move along what ops/muon.h makes of the direction that it writes */
    bool trusts; /* each tensor moves along the direction by its trust ratio: trust_ratio and trust_step follow */
    double eps;  /* by default; 0 where it has none */
} clt__optimizer_row;

extern const clt__optimizer_row *const clt__optimizer_rows[]; /* ends with NULL */

/* The row of an optimiser; NULL where there is none. */
const clt__optimizer_row *clt__find_optimizer(const char *name);

/* The optimiser of a parameter that PyTorch would show with so many dimensions: what "PATTERN=NAME,..." says of it,
 * which may be NULL, else that of all; muon's are of themselves the filters alone, sgd takes what it leaves. */
const clt__optimizer_row *clt__choose_optimizer(const clt__optimizer_row *all, const char *named, const char *parameter,
                                                int dimensions);

/* Twins: what parameter i has of a rate, or of what is in proportion to one; rates may be NULL. */
clt__near clt__rated(const double *rates, clt__near x, int i);
/* |x|, the root of a sum of squares. */
clt__near clt__norm_of(const double *x, int count, double roundoff);
/* |w| / |d|, 1 where either is 0. */
clt__near clt__norm_ratio(clt__near w, clt__near d, double roundoff);

/* Launches of two kernels, for the sums of squares of two arrays' parts, tensor by tensor, and what is made of them.
 * Gives the number of parts. */
int clt__launch_square_parts(const char *file, const char *parts_kernel, const char *sum_kernel, int tensors,
                             const clt__limits *limits, clt__launches *to);

extern const clt__op_row clt__accumulate_op, clt__restore_op, clt__settle_op, clt__unscale_op, clt__gradient_norm_op,
    clt__measured_norm_op, clt__trust_ratio_op, clt__trust_step_op, clt__ema_op;

#endif
