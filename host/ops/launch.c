#include "ops/launch.h"

#include <limits.h>

#include "ops/activation.h"
#include "ops/sums.h"

/* One size for all: compilers make a program of each, and where the count has few divisors a device finds none. GPUs
 * start about a group a clock, so that small ones keep memory waiting. */
enum { FLAT_ITEMS = 64, GPU_FLAT_ITEMS = 256 };

clt__launch clt__flat_launch(const char *kernel, const clt__limits *limits, int count, bool much)
{
    const bool tile = limits->schedule == CLT_SCHEDULE_TILE;
    const int wanted = tile ? GPU_FLAT_ITEMS : FLAT_ITEMS,
              most = limits->work_group_items < wanted ? limits->work_group_items : wanted;
    int items = much && !tile ? 1 : most;
    while (tile && items / 2 >= limits->preferred_multiple && clt__divide_up(count, items) < limits->compute_units)
        items /= 2; /* so that each compute unit has a group */
    return (clt__launch){
        kernel, {(size_t)clt__divide_up(count, items) * (size_t)items, 1, 1}, {(size_t)items, 1, 1}, false};
}

void clt__launch_flat(const char *file, const clt__limits *limits, int count, bool much, clt__launches *to)
{
    to->file = file;
    to->launch[0] = clt__flat_launch(to->op, limits, count, much);
    to->count = 1;
}

int clt__define_width(clt__launches *to, const clt__limits *limits, int row)
{
    enum { GPU_WIDTH = 4 };
    const bool tile = limits->schedule == CLT_SCHEDULE_TILE, wide = tile && row % GPU_WIDTH == 0;
    const int width = wide ? GPU_WIDTH : limits->vector_width;
    clt__define(to, " -DVEC=%d%s", width, wide ? " -DALIGNED" : "");
    return width;
}

void clt__launch_elements(const char *file, const clt__limits *limits, int count, clt__launches *to)
{
    const int width = clt__define_width(to, limits, 0);
    clt__launch_flat(file, limits, clt__divide_up(count, width), false, to);
}

void clt__define_activation(clt__launches *to, int activation)
{
    clt__define(to, " -DACTIVATION=%s", clt__activation_name(activation));
}

bool clt__define_spread(clt__launches *to, const clt__limits *limits)
{
    const bool spread = limits->schedule == CLT_SCHEDULE_TILE;
    if (spread) clt__define(to, " -DSPREAD");
    return spread;
}

void clt__launch_pixel_runs(const char *file, const clt__limits *limits, int n, int h, int w, clt__launches *to)
{
    const bool spread = clt__define_spread(to, limits);
    clt__define(to, " -DVEC=%d", spread ? 1 : limits->vector_width);
    clt__launch_flat(file, limits, spread ? h * w : h, true, to);
    to->launch[0].global[1] = (size_t)n;
}

void clt__launch_pixels(const char *file, const clt__limits *limits, int pixels, int channels, clt__launches *to)
{
    const int width = channels < limits->vector_width ? 1 : limits->vector_width;
    clt__define(to, " -DVEC=%d", width);
    clt__launch_flat(file, limits, pixels * clt__divide_up(channels, width), false, to);
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* For each of `count` products. */
static void define_tile(const clt__group_tile *tile, const clt__product *product, int count, clt__launches *to)
{
    int load_a = INT_MAX, load_b = INT_MAX;
    for (int i = 0; i < count; i++) {
        load_a = smaller(load_a, clt__group_tile_load(tile, clt__group_tile_rows(tile), product[i].a_row));
        load_b = smaller(load_b, clt__group_tile_load(tile, clt__group_tile_outputs(tile), product[i].b_row));
        if (product[i].together) load_a = load_b = smaller(load_a, load_b);
    }
    clt__define(to, " -DGROUP_M=%d -DGROUP_N=%d -DITEM_M=%d -DITEM_N=%d -DTILE_K=%d -DPAD=%d -DLOAD_A=%d -DLOAD_B=%d",
                tile->group_m, tile->group_n, tile->item_m, tile->item_n, tile->slab, tile->pad, load_a, load_b);
}

/* Appends the launch of `count` products. */
static void add_product(const clt__tiling *tiling, const char *file, int activation, const clt__product *product,
                        int count, clt__launch launch, clt__launches *to)
{
    define_tile(&tiling->tile, product, count, to);
    clt__define_activation(to, activation);
    to->file = file;
    to->local_reals = clt__group_tile_reals(&tiling->tile);
    to->clocks[to->count] = tiling->clocks;
    to->launch[to->count++] = launch;
}

static size_t tiles_high(const clt__group_tile *tile, const clt__product *product)
{
    return (size_t)clt__divide_up(product->rows, clt__group_tile_rows(tile));
}

static size_t tiles_wide(const clt__group_tile *tile, const clt__product *product)
{
    return (size_t)clt__divide_up(product->outputs, clt__group_tile_outputs(tile));
}

void clt__launch_product(const clt__limits *limits, const clt__tiling *tiling, const char *file, const char *kernel,
                         const char *adding, int count, int activation, const clt__product *product, clt__launches *to)
{
    const clt__group_tile *tile = &tiling->tile;
    const size_t items = (size_t)tile->group_m * (size_t)tile->group_n;
    const size_t deep = (size_t)product->products * (size_t)tiling->slices;
    const clt__launch launch = {
        kernel, {tiles_wide(tile, product) * items, tiles_high(tile, product), deep}, {items, 1, 1}, true};
    add_product(tiling, file, activation, product, 1, launch, to);
    if (tiling->slices > 1 && adding) clt__launch_slices_sum(limits, adding, tiling->slices, count, to);
}

void clt__launch_two_products(const clt__tiling *tiling, const char *file, const char *kernel, int activation,
                              const clt__product product[2], clt__launches *to)
{
    const clt__group_tile *tile = &tiling->tile;
    const size_t items = (size_t)tile->group_m * (size_t)tile->group_n;
    size_t tiles = 0;
    for (int i = 0; i < 2; i++) tiles += tiles_wide(tile, &product[i]) * tiles_high(tile, &product[i]);
    const clt__launch launch = {kernel, {tiles * items, 1, 1}, {items, 1, 1}, true};
    add_product(tiling, file, activation, product, 2, launch, to);
}
