/* Augmentation and mixing: what a step's images are, beside what they were. In double on the reference, and the same
 * bits on the device however a batch is split. That device and reference agree is for test_ops.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "device/opencl.h"
#include "session/session.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { HEIGHT = 7, WIDTH = 5, PIXELS = HEIGHT * WIDTH, IMAGES = 24, CLASSES = 4, RUNS = 3 };

static clt_device *reference;

static int set_up(void **state)
{
    reference = open_called("reference");
    return make_folder(state);
}

static int tear_down(void **state)
{
    clt_device_close(reference);
    return remove_folder(state);
}

/* Images of 1 or 3 channels as they are and as a step saw them, values as bytes / 255. */
typedef struct seen {
    int channels;
    double before[IMAGES * PIXELS * 3], after[IMAGES * PIXELS * 3];
    double target[IMAGES * CLASSES];
    int32_t label[IMAGES];
} seen;

static clt_dataset *make_data(int channels, seen *s)
{
    clt_error error;
    clt_dataset *data;
    uint8_t bytes[IMAGES * PIXELS * 3];
    const size_t values = (size_t)(IMAGES * PIXELS * channels);
    double random[IMAGES * PIXELS * 3];
    fill_random(random, values, 5);
    for (size_t i = 0; i < values; i++) {
        bytes[i] = (uint8_t)(129 + 100 * random[i]);
        s->before[i] = bytes[i] / 255.0;
    }
    for (int i = 0; i < IMAGES; i++) s->label[i] = i % CLASSES;
    s->channels = channels;
    assert_ok(
        clt_dataset_from_bytes(IMAGES, (clt_shape){channels, HEIGHT, WIDTH}, bytes, s->label, CLASSES, &data, &error),
        &error);
    return data;
}

/* What one step makes of all images: as one batch or in micro-batches. Values are bytes / 255, so that black is 0, or
 * less the mean of each channel where `normalize` says so. */
static void run_step(clt_device *on, clt_precision precision, clt__augment augment, int micro_batch, uint64_t seed,
                     enum clt__normalizing normalize, seen *s)
{
    clt_error error;
    clt_session *session;
    char net[96];
    int32_t order[IMAGES];
    const clt_dataset *data = NULL;
    clt_dataset *made = make_data(s->channels, s);
    data = made;
    (void)snprintf(net, sizeof net, "input %dx%dx%d; flatten; dense out=%d", s->channels, HEIGHT, WIDTH, CLASSES);
    clt_model *model = make_model(net, NULL, precision, 1);
    clt_options options = clt__options_default();
    options.batch_size = IMAGES;
    options.micro_batch_size = micro_batch;
    options.normalize.how = normalize;
    options.augment = augment;
    options.seed = seed;
    assert_ok(clt_session_open(model, on, data, &options, true, &session, &error), &error);
    for (int i = 0; i < IMAGES; i++) order[i] = i;
    assert_ok(clt__feed_set_order(&session->feed, order, IMAGES, 0, &error), &error);
    session->number = 11;
    const int part = micro_batch ? micro_batch : IMAGES;
    for (int first = 0; first < IMAGES; first += part) {
        const clt__placement p = {
            .first = first, .valid = part, .whole = IMAGES, .part = first / part, .before = first};
        const size_t values = (size_t)(PIXELS * s->channels);
        assert_ok(clt__session_place(session, &p, &error), &error);
        assert_ok(clt__session_run_ops(session, 0, session->net.forward, NULL, &error), &error);
        assert_ok(clt_session_read(session, "input", s->after + (size_t)first * values, (size_t)part * values, &error),
                  &error);
        if (augment.mixup > 0 || augment.cutmix > 0)
            assert_ok(clt_session_read(session, "mix.target", s->target + (size_t)first * CLASSES,
                                       (size_t)part * CLASSES, &error),
                      &error);
    }
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(made);
}

static void augment_on_reference(clt__augment augment, int channels, uint64_t seed, seen *s)
{
    s->channels = channels;
    run_step(reference, CLT_F64, augment, 0, seed, CLT__BY_NOTHING, s);
}

/* The pixel that a walk of `at` steps from the first of `size` ends at: it turns round at both edges, or stays there.
 */
static int walk(int at, int size, unsigned border)
{
    int place = 0, way = at < 0 ? -1 : 1;
    for (int i = 0; i < abs(at); i++) {
        const bool ends = place + way < 0 || place + way >= size;
        if (ends && border == CLT__BORDER_REPLICATE) return place;
        if (ends) way = -way;
        place += way;
    }
    return place;
}

