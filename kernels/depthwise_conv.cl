/* Weight gradients of depthwise convolutions under the vector schedule: a work-item goes over a slice of the batch's output rows once
 * and keeps the sums of all the filter's taps in registers; then the slices are added up. The formula is in grouped_conv.cl, a lane
 * is a channel. partial: [slice][tap, and behind them the bias][padded channel].
 *
 * The host defines TAPS_Y and TAPS_X, the filter's size. */
#include "params.h"
#include "real.h"

#define TAPS (TAPS_Y * TAPS_X)
#define PADDED(k) (((k) + VEC - 1) / VEC * VEC)

/* Adds what an output pixel's gradient makes of each tap, whose first lies at (h, v) of the image: of all, or of those that are
 * inside. Lanes behind the last channel read what lies there, inside the tensor or its guard, and are never stored. */
static inline void add_taps(const conv_sizes z, global const real *image, const int h, const int v, const realv gradient,
                            const bool all, realv sum[TAPS])
{
    UNROLL for (int tap = 0; tap < TAPS; tap++)
    {
        const int y = h + tap / TAPS_X * z.dilation_y, x = v + tap % TAPS_X * z.dilation_x;
        if (all || (y >= 0 && y < z.h && x >= 0 && x < z.w))
            sum[tap] = fma(LOAD(image + ((size_t)y * z.w + x) * z.c), gradient, sum[tap]);
    }
}

static inline bool all_inside(const int first, const int taps, const int dilation, const int size)
{
    return first >= 0 && first + (taps - 1) * dilation < size;
}

/* Work-item (vector of channels, slice of the output rows of all images). */
kernel void depthwise_weight_gradient_slices(const conv_sizes given, global const real *restrict x,
                                             global const real *restrict dy, global real *restrict dw,
                                             global real *restrict db, global real *restrict partial)
{
    const conv_sizes z = SIZES(given);
    const int c = (int)get_global_id(0) * VEC, slice = (int)get_global_id(1), rows = z.n * z.y;
    const int first = (int)((long)rows * slice / z.slices), end = (int)((long)rows * (slice + 1) / z.slices);
    realv sum[TAPS], bias = 0;
    UNROLL for (int tap = 0; tap < TAPS; tap++) sum[tap] = 0;
    for (int row = first; row < end; row++) {
        global const real *image = x + (size_t)(row / z.y) * z.h * z.w * z.c + c;
        global const real *gradient = dy + (size_t)row * z.x * z.k + c;
        const int h = row % z.y * z.stride_y - z.pad_y;
        const bool inside = all_inside(h, TAPS_Y, z.dilation_y, z.h);
        for (int ox = 0; ox < z.x; ox++) {
            const realv here = LOAD(gradient + (size_t)ox * z.k);
            const int v = ox * z.stride_x - z.pad_x;
            bias += here;
            if (inside && all_inside(v, TAPS_X, z.dilation_x, z.w))
                add_taps(z, image, h, v, here, true, sum);
            else
                add_taps(z, image, h, v, here, false, sum);
        }
    }
    const int padded = PADDED(z.k);
    global real *to = partial + (size_t)slice * (TAPS + 1) * padded + c;
    UNROLL for (int tap = 0; tap < TAPS; tap++) STORE(sum[tap], to + tap * padded);
    STORE(bias, to + TAPS * padded);
}

/* Adds the slices in order. Work-item (vector of channels, tap; the one behind the last is the bias). */
kernel void depthwise_weight_gradient_sum(const conv_sizes given, global const real *restrict x,
                                          global const real *restrict dy, global real *restrict dw,
                                          global real *restrict db, global real *restrict partial)
{
    const conv_sizes z = SIZES(given);
    const int c = (int)get_global_id(0) * VEC, tap = (int)get_global_id(1), padded = PADDED(z.k);
    realv sum = 0;
    for (int slice = 0; slice < z.slices; slice++) sum += LOAD(partial + ((size_t)slice * (TAPS + 1) + tap) * padded + c);
    store_lanes(sum, z.k - c, tap < TAPS ? dw + (size_t)tap * z.k + c : db + c);
}
