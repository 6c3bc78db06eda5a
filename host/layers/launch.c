#include "layers/launch.h"

#include <stdio.h>

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
                   "-DGROUP_M=%d -DGROUP_N=%d -DITEM_M=%d -DITEM_N=%d -DTILE_K=%d -DPAD=%d -DACTIVATION=%d",
                   tile->group_m, tile->group_n, tile->item_m, tile->item_n, tile->slab, tile->pad, activation);
    plan->file = file;
    plan->local_reals = clt__group_tile_reals(tile);
    plan->launch[0] = (clt__launch){kernel, {wide * items, high, (size_t)products}, {items, 1, 1}, true};
    plan->launches = 1;
}

void clt__plan_pixels(const char *kernel, const clt__limits *limits, int pixels, int channels, clt__launch_plan *plan)
{
    const int width = channels < limits->vector_width ? 1 : limits->vector_width;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d", width);
    plan->launch[0] = clt__flat_launch(kernel, limits, pixels * clt__divide_up(channels, width), false);
    plan->launches = 1;
}
