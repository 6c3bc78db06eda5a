#include "ops/launch.h"

#include "ops/activation.h"

/* One size for all: compilers make a program of each, and where the count has few divisors a device finds none. GPUs
 * start about a group a clock, so that small ones keep memory waiting. */
enum { FLAT_ITEMS = 64, GPU_FLAT_ITEMS = 256 };

clt__launch clt__flat_launch(const char *kernel, const clt__limits *limits, int count, bool much)
{
    const bool tile = limits->schedule == CLT_SCHEDULE_TILE;
    const int wanted = tile ? GPU_FLAT_ITEMS : FLAT_ITEMS,
              most = limits->work_group_items < wanted ? limits->work_group_items : wanted;
    const int items = much && !tile ? 1 : most;
    return (clt__launch){
        kernel, {(size_t)clt__divide_up(count, items) * (size_t)items, 1, 1}, {(size_t)items, 1, 1}, false};
}

void clt__launch_flat(const char *file, const clt__limits *limits, int count, bool much, clt__launches *to)
{
    to->file = file;
    to->launch[0] = clt__flat_launch(to->op, limits, count, much);
    to->count = 1;
}

void clt__launch_elements(const char *file, const clt__limits *limits, int count, clt__launches *to)
{
    clt__define(to, " -DVEC=%d", limits->vector_width);
    clt__launch_flat(file, limits, clt__divide_up(count, limits->vector_width), false, to);
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

void clt__launch_product(const clt__group_tile *tile, const char *file, const char *kernel, int activation,
                         const clt__product *product, clt__launches *to)
{
    const size_t items = (size_t)tile->group_m * (size_t)tile->group_n;
    const size_t high = (size_t)clt__divide_up(product->rows, clt__group_tile_rows(tile));
    const size_t wide = (size_t)clt__divide_up(product->outputs, clt__group_tile_outputs(tile));
    const size_t deep = (size_t)product->products;
    int load_a = clt__group_tile_load(tile, clt__group_tile_rows(tile), product->a_row),
        load_b = clt__group_tile_load(tile, clt__group_tile_outputs(tile), product->b_row);
    if (product->together) load_a = load_b = load_a < load_b ? load_a : load_b;
    clt__define(to, " -DGROUP_M=%d -DGROUP_N=%d -DITEM_M=%d -DITEM_N=%d -DTILE_K=%d -DPAD=%d -DLOAD_A=%d -DLOAD_B=%d",
                tile->group_m, tile->group_n, tile->item_m, tile->item_n, tile->slab, tile->pad, load_a, load_b);
    clt__define_activation(to, activation);
    to->file = file;
    to->local_reals = clt__group_tile_reals(tile);
    to->launch[0] = (clt__launch){kernel, {wide * items, high, deep}, {items, 1, 1}, true};
    to->count = 1;
}

void clt__launch_pixel_runs(const char *file, const clt__limits *limits, int n, int h, int w, clt__launches *to)
{
    clt__define(to, " -DVEC=1");
    const bool spread = clt__define_spread(to, limits);
    clt__launch_flat(file, limits, spread ? h * w : h, true, to);
    to->launch[0].global[1] = (size_t)n;
}

void clt__launch_pixels(const char *file, const clt__limits *limits, int pixels, int channels, clt__launches *to)
{
    const int width = channels < limits->vector_width ? 1 : limits->vector_width;
    clt__define(to, " -DVEC=%d", width);
    clt__launch_flat(file, limits, pixels * clt__divide_up(channels, width), false, to);
}

/* Enough parts to occupy the device, but not too many for the few work-items that add them up. */
static int channel_parts(const clt__limits *limits, int images, int rows, int vectors)
{
    enum { MOST = 256 };
    if (limits->schedule != CLT_SCHEDULE_TILE) {
        const int wanted = clt__divide_up(16 * limits->compute_units, vectors);
        return wanted < images ? wanted : images;
    }
    const int64_t busy = clt__busy_items(limits) / vectors + 1;
    const int wanted = busy < MOST ? (int)busy : MOST;
    return wanted < rows ? wanted : rows;
}

int clt__launch_channel_sums(const char *file, const char *parts_kernel, const char *sum_kernel,
                             const clt__limits *limits, int images, int rows, int channels, int sums, clt__launches *to)
{
    const int vectors = clt__divide_up(channels, limits->vector_width);
    const int parts = channel_parts(limits, images, rows, vectors);
    clt__define(to, " -DVEC=%d", limits->vector_width);
    const bool spread = clt__define_spread(to, limits);
    to->scratch_reals = (uint64_t)sums * (uint64_t)parts * (uint64_t)vectors * (uint64_t)limits->vector_width;
    to->file = file;
    to->launch[0] = clt__flat_launch(parts_kernel, limits, spread ? vectors * parts : vectors, true);
    if (!spread) to->launch[0].global[1] = (size_t)parts;
    to->launch[1] = clt__flat_launch(sum_kernel, limits, vectors, true);
    to->count = 2;
    return parts;
}
