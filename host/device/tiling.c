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

/* What a step along the sums costs, in multiply-adds of one lane. Reading an operand from local memory costs about as
 * much as LOCAL_READ of them, an element of a slab from global memory GLOBAL_READ, the two barriers of a slab BARRIERS
 * for each lane: the proportions of today's GPUs, roughly, which is all that choosing among powers of two takes. */
enum { LOCAL_READ = 2, GLOBAL_READ = 8, BARRIERS = 16 };

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

/* Sets the longest slab that local memory has room for. False where there is none. */
static bool choose_slab(const clt__limits *limits, clt__group_tile *tile)
{
    for (tile->slab = limits->slab; tile->slab >= 1; tile->slab /= 2) {
        const int apart = tile->slab < BANKS ? BANKS / tile->slab : 1;
        tile->pad = tile->slab == 1 ? 0 : apart > line(tile) ? apart : line(tile);
        if (clt__group_tile_reals(tile) * (uint64_t)limits->real_bytes <= limits->local_bytes && shares_evenly(tile))
            return true;
    }
    return false;
}

/* Of the whole product. Fewer work-items than keep the device busy cost as much as those would. */
static int64_t group_cost(const clt__limits *limits, const clt__group_tile *tile, int rows, int outputs, int products)
{
    const int high = clt__group_tile_rows(tile), wide = clt__group_tile_outputs(tile);
    const int multiple = limits->preferred_multiple > 0 ? limits->preferred_multiple : 1;
    const int64_t lanes = (int64_t)clt__divide_up(tile->group_m * tile->group_n, multiple) * multiple;
    const int64_t groups = (int64_t)clt__divide_up(rows, high) * clt__divide_up(outputs, wide) * products;
    const int64_t wanted = (clt__busy_items(limits) + lanes - 1) / lanes;
    const int64_t sums = tile->item_m * tile->item_n + LOCAL_READ * (tile->item_m + tile->item_n);
    const int64_t step = lanes * sums + GLOBAL_READ * (high + wide) + lanes * BARRIERS / tile->slab;
    return step * (groups > wanted ? groups : wanted);
}

/* Square groups only: with blocks of any form they make tiles of any form, and fewer tiles mean fewer programs. */
static bool choose_tile(const clt__limits *limits, int rows, int outputs, int products, int least_items,
                        clt__group_tile *best)
{
    int64_t least = -1;
    clt__group_tile tile = {0};
    for (int side = 1; side * side <= limits->work_group_items; side *= 2)
        for (tile.item_m = 1; tile.item_m <= limits->item_block; tile.item_m *= 2)
            for (tile.item_n = 1; tile.item_n <= limits->item_block; tile.item_n *= 2) {
                if (side * side < least_items || tile.item_m * tile.item_n > limits->item_sums) continue;
                tile.group_m = tile.group_n = side;
                if (!choose_slab(limits, &tile)) continue;
                const int64_t cost = group_cost(limits, &tile, rows, outputs, products);
                if (least >= 0 && cost >= least) continue;
                least = cost;
                *best = tile;
            }
    return least >= 0;
}

/* Of a group that is less than the preferred multiple lanes are idle, which only a small local memory may ask for. */
bool clt__group_tile_for(const clt__limits *limits, int rows, int outputs, int products, clt__group_tile *best)
{
    return choose_tile(limits, rows, outputs, products, limits->preferred_multiple, best) ||
           choose_tile(limits, rows, outputs, products, 1, best);
}
