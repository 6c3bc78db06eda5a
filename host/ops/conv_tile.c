/* Launch rules of convolution's tile schedule (kernels/conv_tile.cl). Where local memory does not hold even the
 * smallest group tile, the vector schedule's rules serve. */
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/launch.h"

/* `count`: elements that the op writes. */
static void launch_product(conv_sizes *z, const clt__tiling *tiling, const char *kernel, const char *adding, int count,
                           int activation, const clt__product *product, const clt__limits *limits, clt__launches *to)
{
    clt__launch_product(limits, tiling, "conv_tile.cl", kernel, adding, count, activation, product, to);
    z->slices = tiling->slices;
    to->flops = clt__conv_flops(z);
}

void clt__conv_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    const int pixels = z->n * z->y * z->x, depth = z->r * z->s * z->c;
    const clt__product product = {
        .rows = pixels, .outputs = z->k, .products = 1, .depth = depth, .a_row = z->c, .b_row = z->k};
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling))
        clt__conv_forward_vector(sizes, limits, to);
    else if (!clt__launch_winograd_tile(z, false, &tiling, limits, to))
        launch_product(z, &tiling, "conv_forward_tile", "conv_forward_add", pixels * z->k, z->activation, &product,
                       limits, to);
}

/* Of the most that a phase may be: some have a pixel, or a filter position, less. */
void clt__conv_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    const int pixels = z->n * clt__divide_up(z->h, z->stride_y) * clt__divide_up(z->w, z->stride_x);
    const int depth = clt__divide_up(z->r, z->stride_y) * clt__divide_up(z->s, z->stride_x) * z->k;
    const clt__product product = {.rows = pixels,
                                  .outputs = z->c,
                                  .products = z->stride_y * z->stride_x,
                                  .depth = depth,
                                  .a_row = z->k,
                                  .b_row = z->k,
                                  .together = true};
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling))
        clt__conv_input_gradient_vector(sizes, limits, to);
    else if (!clt__launch_winograd_tile(z, true, &tiling, limits, to))
        launch_product(z, &tiling, "conv_input_gradient_tile", "conv_input_gradient_add", z->n * z->h * z->w * z->c,
                       z->activation, &product, limits, to);
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
    else
        launch_product(z, &tiling, "conv_weight_gradient_tile", "conv_weight_gradient_add", rows * z->k,
                       CLT__NO_ACTIVATION, &product, limits, to);
}