static double value_at(const double *image, int y, int x, unsigned border)
{
    if (border) return image[walk(y, HEIGHT, border) * WIDTH + walk(x, WIDTH, border)];
    return y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH ? image[y * WIDTH + x] : 0;
}

/* ---- moving */

static bool is_moved_in(const double *from, const double *to, int down, int right, bool mirrored, unsigned border)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const int column = (mirrored ? WIDTH - 1 - x : x) - right;
            if (fabs(to[y * WIDTH + x] - value_at(from, y - down, column, border)) > 1e-12) return false;
        }
    return true;
}

static bool is_moved(const double *from, const double *to, int down, int right, bool mirrored)
{
    return is_moved_in(from, to, down, right, mirrored, 0);
}

static void a_flip_mirrors_about_half_of_the_images(void **state)
{
    (void)state;
    static seen s;
    int flipped = 0;
    augment_on_reference((clt__augment){.flip = true}, 1, 3, &s);
    for (int i = 0; i < IMAGES; i++) {
        const bool mirrored = is_moved(s.before + i * PIXELS, s.after + i * PIXELS, 0, 0, true);
        assert_true(mirrored || is_moved(s.before + i * PIXELS, s.after + i * PIXELS, 0, 0, false));
        flipped += mirrored;
    }
    assert_in_range(flipped, IMAGES / 4, IMAGES * 3 / 4);
}

/* ---- alternating flips */

enum { MANY = 80 };

static clt_dataset *make_many(uint8_t bytes[MANY * PIXELS])
{
    clt_error error;
    clt_dataset *data;
    static double random[MANY * PIXELS];
    static const int32_t label[MANY];
    fill_random(random, MANY * PIXELS, 6);
    for (int i = 0; i < MANY * PIXELS; i++) bytes[i] = (uint8_t)(128 + 100 * random[i]);
    assert_ok(clt_dataset_from_bytes(MANY, (clt_shape){1, HEIGHT, WIDTH}, bytes, label, 1, &data, &error), &error);
    return data;
}

/* Which images the running epoch of a session mirrors. */
static void see_epoch(clt_session *session, const uint8_t *bytes, bool mirrored[MANY])
{
    clt_error error;
    const int batch = session->options.batch_size, micro = session->micro_batch;
    double from[PIXELS], *to = calloc((size_t)(micro * PIXELS), sizeof *to);
    assert_non_null(to);
    for (int i = 0; i < MANY; i++) {
        const int whole = MANY - i / batch * batch < batch ? MANY - i / batch * batch : batch, before = i % batch;
        const int place = before % micro;
        if (place == 0) {
            const clt__placement p = {.first = i,
                                      .valid = whole - before < micro ? whole - before : micro,
                                      .whole = whole,
                                      .part = before / micro,
                                      .before = before};
            session->number++;
            assert_ok(clt__session_place(session, &p, &error), &error);
            assert_ok(clt__session_run_ops(session, 0, session->net.forward, NULL, &error), &error);
            assert_ok(clt_session_read(session, "input", to, (size_t)(micro * PIXELS), &error), &error);
        }
        const int image = session->feed.order[i];
        for (int j = 0; j < PIXELS; j++) from[j] = bytes[image * PIXELS + j] / 255.0;
        mirrored[image] = is_moved(from, to + place * PIXELS, 0, 0, true);
        assert_true(mirrored[image] || is_moved(from, to + place * PIXELS, 0, 0, false));
    }
    free(to);
}

static void see_epochs(clt_device *on, clt_options options, bool streams, bool mirrored[3][MANY])
{
    clt_error error;
    clt_session *session;
    static uint8_t bytes[MANY * PIXELS];
    clt_dataset *data = make_many(bytes);
    clt_model *model = make_model("input 1x7x5; flatten; dense out=1", "mse", CLT_F64, 1);
    options.normalize.how = CLT__BY_NOTHING;
    options.augment.flip = CLT__FLIP_ALTERNATE;
    assert_ok(clt_session_open(model, on, data, &options, true, &session, &error), &error);
    assert_int_equal(session->feed.resident, !streams);
    for (int epoch = 0; epoch < 3; epoch++) {
        assert_ok(clt__session_set_epoch_order(session, &session->options, epoch, &error), &error);
        see_epoch(session, bytes, mirrored[epoch]);
    }
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(data);
}

