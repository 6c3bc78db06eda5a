/* Launch rules of the dense layer's tile schedule (kernels/dense_tile.cl). Where local memory does not hold even the
 * smallest group tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/dense.h"
#include "ops/launch.h"

/* False where no tile fits. */
static bool launch_product(const dense_sizes *z, const char *kernel, int activation, const clt__product *product,
                           const clt__limits *limits, clt__launches *to)
{
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, product->rows, product->outputs, 1, &tile)) return false;
    clt__launch_product(&tile, "dense_tile.cl", kernel, activation, product, to);
    to->flops = 2.0 * z->n * z->i * z->o;
    return true;
}

void clt__dense_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    const clt__product product = {z->n, z->o, 1, .a_row = z->i, .b_row = z->o};
    if (!launch_product(z, "dense_forward_tile", z->activation, &product, limits, to))
        clt__dense_forward_vector(sizes, limits, to);
}

void clt__dense_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    const clt__product product = {z->n, z->i, 1, .a_row = z->o, .b_row = z->o};
    if (!launch_product(z, "dense_input_gradient_tile", z->activation, &product, limits, to))
        clt__dense_input_gradient_vector(sizes, limits, to);
}

void clt__dense_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    const clt__product product = {z->i + z->bias, z->o, 1, .a_row = z->i, .b_row = z->o};
    if (!launch_product(z, "dense_weight_gradient_tile", CLT__NO_ACTIVATION, &product, limits, to))
        clt__dense_weight_gradient_vector(sizes, limits, to);
}
