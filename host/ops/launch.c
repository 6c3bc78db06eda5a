
#include <stdio.h>

#include "ops/launch.h"

#include "ops/activation.h"

/* One size for all: compilers make a program of each, and where the count has few divisors a device finds none. */
enum { FLAT_ITEMS = 64 };

clt__launch clt__flat_launch(const char *kernel, const clt__limits *limits, int count, bool much)
{
    const int most = limits->work_group_items < FLAT_ITEMS ? limits->work_group_items : FLAT_ITEMS;
    const int items = much && limits->schedule == CLT_SCHEDULE_VECTOR ? 1 : most;
    return (clt__launch){
        kernel, {(size_t)clt__divide_up(count, items) * (size_t)items, 1, 1}, {(size_t)items, 1, 1}, false};
}

const char *clt__spread_define(const clt__limits *limits)
{
    return limits->schedule == CLT_SCHEDULE_TILE ? " -DSPREAD" : "";
}

void clt__plan_product(const clt__group_tile *tile, const char *file, const char *kernel, int activation, int rows,
                       int outputs, int products, clt__launch_plan *plan)
{
    const size_t items = (size_t)tile->group_m * (size_t)tile->group_n;
    const size_t high = (size_t)clt__divide_up(rows, clt__group_tile_rows(tile));
    const size_t wide = (size_t)clt__divide_up(outputs, clt__group_tile_outputs(tile));
    (void)snprintf(plan->defines, sizeof plan->defines,
                   "-DGROUP_M=%d -DGROUP_N=%d -DITEM_M=%d -DITEM_N=%d -DTILE_K=%d -DPAD=%d -DACTIVATION=%s",
                   tile->group_m, tile->group_n, tile->item_m, tile->item_n, tile->slab, tile->pad,
                   clt__activation_name(activation));
    plan->file = file;
    plan->local_reals = clt__group_tile_reals(tile);
    plan->launch[0] = (clt__launch){kernel, {wide * items, high, (size_t)products}, {items, 1, 1}, true};
    plan->launches = 1;
}

void clt__plan_pixel_runs(const char *kernel, const char *defines, const clt__limits *limits, int n, int h, int w,
                          clt__launch_plan *plan)
{
    const bool spread = limits->schedule == CLT_SCHEDULE_TILE;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=1%s%s", defines, clt__spread_define(limits));
    plan->launch[0] = clt__flat_launch(kernel, limits, spread ? h * w : h, true);
    plan->launch[0].global[1] = (size_t)n;
    plan->launches = 1;
}

void clt__plan_pixels(const char *kernel, const clt__limits *limits, int pixels, int channels, clt__launch_plan *plan)
{
    const int width = channels < limits->vector_width ? 1 : limits->vector_width;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d", width);
    plan->launch[0] = clt__flat_launch(kernel, limits, pixels * clt__divide_up(channels, width), false);
    plan->launches = 1;
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

int clt__plan_channel_sums(const char *parts_kernel, const char *sum_kernel, const clt__limits *limits, int images,
                           int rows, int channels, int sums, clt__launch_plan *plan)
{
    const int vectors = clt__divide_up(channels, limits->vector_width);
    const int parts = channel_parts(limits, images, rows, vectors);
    const bool spread = limits->schedule == CLT_SCHEDULE_TILE;
    plan->scratch_reals = (uint64_t)sums * (uint64_t)parts * (uint64_t)vectors * (uint64_t)limits->vector_width;
    plan->launch[0] = clt__flat_launch(parts_kernel, limits, spread ? vectors * parts : vectors, true);
    if (!spread) plan->launch[0].global[1] = (size_t)parts;
    plan->launch[1] = clt__flat_launch(sum_kernel, limits, vectors, true);
    plan->launches = 2;
    return parts;
}