/* Each epoch shows the other of both; which comes first depends on the seed and on the image, and on nothing else. */
static void alternating_flips_show_both_in_two_epochs(void **state)
{
    (void)state;
    static bool first[3][MANY], other[3][MANY];
    clt_device *device = open_called(NULL);
    clt_options options = clt__options_default();
    options.batch_size = 16;
    options.seed = 5;
    see_epochs(reference, options, false, first);
    int mirrored = 0;
    for (int i = 0; i < MANY; i++) {
        assert_true(first[0][i] != first[1][i] && first[0][i] == first[2][i]);
        mirrored += first[0][i];
    }
    assert_in_range(mirrored, MANY / 4, MANY * 3 / 4);
    options.batch_size = 12;
    options.micro_batch_size = 5;
    see_epochs(device, options, false, other);
    assert_memory_equal(first, other, sizeof first);
    options.shuffle = false;
    device->shares_host_memory = true;
    options.batch_size = 1; /* of which such a device holds 64 */
    see_epochs(device, options, true, other);
    assert_memory_equal(first, other, sizeof first);
    options.seed++;
    see_epochs(device, options, true, other);
    assert_memory_not_equal(first, other, sizeof first);
    clt_device_close(device);
}

static void alternating_flips_are_for_images_with_numbers(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_model *model = make_model("input 1x7x5; flatten; dense out=4", NULL, CLT_F32, 1);
    clt_options options = clt__options_default();
    options.normalize.how = CLT__BY_NOTHING;
    options.augment.flip = CLT__FLIP_ALTERNATE;
    assert_failed(
        clt_session_open_batches(model, reference, CLT_BYTES, CLT_LABELS, &options, false, &session, &error),
        CLT_BAD_ARGUMENT, &error, NULL,
        "the images of the batches to come have no number and no epoch that flips could alternate by: augment them by "
        "flip");
    clt_model_close(model);
}

static void a_crop_moves_by_whole_pixels_and_leaves_black(void **state)
{
    (void)state;
    static seen s;
    bool found[5][5] = {{false}};
    int ways = 0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        augment_on_reference((clt__augment){.crop = 2, .flip = seed > 0}, 1, seed, &s);
        for (int i = 0; i < IMAGES; i++) {
            bool matches = false;
            for (int way = 0; way < 50 && !matches; way++) {
                const int down = way / 2 / 5 - 2, right = way / 2 % 5 - 2;
                matches = is_moved(s.before + i * PIXELS, s.after + i * PIXELS, down, right, way % 2);
                if (matches && !found[down + 2][right + 2]) ways++;
                if (matches) found[down + 2][right + 2] = true;
            }
            assert_true(matches);
        }
    }
    assert_true(ways > 18); /* of 25 */
}

/* As far as an image is wide, so that what comes in is mirrored twice. */
static void a_crop_brings_in_what_the_border_says(void **state)
{
    (void)state;
    static seen s;
    enum { MOST = WIDTH, SIDE = 2 * MOST + 1 };
    for (unsigned border = CLT__BORDER_REFLECT; border <= CLT__BORDER_REPLICATE; border++) {
        int beyond = 0;
        augment_on_reference((clt__augment){.crop = MOST, .border = border}, 1, border, &s);
        for (int i = 0; i < IMAGES; i++) {
            bool matches = false;
            for (int way = 0; way < SIDE * SIDE && !matches; way++) {
                const int down = way / SIDE - MOST, right = way % SIDE - MOST;
                matches = is_moved_in(s.before + i * PIXELS, s.after + i * PIXELS, down, right, false, border);
                beyond += matches && abs(right) == MOST;
            }
            assert_true(matches);
        }
        assert_true(beyond > 0);
    }
}

