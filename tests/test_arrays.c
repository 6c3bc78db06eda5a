/* Data sets of arrays and records, NPY, NPZ, IDX, CIFAR and STL-10: what values, labels and names mean, where files are
 * looked for, and what is said of those that are not right. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "data/array_names.h"
#include "data/dataset.h"

/* ---- helpers ------------------------------------------------------------------------------------------------ */

static const clt_options *noting(void)
{
    static clt_options options;
    options = telling();
    return &options;
}

static clt_dataset *open_with(const char *path, clt_split split, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open(path, split, options, &dataset, &error), &error);
    return dataset;
}

static clt_dataset *open_set(const char *path, clt_split split)
{
    return open_with(path, split, noting());
}

static void refuse(clt_status wanted, const char *path, clt_split split, const char *start, const char *part)
{
    clt_error error;
    clt_dataset *dataset;
    assert_failed(clt_dataset_open(path, split, noting(), &dataset, &error), wanted, &error, start, part);
    assert_null(dataset);
}

static void assert_labels(const clt_dataset *dataset, const int32_t *labels, int classes)
{
    for (size_t n = 0; n < clt_dataset_count(dataset); n++) assert_int_equal(clt_dataset_label(dataset, n), labels[n]);
    assert_int_equal(clt_dataset_classes(dataset), classes);
}

static blob make_npy(const char *type, bool fortran, const char *shape, const void *data, size_t size)
{
    char dictionary[256];
    blob file = {.size = 0};
    (void)snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", type,
                   fortran ? "True" : "False", shape);
    blob_put(&file, "\x93NUMPY\1\0", 8);
    blob_put_little(&file, strlen(dictionary), 2);
    blob_put(&file, dictionary, strlen(dictionary));
    blob_put(&file, data, size);
    return file;
}

static const char *write_npy(const char *name, const char *type, const char *shape, const void *data, size_t size)
{
    const blob file = make_npy(type, false, shape, data, size);
    return write_bytes(name, file.bytes, file.size);
}

/* A stored zip archive of these members. */
static const char *write_zip(const char *name, const char *const *members, const blob *const *contents, int count)
{
    blob file = {.size = 0}, directory = {.size = 0};
    for (int i = 0; i < count; i++) {
        const size_t offset = file.size, length = strlen(members[i]), size = contents[i]->size;
        blob_put_little(&file, 0x04034b50, 4);
        for (int j = 0; j < 11; j++) blob_put_little(&file, 0, 2);
        blob_put_little(&file, length, 4);
        blob_put(&file, members[i], length);
        blob_put(&file, contents[i]->bytes, size);
        blob_put_little(&directory, 0x02014b50, 4);
        for (int j = 0; j < 6; j++) blob_put_little(&directory, 0, 2);
        blob_put_little(&directory, crc32(0, contents[i]->bytes, (unsigned)size), 4);
        blob_put_little(&directory, size, 4);
        blob_put_little(&directory, size, 4);
        blob_put_little(&directory, length, 4);
        for (int j = 0; j < 5; j++) blob_put_little(&directory, 0, 2);
        blob_put_little(&directory, offset, 4);
        blob_put(&directory, members[i], length);
    }
    const size_t at = file.size;
    blob_put(&file, directory.bytes, directory.size);
    blob_put_little(&file, 0x06054b50, 4);
    blob_put_little(&file, 0, 4);
    blob_put_little(&file, (uint64_t)count, 2);
    blob_put_little(&file, (uint64_t)count, 2);
    blob_put_little(&file, directory.size, 4);
    blob_put_little(&file, at, 4);
    blob_put_little(&file, 0, 2);
    return write_bytes(name, file.bytes, file.size);
}

static blob make_idx(int type, int dimensions, const uint32_t *extent, const void *data, size_t size)
{
    blob file = {.size = 0};
    blob_put(&file, (uint8_t[]){0, 0, (uint8_t)type, (uint8_t)dimensions}, 4);
    for (int i = 0; i < dimensions; i++)
        for (int j = 0; j < 4; j++) blob_put_little(&file, extent[i] >> (24 - 8 * j), 1);
    blob_put(&file, data, size);
    return file;
}

static const char *write_idx(const char *name, int type, int dimensions, const uint32_t *extent, const void *data,
                             size_t size)
{
    const blob file = make_idx(type, dimensions, extent, data, size);
    return write_bytes(name, file.bytes, file.size);
}

/* 0, 1, 2, ... */
static const uint8_t counting[96] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                                     20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
                                     40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
                                     60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79,
                                     80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95};

/* Two images of 1 x 2 in x_train and of 1 x 2 in x_test, labels 0 and 1; what is NULL is not written. */
static void write_numpy(const char *folder, const char *type, const void *train, const void *test, size_t size)
{
    char name[256];
    for (int i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "%s/x_%s.npy", folder, i ? "test" : "train");
        if (i ? test : train) (void)write_npy(name, type, "(2, 1, 2)", i ? test : train, size);
        (void)snprintf(name, sizeof name, "%s/y_%s.npy", folder, i ? "test" : "train");
        if (i ? test : train) (void)write_npy(name, "|u1", "(2,)", "\0\1", 2);
    }
}

/* Two images of 2 x 3, with labels 0 and 1, under these names in an IDX folder. */
static void write_idx_pair(const char *images, const char *labels)
{
    (void)write_idx(images, 0x08, 3, (uint32_t[]){2, 2, 3}, counting, 12);
    (void)write_idx(labels, 0x08, 1, (uint32_t[]){2}, counting, 2);
}

/* ---- images ------------------------------------------------------------------------------------------------- */

