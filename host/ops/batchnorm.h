/* The ops of batch normalisation. Formulas: kernels/batchnorm.cl. */
#ifndef CLT_OPS_BATCHNORM_H
#define CLT_OPS_BATCHNORM_H

#include "ops/normalization.h"

enum {
    BATCHNORM_STATISTICS_X,
    BATCHNORM_STATISTICS_STEP,
    BATCHNORM_STATISTICS_MEAN,
    BATCHNORM_STATISTICS_INVERSE,
    BATCHNORM_STATISTICS_RUNNING_MEAN,
    BATCHNORM_STATISTICS_RUNNING_VAR
};
enum {
    BATCHNORM_GRADIENT_WEIGHT = NORM_OWN,
    BATCHNORM_GRADIENT_DW,
    BATCHNORM_GRADIENT_DB,
    BATCHNORM_GRADIENT_STEP,
    BATCHNORM_GRADIENT_DX
};

/* What twins of statistics write of channel c: of the moments of `count` values. */
void clt__put_statistics(const clt__array *operand, size_t c, const clt__moments *moments, double count,
                         double momentum, double epsilon);

/* forward and inference: NORMALIZE_X and so on, inference with a variance in place of the inverse; gradients:
 * NORM_DY and so on. */
extern const clt__op_row clt__batchnorm_statistics_op, clt__batchnorm_forward_op, clt__batchnorm_inference_op,
    clt__batchnorm_gradients_op, clt__batchnorm_input_gradient_op;

#endif
