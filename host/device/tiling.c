#include "device/tiling.h"

/* ---- the vector schedule */

/* Rows that leave registers for the tile's sums, `cols` vectors being loaded and one broadcast scalar. Wide tiles pay
 * each broadcast twice, so two vectors are better than one where there are outputs for both. */
static int most_rows(const clt__limits *limits, int cols)
{
    const int rows = (limits->registers - cols - 1) / cols;
    return rows < 28 ? rows : 28; /* more only lengthens the code */
}

/* Where there are fewer outputs than a native vector has lanes, shorter vectors waste less and cost no more. */
static int width_for(const clt__limits *limits, int outputs)
{
    int width = limits->vector_width;
    while (width / 2 >= outputs) width /= 2;
    return width;
}

static int cols_for(const clt__limits *limits, int outputs)
{
    return outputs > limits->vector_width ? 2 : 1;
}

/* What `tiles` tiles of `rows` rows cost: their arithmetic, and about two rows' worth of loading each. */
static int64_t cost(int64_t tiles, int rows)
{
    return tiles * (rows + 2);
}

clt__register_tile clt__register_tile_for(const clt__limits *limits, int extent, int outputs)
{
    clt__register_tile tile = {
        .rows = 1, .cols = cols_for(limits, outputs), .vector_width = width_for(limits, outputs)};
    for (int rows = 2; rows <= most_rows(limits, tile.cols); rows++)
        if (cost(clt__divide_up(extent, rows), rows) <= cost(clt__divide_up(extent, tile.rows), tile.rows))
            tile.rows = rows;
    return tile;
}

clt__register_tile clt__register_tile_over_pixels(const clt__limits *limits, int y, int x, int outputs, int *tile_y,
                                                  int *tile_x)
{
    clt__register_tile tile = {
        .rows = 1, .cols = cols_for(limits, outputs), .vector_width = width_for(limits, outputs)};
    const int most = most_rows(limits, tile.cols);
    int64_t least = cost((int64_t)y * x, 1);
    *tile_y = *tile_x = 1;
    for (int high = 1; high <= y && high <= most; high++)
        for (int wide = 1; wide <= x && high * wide <= most; wide++) {
            const int64_t tiles = (int64_t)clt__divide_up(y, high) * clt__divide_up(x, wide);
            if (cost(tiles, high * wide) >= least) continue; /* low tiles first: they leave out more padding */
            least = cost(tiles, high * wide);
            *tile_y = high;
            *tile_x = wide;
            tile.rows = high * wide;
        }
    return tile;
}

int clt__register_tile_stripe(const clt__register_tile *tile)
{
    return tile->cols * tile->vector_width;
}

/* ---- the tile schedule */

/* What compilers make of a step along the sums (kernels/README.md has the tables): beside an item's multiply-adds about
 * as many instructions as it reads operands, OPERAND_READ each, GLOBAL_READ for each element of a slab that it brings
 * there, and BARRIER for each slab. Of the device's own the model takes lanes and compute units; LATENCY is
 * CLT__LATENCY. */
enum { OPERAND_READ = 1, GLOBAL_READ = 2, BARRIER = 8 };

/* Clocks that a group's items wait at a barrier and for local memory after it, unless another group computes meanwhile.
 */
enum { BARRIER_WAIT = 60 };

enum { PASS_CLOCKS = 64 }; /* of writing and reading a real for each lane of the device */

/* Registers of a lane, most items that it holds, and what an item needs beside its sums and operands. */
enum { LANE_REGISTERS = 512, LANE_ITEMS = 16, OTHER_REGISTERS = 40 };

enum { BANKS = 32 }; /* of local memory, each a number wide */

int clt__group_tile_rows(const clt__group_tile *tile)
{
    return tile->group_m * tile->item_m;
}

int clt__group_tile_outputs(const clt__group_tile *tile)
{
    return tile->group_n * tile->item_n;
}

/* What an item reads of local memory at once: up to four neighbours. */
static int run(int block)
{
    return block < 4 ? block : 4;
}

/* The longer run of both operands: kernels/group_tile.h. */
static int line(const clt__group_tile *tile)
{
    return run(tile->item_m) > run(tile->item_n) ? run(tile->item_m) : run(tile->item_n);
}

uint64_t clt__group_tile_reals(const clt__group_tile *tile)
{
    const int rows = clt__divide_up(clt__group_tile_rows(tile), line(tile)) * line(tile),
              outputs = clt__divide_up(clt__group_tile_outputs(tile), line(tile)) * line(tile);
    return 2 * (uint64_t)tile->slab * (uint64_t)(rows + outputs + 2 * tile->pad);
}

int clt__group_tile_load(const clt__group_tile *tile, int side, int row)
{
    const int own = side * tile->slab / (tile->group_m * tile->group_n);
    int load = 4;
    while (load > 1 && (row % load || own % load || load > line(tile) || load > tile->slab || load > side)) load /= 2;
    return load;
}

