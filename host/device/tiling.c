#include "device/tiling.h"

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

clt__tile clt__tile_for(const clt__limits *limits, int extent, int outputs)
{
    clt__tile tile = {.rows = 1, .cols = cols_for(limits, outputs), .vector_width = width_for(limits, outputs)};
    for (int rows = 2; rows <= most_rows(limits, tile.cols); rows++)
        if (cost(clt__divide_up(extent, rows), rows) <= cost(clt__divide_up(extent, tile.rows), tile.rows))
            tile.rows = rows;
    return tile;
}

clt__tile clt__pixel_tile_for(const clt__limits *limits, int y, int x, int outputs, int *tile_y, int *tile_x)
{
    clt__tile tile = {.rows = 1, .cols = cols_for(limits, outputs), .vector_width = width_for(limits, outputs)};
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

int clt__tile_stripe(const clt__tile *tile)
{
    return tile->cols * tile->vector_width;
}