static void assert_bytes(const char *path, clt_split split, const uint8_t *bytes)
{
    clt_dataset *dataset = open_set(path, split);
    assert_non_null(dataset->bytes);
    assert_memory_equal(dataset->bytes, bytes, 4);
    clt_dataset_close(dataset);
}

static void assert_reals(const char *path, clt_split split, const double *reals)
{
    clt_dataset *dataset = open_set(path, split);
    assert_non_null(dataset->reals);
    for (int i = 0; i < 4; i++) assert_true(dataset->reals[i] == reals[i]);
    clt_dataset_close(dataset);
}

static void whole_numbers_of_a_byte_are_bytes(void **state)
{
    (void)state;
    const char *path = fresh_folder("wide");
    const uint8_t bytes[4] = {0, 1, 2, 255};
    const int64_t eight[4] = {0, 1, 2, 255};
    write_numpy("wide", "<i8", eight, eight, sizeof eight);
    assert_bytes(path, CLT_TRAIN, bytes);
    assert_bytes(path, CLT_TEST, bytes);
    assert_string_equal(notes_told, "");
    write_numpy("wide", ">u2", "\0\0\0\1\0\2\0\xff", "\0\0\0\1\0\2\0\xff", 8);
    assert_bytes(path, CLT_TRAIN, bytes);
    const int32_t four[4] = {0, 1, 2, 255};
    write_numpy("wide", "<i4", four, NULL, sizeof four);
    assert_int_equal(remove(path_in("wide/x_test.npy")), 0);
    assert_bytes(path, CLT_TRAIN, bytes);
    write_numpy("wide", "|b1", "\0\1\1\0", "\0\1\1\0", 4);
    assert_bytes(path, CLT_TRAIN, (uint8_t[]){0, 255, 255, 0});
}

static void other_whole_numbers_are_reals_in_both_splits(void **state)
{
    (void)state;
    const char *path = fresh_folder("large");
    const uint16_t dark[4] = {0, 1, 2, 255}, bright[4] = {0, 13107, 256, 65535};
    write_numpy("large", "<u2", dark, bright, sizeof dark);
    assert_reals(path, CLT_TRAIN, (double[]){0, 1 / 65535.0, 2 / 65535.0, 255 / 65535.0});
    assert_told("x_train.npy: its integers (u2) are not all from 0 to 255: they are read as reals, divided by 65535");
    assert_reals(path, CLT_TEST, (double[]){0, 0.2, 256 / 65535.0, 1});
    /* Predicting on the test images alone sees what training saw. */
    write_numpy("large", "<u2", bright, dark, sizeof dark);
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open_images(path_in("large/x_test.npy"), noting(), &dataset, &error), &error);
    assert_true(dataset->reals && dataset->reals[3] == 255 / 65535.0);
    clt_dataset_close(dataset);
    const int32_t less[4] = {0, -1, 2, 7};
    write_numpy("large", "<i4", less, less, sizeof less);
    assert_reals(path, CLT_TRAIN, (double[]){0, -1, 2, 7});
    assert_told("x_train.npy: its integers (i4) are not all from 0 to 255: they are read as the reals that they are");
    (void)write_npy("large/x_test.npy", "|u1", "(2, 1, 2)", counting, 4);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path_in("large/x_train.npy"), "values are of the type i4, those of ");
}

static void floats_of_every_size_are_reals(void **state)
{
    (void)state;
    const char *path = fresh_folder("floats");
    const uint16_t half[4] = {0x3c00, 0xc100, 0x0001, 0x7bff}; /* 1, -2.5, 2^-24, 65504 */
    write_numpy("floats", "<f2", half, half, sizeof half);
    assert_reals(path, CLT_TRAIN, (double[]){1, -2.5, ldexp(1, -24), 65504});
    write_numpy("floats", ">f4", "\x3f\x80\0\0\xc0\x20\0\0\0\0\0\0\x40\0\0\0", NULL, 16);
    assert_reals(path, CLT_TRAIN, (double[]){1, -2.5, 0, 2});
    /* Reals of more than 1 are no bytes: beside bytes they would be taken for brighter ones. */
    (void)write_npy("floats/x_test.npy", "|u1", "(2, 1, 2)", counting, 4);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path_in("floats/x_train.npy"), "where floats are not all from 0 to 1, both");
    write_numpy("floats", "<f4", (float[]){0, 0.5f, 1, 0.25f}, NULL, 16);
    assert_reals(path, CLT_TRAIN, (double[]){0, 0.5, 1, 0.25});
    assert_int_equal(remove(path_in("floats/x_test.npy")), 0);
    const uint16_t infinite[4] = {0, 0, 0x7c00, 0};
    write_numpy("floats", "<f2", infinite, NULL, sizeof infinite);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path_in("floats/x_train.npy"), ": image 1 holds inf");
}

/* The same images as in C's order, in the order of the first index. */
static void fortran_order_is_read(void **state)
{
    (void)state;
    const char *path = fresh_folder("fortran");
    uint8_t bytes[2][2][3][4], columns[4][3][2][2];
    for (int n = 0; n < 2; n++)
        for (int c = 0; c < 2; c++)
            for (int y = 0; y < 3; y++)
                for (int x = 0; x < 4; x++)
                    columns[x][y][c][n] = bytes[n][c][y][x] = (uint8_t)(n * 24 + c * 12 + y * 4 + x);
    blob file = make_npy("|u1", true, "(2, 2, 3, 4)", columns, sizeof columns);
    (void)write_bytes("fortran/x_train.npy", file.bytes, file.size);
    file = make_npy("<i4", true, "(2, 2)", (int32_t[]){0, 1, 1, 0}, 16); /* rows 0 1 and 1 0 */
    (void)write_bytes("fortran/y_train.npy", file.bytes, file.size);
    clt_dataset *dataset = open_set(path, CLT_TRAIN);
    assert_sizes(dataset, 2, 2, 3, 4);
    for (int i = 0; i < 48; i++) {
        const int n = i / 24, pixel = i % 24 / 2, c = i % 2;
        assert_int_equal(dataset->bytes[i], bytes[n][c][pixel / 4][pixel % 4]);
    }
    assert_labels(dataset, (int32_t[]){1, 0}, 2);
    clt_dataset_close(dataset);
}

