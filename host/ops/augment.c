/* Augmentation. Formulas: kernels/augment.cl. */
#include "base/random.h"
#include "ops/batch.h"
#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/pad.h"

static const double pi = 3.14159265358979323846;

/* ---- augment_draw(step, number -> drawn) */

enum { WORDS = 16 };

static double both_ways(uint32_t word)
{
    return (word >> 8) / (double)(1 << 23) - 1;
}

static int steps(uint32_t word, int most)
{
    return (int)(((uint64_t)word * (uint64_t)(2 * most + 1)) >> 32) - most;
}

static int below(uint32_t word, int bound)
{
    return (int)(((uint64_t)word * (uint64_t)bound) >> 32);
}

/* A number of millionths: the division rounds. */
static clt__near millionths(int ppm)
{
    return (clt__near){ppm * 1e-6, CLT__DIVIDE_SLACK * fabs(ppm * 1e-6)};
}

static clt__near factor_of(uint32_t word, int ppm)
{
    return clt__near_add(clt__exactly(1), clt__near_multiply(clt__exactly(both_ways(word)), millionths(ppm)));
}

/* The cosine (or sine) of an angle, over the scale. */
static clt__near turn(double value, double derivative, clt__near angle, clt__near scale)
{
    const double slack = CLT__TURN_SLACK * fabs(value) + fabs(derivative) * angle.slack;
    return clt__near_divide((clt__near){value, slack}, scale);
}

/* x + y + z + w with their signs, in the kernel's order. */
static clt__near sum_of(clt__near x, clt__near y, clt__near z, clt__near w)
{
    return clt__near_add(clt__near_add(clt__near_add(x, y), z), w);
}

static clt__near negative(clt__near a)
{
    return (clt__near){-a.value, a.slack};
}

/* The six numbers of the map from output to input. */
static void draw_map(const augment_sizes *z, const uint32_t word[WORDS], bool flipped, clt__near map[6])
{
    clt__near turned = clt__exactly(1), across = clt__exactly(0);
    if (z->rotate_ppm || z->scale_ppm) {
        const double degree = pi / 180000000;
        const clt__near most = {z->rotate_ppm * degree, (CLT__DIVIDE_SLACK + 2) * z->rotate_ppm * degree},
                        angle = clt__near_multiply(clt__exactly(both_ways(word[1])), most),
                        scale = factor_of(word[2], z->scale_ppm);
        turned = turn(cos(angle.value), sin(angle.value), angle, scale);
        across = turn(sin(angle.value), cos(angle.value), angle, scale);
    }
    const clt__near share = millionths(z->shift_ppm), mirror = clt__exactly(flipped ? -1 : 1),
                    x = clt__exactly((z->w - 1) / 2.0), y = clt__exactly((z->h - 1) / 2.0);
    const clt__near width = clt__near_multiply(clt__near_multiply(clt__exactly(both_ways(word[3])), share),
                                               clt__exactly(z->w)),
                    height = clt__near_multiply(clt__near_multiply(clt__exactly(both_ways(word[5])), share),
                                                clt__exactly(z->h)),
                    right = clt__near_add(width, clt__exactly(steps(word[4], z->crop))),
                    low = clt__near_add(y, clt__near_add(height, clt__exactly(steps(word[6], z->crop))));
    const clt__near mirrored = clt__near_multiply(mirror, turned), mirrored_across = clt__near_multiply(mirror, across);
    map[DRAWN_A] = mirrored;
    map[DRAWN_B] = across;
    map[DRAWN_C] = sum_of(x, negative(clt__near_multiply(mirrored, x)), negative(clt__near_multiply(turned, right)),
                          negative(clt__near_multiply(across, low)));
    map[DRAWN_D] = negative(mirrored_across);
    map[DRAWN_E] = turned;
    map[DRAWN_F] = sum_of(y, clt__near_multiply(mirrored_across, x), clt__near_multiply(across, right),
                          negative(clt__near_multiply(turned, low)));
}

static int rounded_root(uint64_t x)
{
    uint64_t root = (uint64_t)sqrt(4.0 * (double)x);
    while (root * root > 4 * x) root--;
    while ((root + 1) * (root + 1) <= 4 * x) root++;
    return (int)((root + 1) / 2);
}

