/* Tile sizes for the vector schedule, from the device's limits alone: never from timing, so that the same device always
 * computes the same bits. */
#ifndef CLT_DEVICE_TILING_H
#define CLT_DEVICE_TILING_H

#include "device/device.h"

/* A register tile: rows x (cols vectors). kernels/register_tile.h. */
typedef struct clt__tile {
    int rows, cols;
    int vector_width;
} clt__tile;

/* The tile for `extent` rows and `outputs` outputs that wastes the least. */
clt__tile clt__tile_for(const clt__limits *limits, int extent, int outputs);

/* The same where the rows are pixels of a y * x image, in tiles of *tile_y * *tile_x = rows. */
clt__tile clt__pixel_tile_for(const clt__limits *limits, int y, int x, int outputs, int *tile_y, int *tile_x);

/* Outputs side by side in a tile. */
int clt__tile_stripe(const clt__tile *tile);

static inline int clt__divide_up(int value, int by)
{
    return value / by + (value % by != 0);
}

#endif
