/* Max pooling: pool_forward(x -> y, best) and pool_input_gradient(dy, best, x -> dx), where x may be absent. */
#ifndef CLT_OPS_POOL_H
#define CLT_OPS_POOL_H

#include "engine/op.h"

enum { POOL_X, POOL_Y, POOL_BEST };
enum { POOL_GRADIENT_DY, POOL_GRADIENT_BEST, POOL_GRADIENT_X, POOL_GRADIENT_DX };

extern const clt__op_row clt__pool_forward_op, clt__pool_input_gradient_op;

/* Whether the op after this one, of `left` that there are, is a pool of tensor `made`, or the gradient by a pool's
 * input from that by its output, `made`; and one that may be merged (kernels/product_pool.h): its windows lie side by
 * side and cover the image. */
bool clt__pool_follows(const clt__op *op, size_t left, int made);
bool clt__pool_gradient_follows(const clt__op *op, size_t left, int made);

#endif
