/* Launch rule of convolution by Winograd tiles under the tile schedule (kernels/conv_winograd_tile.cl). */
#include "ops/conv.h"
#include "ops/conv_winograd.h"
#include "ops/launch.h"

enum { INPUT, FILTERS, PRODUCT, OUTPUT, LAUNCHES };
_Static_assert((int)LAUNCHES <= (int)CLT__MAX_LAUNCHES, "they fit");

/* The transformed planes of all tiles and channels. */
typedef struct planes {
    uint64_t inputs, filters, products; /* reals: V, U and M */
} planes;

static planes planes_of(const clt__correlation *q, int out)
{
    const uint64_t positions = (uint64_t)clt__winograd_positions(out), tiles = (uint64_t)clt__winograd_tiles(q, out);
    return (planes){.inputs = positions * tiles * (uint64_t)q->c,
                    .filters = positions * (uint64_t)q->c * (uint64_t)q->k,
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

/* Of y, which is written alone, a tile has 16 numbers where M has 36. */
static uint64_t passed(const planes *p)
{
    return p->inputs + p->filters + p->products + p->products / 2;
}

bool clt__launch_winograd_tile(conv_sizes *z, bool input_gradient, const clt__tiling *formula,
                               const clt__limits *limits, clt__launches *to)
{
    if (!clt__winograd_fits(z, limits)) return false;
    const clt__correlation q = clt__correlation_of(z, input_gradient);
    const planes p = planes_of(&q, limits->winograd);
    if (!clt__winograd_items_fit(&q, limits->winograd) ||
        !clt__winograd_scratch_fits(p.inputs + p.filters + p.products, limits))
        return false;
    const clt__product product = product_of(&q, limits->winograd);
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling) ||
        !clt__winograd_pays(&tiling, passed(&p), LAUNCHES, formula, limits))
        return false;
    z->winograd = limits->winograd;
    clt__define(to, " -DWINOGRAD=%d", z->winograd);
    to->launch[INPUT] = clt__flat_launch("conv_winograd_input_planes", limits, product.rows * q.c, false);
    to->launch[FILTERS] = clt__flat_launch("conv_winograd_filters_planes", limits, q.c * q.k, false);
    to->count = PRODUCT;
    clt__launch_product(limits, &tiling, "conv_winograd_tile.cl", "conv_winograd_product_tile", NULL, 0, z->activation,
                        &product, to);
    to->launch[OUTPUT] = clt__flat_launch("conv_winograd_output_planes", limits, product.rows * q.k, false);
    to->count = LAUNCHES;
    to->arithmetic = PRODUCT;
    to->moved[INPUT] = p.inputs;
    to->moved[FILTERS] = p.filters;
    to->moved[PRODUCT] = to->scratch_reals = p.inputs + p.filters + p.products;
    to->moved[OUTPUT] = p.products;
    to->flops = clt__conv_flops(z); /* the formula's: what a user asks for */
    return true;
}
