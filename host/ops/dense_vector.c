/* Launch rules of the dense layer's vector schedule (kernels/dense.cl). */
#include "ops/dense.h"
#include "ops/launch.h"

static void launch_tiles(const dense_sizes *z, const char *kernel, const clt__register_tile *tile, int outputs,
                         int rows, clt__launches *to)
{
    clt__define(to, " -DVEC=%d -DROWS=%d -DCOLS=%d", tile->vector_width, tile->rows, tile->cols);
    clt__define_activation(to, z->activation);
    to->file = "dense.cl";
    to->flops = 2.0 * z->n * z->i * z->o;
    to->launch[0] = (clt__launch){
        kernel,
        {(size_t)clt__divide_up(outputs, clt__register_tile_stripe(tile)), (size_t)clt__divide_up(rows, tile->rows), 1},
        {1, 1, 1},
        false};
    to->count = 1;
}

void clt__dense_forward_vector(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    const clt__register_tile tile = clt__register_tile_for(limits, z->n, z->o);
    launch_tiles(z, "dense_forward", &tile, z->o, z->n, to);
}

void clt__dense_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to)
{
    dense_sizes *z = sizes;
    const clt__register_tile tile = clt__register_tile_for(limits, z->n, z->i);
    const uint64_t stripe = (uint64_t)clt__register_tile_stripe(&tile);
    const uint64_t fits = limits->local_bytes / 2 / (stripe * (uint64_t)limits->real_bytes);
    launch_tiles(z, "dense_input_gradient", &tile, z->i, 1, to);
    z->chunk = fits < 1 ? 1 : fits < (uint64_t)z->o ? (int)fits : z->o;
    to->local_reals = (uint64_t)z->chunk * stripe;
    to->launch[0].takes_local = true;
}

void clt__dense_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dense_sizes *z = sizes;
    const clt__register_tile tile = clt__register_tile_for(limits, z->i, z->o);
    launch_tiles(z, "dense_weight_gradient", &tile, z->o, z->i, to);
}
