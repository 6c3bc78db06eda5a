/* Launch rules of convolution's tile schedule (kernels/conv_tile.cl). Where local memory does not hold even the
 * smallest tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/launch.h"

static double flops_of(const conv_sizes *z)
{
    return 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c;
}

clt_status clt__conv_forward_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    const conv_sizes *z = sizes;
    const int pixels = z->n * z->y * z->x;
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, pixels, z->k, 1, &tile))
        return clt__conv_forward_vector(sizes, limits, plan, error);
    clt__plan_product(&tile, "conv_tile.cl", "conv_forward_tile", z->activation, pixels, z->k, 1, plan);
    plan->flops = flops_of(z);
    return CLT_OK;
}

clt_status clt__conv_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                         clt_error *error)
{
    const conv_sizes *z = sizes;
    const int phases = z->stride_y * z->stride_x;
    const int pixels = z->n * clt__divide_up(z->h, z->stride_y) * clt__divide_up(z->w, z->stride_x); /* at most */
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, pixels, z->c, phases, &tile))
        return clt__conv_input_gradient_vector(sizes, limits, plan, error);
    clt__plan_product(&tile, "conv_tile.cl", "conv_input_gradient_tile", z->activation, pixels, z->c, phases, plan);
    plan->flops = flops_of(z);
    return CLT_OK;
}

/* A slice has at least so many slabs, for its sums cost a pass over memory. */
enum { LEAST_SLABS = 16 };

clt_status clt__conv_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                          clt_error *error)
{
    conv_sizes *z = sizes;
    const int rows = z->r * z->s * z->c + z->bias, pixels = z->n * z->y * z->x;
    const int most = clt__divide_up(pixels, LEAST_SLABS * limits->slab);
    clt__group_tile tile;
    if (!clt__group_tile_for(limits, rows, z->k, most, &tile))
        return clt__conv_weight_gradient_vector(sizes, limits, plan, error);
    const int64_t items = (int64_t)tile.group_m * tile.group_n * clt__divide_up(rows, clt__group_tile_rows(&tile)) *
                          clt__divide_up(z->k, clt__group_tile_outputs(&tile));
    const int64_t wanted = (clt__busy_items(limits) + items - 1) / items;
    z->slices = wanted < most ? (int)wanted : most;
    clt__plan_product(&tile, "conv_tile.cl", "conv_weight_gradient_tile", CLT__NO_ACTIVATION, rows, z->k, z->slices,
                      plan);
    plan->flops = flops_of(z);
    plan->scratch_reals = (uint64_t)z->slices * (uint64_t)rows * (uint64_t)z->k;
    plan->launch[1] = clt__flat_launch("conv_weight_gradient_add", limits, rows * z->k, false);
    plan->launches = 2;
    return CLT_OK;
}
