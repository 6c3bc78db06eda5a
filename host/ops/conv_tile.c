/* Launch rules of convolution's tile schedule (kernels/conv_tile.cl). Where local memory does not hold even the
 * smallest group tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/launch.h"
#include "ops/pool.h"

/* `count`: elements that the op writes. */
static void launch_product(conv_sizes *z, const clt__tiling *tiling, const char *kernel, const char *adding, int count,
                           int activation, const clt__product *product, const clt__limits *limits, clt__launches *to)
{
    clt__launch_product(limits, tiling, "conv_tile.cl", kernel, adding, count, activation, product, to);
    z->slices = tiling->slices;
    to->flops = clt__conv_flops(z);
}

static clt__product forward_product(const conv_sizes *z)
{
    return (clt__product){.rows = z->n * z->y * z->x,
                          .outputs = z->k,
                          .products = 1,
                          .depth = z->r * z->s * z->c,
                          .a_row = z->c,
                          .b_row = z->k};
}

void clt__conv_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    const clt__product product = forward_product(z);
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling))
        clt__conv_forward_vector(sizes, limits, to);
    else if (!clt__launch_winograd_tile(z, false, &tiling, limits, to))
        launch_product(z, &tiling, "conv_forward_tile", "conv_forward_add", product.rows * z->k, z->activation,
                       &product, limits, to);
}

/* Of the most that a phase may be: some have a pixel, or a filter position, less. */
static clt__product input_gradient_product(const conv_sizes *z)
{
    return (clt__product){.rows = z->n * clt__divide_up(z->h, z->stride_y) * clt__divide_up(z->w, z->stride_x),
                          .outputs = z->c,
                          .products = z->stride_y * z->stride_x,
                          .depth = clt__divide_up(z->r, z->stride_y) * clt__divide_up(z->s, z->stride_x) * z->k,
                          .a_row = z->k,
                          .b_row = z->k,
                          .together = true};
}

static void launch_input_gradient(conv_sizes *z, const clt__tiling *tiling, const clt__product *product, int activation,
                                  const clt__limits *limits, clt__launches *to)
{
    launch_product(z, tiling, "conv_input_gradient_tile", "conv_input_gradient_add", z->n * z->h * z->w * z->c,
                   activation, product, limits, to);
}

void clt__conv_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    const clt__product product = input_gradient_product(z);
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling))
        clt__conv_input_gradient_vector(sizes, limits, to);
    else if (!clt__launch_winograd_tile(z, true, &tiling, limits, to))
        launch_input_gradient(z, &tiling, &product, z->activation, limits, to);
}

void clt__conv_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    const int rows = z->r * z->s * z->c + z->bias, pixels = z->n * z->y * z->x;
    const clt__product product = {
        .rows = rows, .outputs = z->k, .products = 1, .depth = pixels, .a_row = z->c, .b_row = z->k};
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling))
        clt__conv_weight_gradient_vector(sizes, limits, to);
    else if (!clt__launch_winograd_weight_gradient_tile(z, &tiling, limits, to))
        launch_product(z, &tiling, "conv_weight_gradient_tile", "conv_weight_gradient_add", rows * z->k,
                       CLT__NO_ACTIVATION, &product, limits, to);
}

/* ---- with the pool that follows (kernels/product_pool.h), where both are the formula's product */

/* A work-group has all pixels of its windows, and their whole sums. */
static bool launch_forward_merged(CLT__UNUSED const clt__op *op, CLT__UNUSED int count, clt__sizes *sizes,
                                  const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = (conv_sizes *)sizes[0].number;
    const pool_sizes *pool = (const pool_sizes *)sizes[1].number;
    const clt__product product = forward_product(z);
    clt__tiling tiling;
    /* Where Winograd would do it, which fills *to, its kernels are better alone: *to is then found anew. */
    if (!clt__tiling_for(limits, &product, &tiling) || tiling.slices > 1 ||
        clt__group_tile_rows(&tiling.tile) % (pool->r * pool->s) > 0 ||
        clt__launch_winograd_tile(z, false, &tiling, limits, to))
        return false;
    to->op = "conv_forward_pool";
    launch_product(z, &tiling, "conv_forward_tile", NULL, 0, z->activation, &product, limits, to);
    return true;
}

static bool launch_input_gradient_merged(CLT__UNUSED const clt__op *op, CLT__UNUSED int count, clt__sizes *sizes,
                                         const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = (conv_sizes *)sizes[0].number;
    const pool_sizes *pool = (const pool_sizes *)sizes[1].number;
    const clt__product product = input_gradient_product(z);
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling) || clt__launch_winograd_tile(z, true, &tiling, limits, to))
        return false;
    to->op = "conv_input_gradient_pool";
    launch_input_gradient(z, &tiling, &product, pool->activation, limits, to);
    return true;
}

const clt__merging clt__conv_forward_merging = {clt__count_with_pool, launch_forward_merged};
const clt__merging clt__conv_input_gradient_merging = {clt__count_with_pool_gradient, launch_input_gradient_merged};
