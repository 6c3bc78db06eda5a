/* Tile sizes, from the device's limits alone: never from timing, so that the same device always computes the same
 * bits. */
#ifndef CLT_DEVICE_TILING_H
#define CLT_DEVICE_TILING_H

#include "device/device.h"

/* ---- the vector schedule */

/* A register tile: rows x (cols vectors). kernels/register_tile.h. */
typedef struct clt__register_tile {
    int rows, cols;
    int vector_width;
} clt__register_tile;

/* The tile for `extent` rows and `outputs` outputs that wastes the least. */
clt__register_tile clt__register_tile_for(const clt__limits *limits, int extent, int outputs);

/* The same where the rows are pixels of a y * x image, in tiles of *tile_y * *tile_x = rows. */
clt__register_tile clt__register_tile_over_pixels(const clt__limits *limits, int y, int x, int outputs, int *tile_y,
                                                  int *tile_x);

/* Outputs side by side in a tile. */
int clt__register_tile_stripe(const clt__register_tile *tile);

/* ---- the tile schedule */

/* A work-group's tile, kernels/group_tile.h: group_m x group_n work-items, each with item_m x item_n sums, and how many
 * terms of the sums a slab in local memory holds. All but the padding of local rows are powers of two. */
typedef struct clt__group_tile {
    int group_m, group_n;
    int item_m, item_n;
    int slab, pad;
} clt__group_tile;

/* Products of rows x outputs, each sum of `depth` terms. */
typedef struct clt__product {
    int rows, outputs, products, depth;
    int a_row, b_row; /* of operands A and B, how many elements in a row are neighbours */
    bool together;    /* a work-item loads the same places of a row of both */
    bool whole;       /* sums are not cut into slices */
} clt__product;

/* A tile, and into how many slices the sums are cut, which are added up afterwards: what takes the fewest clocks. */
typedef struct clt__tiling {
    clt__group_tile tile;
    int slices;
    double clocks; /* of the product alone */
    double all;    /* and of adding up the slices */
} clt__tiling;

/* False where local memory does not hold even the smallest tile. */
bool clt__tiling_for(const clt__limits *limits, const clt__product *product, clt__tiling *tiling);

/* The same for two products that one launch has, in the same tiles; their sums are not cut into slices. */
bool clt__tiling_for_two(const clt__limits *limits, const clt__product product[2], clt__tiling *tiling);

/* Clocks until something that was read from global memory is there, and those that a launch costs. */
enum { CLT__LATENCY = 300, CLT__LAUNCH_CLOCKS = 6000 };

/* Clocks of a pass over memory that writes so many reals and reads them again. */
int64_t clt__pass_clocks(const clt__limits *limits, uint64_t reals);

int clt__group_tile_rows(const clt__group_tile *tile);
int clt__group_tile_outputs(const clt__group_tile *tile);
uint64_t clt__group_tile_reals(const clt__group_tile *tile); /* of local memory */

/* How many neighbours an item loads at once, 4, 2 or 1, of a slab of an operand on that side of the tile, which is
 * `side` long; `row` of the operand's elements are neighbours. */
int clt__group_tile_load(const clt__group_tile *tile, int side, int row);

/* Work-items that keep the device busy where each does little: enough for each compute unit to have others to turn to
 * while some wait for memory. */
int64_t clt__busy_items(const clt__limits *limits);

static inline int clt__divide_up(int value, int by)
{
    return value / by + (value % by != 0);
}

static inline int clt__round_up(int value, int to)
{
    return clt__divide_up(value, to) * to;
}

#endif
