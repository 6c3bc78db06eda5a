/* Images that are decoded by worker threads when they are needed: the same bits whatever the number of threads and the
 * memory, and damage that is found while a training runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "data/taking.h"
#include "support.h"

enum { CLASS_IMAGES = 20, SIDE = 12 };

static const char net[] = "conv out=4 kernel=3 padding=1, relu, flatten, dense out=2";

/* ROOT/train/CLASS/N.png, RGB, of sizes that differ. */
static const char *make_photos(const char *root)
{
    clt__random stream = clt__random_seed(1, "photos", 0);
    uint8_t pixels[3 * 24 * 24];
    char name[64];
    (void)make_subfolder(root);
    (void)snprintf(name, sizeof name, "%s/train", root);
    (void)make_subfolder(name);
    for (int class = 0; class < 2; class ++) {
        (void)snprintf(name, sizeof name, "%s/train/%d", root, class);
        (void)make_subfolder(name);
        for (int i = 0; i < CLASS_IMAGES; i++) {
            for (size_t j = 0; j < sizeof pixels; j++)
                pixels[j] = (uint8_t)(clt__random_below(&stream, 100) + (class ? 100 : 0));
            (void)snprintf(name, sizeof name, "%s/train/%d/%02d.png", root, class, i);
            (void)save_png(name, 3, 16 + i % 9, 24 - i % 7, pixels);
        }
    }
    return path_in(root);
}

static clt_options options_of(int workers, int64_t cache)
{
    clt_options options = telling();
    options.net = net;
    options.size = (clt_shape){0, SIDE, SIDE};
    options.batch_size = 8;
    options.epochs = 3;
    options.workers = workers;
    options.data_cache = cache;
    options.given[CLT__OPTION_data_cache] = true;
    return options;
}

static clt_dataset *open_train(const char *path, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open(path, CLT_TRAIN, options, &dataset, &error), &error);
    return dataset;
}

static clt_model *new_model(const clt_options *options)
{
    clt_error error;
    clt_model *model;
    clt_options with_input = *options;
    with_input.input = (clt_shape){3, SIDE, SIDE};
    assert_ok(clt_model_create(&with_input, &model, &error), &error);
    return model;
}

static clt_status train_on(const clt_dataset *data, const clt_options *options, char digest[65], clt_error *error)
{
    clt_device *device = open_called(NULL);
    clt_model *model = new_model(options);
    const clt_status status = clt_train(model, device, data, NULL, options, error);
    clt_model_sha256(model, digest);
    clt_model_close(model);
    clt_device_close(device);
    return status;
}

static void digest_of(const char *path, const clt_options *options, char digest[65])
{
    clt_error error;
    clt_dataset *data = open_train(path, options);
    assert_ok(train_on(data, options, digest, &error), &error);
    clt_dataset_close(data);
}

enum { EVERYTHING = 1 << 20, A_FEW = 10 * 3 * SIDE * SIDE };

static const struct {
    int workers;
    int64_t cache;
} ways[] = {{1, EVERYTHING}, {1, 0}, {2, 0}, {5, 0}, {2, A_FEW}, {3, EVERYTHING}};

static void assert_same_bits(const char *path, clt__range rrc, double val_split, char first[65])
{
    char other[65];
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        clt_options options = options_of(ways[i].workers, ways[i].cache);
        options.augment.rrc = rrc;
        options.val_split = val_split;
        digest_of(path, &options, i ? other : first);
        if (i) assert_string_equal(first, other);
    }
}

static void the_same_bits_however_they_come(void **state)
{
    (void)state;
    char squeezed[65], held_out[65], cropped[65], halves[65];
    const char *path = make_photos("bits");
    assert_same_bits(path, (clt__range){0, 0}, 0, squeezed);
    assert_same_bits(path, (clt__range){0, 0}, 0.25, held_out);
    assert_same_bits(path, (clt__range){0.08, 1}, 0.25, cropped);
    assert_same_bits(path, (clt__range){0.5, 0.5}, 0.25, halves);
    assert_string_not_equal(squeezed, held_out);
    assert_string_not_equal(held_out, cropped);
    assert_string_not_equal(cropped, halves);
}

