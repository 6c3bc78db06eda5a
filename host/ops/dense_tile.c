/* Launch rules of the dense layer's tile schedule (kernels/dense_tile.cl). Where local memory does not hold even the
 * smallest tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/dense.h"
#include "ops/launch.h"

static double flops_of(const dense_sizes *z)
{
    return 2.0 * z->n * z->i * z->o;
}

clt_status clt__dense_forward_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    const dense_sizes *z = sizes;
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, z->n, z->o, 1, &tile))
        return clt__dense_forward_vector(sizes, limits, plan, error);
    clt__plan_product(&tile, "dense_tile.cl", "dense_forward_tile", z->activation, z->n, z->o, 1, plan);
    plan->flops = flops_of(z);
    return CLT_OK;
}

clt_status clt__dense_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                          clt_error *error)
{
    const dense_sizes *z = sizes;
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, z->n, z->i, 1, &tile))
        return clt__dense_input_gradient_vector(sizes, limits, plan, error);
    clt__plan_product(&tile, "dense_tile.cl", "dense_input_gradient_tile", z->activation, z->n, z->i, 1, plan);
    plan->flops = flops_of(z);
    return CLT_OK;
}

clt_status clt__dense_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                           clt_error *error)
{
    const dense_sizes *z = sizes;
    const int rows = z->i + z->bias;
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, rows, z->o, 1, &tile))
        return clt__dense_weight_gradient_vector(sizes, limits, plan, error);
    clt__plan_product(&tile, "dense_tile.cl", "dense_weight_gradient_tile", CLT__NO_ACTIVATION, rows, z->o, 1, plan);
    plan->flops = flops_of(z);
    return CLT_OK;
}
