/* Transformed inputs in global memory, V[position][tile][channel in] = B^T d B, a work-item for each tile and channel: what the tile
 * schedule's Winograd kernels begin with. A plane's elements stay in registers. */
#ifndef CLT_WINOGRAD_INPUTS_H
#define CLT_WINOGRAD_INPUTS_H

#include "winograd.h"

/* Elements of a position. */
#define V_PLANE(q) ((size_t)(q).tiles * (q).c)

INLINE void put_input_planes(const correlation q, global const stored *source, global real *planes, const int item)
{
    const int c = item % q.c;
    const place at = place_of(q, item / q.c);
    if (at.n >= q.n) return;
    const int top = at.y - q.pad_y, left = at.x - q.pad_x;
    global const stored *image = source + (size_t)at.n * q.h * q.w * q.c + c;
    global real *v = planes + item;
    real down[SIDE * SIDE], line[SIDE], d[SIDE];
    UNROLL for (int j = 0; j < SIDE; j++)
    {
        UNROLL for (int i = 0; i < SIDE; i++)
        {
            const int h = top + i, u = left + j;
            d[i] = h >= 0 && h < q.h && u >= 0 && u < q.w ? GET(image + (h * q.w + u) * q.c) : 0;
        }
        input_line(d, line);
        UNROLL for (int i = 0; i < SIDE; i++) down[i * SIDE + j] = line[i];
    }
    UNROLL for (int i = 0; i < SIDE; i++)
    {
        input_line(down + i * SIDE, line);
        UNROLL for (int j = 0; j < SIDE; j++) v[(i * SIDE + j) * V_PLANE(q)] = line[j];
    }
}

#endif