/* The mean of a turned, shifted image of one colour is that colour where nothing black comes in. */
static void no_border_but_black_darkens_a_plain_image(void **state)
{
    (void)state;
    clt_error error;
    static double images[8 * PIXELS], out[8 * PIXELS];
    const double targets[8] = {0};
    const int32_t order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (size_t i = 0; i < COUNT_OF(images); i++) images[i] = 0.75;
    for (unsigned border = 0; border <= CLT__BORDER_REPLICATE; border++) {
        clt_dataset *data;
        clt_session *session;
        int black = 0;
        assert_ok(clt_dataset_from_reals(8, (clt_shape){1, HEIGHT, WIDTH}, images, targets, 1, &data, &error), &error);
        clt_model *model = make_model("input 1x7x5; flatten; dense out=1", "mse", CLT_F64, 1);
        clt_options options = clt__options_default();
        options.batch_size = 8;
        options.normalize.how = CLT__BY_NOTHING;
        options.augment = (clt__augment){.rotate = 180, .scale = 0.9, .shift = 1, .border = border};
        assert_ok(clt_session_open(model, reference, data, &options, true, &session, &error), &error);
        assert_ok(clt_session_step(session, order, 8, &error), &error);
        assert_ok(clt_session_read(session, "input", out, COUNT_OF(out), &error), &error);
        for (size_t i = 0; i < COUNT_OF(out); i++) black += fabs(out[i] - 0.75) > 1e-12;
        assert_int_equal(black > 0, border == 0);
        clt_session_close(session);
        clt_model_close(model);
        clt_dataset_close(data);
    }
}

static void every_border_verifies(void **state)
{
    (void)state;
    clt_error error;
    seen unread;
    const clt__augment moves[] = {{.crop = 5}, {.crop = 1, .rotate = 180, .scale = 0.9, .shift = 1}};
    clt_device *device = open_called(NULL);
    for (unsigned border = 0; border <= CLT__BORDER_REPLICATE; border++)
        for (size_t i = 0; i < COUNT_OF(moves); i++) {
            clt_session *session;
            clt_dataset *data = make_data(1, &unread);
            clt_model *model = make_model("input 1x7x5; flatten; dense out=4", NULL, CLT_F32, 1);
            clt_options options = clt__options_default();
            options.batch_size = IMAGES;
            options.augment = moves[i];
            options.augment.border = border;
            assert_ok(clt_session_open(model, device, data, &options, true, &session, &error), &error);
            const clt__placement all = {.valid = IMAGES, .whole = IMAGES};
            assert_ok(clt__session_place(session, &all, &error), &error);
            assert_ok(clt__verify_ops(session, 0, session->net.forward, NULL, NULL, &error), &error);
            clt_session_close(session);
            clt_model_close(model);
            clt_dataset_close(data);
        }
    clt_device_close(device);
}

/* A turned, scaled, shifted image takes the pixel at the centre from near the centre: an image that is linear in x and
 * y stays linear inside, so that the map can be read off it. */
static void rotation_scale_and_shift_stay_within_their_limits(void **state)
{
    (void)state;
    clt_error error;
    enum { SIDE = 41, MIDDLE = SIDE / 2 };
    static double ramp[2 * SIDE * SIDE], out[8 * 2 * SIDE * SIDE], images[8 * 2 * SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) {
        ramp[i] = i % SIDE;
        ramp[SIDE * SIDE + i] = i / SIDE;
    }
    for (int n = 0; n < 8; n++) memcpy(images + n * 2 * SIDE * SIDE, ramp, sizeof ramp);
    clt_dataset *data;
    clt_session *session;
    const double targets[8] = {0};
    const int32_t order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_ok(clt_dataset_from_reals(8, (clt_shape){2, SIDE, SIDE}, images, targets, 1, &data, &error), &error);
    clt_model *model = make_model("input 2x41x41; flatten; dense out=1", "mse", CLT_F64, 1);
    clt_options options = clt__options_default();
    options.batch_size = 8;
    options.normalize.how = CLT__BY_NOTHING;
    options.augment = (clt__augment){.rotate = 20, .scale = 0.25, .shift = 0.1};
    assert_ok(clt_session_open(model, reference, data, &options, true, &session, &error), &error);
    assert_ok(clt_session_step(session, order, 8, &error), &error);
    assert_ok(clt_session_read(session, "input", out, COUNT_OF(out), &error), &error);
    double most_angle = 0, least_scale = 9, most_scale = 0, most_shift = 0;
    for (int n = 0; n < 8; n++) {
        const double *x = out + n * 2 * SIDE * SIDE + MIDDLE * SIDE + MIDDLE, *y = x + SIDE * SIDE;
        const double xx = x[1] - x[0], xy = x[SIDE] - x[0], yx = y[1] - y[0], yy = y[SIDE] - y[0];
        assert_true(fabs(xx - yy) < 1e-9 && fabs(xy + yx) < 1e-9); /* a rotation times a number */
        const double scale = 1 / hypot(xx, xy), angle = atan2(xy, xx) * 180 / 3.14159265358979323846;
        most_angle = fmax(most_angle, fabs(angle));
        least_scale = fmin(least_scale, scale);
        most_scale = fmax(most_scale, scale);
        /* where the centre has gone: A (centre - t) = what the centre shows */
        const double dx = (x[0] - MIDDLE) * scale, dy = (y[0] - MIDDLE) * scale;
        most_shift = fmax(most_shift, hypot(dx, dy));
    }
    assert_true(most_angle <= 20 && most_angle > 5);
    assert_true(least_scale >= 0.75 && least_scale < 0.95 && most_scale <= 1.25 && most_scale > 1.05);
    assert_true(most_shift <= hypot(4.1, 4.1) && most_shift > 1);
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(data);
}