static void channels_last_is_seen(void **state)
{
    (void)state;
    const char *path = fresh_folder("last");
    (void)write_npy("last/x_train.npy", "|u1", "(1, 5, 6, 3)", counting, 90);
    (void)write_npy("last/y_train.npy", "|u1", "(1,)", "\0", 1);
    clt_dataset *dataset = open_set(path, CLT_TRAIN);
    assert_sizes(dataset, 1, 3, 5, 6);
    assert_memory_equal(dataset->bytes, counting, 90);
    assert_told("x_train.npy: is read as channels last (n x 5 x 6 x 3); --layout nchw reads it as 5 channels of 6 x 3");
    clt_dataset_close(dataset);
    clt_options given = *noting();
    given.given[CLT__OPTION_layout] = true;
    dataset = open_with(path, CLT_TRAIN, &given);
    assert_sizes(dataset, 1, 5, 6, 3);
    assert_string_equal(notes_told, "");
    clt_dataset_close(dataset);
    /* What can be either is as the layout says. */
    (void)write_npy("last/x_train.npy", "|u1", "(1, 3, 5, 3)", counting, 45);
    dataset = open_set(path, CLT_TRAIN);
    assert_sizes(dataset, 1, 3, 5, 3);
    clt_dataset_close(dataset);
}

static void images_are_turned(void **state)
{
    (void)state;
    const char *path = fresh_folder("turned");
    write_idx_pair("turned/train-images-idx3-ubyte", "turned/train-labels-idx1-ubyte");
    clt_options turning = *noting();
    turning.transpose = true;
    clt_dataset *dataset = open_with(path, CLT_TRAIN, &turning);
    assert_sizes(dataset, 2, 1, 3, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}), 12);
    clt_dataset_close(dataset);
    clt_error error;
    const float reals[6] = {0, 1, 2, 3, 4, 5};
    const char *file = write_npy("turned/some.npy", "<f4", "(1, 1, 2, 3)", reals, sizeof reals);
    assert_ok(clt_dataset_open_images(file, &turning, &dataset, &error), &error);
    assert_sizes(dataset, 1, 1, 3, 2);
    static const double turned[6] = {0, 3, 1, 4, 2, 5};
    for (int i = 0; i < 6; i++) assert_true(dataset->reals[i] == turned[i]);
    clt_dataset_close(dataset);
}

/* ---- labels ------------------------------------------------------------------------------------------------- */

/* Two images in x_train.npy, three in x_test.npy. */
static const char *folder_of_images(const char *name)
{
    char file[256];
    const char *path = fresh_folder(name);
    (void)snprintf(file, sizeof file, "%s/x_train.npy", name);
    (void)write_npy(file, "|u1", "(2, 1, 1)", counting, 2);
    (void)snprintf(file, sizeof file, "%s/x_test.npy", name);
    (void)write_npy(file, "|u1", "(3, 1, 1)", counting, 3);
    return path;
}

static void assert_train_labels(const char *path, const int32_t *labels, int classes)
{
    clt_dataset *dataset = open_set(path, CLT_TRAIN);
    assert_labels(dataset, labels, classes);
    assert_null(dataset->targets);
    clt_dataset_close(dataset);
}

static void one_hot_rows_are_labels(void **state)
{
    (void)state;
    const char *path = folder_of_images("hot"), *y = "hot/y_train.npy";
    const double doubles[6] = {0, 0, 1, 1, 0, 0};
    const int64_t integers[6] = {0, 0, 1, 1, 0, 0};
    const uint16_t halves[6] = {0, 0, 0x3c00, 0x3c00, 0, 0};
    (void)write_npy(y, "<f8", "(2, 3)", doubles, sizeof doubles);
    assert_train_labels(path, (int32_t[]){2, 0}, 3);
    (void)write_npy(y, "<i8", "(2, 3)", integers, sizeof integers);
    assert_train_labels(path, (int32_t[]){2, 0}, 3);
    (void)write_npy(y, "<f2", "(2, 3)", halves, sizeof halves);
    assert_train_labels(path, (int32_t[]){2, 0}, 3);
    (void)write_npy(y, "|b1", "(2, 3)", "\0\0\1\1\0\0", 6);
    assert_train_labels(path, (int32_t[]){2, 0}, 3);
    /* Several classes an image are targets, in both splits. */
    (void)write_npy("hot/y_test.npy", "|b1", "(3, 3)", "\0\0\1\1\1\0\0\0\0", 9);
    for (int split = CLT_TRAIN; split <= CLT_TEST; split++) {
        clt_dataset *dataset = open_set(path, (clt_split)split);
        assert_true(!dataset->labels && dataset->outputs == 3 && dataset->targets[2] == 1 && dataset->targets[3] == 1);
        assert_told("are not all of one class: they are taken as 3 real targets an image");
        clt_dataset_close(dataset);
    }
    const char *at = write_npy(y, "|u1", "(2, 3)", "\0\1\0\0\2\0", 6);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, at, "of one 1 and else 0 in each row, which row 1 has not");
}

