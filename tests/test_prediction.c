/* Images made to be what a model takes, and the mean over mirrored and moved images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support.h"

enum { SIDE = 6, COUNT = 7, OUTPUTS = 3, PIXELS = SIDE * SIDE };

static const char net[] = "conv out=4 kernel=3, relu, flatten, dense out=3";
static const clt_shape grey = {1, SIDE, SIDE};

static clt_model *new_model(void)
{
    clt_error error;
    clt_model *model;
    clt_options options = clt__options_default();
    options.net = net;
    options.input = grey;
    options.loss = "mse"; /* so that predictions are the net's own outputs */
    assert_ok(clt_model_create(&options, &model, &error), &error);
    return model;
}

static void mirror(const uint8_t *from, uint8_t *to)
{
    for (int i = 0; i < COUNT * PIXELS; i++) to[i] = from[i - i % SIDE + SIDE - 1 - i % SIDE];
}

static void predict(clt_device *device, const clt_model *model, const uint8_t *pixels, unsigned tta, double *outputs)
{
    clt_error error;
    clt_dataset *data;
    clt_options options = clt__options_default();
    options.tta = tta;
    options.batch_size = 3; /* the last batch is short */
    assert_ok(clt_dataset_from_bytes(COUNT, grey, pixels, NULL, 0, &data, &error), &error);
    assert_ok(clt_predict(model, device, data, &options, outputs, &error), &error);
    clt_dataset_close(data);
}

/* Moved down and to the right by a pixel, or up and to the left: of the row and the column that come in each is the one
 * next to the edge again. */
static void move(const uint8_t *from, int pixels, uint8_t *to)
{
    uint8_t padded[SIDE + 2][SIDE + 2];
    for (int n = 0; n < COUNT; n++) {
        const uint8_t *image = from + n * PIXELS;
        for (int y = 0; y < SIDE + 2; y++)
            for (int x = 0; x < SIDE + 2; x++) {
                const int row = y == 0 ? 1 : y == SIDE + 1 ? SIDE - 2 : y - 1;
                const int column = x == 0 ? 1 : x == SIDE + 1 ? SIDE - 2 : x - 1;
                padded[y][x] = image[row * SIDE + column];
            }
        for (int i = 0; i < PIXELS; i++) to[n * PIXELS + i] = padded[i / SIDE + 1 - pixels][i % SIDE + 1 - pixels];
    }
}

/* As airbench has it: what `none` gives for each image that was changed here, in shares that it gives them. */
static void the_mean_over_changed_images(void **state)
{
    (void)state;
    static const double shares[][6] = {[CLT__TTA_NONE] = {1},
                                       [CLT__TTA_FLIP] = {0.5, 0.5},
                                       [CLT__TTA_SHIFT] = {0.5, 0, 0.25, 0, 0.25, 0},
                                       [CLT__TTA_FLIP_SHIFT] = {0.25, 0.25, 0.125, 0.125, 0.125, 0.125}};
    uint8_t pixels[COUNT * PIXELS], changed[6][COUNT * PIXELS];
    double seen[6][COUNT * OUTPUTS], mean[COUNT * OUTPUTS];
    for (int i = 0; i < COUNT * PIXELS; i++) pixels[i] = (uint8_t)(i * i * 31 + i * 7);
    for (int i = 0; i < 3; i++) {
        move(pixels, i == 2 ? -1 : i, changed[2 * i]);
        mirror(changed[2 * i], changed[2 * i + 1]);
    }
    for (int on_reference = 0; on_reference < 2; on_reference++) {
        clt_device *device = open_called(on_reference ? "reference" : NULL);
        clt_model *model = new_model();
        for (int i = 0; i < 6; i++) predict(device, model, changed[i], CLT__TTA_NONE, seen[i]);
        for (unsigned tta = CLT__TTA_NONE; tta <= CLT__TTA_FLIP_SHIFT; tta++) {
            int different = 0;
            predict(device, model, pixels, tta, mean);
            for (int i = 0; i < COUNT * OUTPUTS; i++) {
                double wanted = 0;
                for (int j = 0; j < 6; j++) wanted += shares[tta][j] * seen[j][i];
                assert_true(fabs(mean[i] - wanted) <= 1e-6);
                different += fabs(mean[i] - seen[0][i]) > 1e-3;
            }
            assert_true(tta == CLT__TTA_NONE ? different == 0 : different > COUNT);
        }
        clt_model_close(model);
        clt_device_close(device);
    }
}

