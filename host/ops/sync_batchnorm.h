/* The ops of batch normalisation over all shards of a batch. Formulas: kernels/sync_batchnorm.cl. */
#ifndef CLT_OPS_SYNC_BATCHNORM_H
#define CLT_OPS_SYNC_BATCHNORM_H

#include "ops/batchnorm.h"

enum { SYNC_MOMENTS_X, SYNC_MOMENTS_STEP, SYNC_MOMENTS_FOUND };
/* The others are BATCHNORM_STATISTICS_STEP and so on. */
enum { SYNC_STATISTICS_ALL = BATCHNORM_STATISTICS_X };
enum { SYNC_GRADIENTS_ALL, SYNC_GRADIENTS_STEP, SYNC_GRADIENTS_DW, SYNC_GRADIENTS_DB };

extern const clt__op_row clt__sync_batchnorm_moments_op, clt__sync_batchnorm_statistics_op,
    clt__sync_batchnorm_gradients_op;

#endif