/* ---- colours */

static void brightness_multiplies_an_image(void **state)
{
    (void)state;
    static seen s;
    double least = 9, most = 0;
    augment_on_reference((clt__augment){.brightness = 0.5}, 3, 3, &s);
    for (int i = 0; i < IMAGES; i++) {
        const double *before = s.before + i * 3 * PIXELS, *after = s.after + i * 3 * PIXELS,
                     factor = after[0] / before[0];
        for (int j = 0; j < 3 * PIXELS; j++) assert_true(fabs(after[j] - factor * before[j]) < 1e-12);
        least = fmin(least, factor);
        most = fmax(most, factor);
    }
    assert_true(least >= 0.5 && least < 0.8 && most <= 1.5 && most > 1.2);
}

static void contrast_keeps_the_mean_of_the_data_set(void **state)
{
    (void)state;
    static seen s, plain;
    s.channels = plain.channels = 1;
    run_step(reference, CLT_F64, (clt__augment){.flip = false}, 0, 3, CLT__BY_DATASET, &plain);
    run_step(reference, CLT_F64, (clt__augment){.contrast = 0.5}, 0, 3, CLT__BY_DATASET, &s);
    for (int i = 0; i < IMAGES; i++) { /* the mean is 0 once normalised, so that an image is multiplied */
        const double factor = s.after[i * PIXELS] / plain.after[i * PIXELS];
        assert_true(factor >= 0.5 && factor <= 1.5 && fabs(factor - 1) > 1e-6);
        for (int j = 0; j < PIXELS; j++)
            assert_true(fabs(s.after[i * PIXELS + j] - factor * plain.after[i * PIXELS + j]) < 1e-11);
    }
}

static void saturation_keeps_the_grey_of_each_pixel(void **state)
{
    (void)state;
    static seen s;
    augment_on_reference((clt__augment){.saturation = 0.5}, 3, 3, &s);
    for (int i = 0; i < IMAGES * PIXELS; i++) {
        const double *from = s.before + i / PIXELS * 3 * PIXELS + i % PIXELS,
                     *to = s.after + i / PIXELS * 3 * PIXELS + i % PIXELS;
        const double grey = 0.299 * from[0] + 0.587 * from[PIXELS] + 0.114 * from[2 * PIXELS];
        assert_true(fabs(0.299 * to[0] + 0.587 * to[PIXELS] + 0.114 * to[2 * PIXELS] - grey) < 1e-12);
        const double factor = (to[0] - grey) / (from[0] - grey);
        assert_true(factor >= 0.5 && factor <= 1.5);
        assert_true(fabs((to[PIXELS] - grey) - factor * (from[PIXELS] - grey)) < 1e-10);
    }
}

static void cutout_empties_a_square(void **state)
{
    (void)state;
    static seen s;
    augment_on_reference((clt__augment){.cutout = 3}, 1, 3, &s);
    int whole_squares = 0;
    for (int i = 0; i < IMAGES; i++) {
        int top = HEIGHT, bottom = -1, left = WIDTH, right = -1, empty = 0;
        for (int j = 0; j < PIXELS; j++) {
            const double before = s.before[i * PIXELS + j], after = s.after[i * PIXELS + j];
            assert_true(after == 0 || fabs(after - before) < 1e-12);
            if (after != 0) continue;
            empty++;
            top = j / WIDTH < top ? j / WIDTH : top;
            bottom = j / WIDTH > bottom ? j / WIDTH : bottom;
            left = j % WIDTH < left ? j % WIDTH : left;
            right = j % WIDTH > right ? j % WIDTH : right;
        }
        assert_true(empty > 0 && bottom - top < 3 && right - left < 3);
        assert_int_equal(empty, (bottom - top + 1) * (right - left + 1));
        whole_squares += empty == 9;
    }
    assert_true(whole_squares > 0 && whole_squares < IMAGES);
}

