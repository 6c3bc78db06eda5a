/* The ops of batch normalisation. Formulas: kernels/batchnorm.cl. */
#ifndef CLT_OPS_BATCHNORM_H
#define CLT_OPS_BATCHNORM_H

#include "engine/op.h"

extern const clt__op_row clt__batchnorm_statistics_op, clt__batchnorm_forward_op, clt__batchnorm_inference_op,
    clt__batchnorm_gradients_op, clt__batchnorm_input_gradient_op;

#endif