static void labels_of_every_integer_type_are_read(void **state)
{
    (void)state;
    const char *path = folder_of_images("integers"), *y = "integers/y_train.npy";
    (void)write_npy(y, "|b1", "(2, 1)", "\1\0", 2);
    assert_train_labels(path, (int32_t[]){1, 0}, 2);
    (void)write_npy(y, ">i2", "(2,)", "\1\2\0\0", 4);
    assert_train_labels(path, (int32_t[]){258, 0}, 259);
    const char *at = write_npy(y, "<i2", "(2,)", "\0\0\xfe\xff", 4);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, at, ": record 1 has the label -2, where 0 to ");
}

static void whole_floats_are_both_labels_and_targets(void **state)
{
    (void)state;
    const char *path = folder_of_images("either"), *y = "either/y_train.npy";
    const float whole[2] = {0, 1}, half[3] = {0, 0.5f, 1};
    (void)write_npy(y, "<f4", "(2, 1)", whole, sizeof whole);
    clt_dataset *data = open_set(path, CLT_TRAIN);
    assert_labels(data, (int32_t[]){0, 1}, 2);
    assert_true(data->targets && data->outputs == 1 && data->targets[1] == 1);
    /* The loss says which. */
    clt_error error;
    clt_evaluation *evaluation;
    clt_device *device = open_called("reference");
    clt_model *classes = make_model("input 1x1x1; flatten; dense out=2", "cross_entropy", CLT_F32, 1),
              *reals = make_model("input 1x1x1; flatten; dense out=1", "mse", CLT_F32, 1),
              *narrow = make_model("input 1x1x1; flatten; dense out=1", "cross_entropy", CLT_F32, 1);
    assert_ok(clt_evaluate(classes, device, data, noting(), &evaluation, &error), &error);
    assert_int_equal(clt_evaluation_classes(evaluation), 2);
    assert_told("y_train.npy: its floats are whole numbers: they are taken as classes");
    clt_evaluation_close(evaluation);
    assert_ok(clt_evaluate(reals, device, data, noting(), &evaluation, &error), &error);
    assert_int_equal(clt_evaluation_classes(evaluation), 0);
    assert_true(isnan(clt_evaluation_accuracy(evaluation)));
    assert_string_equal(notes_told, "");
    clt_evaluation_close(evaluation);
    assert_failed(clt_evaluate(narrow, device, data, NULL, &evaluation, &error), CLT_BAD_ARGUMENT, &error, path,
                  "has 2 classes, for the loss cross_entropy takes its whole numbers as classes, the net has 1");
    /* Training and validating on them. */
    assert_ok(clt_train(classes, device, data, data, batches_of(2), &error), &error);
    assert_ok(clt_train(reals, device, data, data, batches_of(2), &error), &error);
    clt_model_close(classes);
    clt_model_close(reals);
    clt_model_close(narrow);
    clt_device_close(device);
    clt_dataset_close(data);
    (void)write_npy("either/y_test.npy", "<f4", "(3,)", half, sizeof half);
    data = open_set(path, CLT_TRAIN);
    assert_true(data->targets && !data->labels); /* the other split's are no classes */
    clt_dataset_close(data);
}

static void texts_are_classes(void **state)
{
    (void)state;
    const char *path = folder_of_images("texts");
    (void)write_npy("texts/y_train.npy", "|S3", "(2,)", "dogbee", 6);
    (void)write_npy("texts/y_test.npy", "<U2", "(3,)", "c\0\0\0a\0\0\0d\0\0\0\0\0\0\0\xe9\0\0\0\0\0\0\0", 24);
    for (int split = CLT_TRAIN; split <= CLT_TEST; split++) {
        static const char *const names[] = {"bee", "ca", "d", "dog", "\xc3\xa9"};
        clt_dataset *dataset = open_set(path, (clt_split)split);
        assert_labels(dataset, split == CLT_TRAIN ? (int32_t[]){3, 0} : (int32_t[]){1, 2, 4}, 5);
        for (int i = 0; i < 5; i++) assert_string_equal(clt_dataset_class_name(dataset, i), names[i]);
        clt_dataset_close(dataset);
    }
    const char *at = write_npy("texts/y_train.npy", "|S1", "(2,)", "a\0", 2);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, at, ": record 1 is empty, where a class's name is needed");
}

