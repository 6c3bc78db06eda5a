/* Augmentation: each image is turned, scaled, moved, mirrored, recoloured and partly emptied, by amounts drawn anew for it
 * in each step.
 *
 *   augment_draw   drawn[n]: see DRAWN_A in params.h, from Philox's blocks with the counter (0.., place of image n in the
 *                  whole batch, the step's number, RANDOM_AUGMENT) under the step's seed: a batch may be split in any way.
 *                  Alternating flips have the counter (0, the image's number in the data set, 0, RANDOM_FLIP) instead, and
 *                  every other epoch takes the other of both: number[p] is that of the image at position p of the order
 *   augment        v[c]     = x[n] at (a px + b py + c, d px + e py + f), bilinear; outside the image it is black, which
 *                             is -mean[c] / deviation[c] once normalised, or what border.h shows there
 *                  t[c]     = v[c] deviation[c] + mean[c], times the brightness, its distance from mean[c] times the
 *                             contrast, its distance from the pixel's grey times the saturation
 *                  y[n,c]   = (t[c] - mean[c]) / deviation[c], 0 inside what cutout empties and what is erased
 *
 * An erased rectangle (Zhong et al., "Random erasing data augmentation", 2017) of area A and aspect r = height / width is
 * round(sqrt(A r)) high and round(sqrt(A / r)) wide, at most as large as the image, and lies inside it.
 *
 * x, y [n,h,w,c] are normalised; normalize holds the c means, then the c standard deviations. Work-item (image); (row py,
 * image n) or, spread, (pixel, image). */
#include "params.h"
#include "real.h"
#include "border.h"
#include "pixel_run.h"
#include "philox.h"
#include "position.h"

#ifdef OP_augment_draw
/* In [-1, 1): exact. */
static inline real both_ways(const uint word)
{
    return (real)(word >> 8) * ((real)1 / (1 << 23)) - 1;
}

/* From -most to most. */
static inline int steps(const uint word, const int most)
{
    return (int)mul_hi(word, (uint)(2 * most + 1)) - most;
}

static inline real factor_of(const uint word, const int ppm)
{
    return 1 + both_ways(word) * (ppm / (real)1000000);
}

/* round(sqrt(x)), exact: bit by bit the root of 4 x, half of it rounded. */
static inline int rounded_root(const ulong x)
{
    ulong root = 0;
    for (ulong bit = (ulong)1 << 31; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= 4 * x) root += bit;
    return (int)((root + 1) / 2);
}

/* Empty where the image is not chosen. */
static inline void draw_erased(const augment_sizes z, const uint4 word, global real *to)
{
    const int chosen = (int)mul_hi(word.x, 1000000u) < z.erase_ppm;
    const ulong area = (ulong)z.h * z.w * (ERASE_LEAST_PPM + mul_hi(word.y, (uint)ERASE_RANGE_PPM + 1)) / 1000;
    ulong aspect = ERASE_LEAST_ASPECT;
    for (uint i = mul_hi(word.z, (uint)ERASE_ASPECTS + 1); i > 0; i--)
        aspect = (aspect * ERASE_ASPECT_STEP + ERASE_ONE / 2) / ERASE_ONE;
    const int height = chosen ? clamp(rounded_root(area * aspect / ERASE_ONE / 1000), 1, z.h) : 0,
              width = chosen ? clamp(rounded_root(area * ERASE_ONE / aspect / 1000), 1, z.w) : 0;
    const int top = (int)mul_hi(word.w << 16, (uint)(z.h - height + 1)), left = (int)mul_hi(word.w, (uint)(z.w - width + 1));
    to[DRAWN_ERASE_TOP] = top;
    to[DRAWN_ERASE_LEFT] = left;
    to[DRAWN_ERASE_BOTTOM] = top + height;
    to[DRAWN_ERASE_RIGHT] = left + width;
}

static inline bool flips(const augment_sizes z, const int n, const uint2 key, const uint word, global const int *step,
                         global const int *number)
{
    if (z.flip == FLIP_NONE || step[STEP_VALID] < 1) return false;
    if (z.flip == FLIP_RANDOM) return word >> 31;
    const uint image = (uint)number[position_of(z.partner, n, step)];
    return (philox(key, (uint4)(0, image, 0, RANDOM_FLIP)).x >> 31 ^ (uint)step[STEP_EPOCH]) & 1;
}