static int within(int value, int most)
{
    return value < 1 ? 1 : value > most ? most : value;
}

static void draw_erased(const augment_sizes *z, const uint32_t word[4], clt__near drawn[DRAWN_LENGTH])
{
    const uint64_t share = ERASE_LEAST_PPM + (uint64_t)below(word[1], ERASE_RANGE_PPM + 1),
                   area = (uint64_t)z->h * (uint64_t)z->w * share / 1000;
    uint64_t aspect = ERASE_LEAST_ASPECT;
    for (int i = below(word[2], ERASE_ASPECTS + 1); i > 0; i--)
        aspect = (aspect * ERASE_ASPECT_STEP + ERASE_ONE / 2) / ERASE_ONE;
    int height = 0, width = 0;
    if (below(word[0], 1000000) < z->erase_ppm) {
        height = within(rounded_root(area * aspect / ERASE_ONE / 1000), z->h);
        width = within(rounded_root(area * ERASE_ONE / aspect / 1000), z->w);
    }
    const int top = below(word[3] << 16, z->h - height + 1), left = below(word[3], z->w - width + 1);
    drawn[DRAWN_ERASE_TOP] = clt__exactly(top);
    drawn[DRAWN_ERASE_LEFT] = clt__exactly(left);
    drawn[DRAWN_ERASE_BOTTOM] = clt__exactly(top + height);
    drawn[DRAWN_ERASE_RIGHT] = clt__exactly(left + width);
}

static void draw_image(const augment_sizes *z, const uint32_t word[WORDS], bool flipped, clt__near drawn[DRAWN_LENGTH])
{
    draw_map(z, word, flipped, drawn);
    drawn[DRAWN_BRIGHTNESS] = factor_of(word[7], z->brightness_ppm);
    drawn[DRAWN_CONTRAST] = factor_of(word[8], z->contrast_ppm);
    drawn[DRAWN_SATURATION] = factor_of(word[9], z->saturation_ppm);
    const int top = below(word[10], z->h) - z->cutout / 2, left = below(word[11], z->w) - z->cutout / 2;
    drawn[DRAWN_TOP] = clt__exactly(top);
    drawn[DRAWN_LEFT] = clt__exactly(left);
    drawn[DRAWN_BOTTOM] = clt__exactly(top + z->cutout);
    drawn[DRAWN_RIGHT] = clt__exactly(left + z->cutout);
    draw_erased(z, word + 12, drawn);
}

static bool flips(const augment_sizes *z, int n, const uint32_t key[2], uint32_t word, const clt__array *operand)
{
    const int32_t *step = operand[AUGMENT_DRAW_STEP].integer;
    uint32_t own[4];
    if (z->flip == FLIP_NONE || step[STEP_VALID] < 1) return false;
    if (z->flip == FLIP_RANDOM) return word >> 31;
    const int32_t image = operand[AUGMENT_DRAW_NUMBER].integer[clt__batch_position(z->partner, (size_t)n, step)];
    const uint32_t counter[4] = {0, (uint32_t)image, 0, RANDOM_FLIP};
    clt__philox(key, counter, own);
    return (own[0] >> 31) != (uint32_t)step[STEP_EPOCH] % 2;
}

static void draw_twin(const void *sizes, const clt__array *operand)
{
    const augment_sizes *z = sizes;
    const int32_t *step = operand[AUGMENT_DRAW_STEP].integer;
    const uint32_t key[2] = {(uint32_t)step[STEP_SEED], 0};
    for (int n = 0; n < z->n; n++) {
        const int own = step[STEP_BEFORE] + n, place = z->partner ? (own + step[STEP_SHIFT]) % step[STEP_WHOLE] : own;
        uint32_t word[WORDS];
        clt__near drawn[DRAWN_LENGTH];
        for (uint32_t block = 0; block < WORDS / 4; block++) {
            const uint32_t counter[4] = {block, (uint32_t)place, (uint32_t)step[STEP_NUMBER], RANDOM_AUGMENT};
            clt__philox(key, counter, word + 4 * block);
        }
        draw_image(z, word, flips(z, n, key, word[0], operand), drawn);
        for (size_t i = 0; i < DRAWN_LENGTH; i++)
            clt__put(&operand[AUGMENT_DRAW_DRAWN], (size_t)n * DRAWN_LENGTH + i, drawn[i]);
    }
}

