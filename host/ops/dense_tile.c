/* Launch rules of the dense layer's tile schedule (kernels/dense_tile.cl). Where local memory does not hold even the
 * smallest group tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/dense.h"
#include "ops/launch.h"

/* False where no tile fits. */
static bool launch_product(const dense_sizes *z, const char *kernel, int activation, int rows, int outputs,
                           const clt__limits *limits, clt__launches *to)
{
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, rows, outputs, 1, &tile)) return false;
    clt__launch_product(&tile, "dense_tile.cl", kernel, activation, rows, outputs, 1, to);
    to->flops = 2.0 * z->n * z->i * z->o;
    return true;
}

void clt__dense_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    if (!launch_product(z, "dense_forward_tile", z->activation, z->n, z->o, limits, to))
        clt__dense_forward_vector(sizes, limits, to);
}

void clt__dense_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    if (!launch_product(z, "dense_input_gradient_tile", z->activation, z->n, z->i, limits, to))
        clt__dense_input_gradient_vector(sizes, limits, to);
}

void clt__dense_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    if (!launch_product(z, "dense_weight_gradient_tile", CLT__NO_ACTIVATION, z->i + z->bias, z->o, limits, to))
        clt__dense_weight_gradient_vector(sizes, limits, to);
}