kernel void augment_draw(const augment_sizes given, global const int *restrict step, global const int *restrict number,
                         global real *restrict drawn)
{
    const augment_sizes z = SIZES(given);
    const int n = (int)get_global_id(0);
    if (n >= z.n) return;
    const int own = step[STEP_BEFORE] + n, place = z.partner ? (own + step[STEP_SHIFT]) % step[STEP_WHOLE] : own;
    const uint2 key = (uint2)((uint)step[STEP_SEED], 0);
    const uint4 w0 = philox(key, (uint4)(0, (uint)place, (uint)step[STEP_NUMBER], RANDOM_AUGMENT)),
                w1 = philox(key, (uint4)(1, (uint)place, (uint)step[STEP_NUMBER], RANDOM_AUGMENT)),
                w2 = philox(key, (uint4)(2, (uint)place, (uint)step[STEP_NUMBER], RANDOM_AUGMENT));
    global real *to = drawn + (size_t)n * DRAWN_LENGTH;

    /* A pixel's place by the image's centre, mirrored, moved, then turned and scaled. */
    real turned = 1, across = 0;
    if (z.rotate_ppm || z.scale_ppm) {
        const real angle = both_ways(w0.y) * (z.rotate_ppm * ((real)3.14159265358979323846 / 180000000)),
                   scale = factor_of(w0.z, z.scale_ppm);
        turned = cos(angle) / scale;
        across = sin(angle) / scale;
    }
    const real share = z.shift_ppm / (real)1000000, mirror = flips(z, n, key, w0.x, step, number) ? -1 : 1;
    const real x = (z.w - 1) * (real)0.5, y = (z.h - 1) * (real)0.5;
    const real right = both_ways(w0.w) * share * z.w + steps(w1.x, z.crop),
               down = both_ways(w1.y) * share * z.h + steps(w1.z, z.crop);
    to[DRAWN_A] = mirror * turned;
    to[DRAWN_B] = across;
    to[DRAWN_C] = x - mirror * turned * x - turned * right - across * (y + down);
    to[DRAWN_D] = -mirror * across;
    to[DRAWN_E] = turned;
    to[DRAWN_F] = y + mirror * across * x + across * right - turned * (y + down);

    to[DRAWN_BRIGHTNESS] = factor_of(w1.w, z.brightness_ppm);
    to[DRAWN_CONTRAST] = factor_of(w2.x, z.contrast_ppm);
    to[DRAWN_SATURATION] = factor_of(w2.y, z.saturation_ppm);
    const int top = (int)mul_hi(w2.z, (uint)z.h) - z.cutout / 2, left = (int)mul_hi(w2.w, (uint)z.w) - z.cutout / 2;
    to[DRAWN_TOP] = top;
    to[DRAWN_LEFT] = left;
    to[DRAWN_BOTTOM] = top + z.cutout;
    to[DRAWN_RIGHT] = left + z.cutout;
    draw_erased(z, philox(key, (uint4)(3, (uint)place, (uint)step[STEP_NUMBER], RANDOM_AUGMENT)), to);
}
#endif

#ifdef OP_augment
/* WHOLE: pixels move by whole pixels alone. COLOUR: something changes it. */
static inline real pixel(const augment_sizes z, global const stored *x, const int px, const int py, const int c,
                         const real black)
{
    const int row = source_of(z.border, py, z.h), column = source_of(z.border, px, z.w);
    return column >= 0 && column < z.w && row >= 0 && row < z.h ? GET(x + ((size_t)row * z.w + column) * z.c + c) : black;
}

static inline real sample(const augment_sizes z, global const stored *x, const real sx, const real sy, const int c,
                          const real black)
{
#ifdef WHOLE
    return pixel(z, x, (int)sx, (int)sy, c, black);
#else
    const real left = floor(sx), up = floor(sy), fx = sx - left, fy = sy - up;
    const int px = (int)left, py = (int)up;
    const real above = (1 - fx) * pixel(z, x, px, py, c, black) + fx * pixel(z, x, px + 1, py, c, black);
    const real below = (1 - fx) * pixel(z, x, px, py + 1, c, black) + fx * pixel(z, x, px + 1, py + 1, c, black);
    return (1 - fy) * above + fy * below;
#endif
}

/* Of red, green and blue (ITU-R BT.601). */
static inline real grey_share(const int c)
{
    return c == 0 ? (real)0.299 : c == 1 ? (real)0.587 : (real)0.114;
}

/* A channel with the brightness and the contrast drawn. */
static inline real lit(const real shown, const real mean, const real deviation, global const real *drawn)
{
    const real t = (shown * deviation + mean) * drawn[DRAWN_BRIGHTNESS];
    return (t - mean) * drawn[DRAWN_CONTRAST] + mean;
}

#if defined WHOLE && !defined COLOUR && !defined SPREAD
#define ROW_BY_ROW
/* Pixels `begin` to `end` of a row show those of column across - px of the row `shown`. */
INLINE void mirror(const int channels, const int begin, const int end, global const stored *shown, const int across,
                   global stored *y)
{
    for (int px = begin; px < end; px++)
        for (int c = 0; c < channels; c++)
            PUT(GET(shown + (across - px) * channels + c), y + px * channels + c);
}

/* What is shown where the row ends, or all along where there is none. */
static inline void surround(const augment_sizes z, const int begin, const int end, const int py, global const stored *x,
                            global const real *d, global const real *normalize, global stored *y)
{
    const int across = (int)d[DRAWN_C], row = py + (int)d[DRAWN_F];
    for (int px = begin; px < end; px++)
        for (int c = 0; c < z.c; c++)
            PUT(pixel(z, x, d[DRAWN_A] < 0 ? across - px : across + px, row, c, -normalize[c] / normalize[z.c + c]),
                y + px * z.c + c);
}

