/* Launch rules of the dense layer's vector schedule (kernels/dense.cl). */
#include <stdio.h>

#include "device/tiling.h"
#include "ops/activation.h"
#include "ops/dense.h"

static void define_tile(const dense_sizes *z, const clt__tile *tile, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DROWS=%d -DCOLS=%d -DACTIVATION=%s",
                   tile->vector_width, tile->rows, tile->cols, clt__activation_name(z->activation));
    plan->file = "dense.cl";
    plan->flops = 2.0 * z->n * z->i * z->o;
    plan->launches = 1;
}

clt_status clt__dense_forward_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const dense_sizes *z = sizes;
    const clt__tile tile = clt__tile_for(limits, z->n, z->o);
    define_tile(z, &tile, plan);
    plan->launch[0] = (clt__launch){
        "dense_forward",
        {(size_t)clt__divide_up(z->o, clt__tile_stripe(&tile)), (size_t)clt__divide_up(z->n, tile.rows), 1},
        {1, 1, 1},
        false};
    return CLT_OK;
}

clt_status clt__dense_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                            clt_error *error)
{
    (void)error;
    dense_sizes *z = sizes;
    const clt__tile tile = clt__tile_for(limits, z->n, z->i);
    const int stripe = clt__tile_stripe(&tile);
    const uint64_t fits = limits->local_bytes / 2 / ((uint64_t)stripe * (uint64_t)limits->real_bytes);
    define_tile(z, &tile, plan);
    z->chunk = fits < 1 ? 1 : fits < (uint64_t)z->o ? (int)fits : z->o;
    plan->local_reals = (uint64_t)z->chunk * (uint64_t)stripe;
    plan->launch[0] =
        (clt__launch){"dense_input_gradient", {(size_t)clt__divide_up(z->i, stripe), 1, 1}, {1, 1, 1}, true};
    return CLT_OK;
}

clt_status clt__dense_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                             clt_error *error)
{
    (void)error;
    const dense_sizes *z = sizes;
    const clt__tile tile = clt__tile_for(limits, z->i, z->o);
    define_tile(z, &tile, plan);
    plan->launch[0] = (clt__launch){
        "dense_weight_gradient",
        {(size_t)clt__divide_up(z->o, clt__tile_stripe(&tile)), (size_t)clt__divide_up(z->i, tile.rows), 1},
        {1, 1, 1},
        false};
    return CLT_OK;
}