int64_t clt__busy_items(const clt__limits *limits)
{
    return 4 * (int64_t)limits->unit_lanes * limits->compute_units;
}

/* The work-items share the loading of each slab evenly: see group_tile.h. */
static bool shares_evenly(const clt__group_tile *tile)
{
    const int items = tile->group_m * tile->group_n;
    return tile->item_m <= tile->group_n && tile->item_n <= tile->group_m && tile->slab <= items &&
           tile->item_m * tile->slab >= tile->group_n && tile->item_n * tile->slab >= tile->group_m;
}

/* The longest slab that is worth its code: a loop over short ones of few sums does little but wait for memory. An item
 * keeps what it loads of a slab in registers, of each of `products` that one kernel is for: where longer ones made that
 * more than STAGED, compilers for sm_86, sm_90 and Arc ran out of them. Of several products all together
 * have to be fewer. */
static int most_slab(const clt__limits *limits, const clt__group_tile *tile, int products)
{
    enum { TIMES_LONGER = 4, UNROLLED = 128 /* multiply-adds */, STAGED = 16 /* reals */ };
    const int items = tile->group_m * tile->group_n,
              side = (tile->item_m * tile->group_m + tile->item_n * tile->group_n) * products,
              most = products > 1 ? STAGED - 1 /* fewer than that */ : STAGED;
    int slab = limits->slab;
    while (slab < TIMES_LONGER * limits->slab && 2 * slab * tile->item_m * tile->item_n <= UNROLLED &&
           2 * slab * side <= most * items)
        slab *= 2;
    return slab;
}

/* Sets the longest slab that local memory has room for. False where there is none. */
static bool choose_slab(const clt__limits *limits, clt__group_tile *tile, int products)
{
    for (tile->slab = most_slab(limits, tile, products); tile->slab >= 1; tile->slab /= 2) {
        const int apart = tile->slab < BANKS ? BANKS / tile->slab : 1;
        tile->pad = tile->slab == 1 ? 0 : apart > line(tile) ? apart : line(tile);
        if (clt__group_tile_reals(tile) * (uint64_t)limits->real_bytes <= limits->local_bytes && shares_evenly(tile))
            return true;
    }
    return false;
}

/* Groups of a tile that a compute unit holds at a time. */
static int resident_groups(const clt__limits *limits, const clt__group_tile *tile, int lanes)
{
    const int registers = tile->item_m * tile->item_n + 2 * (tile->item_m + tile->item_n) + OTHER_REGISTERS;
    const int most = LANE_REGISTERS / registers < LANE_ITEMS ? LANE_REGISTERS / registers : LANE_ITEMS;
    const int groups = limits->unit_lanes * most / lanes;
    return groups > 1 ? groups : 1;
}

