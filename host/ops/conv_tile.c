/* Launch rules of convolution's tile schedule (kernels/conv_tile.cl). Where local memory does not hold even the
 * smallest group tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/launch.h"

static void launch_product(const conv_sizes *z, const clt__group_tile *tile, const char *kernel, int activation,
                           const clt__product *product, clt__launches *to)
{
    clt__launch_product(tile, "conv_tile.cl", kernel, activation, product, to);
    to->flops = 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c;
}

void clt__conv_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int pixels = z->n * z->y * z->x;
    clt__group_tile tile;
    if (clt__group_tile_for(limits, pixels, z->k, 1, &tile))
        launch_product(z, &tile, "conv_forward_tile", z->activation,
                       &(clt__product){pixels, z->k, 1, .a_row = z->c, .b_row = z->k}, to);
    else
        clt__conv_forward_vector(sizes, limits, to);
}

void clt__conv_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const conv_sizes *z = sizes;
    const int phases = z->stride_y * z->stride_x;
    const int pixels = z->n * clt__divide_up(z->h, z->stride_y) * clt__divide_up(z->w, z->stride_x); /* at most */
    clt__group_tile tile;
    if (clt__group_tile_for(limits, pixels, z->c, phases, &tile))
        launch_product(z, &tile, "conv_input_gradient_tile", z->activation,
                       &(clt__product){pixels, z->c, phases, .a_row = z->k, .b_row = z->k, .together = true}, to);
    else
        clt__conv_input_gradient_vector(sizes, limits, to);
}

/* A slice has at least so many slabs, for its sums cost a pass over memory. */
enum { LEAST_SLABS = 16 };

static void launch_slices(conv_sizes *z, const clt__group_tile *tile, int rows, int most, const clt__limits *limits,
                          clt__launches *to)
{
    const int64_t items = (int64_t)tile->group_m * tile->group_n * clt__divide_up(rows, clt__group_tile_rows(tile)) *
                          clt__divide_up(z->k, clt__group_tile_outputs(tile));
    const int64_t wanted = (clt__busy_items(limits) + items - 1) / items;
    z->slices = wanted < most ? (int)wanted : most;
    launch_product(z, tile, "conv_weight_gradient_tile", CLT__NO_ACTIVATION,
                   &(clt__product){rows, z->k, z->slices, .a_row = z->c, .b_row = z->k}, to);
    to->scratch_reals = (uint64_t)z->slices * (uint64_t)rows * (uint64_t)z->k;
    to->launch[1] = clt__flat_launch("conv_weight_gradient_add", limits, rows * z->k, false);
    to->count = 2;
}

void clt__conv_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    const int rows = z->r * z->s * z->c + z->bias, pixels = z->n * z->y * z->x;
    const int most = clt__divide_up(pixels, LEAST_SLABS * limits->slab);
    clt__group_tile tile;
    if (clt__group_tile_for(limits, rows, z->k, most, &tile))
        launch_slices(z, &tile, rows, most, limits, to);
    else
        clt__conv_weight_gradient_vector(sizes, limits, to);
}