/* Where `after` is zero and `before` is not: that this is one rectangle, and its extents; 0 x 0 for none. */
static void find_empty(const double *before, const double *after, int *height, int *width)
{
    int top = HEIGHT, bottom = -1, left = WIDTH, right = -1, empty = 0;
    for (int j = 0; j < PIXELS; j++) {
        assert_true(after[j] == 0 || fabs(after[j] - before[j]) < 1e-12);
        if (after[j] != 0) continue;
        empty++;
        top = j / WIDTH < top ? j / WIDTH : top;
        bottom = j / WIDTH > bottom ? j / WIDTH : bottom;
        left = j % WIDTH < left ? j % WIDTH : left;
        right = j % WIDTH > right ? j % WIDTH : right;
    }
    *height = empty ? bottom - top + 1 : 0;
    *width = empty ? right - left + 1 : 0;
    assert_int_equal(empty, *height * *width);
}

static void erasing_empties_a_rectangle_in_some_images(void **state)
{
    (void)state;
    static seen s;
    int erased = 0, images = 0, shapes[HEIGHT + 1][WIDTH + 1] = {{0}};
    for (uint64_t seed = 0; seed < 20; seed++) {
        augment_on_reference((clt__augment){.erase = 0.4}, 1, seed, &s);
        for (int i = 0; i < IMAGES; i++, images++) {
            int height, width;
            find_empty(s.before + (size_t)i * PIXELS, s.after + (size_t)i * PIXELS, &height, &width);
            erased += height > 0;
            shapes[height][width]++;
            /* The root of a third of the area, 3.3 times as high as wide or the other way, and half a pixel. */
            assert_true(height <= sqrt(0.33 * PIXELS * 3.31) + 0.5 && width <= sqrt(0.33 * PIXELS / 0.299) + 0.5);
            const double least = sqrt(0.33 * PIXELS) + 0.5;
            assert_true(height == 0 || height <= least || width <= least);
        }
    }
    assert_true(erased > 0.3 * images && erased < 0.5 * images);
    int different = 0;
    for (int i = 1; i <= HEIGHT; i++)
        for (int j = 1; j <= WIDTH; j++) different += shapes[i][j] > 0;
    assert_true(different > 8);
}

/* ---- mixing */

/* The partner's place, from the targets: where the own share is `share` at the own label. */
static void assert_target(const seen *s, int i, int partner, double share)
{
    for (int k = 0; k < CLASSES; k++) {
        const double wanted = share * (s->label[i] == k) + (1 - share) * (s->label[partner] == k);
        assert_true(fabs(s->target[i * CLASSES + k] - wanted) <= 0.5 / MIX_UNIT + 1e-12); /* shares are whole units */
    }
}

/* Whether pixel j of every image is that of the image `shift` behind it. */
static bool is_taken(const seen *s, int j, int shift)
{
    for (int i = 0; i < IMAGES; i++)
        if (fabs(s->after[i * PIXELS + j] - s->before[(i + shift) % IMAGES * PIXELS + j]) > 1e-12) return false;
    return true;
}

/* How many pixels are, the others being the images' own; -1 where some are neither. */
static int taken_pixels(const seen *s, int shift)
{
    int taken = 0;
    for (int j = 0; j < PIXELS; j++)
        if (is_taken(s, j, shift))
            taken++;
        else if (!is_taken(s, j, 0))
            return -1;
    return taken;
}

static void mixup_blends_pairs_and_their_targets(void **state)
{
    (void)state;
    static seen s;
    double shares[RUNS];
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        augment_on_reference((clt__augment){.mixup = 1}, 1, seed, &s);
        int shift = 0;
        for (int candidate = 1; candidate < IMAGES && !shift; candidate++) {
            const double own = s.before[0], other = s.before[candidate * PIXELS],
                         share = (s.after[0] - other) / (own - other);
            bool same = true;
            for (int j = 0; j < PIXELS; j++)
                same &= fabs(s.after[j] - share * s.before[j] - (1 - share) * s.before[candidate * PIXELS + j]) < 1e-9;
            if (same) shift = candidate;
            shares[seed] = share;
        }
        assert_true(shift > 0 && shares[seed] >= 0 && shares[seed] <= 1);
        for (int i = 0; i < IMAGES; i++) {
            const int partner = (i + shift) % IMAGES;
            assert_target(&s, i, partner, shares[seed]);
            for (int j = 0; j < PIXELS; j++)
                assert_true(fabs(s.after[i * PIXELS + j] - shares[seed] * s.before[i * PIXELS + j] -
                                 (1 - shares[seed]) * s.before[partner * PIXELS + j]) < 1e-9);
        }
    }
    assert_true(shares[0] != shares[1] && shares[1] != shares[2]);
}

