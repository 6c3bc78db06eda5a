/* Depthwise convolutions under the vector schedule: a work-item has a vector of channels and goes along rows of pixels, a tile of
 * PIXELS at a time, and keeps in registers their sums or, for weight gradients, those of the filter's taps. The formulas are in
 * grouped_conv.cl, a lane is a channel. Lanes behind the last channel read what lies there, inside the tensor or its guard.
 *
 * The host defines PIXELS, no more than a row has (input gradient: a phase of one); TAPS_Y and TAPS_X, the filter's size; and
 * PHASES, 1 or for input gradients the stride along rows. Sizes are always baked in: in a row's first and last tile it is then the
 * compiler that finds what lies outside, addresses within a tile are constants, and what its pixels share is loaded once. */
#include "params.h"
#include "real.h"
#include "activations.h"

#ifdef OP_grouped_conv_input_gradient
#define IS_GRADIENT true
#else
#define IS_GRADIENT false
#endif

/* Along an axis, the pixels that meet the same taps: pixel i of them is number begin + i * each, and tap t meets number
 * (start + t * pitch) / each + i * step of the source's `size`, if that is whole. Input gradients have one for each phase, as
 * phase.h has them for filters without dilation. */
typedef struct {
    int begin, each, count;
    int start, pitch, step, size;
} axis;

static inline axis axis_of(const int begin, const int outputs, const int inputs, const int stride, const int pad,
                           const int dilation)
{
    const axis forward = {0, 1, outputs, -pad, dilation, stride, inputs};
    const axis gradient = {begin, stride, (inputs - begin + stride - 1) / stride, begin + pad, -dilation, 1, outputs};
    return IS_GRADIENT ? gradient : forward;
}

/* Channels from c on: of whole vectors a number that is known when sizes are baked in. */
static inline int lanes_from(const int c, const int channels)
{
    return channels % VEC == 0 ? VEC : channels - c;
}

static inline bool meets(const axis a, const int tap)
{
    return (a.start + tap * a.pitch) % a.each == 0;
}

static inline int source_of(const axis a, const int tap, const int i)
{
    return (a.start + tap * a.pitch) / a.each + i * a.step;
}

static inline bool is_inside(const axis a, const int source)
{
    return source >= 0 && source < a.size;
}

/* Whether all is inside that a tile from pixel `first` on meets. */
static inline bool all_inside(const axis a, const int first)
{
    const int last = (TAPS_X - 1) * a.pitch, step = a.step * a.each;
    return a.start + min(last, 0) + first * step >= 0 &&
           a.start + max(last, 0) + (first + PIXELS - 1) * step < a.size * a.each;
}

/* TILE(first, inside) for all of a row; `inside`: not to be tested. The last has some pixels once more. */
#define EACH_TILE(across)                                                                                              \
    do {                                                                                                               \
        TILE(0, false);                                                                                                \
        for (int first_ = PIXELS; first_ + PIXELS < across.count; first_ += PIXELS)                                    \
            if (all_inside(across, first_))                                                                            \
                TILE(first_, true);                                                                                    \
            else                                                                                                       \
                TILE(first_, false);                                                                                   \
        if (across.count > PIXELS) TILE(across.count - PIXELS, false);                                                 \
    } while (0)

#ifndef OP_grouped_conv_weight_gradient

/* The row that a work-item makes, all pointers at its vector of channels: the source's image, the weights, and of what has the
 * row's shape the row. x, addend, before: or NULL. */
typedef struct {
    int lanes;
    global const stored *image;
    global const real *weights;
    global const stored *x, *addend;
    global stored *before, *to;
} row;