static inline void clear(const augment_sizes z, const int py, const int top, const int left, const int bottom,
                         const int right, global stored *y)
{
    if (py < top || py >= bottom) return;
    for (int i = max(left, 0) * z.c; i < min(right, z.w) * z.c; i++) PUT((real)0, y + i);
}

static inline void move_row(const augment_sizes z, const int py, global const stored *x, global const real *d,
                            global const real *normalize, global stored *y)
{
    const bool mirrored = d[DRAWN_A] < 0;
    const int across = (int)d[DRAWN_C], row = source_of(z.border, py + (int)d[DRAWN_F], z.h);
    const bool inside = row >= 0 && row < z.h;
    const int begin = inside ? clamp(mirrored ? across - (z.w - 1) : -across, 0, z.w) : 0,
              end = inside ? clamp(mirrored ? across + 1 : z.w - across, begin, z.w) : 0;
    global const stored *shown = x + (inside ? (size_t)row * z.w * z.c : 0);
    if (end > begin && !mirrored)
        copy_run(0, (end - begin) * z.c, shown + (across + begin) * z.c, y + begin * z.c);
    else if (z.c == 1) mirror(1, begin, end, shown, across, y);
    else if (z.c == 3) mirror(3, begin, end, shown, across, y);
    else mirror(z.c, begin, end, shown, across, y);
    surround(z, 0, begin, py, x, d, normalize, y);
    surround(z, end, z.w, py, x, d, normalize, y);
    clear(z, py, d[DRAWN_TOP], d[DRAWN_LEFT], d[DRAWN_BOTTOM], d[DRAWN_RIGHT], y);
    clear(z, py, d[DRAWN_ERASE_TOP], d[DRAWN_ERASE_LEFT], d[DRAWN_ERASE_BOTTOM], d[DRAWN_ERASE_RIGHT], y);
}
#endif

kernel void augment(const augment_sizes given, global const stored *restrict x, global const real *restrict drawn,
                    global const real *restrict normalize, global stored *restrict y)
{
    const augment_sizes z = SIZES(given);
    const pixel_run run = run_of(z.h, z.w);
    const int n = run.n, first = run.first;
    if (!run.pixels) return;
    global const stored *from = x + (size_t)n * z.h * z.w * z.c;
    global const real *d = drawn + (size_t)n * DRAWN_LENGTH, *deviation = normalize + z.c;
    global stored *to = y + ((size_t)n * z.h * z.w + first) * z.c;
#ifdef ROW_BY_ROW
    move_row(z, first / z.w, from, d, normalize, to);
#else
    for (int i = 0; i < run.pixels; i++, to += z.c) {
        const int px = (first + i) % z.w, py = (first + i) / z.w;
        const real sx = d[DRAWN_A] * px + d[DRAWN_B] * py + d[DRAWN_C],
                   sy = d[DRAWN_D] * px + d[DRAWN_E] * py + d[DRAWN_F];
        const bool cut = px >= d[DRAWN_LEFT] && px < d[DRAWN_RIGHT] && py >= d[DRAWN_TOP] && py < d[DRAWN_BOTTOM],
                   erased = px >= d[DRAWN_ERASE_LEFT] && px < d[DRAWN_ERASE_RIGHT] && py >= d[DRAWN_ERASE_TOP] &&
                            py < d[DRAWN_ERASE_BOTTOM],
                   empty = cut || erased;
#define SHOWN(c) (empty ? 0 : sample(z, from, sx, sy, c, -normalize[c] / deviation[c]))
#if !defined COLOUR || !defined HALVES
        for (int c = 0; c < z.c; c++) PUT(SHOWN(c), to + c);
#endif
#if defined COLOUR && defined HALVES /* y would round what it is made of: that is made twice */
        real grey = 0;
        for (int c = 0; c < z.c; c++) grey += lit(SHOWN(c), normalize[c], deviation[c], d) * grey_share(c);
        for (int c = 0; c < z.c; c++) {
            const real shown = lit(SHOWN(c), normalize[c], deviation[c], d);
            const real t = z.saturation_ppm ? grey + (shown - grey) * d[DRAWN_SATURATION] : shown;
            PUT(empty ? 0 : (t - normalize[c]) / deviation[c], to + c);
        }
#elif defined COLOUR
        real grey = 0;
        for (int c = 0; c < z.c; c++) {
            to[c] = lit(to[c], normalize[c], deviation[c], d);
            grey += to[c] * grey_share(c);
        }
        for (int c = 0; c < z.c; c++) {
            const real t = z.saturation_ppm ? grey + (to[c] - grey) * d[DRAWN_SATURATION] : to[c];
            to[c] = empty ? 0 : (t - normalize[c]) / deviation[c];
        }
#endif
    }
#endif
}
#endif