static void cutmix_puts_a_box_of_one_image_into_another(void **state)
{
    (void)state;
    static seen s;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        augment_on_reference((clt__augment){.cutmix = 1}, 1, seed, &s);
        int shift = 1;
        while (shift < IMAGES && taken_pixels(&s, shift) < 0) shift++;
        assert_true(shift < IMAGES);
        for (int i = 0; i < IMAGES && taken_pixels(&s, shift) > 0; i++)
            assert_target(&s, i, (i + shift) % IMAGES, 1 - taken_pixels(&s, shift) / (double)PIXELS);
    }
}

/* Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)). */
static void beta_has_the_right_mean_and_variance(void **state)
{
    (void)state;
    const double alphas[] = {0.05, 0.5, 1, 4};
    for (size_t i = 0; i < COUNT_OF(alphas); i++) {
        clt__random stream = clt__random_seed(1, "beta", i);
        double sum = 0, square = 0;
        enum { DRAWS = 20000 };
        for (int n = 0; n < DRAWS; n++) {
            const double x = clt__random_beta(&stream, alphas[i]);
            assert_true(x >= 0 && x <= 1);
            sum += x;
            square += (x - 0.5) * (x - 0.5);
        }
        const double variance = 1 / (4 * (2 * alphas[i] + 1));
        assert_true(fabs(sum / DRAWS - 0.5) < 5 * sqrt(variance / DRAWS));
        assert_true(fabs(square / DRAWS - variance) < 0.05 * variance);
    }
}

/* ---- the same bits */

static void the_same_bits_however_a_batch_is_split(void **state)
{
    (void)state;
    static seen whole, parts, other;
    const clt__augment all = {.flip = true,
                              .crop = 1,
                              .shift = 0.1,
                              .rotate = 15,
                              .scale = 0.2,
                              .brightness = 0.2,
                              .contrast = 0.2,
                              .saturation = 0.2,
                              .cutout = 2,
                              .erase = 0.5,
                              .mixup = 0.4,
                              .cutmix = 1};
    clt_device *device = open_called(NULL);
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        whole.channels = parts.channels = other.channels = 3;
        run_step(device, CLT_F32, all, 0, seed, CLT__BY_DATASET, &whole);
        run_step(device, CLT_F32, all, 8, seed, CLT__BY_DATASET, &parts);
        run_step(device, CLT_F32, all, 0, seed + 100, CLT__BY_DATASET, &other);
        assert_memory_equal(whole.after, parts.after, sizeof whole.after);
        assert_memory_equal(whole.target, parts.target, sizeof whole.target);
        assert_memory_not_equal(whole.after, other.after, sizeof whole.after);
    }
    clt_device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flip_mirrors_about_half_of_the_images),
        cmocka_unit_test(alternating_flips_show_both_in_two_epochs),
        cmocka_unit_test(alternating_flips_are_for_images_with_numbers),
        cmocka_unit_test(a_crop_moves_by_whole_pixels_and_leaves_black),
        cmocka_unit_test(a_crop_brings_in_what_the_border_says),
        cmocka_unit_test(no_border_but_black_darkens_a_plain_image),
        cmocka_unit_test(every_border_verifies),
        cmocka_unit_test(rotation_scale_and_shift_stay_within_their_limits),
        cmocka_unit_test(brightness_multiplies_an_image),
        cmocka_unit_test(contrast_keeps_the_mean_of_the_data_set),
        cmocka_unit_test(saturation_keeps_the_grey_of_each_pixel),
        cmocka_unit_test(cutout_empties_a_square),
        cmocka_unit_test(erasing_empties_a_rectangle_in_some_images),
        cmocka_unit_test(mixup_blends_pairs_and_their_targets),
        cmocka_unit_test(cutmix_puts_a_box_of_one_image_into_another),
        cmocka_unit_test(beta_has_the_right_mean_and_variance),
        cmocka_unit_test(the_same_bits_however_a_batch_is_split),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