/* Adds what PIXELS pixels from `first` on of row i along `down` meet. */
INLINE void add_taps(const conv_sizes z, const axis down, const axis across, const row t, const int i, const int first,
                            const bool inside, realv sum[PIXELS])
{
    for (int r = 0; r < TAPS_Y; r++) {
        const int h = source_of(down, r, i);
        if (!meets(down, r) || !is_inside(down, h)) continue;
        UNROLL for (int s = 0; s < TAPS_X; s++)
        {
            if (!meets(across, s)) continue;
            const realv weight = LOAD(t.weights + (r * TAPS_X + s) * z.k);
            UNROLL for (int j = 0; j < PIXELS; j++)
            {
                const int v = source_of(across, s, first + j);
                if (inside || is_inside(across, v))
                    sum[j] = fma(LOAD(t.image + (h * across.size + v) * z.k), weight, sum[j]);
            }
        }
    }
}

INLINE void make_tile(const conv_sizes z, const axis down, const axis across, const row t, const realv bias, const int i,
                             const int first, const bool inside)
{
    realv sum[PIXELS];
    UNROLL for (int j = 0; j < PIXELS; j++) sum[j] = bias;
    add_taps(z, down, across, t, i, first, inside, sum);
    UNROLL for (int j = 0; j < PIXELS; j++)
    {
        const int at = (across.begin + (first + j) * across.each) * z.k;
        const realv whole = t.addend ? sum[j] + load_lanes(t.addend + at, t.lanes) : sum[j];
        if (t.before) store_lanes(whole, t.lanes, t.before + at);
        const realv made = IS_GRADIENT ? (t.x ? deactivate(whole, load_lanes(t.x + at, t.lanes)) : whole) : activate(whole);
        store_lanes(made, t.lanes, t.to + at);
    }
}

#define TILE(first, inside) make_tile(z, down, across, t, start, i, first, inside)
#endif

#ifdef OP_grouped_conv_forward
/* Work-item (vector of channels, row of all images' outputs). */
kernel void depthwise_forward(const conv_sizes given, global const stored *restrict x, global const real *restrict w,
                              global const real *restrict bias, global const stored *restrict addend, global stored *restrict y,
                              global stored *restrict before)
{
    const conv_sizes z = SIZES(given);
    const int c = (int)get_global_id(0) * VEC, n = (int)get_global_id(1) / z.y, i = (int)get_global_id(1) % z.y;
    const axis down = axis_of(0, z.y, z.h, z.stride_y, z.pad_y, z.dilation_y);
    const axis across = axis_of(0, z.x, z.w, z.stride_x, z.pad_x, z.dilation_x);
    const size_t image = (size_t)n * z.h * z.w * z.c + c, to = get_global_id(1) * z.x * z.k + c;
    const row t = {lanes_from(c, z.k), x + image, w + c, 0, addend ? addend + to : 0, before ? before + to : 0, y + to};
    const realv start = bias ? load_lanes(bias + c, t.lanes) : (realv)0;
    EACH_TILE(across);
}
#endif

#ifdef OP_grouped_conv_input_gradient
/* Work-item (vector of channels, row of all images' inputs). */
kernel void depthwise_input_gradient(const conv_sizes given, global const stored *restrict dy, global const real *restrict w,
                                     global const stored *restrict x, global const stored *restrict addend,
                                     global stored *restrict dx)
{
    const conv_sizes z = SIZES(given);
    const int c = (int)get_global_id(0) * VEC, n = (int)get_global_id(1) / z.h, h = (int)get_global_id(1) % z.h;
    const int i = h / z.stride_y;
    const axis down = axis_of(h % z.stride_y, z.y, z.h, z.stride_y, z.pad_y, z.dilation_y);
    const size_t image = (size_t)n * z.y * z.x * z.k + c, to = get_global_id(1) * z.w * z.c + c;
    const row t = {lanes_from(c, z.c), dy + image, w + c, x ? x + to : 0, addend ? addend + to : 0, 0, dx + to};
    const realv start = 0;
    UNROLL for (int phase = 0; phase < PHASES; phase++)
    {
        const axis across = axis_of(phase, z.x, z.w, PHASES, z.pad_x, z.dilation_x);
        EACH_TILE(across);
    }
}
#endif