/* Images that are in memory are cropped as those of files are. */
static void images_in_memory_are_cropped_too(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    clt_error error;
    char digests[3][65];
    clt_dataset *data = make_images(COUNT, (clt_shape){3, SIDE, SIDE}, 2, 5);
    for (int i = 0; i < 3; i++) {
        clt_options options = options_of(1 + i % 2, 0);
        if (i) options.augment.rrc = (clt__range){0.3, 0.9};
        assert_ok(train_on(data, &options, digests[i], &error), &error);
    }
    clt_dataset_close(data);
    assert_string_not_equal(digests[0], digests[1]);
    assert_string_equal(digests[1], digests[2]);
    double reals[3 * SIDE * SIDE] = {0}, targets[2] = {0};
    clt_options options = options_of(1, 0);
    options.augment.rrc = (clt__range){0.3, 0.9};
    options.loss = "mse";
    assert_ok(clt_dataset_from_reals(1, (clt_shape){3, SIDE, SIDE}, reals, targets, 2, &data, &error), &error);
    assert_failed(train_on(data, &options, digests[0], &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "where random resized crops need bytes");
    clt_dataset_close(data);
}

static void stopped_in_an_epoch_and_resumed(void **state)
{
    (void)state;
    char whole[65], resumed[65];
    clt_error error;
    clt_options options = options_of(2, 0);
    options.augment.rrc = (clt__range){0.2, 1};
    options.epochs = 2;
    const char *path = make_photos("resumed");
    digest_of(path, &options, whole);
    clt_device *device = open_called(NULL);
    clt_dataset *data = open_train(path, &options);
    clt_model *model = new_model(&options);
    clt_session *session;
    assert_ok(clt_session_open(model, device, data, &options, false, &session, &error), &error);
    assert_ok(clt_session_begin_epoch(session, &error), &error);
    for (int i = 0; i < 3; i++) assert_ok(clt_session_next_step(session, &error), &error);
    assert_ok(clt_session_store(session, &error), &error);
    clt_session_close(session);
    assert_ok(clt_train(model, device, data, NULL, &options, &error), &error);
    clt_model_sha256(model, resumed);
    assert_string_equal(whole, resumed);
    clt_model_close(model);
    clt_dataset_close(data);
    clt_device_close(device);
}

/* ---- damage */

static void spoil(const char *root, int class, int image)
{
    char name[64];
    size_t size;
    (void)snprintf(name, sizeof name, "%s/train/%d/%02d.png", root, class, image);
    uint8_t *bytes = read_bytes(path_in(name), &size);
    bytes[size / 2] ^= 0xff; /* its header stays good */
    (void)write_bytes(name, bytes, size);
    free(bytes);
}

/* Nothing is measured before training, so that damage is found by a step. */
static clt_options unmeasured(bool skip)
{
    clt_options options = options_of(2, 0);
    options.normalize = (clt__normalize_choice){.how = CLT__BY_NOTHING};
    options.skip_bad = skip;
    return options;
}

static void damage_found_in_training_is_told(void **state)
{
    (void)state;
    char digest[65];
    clt_error error;
    const char *path = make_photos("damaged");
    clt_options options = unmeasured(false);
    clt_dataset *data = open_train(path, &options);
    spoil("damaged", 1, 4);
    assert_failed(train_on(data, &options, digest, &error), CLT_BAD_FILE, &error, path_in("damaged/train/1/04.png"),
                  "1 of 40 image files are bad");
    clt_dataset_close(data);
}

static void damage_is_skipped_where_that_is_asked_for(void **state)
{
    (void)state;
    char digests[2][65];
    clt_error error;
    for (int i = 0; i < 2; i++) {
        const char *path = make_photos("skipped");
        clt_options options = unmeasured(true);
        options.workers = 1 + i;
        clt_dataset *data = open_train(path, &options);
        spoil("skipped", 1, 4);
        spoil("skipped", 1, 5);
        assert_int_equal(clt_dataset_count(data), 2 * CLASS_IMAGES);
        assert_ok(train_on(data, &options, digests[i], &error), &error);
        assert_non_null(strstr(notes_told, "2 of 40 image files are left out"));
        clt_dataset_close(data);
    }
    assert_string_equal(digests[0], digests[1]);
}

/* What is bad from the start is not in the data set, however much memory there is. */
static void bad_files_are_none_of_the_data_set(void **state)
{
    (void)state;
    char digests[3][65];
    clt_error error;
    const char *path = make_photos("bad");
    spoil("bad", 0, 3);
    spoil("bad", 1, 4);
    for (int i = 0; i < 3; i++) {
        clt_options options = options_of(1 + i, i == 0 ? EVERYTHING : i == 1 ? A_FEW : 0);
        options.skip_bad = true;
        options.val_split = 0.25;
        options.class_weights.how = CLT__BALANCED;
        clt_dataset *data = open_train(path, &options);
        assert_int_equal(clt_dataset_count(data), 2 * CLASS_IMAGES - 2);
        assert_int_equal(clt_dataset_converted(data), 2 * CLASS_IMAGES - 2);
        assert_int_equal(clt_dataset_label(data, CLASS_IMAGES - 1), 1);
        assert_non_null(strstr(notes_told, "2 of 40 image files are left out"));
        assert_ok(train_on(data, &options, digests[i], &error), &error);
        clt_dataset_close(data);
    }
    assert_string_equal(digests[0], digests[1]);
    assert_string_equal(digests[0], digests[2]);
}

/* After a failure the same step fails again: nothing is trained on that never came. */
static void a_failed_step_does_not_go_on(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_options options = unmeasured(false);
    options.augment.rrc = (clt__range){0.5, 1}; /* so that images come in each epoch */
    clt_dataset *data = open_train(make_photos("failing"), &options);
    clt_device *device = open_called(NULL);
    clt_model *model = new_model(&options);
    assert_ok(clt_session_open(model, device, data, &options, false, &session, &error), &error);
    assert_int_equal(unlink(path_in("failing/train/0/01.png")), 0);
    assert_ok(clt_session_begin_epoch(session, &error), &error);
    clt_status status = CLT_OK;
    while (status == CLT_OK && clt_session_has_step(session)) status = clt_session_next_step(session, &error);
    assert_failed(status, CLT_BAD_FILE, &error, path_in("failing/train/0/01.png"), ": cannot be read any more");
    assert_failed(clt_session_next_step(session, &error), CLT_BAD_FILE, &error, path_in("failing/train/0/01.png"),
                  ": cannot be read any more");
    clt_session_close(session);
    clt_model_close(model);
    clt_device_close(device);
    clt_dataset_close(data);
}

/* An evaluation does not count them. */
static void damage_is_left_out_of_evaluations(void **state)
{
    (void)state;
    clt_error error;
    clt_evaluation *evaluation;
    clt_options options = unmeasured(true);
    clt_dataset *data = open_train(make_photos("evaluated"), &options);
    spoil("evaluated", 0, 0);
    spoil("evaluated", 1, 19);
    clt_device *device = open_called(NULL);
    clt_model *model = new_model(&options);
    assert_ok(clt_evaluate(model, device, data, &options, &evaluation, &error), &error);
    assert_int_equal(clt_evaluation_count(evaluation), 2 * CLASS_IMAGES - 2);
    uint64_t counted = 0;
    for (int truth = 0; truth < 2; truth++)
        for (int said = 0; said < 2; said++) counted += clt_evaluation_confused(evaluation, truth, said);
    assert_int_equal(counted, 2 * CLASS_IMAGES - 2);
    clt_evaluation_close(evaluation);
    clt_model_close(model);
    clt_device_close(device);
    clt_dataset_close(data);
}

static void files_that_are_gone_end_the_training(void **state)
{
    (void)state;
    char digest[65];
    clt_error error;
    const char *path = make_photos("gone");
    clt_options options = unmeasured(true);
    clt_dataset *data = open_train(path, &options);
    assert_int_equal(unlink(path_in("gone/train/0/03.png")), 0);
    assert_failed(train_on(data, &options, digest, &error), CLT_BAD_FILE, &error, path_in("gone/train/0/03.png"),
                  ": cannot be read any more");
    clt_dataset_close(data);
}

/* ---- frames */

static void random_frames_are_right(void **state)
{
    (void)state;
    double smallest = 1, largest = 0;
    int different = 0;
    for (size_t i = 0; i < 2000; i++) {
        const clt__crops crops = {.share = {0.08, 1}, .seed = 3, .epoch = (int64_t)(i % 7)};
        const clt__frame frame = clt__frame_random(60, 40, &crops, i);
        assert_true(frame.left >= 0 && frame.top >= 0);
        assert_true(frame.width >= 1 && frame.left + frame.width <= 60);
        assert_true(frame.height >= 1 && frame.top + frame.height <= 40);
        const double share = frame.width * frame.height / 2400, aspect = frame.width / frame.height;
        assert_true(aspect > 0.65 && aspect < 1.55); /* 3:4 to 4:3, but for rounding */
        assert_true(frame.width >= clt__frame_random_least(60, 40, &crops) &&
                    frame.height >= clt__frame_random_least(60, 40, &crops));
        if (share < smallest) smallest = share;
        if (share > largest) largest = share;
        const clt__crops later = {.share = crops.share, .seed = 3, .epoch = crops.epoch + 1};
        const clt__frame other = clt__frame_random(60, 40, &later, i);
        different += other.left != frame.left || other.top != frame.top || other.width != frame.width;
    }
    assert_true(smallest > 0.06 && smallest < 0.1);
    assert_true(largest > 0.8);
    assert_true(different > 1900);
    const clt__crops whole = {.share = {1, 1}};
    const clt__frame middle = clt__frame_random(400, 10, &whole, 0); /* no draw fits */
    assert_true(middle.height == 10 && middle.width == 13 && middle.left == 193.5);
}

static void the_middle_is_the_middle(void **state)
{
    (void)state;
    const clt__picture_info wanted = {.width = 20, .height = 10};
    clt__frame frame = clt__frame_centre(100, 100, &wanted, 1);
    assert_true(frame.left == 0 && frame.width == 100 && frame.top == 25 && frame.height == 50);
    frame = clt__frame_centre(100, 40, &wanted, 0.5);
    assert_true(frame.width == 40 && frame.height == 20 && frame.left == 30 && frame.top == 10);
}

/* ---- workers */

enum { PIECES = 1000 };

static void add_one(void *user, size_t piece)
{
    int *counts = user;
    counts[piece]++;
}

static void every_piece_is_done_once(void **state)
{
    (void)state;
    clt_error error;
    for (int threads = 0; threads < 6; threads++) {
        static int counts[3][PIECES];
        clt__workers *workers;
        clt__job jobs[3];
        memset(counts, 0, sizeof counts);
        assert_ok(clt__workers_open(threads, CLT__SMALL_STACK, &workers, &error), &error);
        for (int i = 0; i < 3; i++) {
            jobs[i] = (clt__job){.work = add_one, .user = counts[i], .count = i == 1 ? 0 : PIECES};
            clt__workers_begin(workers, &jobs[i]);
        }
        for (int i = 2; i >= 0; i--) { /* not in the order in which they were begun */
            clt__workers_wait(workers, &jobs[i]);
            assert_true(clt__workers_are_done(workers, &jobs[i]));
        }
        for (size_t i = 0; i < PIECES; i++) assert_true(counts[0][i] == 1 && !counts[1][i] && counts[2][i] == 1);
        clt__workers_close(workers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_is_done_once),
        cmocka_unit_test(random_frames_are_right),
        cmocka_unit_test(the_middle_is_the_middle),
        cmocka_unit_test(the_same_bits_however_they_come),
        cmocka_unit_test(images_in_memory_are_cropped_too),
        cmocka_unit_test(stopped_in_an_epoch_and_resumed),
        cmocka_unit_test(damage_found_in_training_is_told),
        cmocka_unit_test(damage_is_skipped_where_that_is_asked_for),
        cmocka_unit_test(bad_files_are_none_of_the_data_set),
        cmocka_unit_test(a_failed_step_does_not_go_on),
        cmocka_unit_test(damage_is_left_out_of_evaluations),
        cmocka_unit_test(files_that_are_gone_end_the_training),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