static void labels_that_begin_at_one_are_noted(void **state)
{
    (void)state;
    const char *path = folder_of_images("one"), *y = "one/y_train.npy";
    (void)write_npy(y, "|u1", "(2,)", "\2\1", 2);
    assert_train_labels(path, (int32_t[]){2, 1}, 3);
    assert_told("y_train.npy: the labels run from 1 to 2: class 0 has no image");
    clt_dataset *data = open_set(path, CLT_TRAIN);
    clt_error error;
    clt_evaluation *evaluation;
    clt_device *device = open_called("reference");
    clt_model *model = make_model("input 1x1x1; flatten; dense out=2", "cross_entropy", CLT_F32, 1);
    assert_failed(clt_evaluate(model, device, data, NULL, &evaluation, &error), CLT_BAD_ARGUMENT, &error, path_in(y),
                  "has labels from 1 to 2, where the net's 2 outputs need labels from 0 to 1 (a net of 3");
    clt_model_close(model);
    clt_device_close(device);
    clt_dataset_close(data);
    (void)write_npy(y, "|u1", "(2,)", "\2\2", 2); /* some classes of many */
    assert_train_labels(path, (int32_t[]){2, 2}, 3);
    assert_string_equal(notes_told, "");
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static void names_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool labels;
        clt__array_part part;
        size_t prefix;
    } known[] = {
        {"x_train", false, CLT__PART_TRAIN, 0},
        {"X_train", false, CLT__PART_TRAIN, 0},
        {"train_x", false, CLT__PART_TRAIN, 0},
        {"train_X", false, CLT__PART_TRAIN, 0},
        {"Xtrain", false, CLT__PART_TRAIN, 0},
        {"trainImages", false, CLT__PART_TRAIN, 0},
        {"train_images", false, CLT__PART_TRAIN, 0},
        {"images_train", false, CLT__PART_TRAIN, 0},
        {"training_images", false, CLT__PART_TRAIN, 0},
        {"training_labels", true, CLT__PART_TRAIN, 0},
        {"y_train", true, CLT__PART_TRAIN, 0},
        {"Y_train", true, CLT__PART_TRAIN, 0},
        {"labels_train", true, CLT__PART_TRAIN, 0},
        {"test_labels", true, CLT__PART_TEST, 0},
        {"train_set_x", false, CLT__PART_TRAIN, 0},
        {"x_val", false, CLT__PART_VALIDATION, 0},
        {"val_images", false, CLT__PART_VALIDATION, 0},
        {"valid-y", true, CLT__PART_VALIDATION, 0},
        {"kmnist-train-imgs", false, CLT__PART_TRAIN, 7},
        {"k49-test-labels", true, CLT__PART_TEST, 4},
        {"t10k-images", false, CLT__PART_TEST, 0},
        {"X", false, CLT__PART_WHOLE, 0},
        {"target", true, CLT__PART_WHOLE, 0},
        {"data", false, CLT__PART_WHOLE, 0},
    };
    static const char *const unknown[] = {"", "foo", "train", "target_names", "arr_0", "x_trained", "mean", "_"};
    clt__array_title title;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!clt__read_array_title(known[i].name, strlen(known[i].name), &title)) fail_msg("%s", known[i].name);
        assert_int_equal(title.labels, known[i].labels);
        assert_int_equal(title.part, known[i].part);
        assert_int_equal(title.prefix, known[i].prefix);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_false(clt__read_array_title(unknown[i], strlen(unknown[i]), &title));
    assert_int_equal(clt__idx_stem("train-images.idx3-ubyte.gz"), 12);
    assert_int_equal(clt__idx_stem("qmnist-test-labels-idx2-int"), 18);
    assert_int_equal(clt__idx_stem("train-labels.idx"), 12);
    assert_int_equal(clt__idx_stem("train-images"), 0);
    assert_int_equal(clt__idx_stem("x.gz"), 0);
}

static blob images_of(int first)
{
    return make_npy("|u1", false, "(2, 1, 2)", counting + first, 4);
}

static blob labels_of(const char *two)
{
    return make_npy("|u1", false, "(2,)", two, 2);
}

static void assert_first(const char *path, clt_split split, int first, const int32_t *labels, bool whole)
{
    clt_dataset *dataset = open_set(path, split);
    assert_int_equal(dataset->bytes[0], first);
    assert_int_equal(clt_dataset_label(dataset, 0), labels[0]);
    assert_int_equal(clt_dataset_label(dataset, 1), labels[1]);
    assert_int_equal(clt_dataset_is_whole(dataset), whole);
    clt_dataset_close(dataset);
}

static const int32_t up[2] = {0, 1}, down[2] = {1, 0};

static void archives_may_call_arrays_as_others_do(void **state)
{
    (void)state;
    const blob x = images_of(0), other_x = images_of(10), y = labels_of("\0\1"), other_y = labels_of("\1\0");
    const blob *const four[] = {&x, &y, &other_x, &other_y};
    const char *path = write_zip(
        "med.npz", (const char *const[]){"train_images.npy", "train_labels.npy", "val_images.npy", "val_labels.npy"},
        four, 4);
    assert_first(path, CLT_TRAIN, 0, up, false);
    assert_first(path, CLT_TEST, 10, down, false); /* no test images: those for validation */
    path = write_zip("both.npz", (const char *const[]){"X_val.npy", "Y_val.npy", "X_test.npy", "Y_test.npy"}, four, 4);
    assert_first(path, CLT_TEST, 10, down, false);
    refuse(CLT_NO_FILE, path, CLT_TRAIN, path, ": holds no x_train.npy, or what else training images are called");
    path = write_zip("whole.npz", (const char *const[]){"X.npy", "y.npy"}, four, 2);
    assert_first(path, CLT_TRAIN, 0, up, true);
    assert_first(path, CLT_TEST, 0, up, true);
    /* scikit-learn's digits: the images that are flat are left out, and told. */
    path = write_zip("digits.npz", (const char *const[]){"data.npy", "target.npy", "images.npy", "feature_names.npy"},
                     four, 4);
    assert_first(path, CLT_TRAIN, 10, up, true);
    assert_told("digits.npz: takes images.npy and leaves out data.npy");
    path = write_zip("foo.npz", (const char *const[]){"foo.npy", "bar.npy"}, four, 2);
    refuse(CLT_NO_FILE, path, CLT_TRAIN, path, "are called (train_images, X_train); it has foo.npy, bar.npy");
}

static void assert_images(const char *path, uint8_t first)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open_images(path, noting(), &dataset, &error), &error);
    assert_int_equal(dataset->bytes[0], first);
    assert_int_equal(clt_dataset_label(dataset, 0), -1);
    clt_dataset_close(dataset);
}