static void draw_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    clt__define(to, " -DVEC=1");
    clt__launch_flat("augment.cl", limits, ((const augment_sizes *)sizes)->n, false, to);
}

/* ---- augment(x, drawn, normalize -> y) */

static bool moves_whole_pixels(const augment_sizes *z)
{
    return !z->rotate_ppm && !z->scale_ppm && !z->shift_ppm;
}

static bool changes_colour(const augment_sizes *z)
{
    return z->brightness_ppm || z->contrast_ppm || z->saturation_ppm;
}

/* One image as the twin reads it. */
typedef struct picture {
    const augment_sizes *sizes;
    const double *x, *drawn, *mean, *deviation;
} picture;

static clt__near black_of(const picture *p, int c)
{
    return clt__near_divide(clt__exactly(-p->mean[c]), clt__exactly(p->deviation[c]));
}

static clt__near pixel(const picture *p, int px, int py, int c)
{
    const augment_sizes *z = p->sizes;
    const int row = clt__border_source(z->border, py, z->h), column = clt__border_source(z->border, px, z->w);
    if (row < 0 || column < 0) return black_of(p, c);
    return clt__exactly(p->x[((size_t)row * (size_t)z->w + (size_t)column) * (size_t)z->c + (size_t)c]);
}

/* How much the pixels that a slightly other place would read differ: bilinear values change by at most this per pixel,
 * also across the border of two cells. */
static double range_around(const picture *p, int px, int py, int c)
{
    double least = INFINITY, most = -INFINITY;
    for (int y = py - 1; y <= py + 2; y++)
        for (int x = px - 1; x <= px + 2; x++) {
            const double value = pixel(p, x, y, c).value;
            least = fmin(least, value);
            most = fmax(most, value);
        }
    return most - least;
}

/* (1 - f) a + f b */
static clt__near between(clt__near f, clt__near a, clt__near b)
{
    return clt__near_add(clt__near_multiply(clt__near_subtract(clt__exactly(1), f), a), clt__near_multiply(f, b));
}

static clt__near place(double a, double px, double b, double py, double c)
{
    const clt__near x = clt__near_multiply(clt__exactly(a), clt__exactly(px)),
                    y = clt__near_multiply(clt__exactly(b), clt__exactly(py));
    return clt__near_add(clt__near_add(x, y), clt__exactly(c));
}

static clt__near sample(const picture *p, int px, int py, int c)
{
    const double *d = p->drawn;
    const clt__near sx = place(d[DRAWN_A], px, d[DRAWN_B], py, d[DRAWN_C]),
                    sy = place(d[DRAWN_D], px, d[DRAWN_E], py, d[DRAWN_F]);
    const double left = floor(sx.value), up = floor(sy.value);
    /* Far outside, which a tiny scale can reach, all is black. */
    if (!(fabs(left) < 1 << 30 && fabs(up) < 1 << 30)) return black_of(p, c);
    const int x = (int)left, y = (int)up;
    if (moves_whole_pixels(p->sizes)) return pixel(p, x, y, c);
    const clt__near fx = clt__near_subtract(clt__exactly(sx.value), clt__exactly(left)),
                    fy = clt__near_subtract(clt__exactly(sy.value), clt__exactly(up));
    clt__near value = between(fy, between(fx, pixel(p, x, y, c), pixel(p, x + 1, y, c)),
                              between(fx, pixel(p, x, y + 1, c), pixel(p, x + 1, y + 1, c)));
    value.slack += (sx.slack + sy.slack) * range_around(p, x, y, c);
    return value;
}

/* Of red, green and blue (ITU-R BT.601). */
static clt__near grey_share(int c)
{
    const double share = c == 0 ? 0.299 : c == 1 ? 0.587 : 0.114;
    return (clt__near){share, share};
}