/* A session that stays open for images of the caller's does the same. */
static void a_session_takes_it_too(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    uint8_t pixels[COUNT * PIXELS];
    double wanted[COUNT * OUTPUTS];
    float outputs[COUNT * OUTPUTS];
    clt_options options = clt__options_default();
    for (int i = 0; i < COUNT * PIXELS; i++) pixels[i] = (uint8_t)(i * i * 13 + 5);
    options.tta = CLT__TTA_FLIP_SHIFT;
    options.batch_size = 3;
    clt_device *device = open_called(NULL);
    clt_model *model = new_model();
    predict(device, model, pixels, CLT__TTA_FLIP_SHIFT, wanted);
    assert_ok(clt_session_open_images(model, device, CLT_BYTES, &options, &session, &error), &error);
    assert_ok(clt_session_predict_bytes(session, pixels, COUNT, outputs, &error), &error);
    for (int i = 0; i < COUNT * OUTPUTS; i++) assert_true(fabs((double)outputs[i] - wanted[i]) <= 1e-6);
    clt_session_close(session);
    clt_model_close(model);
    clt_device_close(device);
}

static clt_dataset *open_images(const char *path, clt_shape size, bool invert)
{
    clt_error error;
    clt_dataset *data;
    clt_options options = clt__options_default();
    options.size = size;
    options.invert = invert;
    assert_ok(clt_dataset_open_images(path, &options, &data, &error), &error);
    return data;
}

/* IDX and image files alike. */
static void images_become_what_is_wanted(void **state)
{
    (void)state;
    static const uint8_t idx[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 10, 20, 30, 40, 50, 60, 70, 80};
    const char *path = write_bytes("two.idx", idx, sizeof idx);
    clt_dataset *data = open_images(path, (clt_shape){0, 0, 0}, false);
    assert_int_equal(clt_dataset_converted(data), 0);
    clt_dataset_close(data);
    data = open_images(path, (clt_shape){3, 1, 1}, false);
    assert_int_equal(clt_dataset_converted(data), 2);
    assert_memory_equal(data->bytes, ((uint8_t[]){25, 25, 25, 65, 65, 65}), 6);
    clt_dataset_close(data);
    data = open_images(path, (clt_shape){1, 1, 1}, true);
    assert_memory_equal(data->bytes, ((uint8_t[]){230, 190}), 2);
    clt_dataset_close(data);
    (void)make_subfolder("photos");
    (void)save_png("photos/b.png", 3, 1, 1, (uint8_t[]){100, 100, 100});
    (void)save_png("photos/a.png", 1, 2, 2, idx + 16);
    data = open_images(path_in("photos"), (clt_shape){1, 1, 1}, true);
    assert_int_equal(clt_dataset_count(data), 2);
    assert_int_equal(clt_dataset_converted(data), 2);
    assert_memory_equal(data->bytes, ((uint8_t[]){230, 155}), 2);
    assert_string_equal(clt_dataset_image_name(data, 0), path_in("photos/a.png"));
    assert_string_equal(clt_dataset_image_name(data, 1), path_in("photos/b.png"));
    assert_null(clt_dataset_image_name(data, 2));
    assert_int_equal(clt_dataset_label(data, 0), -1);
    clt_dataset_close(data);
}

static void what_cannot_be_converted_is_told(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *data;
    clt_options options = clt__options_default();
    static const uint8_t idx[] = {0, 0, 13, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x3f, 0, 0, 0}; /* 0.5 */
    const char *path = write_bytes("real.idx", idx, sizeof idx);
    options.size = (clt_shape){1, 2, 2};
    assert_failed(clt_dataset_open_images(path, &options, &data, &error), CLT_BAD_ARGUMENT, &error, path,
                  ": has images of 1x1x1 real values, which are not made 1x2x2");
    assert_null(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mean_over_changed_images),
        cmocka_unit_test(a_session_takes_it_too),
        cmocka_unit_test(images_become_what_is_wanted),
        cmocka_unit_test(what_cannot_be_converted_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