#ifdef OP_grouped_conv_weight_gradient

#define TAPS (TAPS_Y * TAPS_X)
#define PADDED(k) (((k) + VEC - 1) / VEC * VEC)

/* Adds what PIXELS outputs of a row from `first` on make of each tap and of the bias, but for those that the tile before had. The
 * filter's first row lies at row h of the image. */
INLINE void add_taps(const conv_sizes z, const axis down, const axis across, global const stored *image,
                            global const stored *gradients, const int i, const int first, const bool inside, realv sum[TAPS + 1])
{
    const int again = inside || first + PIXELS < across.count ? 0 : (PIXELS - across.count % PIXELS) % PIXELS;
    realv gradient[PIXELS];
    UNROLL for (int j = 0; j < PIXELS; j++)
    {
        gradient[j] = LOAD(gradients + (first + j) * z.k);
        if (j >= again) sum[TAPS] += gradient[j];
    }
    UNROLL for (int r = 0; r < TAPS_Y; r++)
    {
        const int h = source_of(down, r, i);
        if (!is_inside(down, h)) continue;
        UNROLL for (int s = 0; s < TAPS_X; s++) UNROLL for (int j = 0; j < PIXELS; j++)
        {
            const int v = source_of(across, s, first + j);
            if (j >= again && (inside || is_inside(across, v)))
                sum[r * TAPS_X + s] = fma(LOAD(image + (h * z.w + v) * z.c), gradient[j], sum[r * TAPS_X + s]);
        }
    }
}

/* A work-item goes over a slice of the batch's output rows once; then the slices are added up. partial: [slice][tap, and behind
 * them the bias][padded channel]. Work-item (vector of channels, slice of the output rows of all images). */
kernel void depthwise_weight_gradient_slices(const conv_sizes given, global const stored *restrict x,
                                             global const stored *restrict dy, global real *restrict dw,
                                             global real *restrict db, global real *restrict partial)
{
    const conv_sizes z = SIZES(given);
    const int c = (int)get_global_id(0) * VEC, slice = (int)get_global_id(1), rows = z.n * z.y, padded = PADDED(z.k);
    const int begin = (int)((long)rows * slice / z.slices), end = (int)((long)rows * (slice + 1) / z.slices);
    const axis down = axis_of(0, z.y, z.h, z.stride_y, z.pad_y, z.dilation_y);
    const axis across = axis_of(0, z.x, z.w, z.stride_x, z.pad_x, z.dilation_x);
    realv sum[TAPS + 1];
    UNROLL for (int tap = 0; tap <= TAPS; tap++) sum[tap] = 0;
    for (int line = begin; line < end; line++) {
        global const stored *image = x + (size_t)(line / z.y) * z.h * z.w * z.c + c;
        global const stored *gradients = dy + (size_t)line * z.x * z.k + c;
#define TILE(first, inside) add_taps(z, down, across, image, gradients, line % z.y, first, inside, sum)
        EACH_TILE(across);
    }
    global real *to = partial + (size_t)slice * (TAPS + 1) * padded + c;
    UNROLL for (int tap = 0; tap <= TAPS; tap++) STORE(sum[tap], to + tap * padded);
}

/* Adds the slices in order. Work-item (vector of channels, tap; the one behind the last is the bias). */
kernel void depthwise_weight_gradient_sum(const conv_sizes given, global const stored *restrict x,
                                          global const stored *restrict dy, global real *restrict dw,
                                          global real *restrict db, global real *restrict partial)
{
    const conv_sizes z = SIZES(given);
    const int c = (int)get_global_id(0) * VEC, tap = (int)get_global_id(1), padded = PADDED(z.k);
    realv sum = 0;
    for (int slice = 0; slice < z.slices; slice++) sum += LOAD(partial + ((size_t)slice * (TAPS + 1) + tap) * padded + c);
    store_lanes(sum, z.k - c, tap < TAPS ? dw + (size_t)tap * z.k + c : db + c);
}
#endif