static void recolour(const picture *p, clt__near *y)
{
    const augment_sizes *z = p->sizes;
    clt__near grey = clt__exactly(0);
    for (int c = 0; c < z->c; c++) {
        const clt__near mean = clt__exactly(p->mean[c]), deviation = clt__exactly(p->deviation[c]),
                        stored = clt__near_add(clt__near_multiply(y[c], deviation), mean),
                        bright = clt__near_multiply(stored, clt__exactly(p->drawn[DRAWN_BRIGHTNESS])),
                        apart = clt__near_multiply(clt__near_subtract(bright, mean),
                                                   clt__exactly(p->drawn[DRAWN_CONTRAST]));
        y[c] = clt__near_add(apart, mean);
        grey = clt__near_add(grey, clt__near_multiply(y[c], grey_share(c)));
    }
    for (int c = 0; c < z->c; c++) {
        const clt__near mean = clt__exactly(p->mean[c]), saturation = clt__exactly(p->drawn[DRAWN_SATURATION]);
        if (z->saturation_ppm)
            y[c] = clt__near_add(grey, clt__near_multiply(clt__near_subtract(y[c], grey), saturation));
        y[c] = clt__near_divide(clt__near_subtract(y[c], mean), clt__exactly(p->deviation[c]));
    }
}

static bool is_empty(const picture *p, int px, int py)
{
    const double *d = p->drawn;
    return (px >= d[DRAWN_LEFT] && px < d[DRAWN_RIGHT] && py >= d[DRAWN_TOP] && py < d[DRAWN_BOTTOM]) ||
           (px >= d[DRAWN_ERASE_LEFT] && px < d[DRAWN_ERASE_RIGHT] && py >= d[DRAWN_ERASE_TOP] &&
            py < d[DRAWN_ERASE_BOTTOM]);
}

static void augment_pixel(const picture *p, int px, int py, clt__near *y)
{
    const augment_sizes *z = p->sizes;
    for (int c = 0; c < z->c; c++) y[c] = is_empty(p, px, py) ? clt__exactly(0) : sample(p, px, py, c);
    if (changes_colour(z) && !is_empty(p, px, py)) recolour(p, y);
}

static void augment_twin(const void *sizes, const clt__array *operand)
{
    const augment_sizes *z = sizes;
    const size_t pixels = (size_t)z->h * (size_t)z->w, channels = (size_t)z->c;
    clt__near value[CLT_MAX_CHANNELS];
    for (size_t n = 0; n < (size_t)z->n; n++) {
        const picture p = {.sizes = z,
                           .x = operand[AUGMENT_X].real + n * pixels * channels,
                           .drawn = operand[AUGMENT_DRAWN].real + n * DRAWN_LENGTH,
                           .mean = operand[AUGMENT_NORMALIZE].real,
                           .deviation = operand[AUGMENT_NORMALIZE].real + channels};
        for (size_t i = 0; i < pixels; i++) {
            augment_pixel(&p, (int)(i % (size_t)z->w), (int)(i / (size_t)z->w), value);
            for (size_t c = 0; c < channels; c++)
                clt__put(&operand[AUGMENT_Y], (n * pixels + i) * channels + c, value[c]);
        }
    }
}

static void augment_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const augment_sizes *z = sizes;
    if (moves_whole_pixels(z)) clt__define(to, " -DWHOLE");
    if (changes_colour(z)) clt__define(to, " -DCOLOUR");
    clt__launch_pixel_runs("augment.cl", limits, z->n, z->h, z->w, to);
}

const clt__op_row clt__augment_draw_op = {
    .name = "augment_draw",
    .operand = {[AUGMENT_DRAW_STEP] = {"step", CLT__READ},
                [AUGMENT_DRAW_NUMBER] = {"number", CLT__READ},
                [AUGMENT_DRAW_DRAWN] = {"drawn", CLT__WRITE}},
    .twin = draw_twin,
    .launch = draw_launch,
};

const clt__op_row clt__augment_op = {
    .name = "augment",
    .operand = {[AUGMENT_X] = {"x", CLT__READ},
                [AUGMENT_DRAWN] = {"drawn", CLT__READ},
                [AUGMENT_NORMALIZE] = {"normalize", CLT__READ},
                [AUGMENT_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(AUGMENT_X) | CLT__STORED(AUGMENT_Y),
    .twin = augment_twin,
    .launch = augment_launch,
};
