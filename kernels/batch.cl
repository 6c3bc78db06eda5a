/* Gathers a batch from the data set on the device.
 *
 *   x[n,h,w,c] = (images[order[first + n], h,w,c] / 255 - mean[c]) / deviation[c]     (real images are not divided by 255)
 *   x[n,h,w,c] is made of row h - m and column w - m where m = step[STEP_MOVE] is not 0, reflected at the edge: border.h;
 *   of column W - 1 - w - m where step[STEP_MIRROR] is 1
 *   label[n]   = labels[order[first + n]],   target[n,k] = targets[order[first + n], k]
 *
 * first = step[STEP_FIRST]. The last batch of an epoch may be short: rows from step[STEP_VALID] on are the first image again,
 * whose gradient is 0 there, and not zeros, of which a layer may make what is no finite number (x / x). With `partner`
 * it is not image n itself but the one step[STEP_SHIFT] behind it in the whole batch, all around (see mix.cl).
 * normalize holds the c means, then the c standard deviations. Work-item (row h, image n) or, spread, (pixel, image). */
#include "params.h"
#include "real.h"
#include "border.h"
#include "pixel_run.h"
#include "position.h"

#ifdef BYTES
typedef uchar shown_as;
#define VALUE(b) ((real)(b) / 255)
#if VEC == 1
#define VALUES(from) VALUE(*(from))
#else
#define VALUES(from) (JOIN(JOIN(convert_, REAL), VEC)(JOIN(vload, VEC)(0, from)) / 255)
#endif
#else
typedef real shown_as;
#define VALUE(b) (b)
#define VALUES(from) LOAD_PLAIN(from)
#endif

/* Neighbouring pixels, all of their channels. */
INLINE void show(const int channels, const int pixels, global const shown_as *from, global const real *normalize,
                 global stored *to)
{
    for (int i = 0; i < pixels * channels; i += channels)
        for (int c = 0; c < channels; c++)
            PUT((VALUE(from[i + c]) - normalize[c]) / normalize[channels + c], to + i + c);
}

/* The same of one channel: a vector of pixels at a time. */
static inline void show_grey(const int pixels, global const shown_as *from, global const real *normalize,
                             global stored *to)
{
    const realv mean = normalize[0], deviation = normalize[1];
    EACH_RUN(i, 0, pixels, STORE((VALUES(from + i) - mean) / deviation, to + i), show(1, 1, from + i, normalize, to + i))
}

kernel void batch(const batch_sizes given, global const shown_as *restrict images, global const int *restrict labels,
                  global const real *restrict targets, global const int *restrict order, global const int *restrict step,
                  global const real *restrict normalize, global stored *restrict x, global int *restrict label,
                  global real *restrict target)
{
    const batch_sizes z = SIZES(given);
    const pixel_run run = run_of(z.h, z.w);
    const int n = run.n, first = run.first;
    if (!run.pixels) return;
    const bool valid = n < step[STEP_VALID], some = step[STEP_VALID] > 0;
    const int image = some ? order[position_of(z.partner, n, step)] : 0;
    global const shown_as *from = images + ((size_t)image * z.h * z.w + first) * z.c;
    global stored *to = x + ((size_t)n * z.h * z.w + first) * z.c;
    if (!some) {
        for (int i = 0; i < run.pixels * z.c; i++) PUT((real)0, to + i);
    } else if (step[STEP_MIRROR] || step[STEP_MOVE]) {
        for (int i = 0; i < run.pixels; i++) {
            const int at = (first + i) % z.w, column = step[STEP_MIRROR] ? z.w - 1 - at : at;
            const int h = source_of(PAD_REFLECT, (first + i) / z.w - step[STEP_MOVE], z.h),
                      w = source_of(PAD_REFLECT, column - step[STEP_MOVE], z.w);
            show(z.c, 1, images + (((size_t)image * z.h + h) * z.w + w) * z.c, normalize, to + i * z.c);
        }
    } else if (z.c == 1) {
        show_grey(run.pixels, from, normalize, to);
    } else if (z.c == 3) {
        show(3, run.pixels, from, normalize, to); /* without a loop over channels */
    } else {
        show(z.c, run.pixels, from, normalize, to);
    }
    if (first != 0) return;
    if (label) label[n] = valid ? labels[image] : 0;
    for (int k = 0; k < z.outputs; k++)
        target[(size_t)n * z.outputs + k] = valid ? targets[(size_t)image * z.outputs + k] : 0;
}
