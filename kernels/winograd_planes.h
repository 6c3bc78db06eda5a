/* Transformed planes of a work-item's Winograd tiles, in local memory: [position][tile][channel] (vector schedule). */
#ifndef CLT_WINOGRAD_PLANES_H
#define CLT_WINOGRAD_PLANES_H

#include "winograd.h"

/* Reals from one tile to the next. */
#define PITCH(channels) (((channels) + VEC - 1) / VEC * VEC)

/* Reals from one position to the next: an odd number of vectors, so that the positions of a tile do not fall on the same
 * lines of a cache. */
#define PLANE(tiles, channels) (((tiles) * (PITCH(channels) / VEC) | 1) * VEC)

/* The column of a tile's input that begins at `from`: rows begin <= i < end of it lie in the image, the others are zero. */
static inline void load_column(global const stored *from, const int pitch, const int begin, const int end, realv d[SIDE])
{
    if (begin == 0 && end == SIDE) {
        UNROLL for (int i = 0; i < SIDE; i++) d[i] = LOAD(from + i * pitch);
    } else {
        UNROLL for (int i = 0; i < SIDE; i++)
        {
            d[i] = (realv)0;
            if (i >= begin && i < end) d[i] = LOAD(from + i * pitch);
        }
    }
}

/* V of one tile and some channels from `source` on, while what the next tile reads is fetched. Lanes past the last channel hold
 * what is never read. */
static inline void transform_input(const correlation z, const int plane, global const stored *source, const int number,
                                   const int channels, local real *v)
{
    const place at = place_of(z, number), next = place_of(z, number + 1);
    const int top = at.y - z.pad_y, left = at.x - z.pad_x;
    const int begin = clamp(-top, 0, (int)SIDE), end = clamp(z.h - top, begin, (int)SIDE);
    global const stored *corner = source + (size_t)at.n * z.h * z.w * z.c;
    const size_t ahead = (((size_t)next.n * z.h + next.y - z.pad_y) * z.w + next.x - z.pad_x) * z.c;
    for (int c = 0; c < channels; c += VEC) {
        realv down[SIDE * SIDE], line[SIDE], d[SIDE];
        ROLLED for (int j = 0; j < SIDE; j++)
        {
            UNROLL for (int i = 0; i < SIDE; i++) FETCH_TO_READ(source, ahead + (i * z.w + j) * z.c + c);
            if (left + j < 0 || left + j >= z.w) {
                UNROLL for (int i = 0; i < SIDE; i++) down[i * SIDE + j] = (realv)0;
                continue;
            }
            load_column(corner + (top * z.w + left + j) * z.c + c, z.w * z.c, begin, end, d);
            input_line(d, line);
            UNROLL for (int i = 0; i < SIDE; i++) down[i * SIDE + j] = line[i];
        }
        ROLLED for (int i = 0; i < SIDE; i++)
        {
            input_line(down + i * SIDE, line);
            UNROLL for (int j = 0; j < SIDE; j++) STORE(line[j], v + (i * SIDE + j) * plane + c);
        }
    }
}

#endif