/* Without labels, for predicting. */
static void archives_hold_images_to_predict(void **state)
{
    (void)state;
    const blob x = images_of(0), other_x = images_of(10), y = labels_of("\0\1");
    const char *path = write_zip("predicted.npz", (const char *const[]){"x_train.npy", "y_train.npy", "x_test.npy"},
                                 (const blob *const[]){&x, &y, &other_x}, 3);
    assert_images(path, 10);
    assert_told("takes the images of x_test.npy, not those of x_train.npy");
    assert_images(write_zip("only.npz", (const char *const[]){"x_train.npy"}, (const blob *const[]){&x}, 1), 0);
    assert_images(write_zip("arr.npz", (const char *const[]){"arr_0.npy"}, (const blob *const[]){&other_x}, 1), 10);
    clt_error error;
    clt_dataset *dataset;
    path = write_zip("two.npz", (const char *const[]){"foo.npy", "bar.npy"}, (const blob *const[]){&x, &other_x}, 2);
    assert_failed(clt_dataset_open_images(path, NULL, &dataset, &error), CLT_BAD_FILE, &error, path,
                  ": holds no array that is called images (x, x_test, images, ...); it has foo.npy, bar.npy");
}

static void files_lie_side_by_side(void **state)
{
    (void)state;
    const blob x = images_of(0), other_x = images_of(10), y = labels_of("\0\1"), other_y = labels_of("\1\0");
    const char *const unnamed[] = {"arr_0.npy"};
    const char *path = fresh_folder("kmnist");
    (void)write_zip("kmnist/kmnist-train-imgs.npz", unnamed, (const blob *const[]){&x}, 1);
    (void)write_zip("kmnist/kmnist-train-labels.npz", unnamed, (const blob *const[]){&y}, 1);
    (void)write_zip("kmnist/kmnist-test-imgs.npz", unnamed, (const blob *const[]){&other_x}, 1);
    (void)write_zip("kmnist/kmnist-test-labels.npz", unnamed, (const blob *const[]){&other_y}, 1);
    assert_first(path, CLT_TRAIN, 0, up, false);
    assert_first(path, CLT_TEST, 10, down, false);
    (void)write_zip("kmnist/k49-train-imgs.npz", unnamed, (const blob *const[]){&other_x}, 1);
    (void)write_zip("kmnist/k49-train-labels.npz", unnamed, (const blob *const[]){&other_y}, 1);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path, ": several data sets lie here (k49, kmnist): name one, as in ");
    assert_first(path_in("kmnist/k49"), CLT_TRAIN, 10, down, false);
    assert_first(path_in("kmnist/kmnist-train-imgs.npz"), CLT_TEST, 10, down, false); /* with what lies beside it */
    path = fresh_folder("mixed");
    (void)write_zip("mixed/images.npz", (const char *const[]){"x_train.npy"}, (const blob *const[]){&x}, 1);
    (void)write_bytes("mixed/Y_Train.npy", y.bytes, y.size);
    assert_first(path, CLT_TRAIN, 0, up, false);
    path = fresh_folder("split");
    (void)write_zip("split/train.npz", (const char *const[]){"x.npy", "y.npy"}, (const blob *const[]){&x, &y}, 2);
    (void)write_zip("split/test.npz", (const char *const[]){"x.npy", "y.npy"},
                    (const blob *const[]){&other_x, &other_y}, 2);
    assert_first(path, CLT_TRAIN, 0, up, false);
    assert_first(path, CLT_TEST, 10, down, false);
    const char *page = write_bytes("split/test.npz", "<html>", 6);
    refuse(CLT_BAD_FILE, path, CLT_TEST, page, ": is a web page, where a zip archive is needed");
    path = fresh_folder("alone");
    (void)write_bytes("alone/features.npy", x.bytes, x.size); /* no data set, and no reason not to look further */
    (void)write_bytes("alone/train.csv", "0,1,2\n", 6);
    clt_dataset *dataset = open_set(path, CLT_TRAIN);
    assert_sizes(dataset, 1, 1, 1, 2);
    clt_dataset_close(dataset);
    path = write_zip("pictures.zip", (const char *const[]){"a/1.png"}, (const blob *const[]){&x}, 1);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path, ": is a zip archive without arrays (.npy): unpack it");
    path = fresh_folder("archives");
    (void)write_gzip("archives/cifar-10-binary.tar.gz", "", 0);
    refuse(CLT_NO_FILE, path, CLT_TRAIN, path, "; cifar-10-binary.tar.gz in it is gzip-packed data");
    path = fresh_folder("strange");
    const char *file = write_bytes("strange/foo.npy", x.bytes, x.size);
    refuse(CLT_NO_FILE, path, CLT_TRAIN, path, "; it has foo.npy");
    refuse(CLT_BAD_FILE, file, CLT_TRAIN, file, ": is no data set that cltrain reads but a NumPy array");
}

/* ---- IDX ---------------------------------------------------------------------------------------------------- */

static void idx_of_every_type_is_read(void **state)
{
    (void)state;
    static const struct {
        int type;
        const char *one, *two; /* as the type writes them */
        size_t size;
    } types[] = {{0x08, "\1", "\2", 1},
                 {0x09, "\1", "\2", 1},
                 {0x0b, "\0\1", "\0\2", 2},
                 {0x0c, "\0\0\0\1", "\0\0\0\2", 4},
                 {0x0d, "\x3f\x80\0\0", "\x40\0\0\0", 4},
                 {0x0e, "\x3f\xf0\0\0\0\0\0\0", "\x40\0\0\0\0\0\0\0", 8}};
    const char *path = fresh_folder("types");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        blob values = {.size = 0};
        blob_put(&values, types[i].two, types[i].size);
        blob_put(&values, types[i].one, types[i].size);
        (void)write_idx("types/train-images-idx3-ubyte", types[i].type, 3, (uint32_t[]){2, 1, 1}, values.bytes,
                        values.size);
        (void)write_idx("types/train-labels-idx1-ubyte", types[i].type, 1, (uint32_t[]){2}, values.bytes, values.size);
        clt_dataset *dataset = open_set(path, CLT_TRAIN);
        assert_labels(dataset, (int32_t[]){2, 1}, 3);
        assert_true(dataset->bytes ? dataset->bytes[0] == 2 && dataset->bytes[1] == 1
                                   : dataset->reals[0] == 2 && dataset->reals[1] == 1);
        assert_true((types[i].type >= 0x0d) == !dataset->bytes);
        clt_dataset_close(dataset);
    }
}

