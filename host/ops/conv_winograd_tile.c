/* Launch rule of convolution by Winograd tiles under the tile schedule (kernels/conv_winograd_tile.cl). */
#include "ops/conv.h"
#include "ops/conv_winograd.h"
#include "ops/launch.h"

static clt__planes planes_of(const clt__correlation *q, int out)
{
    const uint64_t positions = (uint64_t)clt__winograd_positions(out), tiles = (uint64_t)clt__winograd_tiles(q, out);
    return (clt__planes){.inputs = positions * tiles * (uint64_t)q->c,
                         .others = positions * (uint64_t)q->c * (uint64_t)q->k,
                         .products = positions * tiles * (uint64_t)q->k};
}

/* One position's product of tiles and filters; all of them are one launch, whose sums are not cut into slices. */
static clt__product product_of(const clt__correlation *q, int out)
{
    return (clt__product){.rows = (int)clt__winograd_tiles(q, out),
                          .outputs = q->k,
                          .products = clt__winograd_positions(out),
                          .depth = q->c,
                          .a_row = q->c,
                          .b_row = q->k,
                          .whole = true};
}

bool clt__launch_winograd_tile(conv_sizes *z, bool input_gradient, const clt__tiling *formula,
                               const clt__limits *limits, clt__launches *to)
{
    if (!clt__winograd_fits(z, limits)) return false;
    const clt__correlation q = clt__correlation_of(z, input_gradient);
    const clt__planes p = planes_of(&q, limits->winograd);
    const uint64_t outputs = p.products / 2; /* of y, which is written alone, a tile has 16 numbers where M has 36 */
    if (!clt__winograd_items_fit(&q, limits->winograd)) return false;
    const clt__product product = product_of(&q, limits->winograd);
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling) || !clt__planes_pay(&p, outputs, &tiling, formula, limits))
        return false;
    z->winograd = limits->winograd;
    clt__define(to, " -DWINOGRAD=%d", z->winograd);
    to->launch[CLT__PLANES_INPUT] = clt__flat_launch("conv_winograd_input_planes", limits, product.rows * q.c, false);
    to->launch[CLT__PLANES_OTHER] = clt__flat_launch("conv_winograd_filters_planes", limits, q.c * q.k, false);
    to->count = CLT__PLANES_PRODUCT;
    clt__launch_product(limits, &tiling, "conv_winograd_tile.cl", "conv_winograd_product_tile", NULL, 0, z->activation,
                        &product, to);
    to->launch[CLT__PLANES_BACK] = clt__flat_launch("conv_winograd_output_planes", limits, product.rows * q.k, false);
    clt__account_planes(&p, clt__conv_flops(z), to);
    return true;
}