static int64_t divide_up(int64_t value, int64_t by)
{
    return (value + by - 1) / by;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Costs are whole numbers, eighths of a clock: no compiler of this file may round them into another choice. */
enum { EIGHTHS = 8 };

/* Of the product alone. A compute unit is done once it has multiplied all its groups' slabs; nor before its groups, so
 * many of them at a time, have each gone through their slabs, the next of which is read while one is multiplied.
 * *charged: where there are fewer groups than units the idle ones are charged for, so that smaller tiles are taken
 * where they cost little. */
static int64_t product_cost(const clt__limits *limits, const clt__group_tile *tile, const clt__product *p, int slices,
                            int64_t *charged)
{
    const int high = clt__group_tile_rows(tile), wide = clt__group_tile_outputs(tile),
              items = tile->group_m * tile->group_n, units = limits->compute_units;
    const int multiple = limits->preferred_multiple > 0 ? limits->preferred_multiple : 1,
              lanes = clt__divide_up(items, multiple) * multiple;
    const int64_t groups =
        (int64_t)clt__divide_up(p->rows, high) * clt__divide_up(p->outputs, wide) * p->products * slices;
    const int64_t waves = divide_up(groups, units), slabs = divide_up(divide_up(p->depth, slices), tile->slab);
    const int64_t step = EIGHTHS * (tile->item_m * tile->item_n + OPERAND_READ * (tile->item_m + tile->item_n)) +
                         EIGHTHS * GLOBAL_READ * (high + wide) / items + EIGHTHS * BARRIER / tile->slab;
    const int64_t slab = tile->slab * step, group = slabs * slab * lanes / limits->unit_lanes;
    const int64_t alone = slab * larger(lanes, limits->unit_lanes) / limits->unit_lanes;
    const int64_t rounds = divide_up(waves, resident_groups(limits, tile, lanes));
    const int64_t chain = rounds * slabs * larger(alone + EIGHTHS * BARRIER_WAIT, EIGHTHS * CLT__LATENCY);
    *charged = larger(groups < units ? group * units / groups : group * waves, chain);
    return larger(group * waves, chain);
}

int64_t clt__pass_clocks(const clt__limits *limits, uint64_t reals)
{
    return (int64_t)(PASS_CLOCKS * reals / ((uint64_t)limits->compute_units * (uint64_t)limits->unit_lanes));
}

static int64_t adding_cost(const clt__limits *limits, const clt__product *p, int slices)
{
    if (slices == 1) return 0;
    const uint64_t reals = (uint64_t)slices * (uint64_t)p->rows * (uint64_t)p->outputs * (uint64_t)p->products;
    return EIGHTHS * (CLT__LAUNCH_CLOCKS + clt__pass_clocks(limits, reals));
}

/* What tilings are chosen by: all of the time and, where that is the same, what the product is charged for. */
typedef struct costs {
    int64_t all, charged, product;
} costs;

/* Products that one launch has, all in the same tiles; one alone may be cut into slices. */
typedef struct launched {
    const clt__product *product;
    int count;
} launched;

/* What takes less time than a launch costs that. */
static costs costs_of(const clt__limits *limits, const clt__group_tile *tile, launched of, int slices)
{
    const int64_t launch = EIGHTHS * (int64_t)CLT__LAUNCH_CLOCKS;
    costs c = {0};
    for (int i = 0; i < of.count; i++) {
        int64_t charged;
        c.product += product_cost(limits, tile, &of.product[i], slices, &charged);
        c.charged += charged;
    }
    c.all = (c.product <= launch ? launch : c.charged) + adding_cost(limits, of.product, slices);
    return c;
}

static bool is_less(costs a, costs b)
{
    return a.all != b.all ? a.all < b.all : a.charged < b.charged;
}

/* Takes the tile with so many slices where that is better than the best so far, if there is one. */
static void consider(const clt__limits *limits, const clt__group_tile *tile, launched of, int slices, costs *least,
                     clt__tiling *best)
{
    const costs own = costs_of(limits, tile, of, slices);
    if (best->slices && !is_less(own, *least)) return;
    *least = own;
    *best = (clt__tiling){*tile, slices, (double)own.product / EIGHTHS, (double)own.all / EIGHTHS};
}

/* A slice has some slabs, for its sums cost a pass over memory. */
static int most_slices(const clt__limits *limits, int depth)
{
    enum { LEAST_SLABS = 4 };
    return clt__divide_up(depth, LEAST_SLABS * limits->slab);
}

/* As many slices as fill the compute units in whole waves: two at least, for one that is not quite whole leaves units
 * idle. */
static void consider_slices(const clt__limits *limits, const clt__group_tile *tile, launched of, costs *least,
                            clt__tiling *best)
{
    enum { MOST_WAVES = 8 };
    const clt__product *p = of.product;
    const int most = most_slices(limits, p->depth);
    const int64_t groups = (int64_t)clt__divide_up(p->rows, clt__group_tile_rows(tile)) *
                           clt__divide_up(p->outputs, clt__group_tile_outputs(tile)) * p->products;
    const uint64_t plane =
        (uint64_t)p->rows * (uint64_t)p->outputs * (uint64_t)p->products * (uint64_t)limits->real_bytes;
    consider(limits, tile, of, 1, least, best);
    if (p->whole || of.count > 1) return;
    for (int waves = 2; waves <= MOST_WAVES; waves++) {
        int64_t slices = (int64_t)limits->compute_units * waves / groups;
        if (slices > most) slices = most;
        if (slices > 1 && plane * (uint64_t)slices <= limits->allocation_bytes)
            consider(limits, tile, of, (int)slices, least, best);
    }
}

/* Square groups only: with blocks of any form they make tiles of any form, and fewer tiles mean fewer programs. */
static bool choose_tile(const clt__limits *limits, launched of, int least_items, clt__tiling *best)
{
    costs least = {0};
    clt__group_tile tile = {0};
    *best = (clt__tiling){.slices = 0};
    for (int side = 1; side * side <= limits->work_group_items; side *= 2)
        for (tile.item_m = 1; tile.item_m <= limits->item_block; tile.item_m *= 2)
            for (tile.item_n = 1; tile.item_n <= limits->item_block; tile.item_n *= 2) {
                if (side * side < least_items || tile.item_m * tile.item_n > limits->item_sums) continue;
                tile.group_m = tile.group_n = side;
                if (choose_slab(limits, &tile, of.count)) consider_slices(limits, &tile, of, &least, best);
            }
    return best->slices > 0;
}

/* Of a group that is less than the preferred multiple lanes are idle, which only a small local memory may ask for. */
static bool choose(const clt__limits *limits, launched of, clt__tiling *best)
{
    return choose_tile(limits, of, limits->preferred_multiple, best) || choose_tile(limits, of, 1, best);
}

bool clt__tiling_for(const clt__limits *limits, const clt__product *product, clt__tiling *best)
{
    return choose(limits, (launched){product, 1}, best);
}

bool clt__tiling_for_two(const clt__limits *limits, const clt__product product[2], clt__tiling *best)
{
    return choose(limits, (launched){product, 2}, best);
}
