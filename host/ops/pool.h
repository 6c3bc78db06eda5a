/* Max pooling: pool_forward(x -> y, best) and pool_input_gradient(dy, best, x -> dx), where x may be absent. */
#ifndef CLT_OPS_POOL_H
#define CLT_OPS_POOL_H

#include "engine/op.h"

enum { POOL_X, POOL_Y, POOL_BEST };
enum { POOL_GRADIENT_DY, POOL_GRADIENT_BEST, POOL_GRADIENT_X, POOL_GRADIENT_DX };

extern const clt__op_row clt__pool_forward_op, clt__pool_input_gradient_op;

/* For clt__merging: 2 where a forward op of a weight is followed by a pool of what it makes, or its input gradient by
 * that of such a pool, whose windows lie side by side and cover the image (kernels/product_pool.h). */
int clt__count_with_pool(const clt__op *op, size_t left);
int clt__count_with_pool_gradient(const clt__op *op, size_t left);

#endif
