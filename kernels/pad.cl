/* Pixels around an image, channels last: a number, or the image's own, mirrored at its edge pixels or repeated from them, as
 * torch.nn.ConstantPad2d, ReflectionPad2d and ReplicationPad2d have it.
 *
 *   forward    y[n,y,x,c] = x[n, source(y), source(x), c], or value where mode is PAD_CONSTANT and (y,x) is not of the image
 *   gradient   dx[n,h,w,c] = sum over y with source(y) = h, x with source(x) = w of dy[n,y,x,c], of the image alone where
 *              mode is PAD_CONSTANT
 *
 * Those y are a run before the image, one inside it and one behind it; they are added in order. With at = y - before:
 *
 *   PAD_REFLECT     source = |at|, or 2 (H - 1) - at where at >= H
 *   PAD_REPLICATE   source = the pixel of the image that is next to at
 *
 * Work-item (vector of channels of a pixel of the result). */
#include "params.h"
#include "border.h"
#include "pixel.h"

#ifdef OP_pad_forward
kernel void pad_forward(const pad_sizes given, global const stored *restrict x, global stored *restrict y)
{
    const pad_sizes z = SIZES(given);
    const place p = place_of(z.n, z.y, z.x, z.c);
    if (p.lanes <= 0) return;
    const int h = source_of(z.mode, p.row - z.before_y, z.h), w = source_of(z.mode, p.column - z.before_x, z.w);
    realv value = (realv)number_of(z.value);
    if (h >= 0 && h < z.h && w >= 0 && w < z.w) value = load_lanes(x + (((size_t)p.n * z.h + h) * z.w + w) * z.c + p.c, p.lanes);
    store_lanes(value, p.lanes, y + p.at);
}
#endif

#ifdef OP_pad_gradient
/* The outputs whose source is a pixel: those of run i are first[i] .. end[i] - 1. */
typedef struct {
    int first[3], end[3];
} runs;

/* Of pixel h of `size`, where there are `outputs`. */
static inline runs runs_of(const int mode, const int h, const int size, const int before, const int outputs)
{
    const int own = before + h;
    runs r = {{0, own, 0}, {0, own + 1, 0}};
    if (mode == PAD_REFLECT) {
        const int low = before - h, high = before + 2 * (size - 1) - h;
        r.first[0] = low;
        r.end[0] = h > 0 && low >= 0 ? low + 1 : low;
        r.first[2] = high;
        r.end[2] = h < size - 1 && high < outputs ? high + 1 : high;
    }
    if (mode == PAD_REPLICATE) {
        r.end[0] = h == 0 ? before : 0;
        r.first[2] = before + size;
        r.end[2] = h == size - 1 ? outputs : 0;
    }
    return r;
}

kernel void pad_gradient(const pad_sizes given, global const stored *restrict dy, global stored *restrict dx)
{
    const pad_sizes z = SIZES(given);
    const place p = place_of(z.n, z.h, z.w, z.c);
    if (p.lanes <= 0) return;
    const runs down = runs_of(z.mode, p.row, z.h, z.before_y, z.y);
    const runs across = runs_of(z.mode, p.column, z.w, z.before_x, z.x);
    realv sum = 0;
    for (int i = 0; i < 3; i++)
        for (int y = down.first[i]; y < down.end[i]; y++)
            for (int j = 0; j < 3; j++)
                for (int x = across.first[j]; x < across.end[j]; x++)
                    sum += load_lanes(dy + (((size_t)p.n * z.y + y) * z.x + x) * z.c + p.c, p.lanes);
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
