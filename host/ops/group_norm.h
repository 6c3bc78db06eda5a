/* The ops of layer and group normalisation. Formulas: kernels/group_norm.cl. */
#ifndef CLT_OPS_GROUP_NORM_H
#define CLT_OPS_GROUP_NORM_H

#include "ops/normalization.h"

enum { GROUP_NORM_STATISTICS_X, GROUP_NORM_STATISTICS_MEAN, GROUP_NORM_STATISTICS_INVERSE };
/* input_sums ends with the tilt. */
enum {
    GROUP_NORM_GRADIENT_WEIGHT = NORM_OWN,
    GROUP_NORM_GRADIENT_SHIFT,
    GROUP_NORM_GRADIENT_TILT,
    GROUP_NORM_GRADIENT_DX
};

/* forward: NORMALIZE_X and so on; gradients: NORM_DY and so on. Weight and bias may be absent. */
extern const clt__op_row clt__group_norm_statistics_op, clt__group_norm_forward_op, clt__group_norm_gradients_op,
    clt__group_norm_input_sums_op, clt__group_norm_input_gradient_op;

#endif
