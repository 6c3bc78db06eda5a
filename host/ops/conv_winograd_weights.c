/* Launch rule of the weight gradient by Winograd tiles under the vector schedule (kernels/conv_winograd_weights.cl). */
#include "ops/conv.h"
#include "ops/conv_winograd.h"
#include "ops/launch.h"

/* A work-item's share: some channels in and out, whose sums a core's cache keeps, of a slice of all tiles. */
typedef struct layout {
    int out;                   /* gradients on a side of a tile */
    int in, wide;              /* channels of a block: rows and outputs of whole register tiles */
    int blocks_in, blocks_out; /* of all channels */
    int tiles;                 /* whose planes are in local memory at a time */
    int slices;
    clt__register_tile tile; /* input channels x output channels */
} layout;

static uint64_t layout_reals(const layout *l)
{
    return (uint64_t)clt__winograd_positions(l->out) * (clt__winograd_plane(l->tiles, l->in, l->tile.vector_width) +
                                                        clt__winograd_plane(l->tiles, l->wide, l->tile.vector_width));
}

static bool fits(const layout *l, uint64_t bytes, const clt__limits *limits)
{
    return layout_reals(l) <= bytes / (uint64_t)limits->real_bytes;
}

/* As many of a slice's tiles at a time, up to `most_tiles`, as local memory and so many patches of a core's cache have
 * room for. */
static void take_tiles(layout *l, int all, int most_tiles, uint64_t patches, const clt__limits *limits)
{
    const uint64_t cached = patches * (uint64_t)limits->patch_bytes,
                   most = limits->local_bytes < cached ? limits->local_bytes : cached;
    const int share = clt__divide_up(all, l->slices), room = share < most_tiles ? share : most_tiles;
    for (layout next = *l; next.tiles <= room && fits(&next, most, limits); next.tiles++) *l = next;
}

/* Blocks of about so many channels, slices for all compute units, and a few tiles at a time. */
static layout layout_of(const clt__correlation *q, int all, int block, const clt__limits *limits)
{
    enum { LEAST_TILES = 4, SOME_TILES = 16 };
    layout l = {.out = limits->winograd, .tiles = 1};
    const int inputs = clt__divide_up(q->c, clt__divide_up(q->c, block)),
              outputs = clt__divide_up(q->k, clt__divide_up(q->k, block));
    l.tile = clt__register_tile_for(limits, inputs, outputs);
    l.in = clt__round_up(inputs, l.tile.rows);
    l.wide = clt__round_up(outputs, clt__register_tile_stripe(&l.tile));
    l.blocks_in = clt__divide_up(q->c, l.in);
    l.blocks_out = clt__divide_up(q->k, l.wide);
    const int wanted = clt__divide_up(4 * limits->compute_units, l.blocks_in * l.blocks_out);
    const int slices = clt__divide_up(all, LEAST_TILES);
    l.slices = slices < wanted ? slices : wanted;
    take_tiles(&l, all, SOME_TILES, 1, limits);
    return l;
}

/* The formula's multiply-adds of vectors, by Winograd tiles: as many or, for what else is to be done, as long. */
static double winograd_cost(const clt__correlation *q, int all, const layout *l)
{
    static const double plane = 14, /* of a position, for a vector of channels in or out */
        sums = 2,                   /* loading and storing one, for each time that tiles are transformed */
        total = 4;                  /* adding up a slice's */
    const double in = clt__divide_up(q->c, l->tile.vector_width), out = clt__divide_up(q->k, l->tile.vector_width);
    const double pairs = (double)l->blocks_in * l->in * l->blocks_out * l->wide / l->tile.vector_width;
    const double tile = pairs * (1 + sums / l->tiles) + plane * (in * l->blocks_out + out * l->blocks_in);
    return clt__winograd_positions(l->out) * (all * tile + total * l->slices * pairs);
}

/* The blocks that cost the least. */
static layout choose_layout(const clt__correlation *q, int all, const clt__limits *limits)
{
    layout best = layout_of(q, all, 64, limits);
    for (int block = 32; block >= 8; block /= 2) {
        const layout l = layout_of(q, all, block, limits);
        if (!fits(&best, limits->local_bytes, limits) || winograd_cost(q, all, &l) < winograd_cost(q, all, &best))
            best = l;
    }
    return best;
}

bool clt__launch_winograd_weight_gradient(conv_sizes *z, const clt__limits *limits, clt__launches *to)
{
    const clt__correlation q = clt__correlation_of(z, false);
    enum { MOST_TILES = 64, PATCHES = 2 };
    if (!clt__has_winograd_tiles(z, &q, limits)) return false;
    const int all = (int)clt__winograd_tiles(&q, limits->winograd);
    layout l = choose_layout(&q, all, limits);
    if (!fits(&l, limits->local_bytes, limits) || winograd_cost(&q, all, &l) >= clt__formula_cost(&q, &l.tile))
        return false;
    /* More tiles at a time load and store the sums less often, in the same order. They and the block's sums, up to 600
     * KB of floats, are about a second-level cache of 1 MB. */
    take_tiles(&l, all, MOST_TILES, PATCHES, limits);
    const uint64_t sums = (uint64_t)l.blocks_out * (uint64_t)l.wide *
                          ((uint64_t)clt__winograd_positions(l.out) * (uint64_t)l.blocks_in * (uint64_t)l.in + 1);
    z->winograd = l.out;
    z->tiles = l.tiles;
    z->slices = l.slices;
    clt__define(to, " -DVEC=%d -DROWS=%d -DCOLS=%d -DWINOGRAD=%d -DIN=%d -DWIDE=%d", l.tile.vector_width, l.tile.rows,
                l.tile.cols, l.out, l.in, l.wide);
    to->file = "conv_winograd_weights.cl";
    to->flops = clt__conv_flops(z); /* the formula's: what a user asks for */
    to->scratch_reals = (uint64_t)l.slices * sums;
    to->local_reals = layout_reals(&l);
    to->launch[0] = (clt__launch){"conv_winograd_weight_gradient_slices",
                                  {(size_t)l.blocks_out, (size_t)l.blocks_in, (size_t)l.slices},
                                  {1, 1, 1},
                                  true};
    to->launch[1] =
        (clt__launch){"conv_winograd_weight_gradient_sum",
                      {(size_t)clt__divide_up(z->k, l.tile.vector_width), (size_t)(z->c + (z->bias != 0)), 1},
                      {1, 1, 1},
                      false};
    to->count = 2;
    return true;
}
