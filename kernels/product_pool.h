/* A pool beside a product of the tile schedule, in the same kernel (POOLED): the one that follows a forward product, or whose
 * gradient follows an input gradient's. Its windows lie side by side and cover the image. The formulas are in pool.cl. */
#ifndef CLT_PRODUCT_POOL_H
#define CLT_PRODUCT_POOL_H

#include "activations.h"
#include "group_tile.h"
#include "params.h"
#include "pool_window.h"

/* What a kernel takes of the pool's. What that reads is what the product makes, and is taken from there. */
#ifdef POOLED
#define THEN_POOL                                                                                                      \
    , const pool_sizes windows, global const stored *made, global stored *restrict pooled, global int *restrict best
#define THEN_POOL_GRADIENT                                                                                             \
    , const pool_sizes windows, global const stored *made, global const int *restrict best,                            \
        global const stored *restrict pool_x, global stored *restrict pool_dx
#else
#define THEN_POOL
#define THEN_POOL_GRADIENT
#endif

/* Pixel m of images that are gone through window by window: image, row, column. */
static inline digits pixel_in_windows(const pool_sizes z, const int m)
{
    const int size = z.r * z.s, inside = m % size;
    const digits window = digits_of(m / size, z.y, z.x);
    const digits pixel = {window.outer, window.middle * z.r + inside / z.s, window.inner * z.s + inside % z.s};
    return pixel;
}

/* The windows of this group's tile, whose rows are such pixels and all of whose items have stored theirs to y. */
static inline void pool_tile(const pool_sizes z, const int first_m, const int first_k, global const stored *y,
                             global stored *pooled, global int *best)
{
    const int size = z.r * z.s, windows = z.n * z.y * z.x;
    for (int i = ITEM; i < TILE_M / size * TILE_N; i += GROUP) {
        const int window = first_m / size + i / TILE_N, k = first_k + i % TILE_N;
        if (window >= windows || k >= z.c) continue;
        const digits first = pixel_in_windows(z, window * size);
        global const stored *image = y + first.outer * z.h * z.w * z.c + k;
        const int corner = first.middle * z.w + first.inner;
        winner w = {GET(image + corner * z.c), corner};
        for (int r = 0; r < z.r; r++)
            for (int s = 0; s < z.s; s++) {
                const int pixel = corner + r * z.w + s;
                w = better_of(w, GET(image + pixel * z.c), pixel);
            }
        PUT(w.most, pooled + window * z.c + k);
        best[window * z.c + k] = (int)w.at;
    }
}

/* Spreads element `at` of the gradient by the pool's output over its window: the best pixel has it, the others 0. */
static inline void spread_over_window(const pool_sizes z, const int at, global const stored *dx,
                                      global const int *best, global const stored *pool_x, global stored *pool_dx)
{
    const digits first = pixel_in_windows(z, at / z.c * (z.r * z.s));
    const int image = first.outer * z.h * z.w, corner = first.middle * z.w + first.inner;
    for (int r = 0; r < z.r; r++)
        for (int s = 0; s < z.s; s++) {
            const int pixel = corner + r * z.w + s, to = (image + pixel) * z.c + at % z.c;
            const real mine = best[at] == pixel ? GET(dx + at) : (real)0;
            PUT(pool_x ? deactivate(mine, GET(pool_x + to)) : mine, pool_dx + to);
        }
}

#endif
