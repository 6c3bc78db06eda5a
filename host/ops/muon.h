/* What follows muon's momentum: its direction, matrix by matrix, becomes orthogonal. Formulas: kernels/muon.cl. */
#ifndef CLT_OPS_MUON_H
#define CLT_OPS_MUON_H

#include "engine/op.h"

enum { MUON_NORMS_WEIGHTS, MUON_NORMS_DIRECTION, MUON_NORMS_MATRICES, MUON_NORMS_NORMS };
enum { MUON_BEGIN_DIRECTION, MUON_BEGIN_NORMS, MUON_BEGIN_MATRICES, MUON_BEGIN_X };
enum { MUON_GRAM_X, MUON_GRAM_MATRICES, MUON_GRAM_GRAM };
enum { MUON_SQUARE_GRAM, MUON_SQUARE_MATRICES, MUON_SQUARE_SQUARE };
enum { MUON_APPLY_X, MUON_APPLY_SQUARE, MUON_APPLY_MATRICES, MUON_APPLY_Y };
enum {
    MUON_STEP_WEIGHTS,
    MUON_STEP_X,
    MUON_STEP_NORMS,
    MUON_STEP_MATRICES,
    MUON_STEP_HYPER,
    MUON_STEP_DECAYS, /* may be absent, as the next */
    MUON_STEP_RATES
};

extern const clt__op_row clt__muon_norms_op, clt__muon_begin_op, clt__muon_gram_op, clt__muon_square_op,
    clt__muon_apply_op, clt__muon_step_op;

#endif
