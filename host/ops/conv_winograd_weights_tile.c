/* Launch rule of the weight gradient by Winograd tiles under the tile schedule
 * (kernels/conv_winograd_weights_tile.cl). */
#include "ops/activation.h"
#include "ops/conv.h"
#include "ops/conv_winograd.h"
#include "ops/launch.h"

/* One position's product of inputs and gradients, a term for each tile; the bias's is one of them. */
static clt__product product_of(const conv_sizes *z, const clt__correlation *q, int out)
{
    return (clt__product){.rows = q->c,
                          .outputs = q->k,
                          .products = clt__winograd_positions(out) + z->bias,
                          .depth = (int)clt__winograd_tiles(q, out),
                          .a_row = q->c,
                          .b_row = q->k};
}

static clt__planes planes_of(const conv_sizes *z, const clt__correlation *q, int out, int slices)
{
    const uint64_t positions = (uint64_t)clt__winograd_positions(out), tiles = (uint64_t)clt__winograd_tiles(q, out),
                   bias = (uint64_t)z->bias, in = (uint64_t)q->c, outputs = (uint64_t)q->k;
    return (clt__planes){.inputs = positions * tiles * in,
                         .others = (positions + bias) * tiles * outputs,
                         .products = (uint64_t)slices * (positions * in + bias) * outputs};
}

/* Of a group's local memory: three rows of a filter for each pair of channels, which columns of positions become. */
static uint64_t rows_reals(int pairs, int side)
{
    return 3 * (uint64_t)side * (uint64_t)pairs;
}

/* Pairs of channels whose sums a work-group adds up, with an item for each and each column of positions: few enough
 * that each compute unit has a group, if groups are whole waves even so. */
static int pairs_of_group(int pairs, int side, const clt__limits *limits)
{
    enum { MOST_PAIRS = 32 };
    const int multiple = limits->preferred_multiple > 0 ? limits->preferred_multiple : 1;
    int own = MOST_PAIRS;
    while (own > 1 && (own * side > limits->work_group_items ||
                       rows_reals(own, side) * (uint64_t)limits->real_bytes > limits->local_bytes))
        own /= 2;
    while (own > 1 && own / 2 * side % multiple == 0 && clt__divide_up(pairs, own) < limits->compute_units) own /= 2;
    return own;
}

static clt__launch sum_launch(int pairs, int side, const clt__limits *limits, clt__launches *to)
{
    const int own = pairs_of_group(pairs, side, limits);
    clt__define(to, " -DPAIRS=%d", own);
    if (to->local_reals < rows_reals(own, side)) to->local_reals = rows_reals(own, side);
    const size_t items = (size_t)own * (size_t)side;
    return (clt__launch){
        "conv_winograd_weight_sum", {(size_t)clt__divide_up(pairs, own) * items, 1, 1}, {items, 1, 1}, true};
}

bool clt__launch_winograd_weight_gradient_tile(conv_sizes *z, const clt__tiling *formula, const clt__limits *limits,
                                               clt__launches *to)
{
    const int side = limits->winograd + 2;
    if (!clt__winograd_fits(z, limits) || side > limits->work_group_items ||
        rows_reals(1, side) * (uint64_t)limits->real_bytes > limits->local_bytes)
        return false;
    const clt__correlation q = clt__correlation_of(z, false);
    if (!clt__winograd_items_fit(&q, limits->winograd)) return false;
    const clt__product product = product_of(z, &q, limits->winograd);
    clt__tiling tiling;
    if (!clt__tiling_for(limits, &product, &tiling)) return false;
    const clt__planes p = planes_of(z, &q, limits->winograd, tiling.slices);
    /* Of x and dy, which are read alone, a tile has 16 numbers where V and W have 36. */
    if (!clt__planes_pay(&p, (p.inputs + p.others) / 4, &tiling, formula, limits)) return false;
    z->winograd = limits->winograd;
    z->slices = tiling.slices;
    clt__define(to, " -DWINOGRAD=%d%s", z->winograd, z->slices > 1 ? " -DSLICED" : "");
    to->launch[CLT__PLANES_INPUT] =
        clt__flat_launch("conv_winograd_weight_input_planes", limits, product.depth * q.c, false);
    to->launch[CLT__PLANES_OTHER] =
        clt__flat_launch("conv_winograd_weight_gradient_planes", limits, product.depth * q.k, false);
    to->count = CLT__PLANES_PRODUCT;
    clt__launch_product(limits, &tiling, "conv_winograd_weights_tile.cl", "conv_winograd_weight_product_tile", NULL, 0,
                        CLT__NO_ACTIVATION, &product, to);
    to->launch[CLT__PLANES_BACK] = sum_launch((q.c + z->bias) * q.k, side, limits, to);
    clt__account_planes(&p, clt__conv_flops(z), to);
    return true;
}