static void names_of_the_family_are_found(void **state)
{
    (void)state;
    const char *path = fresh_folder("qmnist");
    uint8_t columns[2 * 8 * 4] = {0};
    columns[3] = 4, columns[7] = 99, columns[35] = 7;
    (void)write_idx("qmnist/qmnist-train-images-idx3-ubyte", 0x08, 3, (uint32_t[]){2, 2, 3}, counting, 12);
    (void)write_idx("qmnist/qmnist-train-labels-idx2-int", 0x0c, 2, (uint32_t[]){2, 8}, columns, sizeof columns);
    clt_dataset *dataset = open_set(path, CLT_TRAIN);
    assert_labels(dataset, (int32_t[]){4, 7}, 8);
    assert_told("labels-idx2-int: has 8 columns, as QMNIST's labels have: the first is the class");
    clt_dataset_close(dataset);
    path = fresh_folder("emnist");
    write_idx_pair("emnist/emnist-letters-train-images-idx3-ubyte", "emnist/emnist-letters-train-labels-idx1-ubyte");
    clt_dataset_close(open_set(path, CLT_TRAIN));
    write_idx_pair("emnist/emnist-digits-train-images-idx3-ubyte", "emnist/emnist-digits-train-labels-idx1-ubyte");
    write_idx_pair("emnist/emnist-digits-test-images-idx3-ubyte", "emnist/emnist-digits-test-labels-idx1-ubyte");
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path,
           ": several data sets lie here (emnist-digits, emnist-letters): name one, as in ");
    clt_dataset_close(open_set(path_in("emnist/emnist-letters"), CLT_TRAIN));
    clt_dataset_close(open_set(path_in("emnist/emnist-digits-train-images-idx3-ubyte"), CLT_TEST));
    refuse(CLT_NO_FILE, path_in("emnist/emnist-letters"), CLT_TEST, path_in("emnist/emnist-letters"),
           "the folder holds no t10k-images-idx3-ubyte");
}

static void what_unpacking_leaves_is_read_or_told(void **state)
{
    (void)state;
    const char *path = fresh_folder("left"), *images = "left/train-images-idx3-ubyte.gz";
    (void)fresh_folder("left/train-images-idx3-ubyte");
    write_idx_pair("left/train-images-idx3-ubyte/train-images-idx3-ubyte", "left/train-labels.idx");
    clt_dataset_close(open_set(path, CLT_TRAIN));
    const blob file = make_idx(0x08, 3, (uint32_t[]){2, 2, 3}, counting, 12);
    const char *written = write_bytes(images, file.bytes, file.size); /* called .gz, and plain */
    clt_dataset_close(open_set(path, CLT_TRAIN));
    size_t size;
    uint8_t *packed = read_bytes(write_gzip("packed", file.bytes, file.size), &size);
    (void)write_gzip(images, packed, size);
    free(packed);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, written, ": is packed by gzip twice: unpack it once (gunzip)");
    (void)write_bytes(images, "<!DOCTYPE html>\n<html>", 22);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, written, ": byte 0: not an IDX file but a web page");
    (void)write_bytes(images, "", 0);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, written, ": byte 0: the file ends inside its IDX header: it is empty");
}

/* ---- known sets --------------------------------------------------------------------------------------------- */

enum { STL_PLANE = 96 * 96, STL_IMAGE = 3 * STL_PLANE, CIFAR_RECORD = 3073 };

static void stl_is_read(void **state)
{
    (void)state;
    const char *path = fresh_folder("stl");
    uint8_t *image = calloc(STL_IMAGE, 1);
    assert_non_null(image);
    image[0 * STL_PLANE + 2 * 96 + 5] = 10; /* column 2, row 5 */
    image[2 * STL_PLANE + 95 * 96 + 0] = 20;
    const char *file = write_bytes("stl/train_X.bin", image, STL_IMAGE);
    (void)write_bytes("stl/train_y.bin", "\12", 1);
    (void)write_bytes("stl/unlabeled_X.bin", "", 0);
    clt_dataset *dataset = open_set(path, CLT_TRAIN);
    assert_sizes(dataset, 1, 3, 96, 96);
    assert_int_equal(dataset->bytes[(5 * 96 + 2) * 3], 10);
    assert_int_equal(dataset->bytes[95 * 3 + 2], 20);
    assert_labels(dataset, (int32_t[]){9}, 10);
    assert_told("unlabeled_X.bin: is left out: its images have no labels");
    clt_dataset_close(dataset);
    refuse(CLT_NO_FILE, path, CLT_TEST, path, ": the folder holds no test_X.bin");
    (void)write_bytes("stl/class_names.txt", "airplane\nbird\n", 14);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path_in("stl/train_y.bin"), ": record 0 has the label 10, where 1 to 2 are");
    (void)write_bytes("stl/train_y.bin", "\2", 1);
    dataset = open_set(path, CLT_TRAIN);
    assert_string_equal(clt_dataset_class_name(dataset, clt_dataset_label(dataset, 0)), "bird");
    clt_dataset_close(dataset);
    (void)write_bytes("stl/train_y.bin", "\2\2", 2);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path_in("stl/train_y.bin"), ": holds 2 labels, where ");
    (void)write_bytes("stl/train_X.bin", image, STL_IMAGE - 1);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, file, ": byte 27647: the file ends inside an image");
    (void)write_bytes("stl/train_X.bin", "<html>", 6);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, file, ": is a web page, where images of 27648 bytes are needed");
    free(image);
}

