/* Launch rules of the dense layer's tile schedule (kernels/dense_tile.cl). Where local memory does not hold even the
 * smallest group tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/dense.h"
#include "ops/launch.h"

/* A product of rows x outputs, what an op writes. False where no tile fits. */
static bool launch_product(dense_sizes *z, const char *kernel, const char *adding, int activation, clt__product product,
                           const clt__limits *limits, clt__launches *to)
{
    clt__tiling tiling;
    product.products = 1;
    if (!clt__tiling_for(limits, &product, &tiling)) return false;
    clt__launch_product(limits, &tiling, "dense_tile.cl", kernel, adding, product.rows * product.outputs, activation,
                        &product, to);
    z->slices = tiling.slices;
    to->flops = 2.0 * z->n * z->i * z->o;
    return true;
}

void clt__dense_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    dense_sizes *z = sizes;
    const clt__product product = {.rows = z->n, .outputs = z->o, .depth = z->i, .a_row = z->i, .b_row = z->o};
    if (!launch_product(z, "dense_forward_tile", "dense_forward_add", z->activation, product, limits, to))
        clt__dense_forward_vector(sizes, limits, to);
}

void clt__dense_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    dense_sizes *z = sizes;
    const clt__product product = {.rows = z->n, .outputs = z->i, .depth = z->o, .a_row = z->o, .b_row = z->o};
    if (!launch_product(z, "dense_input_gradient_tile", "dense_input_gradient_add", z->activation, product, limits, to))
        clt__dense_input_gradient_vector(sizes, limits, to);
}

void clt__dense_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    dense_sizes *z = sizes;
    const clt__product product = {.rows = z->i + z->bias, .outputs = z->o, .depth = z->n, .a_row = z->i, .b_row = z->o};
    if (!launch_product(z, "dense_weight_gradient_tile", "dense_weight_gradient_add", CLT__NO_ACTIVATION, product,
                        limits, to))
        clt__dense_weight_gradient_vector(sizes, limits, to);
}
