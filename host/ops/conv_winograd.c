/* Launch rules of convolution by Winograd tiles under the vector schedule (kernels/conv_winograd.cl). */
#include "ops/conv_winograd.h"
#include "ops/conv.h"
#include "ops/launch.h"

/* V and M of a work-item. */
static uint64_t local_reals(const clt__correlation *q, int out, int tiles, const clt__register_tile *tile)
{
    return (uint64_t)clt__winograd_positions(out) *
           (clt__winograd_plane(tiles, q->c, tile->vector_width) +
            clt__winograd_plane(tiles, clt__register_tile_stripe(tile), tile->vector_width));
}

/* How a work-item's tiles are laid out. */
typedef struct layout {
    int out;                 /* outputs on a side of a tile */
    int tiles;               /* of a work-item, a multiple of tile.rows */
    int items;               /* work-items */
    clt__register_tile tile; /* register tile: Winograd tiles x output channels */
} layout;

static uint64_t layout_reals(const clt__correlation *q, const layout *l)
{
    return local_reals(q, l->out, l->tiles, &l->tile);
}

/* Enough work-items for all compute units, each with as many tiles as local memory has room for, and as keep V and M in
 * a core's second-level cache: about three times what a patch takes there, for only a part of them is in use at a time.
 */
static layout choose_layout(const clt__correlation *q, int all, const clt__limits *limits)
{
    enum { PATCHES = 3, LEAST_ROWS = 4 };
    const uint64_t cached = PATCHES * (uint64_t)limits->patch_bytes,
                   most = (limits->local_bytes < cached ? limits->local_bytes : cached) / (uint64_t)limits->real_bytes;
    const int share = clt__divide_up(all, 4 * limits->compute_units);
    layout l = {.out = limits->winograd};
    l.tile = clt__register_tile_for(limits, share > LEAST_ROWS ? share : LEAST_ROWS, q->k);
    while (l.tile.rows > LEAST_ROWS && local_reals(q, l.out, l.tile.rows, &l.tile) > most)
        l.tile = clt__register_tile_for(limits, l.tile.rows - 1, q->k);
    l.tiles = l.tile.rows;
    while (l.tiles < share && local_reals(q, l.out, l.tiles + l.tile.rows, &l.tile) <= most) l.tiles += l.tile.rows;
    l.items = clt__divide_up(all, l.tiles);
    return l;
}

/* The formula's (conv_winograd.h), by Winograd tiles: as many or, for transforms and rows of few sums, as long.
 * Work-items that leave compute units idle count too. */
static double winograd_cost(const clt__correlation *q, const layout *l, const clt__limits *limits)
{
    static const double plane = 14, filter = 4; /* of a position, for a vector of channels in or out, or of filters */
    const double units = limits->compute_units, rounds = clt__divide_up(l->items, limits->compute_units);
    const double out = clt__output_vectors(q, &l->tile), in = clt__divide_up(q->c, l->tile.vector_width);
    const double loading = (l->tile.rows + 2.0) / l->tile.rows;
    const double tile = q->c * out * loading + plane * (in + out);
    return clt__winograd_positions(l->out) * (rounds * units * l->tiles * tile + filter * q->c * out);
}

/* The one place that decides between Winograd tiles and the formula itself. */
static bool winograd_pays(const clt__correlation *q, const layout *l, const clt__limits *limits)
{
    return layout_reals(q, l) <= limits->local_bytes / (uint64_t)limits->real_bytes &&
           winograd_cost(q, l, limits) < clt__formula_cost(q, &l->tile);
}

static bool launch_tiles(conv_sizes *z, const clt__correlation *q, const char *kernel, const clt__limits *limits,
                         clt__launches *to)
{
    if (!clt__has_winograd_tiles(z, q, limits)) return false;
    const layout l = choose_layout(q, (int)clt__winograd_tiles(q, limits->winograd), limits);
    if (!winograd_pays(q, &l, limits)) return false;
    const uint64_t stripe = (uint64_t)clt__register_tile_stripe(&l.tile);
    z->winograd = l.out;
    z->tiles = l.tiles;
    clt__define(to, " -DVEC=%d -DROWS=%d -DCOLS=%d -DWINOGRAD=%d", l.tile.vector_width, l.tile.rows, l.tile.cols,
                l.out);
    clt__define_activation(to, z->activation);
    to->file = "conv_winograd.cl";
    to->flops = clt__conv_flops(z); /* the formula's: what a user asks for */
    to->scratch_reals = (uint64_t)clt__winograd_positions(l.out) * (uint64_t)q->c *
                        (uint64_t)clt__divide_up(q->k, (int)stripe) * stripe;
    to->local_reals = layout_reals(q, &l);
    to->launch[0] = (clt__launch){"conv_winograd_filters", {(size_t)q->c, 1, 1}, {1, 1, 1}, false};
    to->launch[1] = (clt__launch){kernel, {(size_t)l.items, 1, 1}, {1, 1, 1}, true};
    to->count = 2;
    return true;
}

bool clt__launch_winograd_forward(conv_sizes *z, const clt__limits *limits, clt__launches *to)
{
    const clt__correlation q = clt__correlation_of(z, false);
    return launch_tiles(z, &q, "conv_winograd_forward", limits, to);
}

bool clt__launch_winograd_input_gradient(conv_sizes *z, const clt__limits *limits, clt__launches *to)
{
    const clt__correlation q = clt__correlation_of(z, true);
    return launch_tiles(z, &q, "conv_winograd_input_gradient", limits, to);
}