static void cifar_of_other_kinds_is_told(void **state)
{
    (void)state;
    const char *path = fresh_folder("python"), *hundred = fresh_folder("python100");
    const char *file = write_bytes("python/data_batch_1", "\x80\4data", 6);
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path, ": holds CIFAR-10's Python version, where the binary version is read");
    refuse(CLT_BAD_FILE, file, CLT_TRAIN, file, ": holds pickled images of CIFAR's Python version, where the binary");
    (void)write_bytes("python100/meta", "\x80\4data", 6);
    (void)write_bytes("python100/train", "\x80\4data", 6);
    refuse(CLT_BAD_FILE, hundred, CLT_TRAIN, hundred, ": holds CIFAR-100's Python version");
    (void)fresh_folder("page");
    (void)write_bytes("page/data_batch_1.bin", "<html>", 6);
    refuse(CLT_BAD_FILE, path_in("page"), CLT_TRAIN, path_in("page/data_batch_1.bin"),
           ": is a web page, where records");
    uint8_t record[CIFAR_RECORD] = {3};
    (void)fresh_folder("bin");
    file = write_bytes("bin/data_batch_1.bin", record, sizeof record);
    (void)write_bytes("bin/batches.meta.txt", "a\nb\nc\nd\n", 8);
    clt_dataset *dataset = open_set(file, CLT_TEST);
    assert_labels(dataset, (int32_t[]){3}, 4);
    assert_true(clt_dataset_is_whole(dataset));
    assert_string_equal(clt_dataset_class_name(dataset, 3), "d");
    clt_dataset_close(dataset);
}

/* ---- folders in folders ------------------------------------------------------------------------------------- */

static void a_folder_in_a_folder_is_read(void **state)
{
    (void)state;
    const char *path = fresh_folder("above");
    char part[600];
    (void)fresh_folder("above/MNIST");
    (void)fresh_folder("above/.hidden");
    (void)fresh_folder("above/__MACOSX");
    (void)fresh_folder("above/MNIST/raw");
    (void)fresh_folder("above/MNIST/processed");
    refuse(CLT_NO_FILE, path, CLT_TRAIN, path, ": the folder holds no data set that cltrain reads: IDX");
    write_idx_pair("above/MNIST/raw/train-images-idx3-ubyte", "above/MNIST/raw/train-labels-idx1-ubyte");
    write_idx_pair("above/__MACOSX/train-images-idx3-ubyte", "above/__MACOSX/train-labels-idx1-ubyte");
    clt_dataset_close(open_set(path, CLT_TRAIN));
    (void)snprintf(part, sizeof part, "%s: is no data set itself: %s is read", path, path_in("above/MNIST/raw"));
    assert_told(part);
    write_idx_pair("above/MNIST/processed/train-images-idx3-ubyte", "above/MNIST/processed/train-labels-idx1-ubyte");
    (void)snprintf(part, sizeof part, ": holds several data sets, where one is to be named: %s, %s",
                   path_in("above/MNIST/processed"), path_in("above/MNIST/raw"));
    refuse(CLT_BAD_FILE, path, CLT_TRAIN, path, part);
    path = fresh_folder("deep");
    (void)fresh_folder("deep/1");
    (void)fresh_folder("deep/1/2");
    (void)fresh_folder("deep/1/2/3");
    (void)fresh_folder("deep/1/2/3/4");
    (void)fresh_folder("deep/1/2/3/4/5");
    write_idx_pair("deep/1/2/3/4/5/train-images-idx3-ubyte", "deep/1/2/3/4/5/train-labels-idx1-ubyte");
    refuse(CLT_NO_FILE, path, CLT_TRAIN, path, ": the folder holds no data set");
    clt_dataset_close(open_set(path_in("deep/1"), CLT_TRAIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_of_a_byte_are_bytes),
        cmocka_unit_test(other_whole_numbers_are_reals_in_both_splits),
        cmocka_unit_test(floats_of_every_size_are_reals),
        cmocka_unit_test(fortran_order_is_read),
        cmocka_unit_test(channels_last_is_seen),
        cmocka_unit_test(images_are_turned),
        cmocka_unit_test(one_hot_rows_are_labels),
        cmocka_unit_test(labels_of_every_integer_type_are_read),
        cmocka_unit_test(whole_floats_are_both_labels_and_targets),
        cmocka_unit_test(texts_are_classes),
        cmocka_unit_test(labels_that_begin_at_one_are_noted),
        cmocka_unit_test(names_are_understood),
        cmocka_unit_test(archives_may_call_arrays_as_others_do),
        cmocka_unit_test(archives_hold_images_to_predict),
        cmocka_unit_test(files_lie_side_by_side),
        cmocka_unit_test(idx_of_every_type_is_read),
        cmocka_unit_test(names_of_the_family_are_found),
        cmocka_unit_test(what_unpacking_leaves_is_read_or_told),
        cmocka_unit_test(stl_is_read),
        cmocka_unit_test(cifar_of_other_kinds_is_told),
        cmocka_unit_test(a_folder_in_a_folder_is_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
