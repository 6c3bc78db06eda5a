/* IDX files and data sets. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/dataset.h"
#include "data/idx.h"

/* An IDX file in memory: a header of up to 20 bytes, then 0, 1, 2, ... */
typedef struct image_file {
    uint8_t bytes[512];
    size_t size;
} image_file;

static image_file make_idx(int dimensions, const uint32_t *extent, size_t data_size)
{
    image_file file = {.bytes = {0, 0, 0x08, (uint8_t)dimensions}, .size = 4};
    for (int i = 0; i < dimensions; i++)
        for (int shift = 24; shift >= 0; shift -= 8) file.bytes[file.size++] = (uint8_t)(extent[i] >> shift);
    for (size_t i = 0; i < data_size; i++) file.bytes[file.size++] = (uint8_t)i;
    return file;
}

/* ---- IDX ---------------------------------------------------------------------------------------------------- */

static void idx_is_read_plain_and_gzip(void **state)
{
    (void)state;
    const image_file file = make_idx(3, (uint32_t[]){2, 3, 4}, 24);
    /* The content tells what a file is, whatever it is called. */
    const char *paths[] = {write_bytes("plain.gz", file.bytes, file.size), write_gzip("gzip", file.bytes, file.size)};
    for (int i = 0; i < 2; i++) {
        clt_error error;
        clt__array idx;
        assert_ok(clt__idx_read(paths[i], &idx, &error), &error);
        assert_int_equal(idx.dimensions, 3);
        assert_int_equal(idx.extent[0], 2);
        assert_int_equal(idx.extent[1], 3);
        assert_int_equal(idx.extent[2], 4);
        assert_memory_equal(idx.data, file.bytes + 16, 24);
        clt__array_free(&idx);
        assert_null(idx.data);
        clt__array_free(&idx);
    }
}

/* More than the first room of the buffer, so that it has to grow. */
static void large_idx_is_read(void **state)
{
    (void)state;
    enum { SIZE = 300001 };
    const image_file header = make_idx(1, (uint32_t[]){SIZE}, 0);
    uint8_t *bytes = malloc(header.size + SIZE);
    assert_non_null(bytes);
    memcpy(bytes, header.bytes, header.size);
    for (size_t i = 0; i < SIZE; i++) bytes[header.size + i] = (uint8_t)(i % 253);
    clt_error error;
    clt__array idx;
    assert_ok(clt__idx_read(write_gzip("large", bytes, header.size + SIZE), &idx, &error), &error);
    assert_memory_equal(idx.data, bytes + header.size, SIZE);
    clt__array_free(&idx);
    free(bytes);
}

static void assert_idx_fails(const char *path, const char *part)
{
    clt_error error;
    clt__array idx;
    assert_failed(clt__idx_read(path, &idx, &error), CLT_BAD_FILE, &error, path, part);
    assert_null(idx.data);
}

static void assert_bad_idx(const image_file *file, const char *part)
{
    assert_idx_fails(write_bytes("bad", file->bytes, file->size), part);
    assert_idx_fails(write_gzip("bad.gz", file->bytes, file->size), part);
}

static void unreadable_idx_is_named(void **state)
{
    (void)state;
    assert_idx_fails(path_in("missing"), "cannot be opened: No such file or directory");
    assert_idx_fails(path_in("."), "cannot be read: Is a directory");
}

static void idx_header_is_checked(void **state)
{
    (void)state;
    const image_file good = make_idx(2, (uint32_t[]){2, 2}, 4);
    image_file bad = good;
    for (bad.size = 0; bad.size < 12; bad.size++) {
        char part[64];
        (void)snprintf(part, sizeof part, ": byte %zu: the file ends inside its IDX header", bad.size);
        assert_bad_idx(&bad, part);
    }
    bad = good, bad.bytes[1] = 0x50;
    assert_bad_idx(&bad, ": byte 0: not an IDX file: it begins with 00 50");
    bad = good, bad.bytes[2] = 0x0a;
    assert_bad_idx(&bad, ": byte 2: holds values of type 0x0a, where IDX has 0x08 (unsigned bytes), ");
    bad = good, bad.bytes[2] = 0xff;
    assert_bad_idx(&bad, "values of type 0xff, where");
    bad = good, bad.bytes[3] = 0;
    assert_bad_idx(&bad, ": byte 3: has 0 dimensions, where 1 to 4 are possible");
    bad = good, bad.bytes[3] = 5;
    assert_bad_idx(&bad, ": byte 3: has 5 dimensions, where 1 to 4 are possible");
}

static void idx_extents_are_checked(void **state)
{
    (void)state;
    const uint32_t all = UINT32_MAX, half = (uint32_t)1 << 31, quarter = (uint32_t)1 << 30;
    const image_file beyond_64_bits = make_idx(4, (uint32_t[]){all, quarter, all, 1}, 4);
    assert_bad_idx(&beyond_64_bits, ": byte 12: dimension 3 of 4294967295 makes the data larger than this machine");
    const image_file beyond_memory = make_idx(3, (uint32_t[]){half, half, 2}, 4);
    assert_bad_idx(&beyond_memory, ": byte 12: dimension 3 of 2 makes the data larger than this machine");
}

static void idx_data_is_checked(void **state)
{
    (void)state;
    const image_file missing = make_idx(2, (uint32_t[]){2, 3}, 5), trailing = make_idx(2, (uint32_t[]){2, 3}, 7);
    assert_bad_idx(&missing, ": byte 17: the data ends after 5 bytes, where its header promises 6");
    assert_bad_idx(&trailing, ": byte 18: trailing bytes");
}

/* A header may promise 2^62 bytes: that must end as a truncated file, not as a huge allocation. */
static void idx_claim_alone_allocates_nothing(void **state)
{
    (void)state;
    const image_file liar = make_idx(2, (uint32_t[]){(uint32_t)1 << 31, (uint32_t)1 << 31}, 10);
    assert_bad_idx(&liar, "the data ends after 10 bytes, where its header promises 4611686018427387904");
}

static void corrupt_gzip_is_told(void **state)
{
    (void)state;
    const image_file file = make_idx(2, (uint32_t[]){10, 20}, 200);
    size_t size;
    uint8_t *gzip = read_bytes(write_gzip("good.gz", file.bytes, file.size), &size);
    /* Cut off anywhere: in the gzip header, in the data, in the sum at the end. */
    for (size_t cut = 2; cut < size; cut++)
        assert_idx_fails(write_bytes("cut.gz", gzip, cut), ": corrupt gzip stream: unexpected end of file");
    gzip[size - 8] ^= 1;
    assert_idx_fails(write_bytes("sum.gz", gzip, size), ": corrupt gzip stream: incorrect data check");
    gzip[10] |= 6;
    assert_idx_fails(write_bytes("block.gz", gzip, size), ": corrupt gzip stream: invalid block type");
    free(gzip);
}

/* ---- images from files -------------------------------------------------------------------------------------- */

static clt_dataset *open_images(const image_file *file)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open_images(write_bytes("images", file->bytes, file->size), NULL, &dataset, &error), &error);
    assert_int_equal(clt_dataset_classes(dataset), 0);
    assert_int_equal(clt_dataset_label(dataset, 0), -1);
    return dataset;
}

static void images_have_two_three_or_four_dimensions(void **state)
{
    (void)state;
    const image_file one = make_idx(2, (uint32_t[]){2, 3}, 6), grey = make_idx(3, (uint32_t[]){4, 2, 3}, 24);
    clt_dataset *dataset = open_images(&one);
    assert_sizes(dataset, 1, 1, 2, 3);
    assert_memory_equal(dataset->bytes, one.bytes + 12, 6);
    clt_dataset_close(dataset);
    dataset = open_images(&grey);
    assert_sizes(dataset, 4, 1, 2, 3);
    assert_memory_equal(dataset->bytes, grey.bytes + 16, 24);
    clt_dataset_close(dataset);
}

static void colour_images_become_channels_last(void **state)
{
    (void)state;
    const image_file colour = make_idx(4, (uint32_t[]){2, 3, 1, 2}, 12);
    clt_dataset *dataset = open_images(&colour);
    assert_sizes(dataset, 2, 3, 1, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}), 12);
    assert_string_equal(dataset->name, path_in("images"));
    clt_dataset_close(dataset);
}

static void assert_bad_images(const image_file *file, const char *part)
{
    clt_error error;
    clt_dataset *dataset;
    const char *path = write_bytes("images", file->bytes, file->size);
    assert_failed(clt_dataset_open_images(path, NULL, &dataset, &error), CLT_BAD_FILE, &error, path, part);
    assert_null(dataset);
}

static void unfit_images_are_refused(void **state)
{
    (void)state;
    const image_file flat = make_idx(1, (uint32_t[]){6}, 6), none = make_idx(3, (uint32_t[]){0, 2, 3}, 0);
    assert_bad_images(&flat, ": has 1 dimension, where images have 2, 3 or 4");
    assert_bad_images(&none, ": holds no images, where at least one is needed");
    const image_file colourless = make_idx(4, (uint32_t[]){2, 0, 2, 3}, 0);
    assert_bad_images(&colourless, ": the images' channels is 0, where at least 1 is needed");
    const image_file low = make_idx(3, (uint32_t[]){2, 0, 3}, 0), thin = make_idx(3, (uint32_t[]){2, 3, 0}, 0);
    assert_bad_images(&low, ": the images' height is 0, where at least 1 is needed");
    assert_bad_images(&thin, ": the images' width is 0, where at least 1 is needed");
    clt_error error;
    clt_dataset *dataset;
    assert_int_equal(clt_dataset_open_images(path_in("missing"), NULL, &dataset, &error), CLT_BAD_FILE);
    assert_null(dataset);
}

/* ---- folders ------------------------------------------------------------------------------------------------ */

/* A fresh folder in the temporary folder; gives its path. */
/* Two images of 1 x 2 and the labels 0 and 4. */
static void write_pair(const char *images, const char *labels)
{
    const image_file pixels = make_idx(3, (uint32_t[]){2, 1, 2}, 4);
    image_file classes = make_idx(1, (uint32_t[]){2}, 2);
    classes.bytes[9] = 4;
    (void)write_bytes(images, pixels.bytes, pixels.size);
    (void)write_gzip(labels, classes.bytes, classes.size);
}

static void folder_is_opened_by_any_of_its_names(void **state)
{
    (void)state;
    static const struct {
        clt_split split;
        const char *folder, *images, *labels;
    } named[] = {
        {CLT_TRAIN, "names1", "names1/train-images-idx3-ubyte", "names1/train-labels-idx1-ubyte.gz"},
        {CLT_TRAIN, "names2", "names2/train-images.idx3-ubyte.gz", "names2/train-labels.idx1-ubyte"},
        {CLT_TRAIN, "names3", "names3/train-images-idx4-ubyte", "names3/train-labels-idx1-ubyte"},
        {CLT_TEST, "names4", "names4/t10k-images-idx3-ubyte.gz", "names4/t10k-labels.idx1-ubyte"},
        {CLT_TEST, "names5", "names5/test-images.idx4-ubyte", "names5/test-labels-idx1-ubyte.gz"},
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        clt_error error;
        clt_dataset *dataset;
        const char *path = fresh_folder(named[i].folder);
        write_pair(named[i].images, named[i].labels);
        assert_ok(clt_dataset_open(path, named[i].split, NULL, &dataset, &error), &error);
        assert_sizes(dataset, 2, 1, 1, 2);
        assert_int_equal(clt_dataset_classes(dataset), 5);
        assert_int_equal(clt_dataset_label(dataset, 0), 0);
        assert_int_equal(clt_dataset_label(dataset, 1), 4);
        assert_int_equal(clt_dataset_label(dataset, 2), -1);
        clt_dataset_close(dataset);
    }
}

static void assert_no_dataset(clt_status status, const char *path, clt_split split, const char *start, const char *part)
{
    clt_error error;
    clt_dataset *dataset;
    assert_failed(clt_dataset_open(path, split, NULL, &dataset, &error), status, &error, start, part);
    assert_null(dataset);
}

static void assert_bad_folder(const char *path, clt_split split, const char *start, const char *part)
{
    assert_no_dataset(CLT_BAD_FILE, path, split, start, part);
}

static void missing_files_are_listed(void **state)
{
    (void)state;
    const char *path = fresh_folder("sparse"), *missing = path_in("missing"), *file = write_bytes("file", "", 0);
    assert_bad_folder(missing, CLT_TRAIN, missing, "cannot be opened: No such file or directory");
    assert_bad_folder(file, CLT_TRAIN, file, "is no data set that cltrain reads");
    assert_no_dataset(CLT_NO_FILE, path, CLT_TRAIN, path, ": the folder holds no data set that cltrain reads: IDX");
    write_pair("sparse/test-images-idx3-ubyte", "sparse/test-labels-idx1-ubyte");
    assert_no_dataset(CLT_NO_FILE, path, CLT_TRAIN, path,
                      ": the folder holds no train-images-idx3-ubyte, train-images.idx3-ubyte, "
                      "train-images-idx4-ubyte or train-images.idx4-ubyte, with or without .gz");
    assert_int_equal(remove(path_in("sparse/test-images-idx3-ubyte")), 0);
    write_pair("sparse/train-images-idx3-ubyte", "sparse/test-labels-idx1-ubyte");
    assert_no_dataset(CLT_NO_FILE, path, CLT_TEST, path, "t10k-images-idx3-ubyte");
    assert_no_dataset(CLT_NO_FILE, path, CLT_TEST, path, "or test-images.idx4-ubyte, with or without .gz");
    assert_bad_folder(path, CLT_TRAIN, path,
                      ": the folder holds no train-labels-idx1-ubyte or train-labels.idx1-ubyte, with");
}

static void labels_must_fit_the_images(void **state)
{
    (void)state;
    const char *path = fresh_folder("unfit");
    const char *images = "unfit/train-images-idx3-ubyte", *labels = "unfit/train-labels-idx1-ubyte";
    write_pair(images, labels);
    const image_file three = make_idx(1, (uint32_t[]){3}, 3), square = make_idx(3, (uint32_t[]){1, 1, 2}, 2);
    const char *written = write_bytes(labels, three.bytes, three.size);
    char part[600];
    (void)snprintf(part, sizeof part, ": holds 3 labels, where %s holds 2 images", path_in(images));
    assert_bad_folder(path, CLT_TRAIN, written, part);
    (void)write_bytes(labels, square.bytes, square.size);
    assert_bad_folder(path, CLT_TRAIN, written, ": its shape is not right, where labels are [n]");
    (void)write_bytes(labels, square.bytes, 3);
    assert_bad_folder(path, CLT_TRAIN, written, "the file ends inside its IDX header");
    (void)write_bytes(images, square.bytes, 3);
    assert_bad_folder(path, CLT_TRAIN, path_in(images), "the file ends inside its IDX header");
}

/* ---- from memory -------------------------------------------------------------------------------------------- */

static const clt_shape small = {.channels = 2, .height = 1, .width = 2};

static void bytes_are_copied_channels_last(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *dataset;
    uint8_t images[] = {1, 2, 3, 4, 5, 6, 7, 8};
    int32_t labels[] = {2, 0};
    assert_ok(clt_dataset_from_bytes(2, small, images, labels, 3, &dataset, &error), &error);
    memset(images, 0, sizeof images);
    memset(labels, 0, sizeof labels);
    assert_sizes(dataset, 2, 2, 1, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){1, 3, 2, 4, 5, 7, 6, 8}), 8);
    assert_null(dataset->reals);
    assert_int_equal(clt_dataset_classes(dataset), 3);
    assert_int_equal(clt_dataset_label(dataset, 0), 2);
    assert_int_equal(clt__image_size(small), 4);
    clt_dataset_close(dataset);
    assert_ok(clt_dataset_from_bytes(2, small, images, NULL, 3, &dataset, &error), &error);
    assert_int_equal(clt_dataset_classes(dataset), 0);
    clt_dataset_close(dataset);
    clt_dataset_close(NULL);
}

static void reals_are_copied_channels_last(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *dataset;
    const double images[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}, targets[] = {1.5, 2.5, 3.5, 4.5, 5.5, 6.5};
    assert_ok(clt_dataset_from_reals(2, small, images, targets, 3, &dataset, &error), &error);
    assert_memory_equal(dataset->reals, ((double[]){0.1, 0.3, 0.2, 0.4, 0.5, 0.7, 0.6, 0.8}), sizeof images);
    assert_memory_equal(dataset->targets, targets, sizeof targets);
    assert_int_equal(dataset->outputs, 3);
    assert_null(dataset->bytes);
    assert_int_equal(clt_dataset_classes(dataset), 0);
    assert_int_equal(clt_dataset_label(dataset, 0), -1);
    clt_dataset_close(dataset);
    assert_ok(clt_dataset_from_reals(2, small, images, NULL, 3, &dataset, &error), &error);
    assert_null(dataset->targets);
    assert_int_equal(dataset->outputs, 0);
    clt_dataset_close(dataset);
}

static void assert_bad_bytes(size_t count, clt_shape shape, const int32_t *labels, int classes, const char *part)
{
    static const uint8_t images[16];
    clt_error error;
    clt_dataset *dataset;
    assert_failed(clt_dataset_from_bytes(count, shape, images, labels, classes, &dataset, &error), CLT_BAD_ARGUMENT,
                  &error, "the images given: ", part);
    assert_null(dataset);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    const int32_t high[] = {0, 3}, low[] = {-1, 0};
    clt_shape shape = small;
    assert_bad_bytes(2, small, high, 3, "record 1 has the label 3, where 0 to 2 are possible");
    assert_bad_bytes(2, small, low, 3, "record 0 has the label -1, where 0 to 2 are possible");
    assert_bad_bytes(2, small, high, 0, "has labels of 0 classes, where at least 1 is needed");
    assert_bad_bytes(0, small, NULL, 0, "holds no images");
    shape.height = -3;
    assert_bad_bytes(2, shape, NULL, 0, "height is -3, where at least 1 is needed");
    const clt_shape vast = {1 << 11, 1 << 10, 1 << 10}, vaster = {INT32_MAX, INT32_MAX, INT32_MAX};
    assert_bad_bytes(1, vast, NULL, 0, "an image of 2048 x 1024 x 1024 has more than 2147483647 values");
    assert_bad_bytes(1, vaster, NULL, 0, "has more than 2147483647 values");

    clt_error error;
    clt_dataset *dataset;
    const double images[8] = {0};
    assert_failed(clt_dataset_from_bytes(2, small, NULL, NULL, 0, &dataset, &error), CLT_BAD_ARGUMENT, &error,
                  "the images given", "are NULL");
    assert_failed(clt_dataset_from_reals(2, small, images, images, 0, &dataset, &error), CLT_BAD_ARGUMENT, &error,
                  "the images given", "has targets of 0 values, where at least 1 is needed");
    assert_null(dataset);
    assert_failed(clt_dataset_from_reals(SIZE_MAX, small, images, NULL, 0, &dataset, &error), CLT_NO_MEMORY, &error,
                  "the images given", "more than this machine can address");
    assert_null(dataset);
}

/* ---- holding out -------------------------------------------------------------------------------------------- */

enum { MANY = 100 };

/* Image n holds n and 100 + n as its two channels; its label is n % 5. */
static clt_dataset *make_many(void)
{
    uint8_t images[2 * MANY];
    int32_t labels[MANY];
    clt_error error;
    clt_dataset *dataset;
    for (int n = 0; n < MANY; n++) {
        images[2 * n] = (uint8_t)n;
        images[2 * n + 1] = (uint8_t)(MANY + n);
        labels[n] = n % 5;
    }
    const clt_shape shape = {2, 1, 1};
    assert_ok(clt_dataset_from_bytes(MANY, shape, images, labels, 5, &dataset, &error), &error);
    return dataset;
}

/* Marks each image of `part` as seen, and checks that its label came with it. */
static void see(const clt_dataset *part, int seen[MANY])
{
    for (size_t i = 0; i < part->count; i++) {
        const int n = part->bytes[2 * i];
        assert_true(n < MANY);
        assert_int_equal(part->bytes[2 * i + 1], MANY + n);
        assert_int_equal(clt_dataset_label(part, i), n % 5);
        seen[n]++;
    }
}

static void each_image_goes_to_one_side(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *dataset = make_many(), *kept, *held;
    int seen[MANY] = {0}, moved = 0;
    assert_ok(clt_dataset_hold_out(dataset, 0.246, 1, &kept, &held, &error), &error);
    assert_sizes(kept, 75, 2, 1, 1);
    assert_sizes(held, 25, 2, 1, 1);
    assert_int_equal(clt_dataset_classes(kept), 5);
    assert_int_equal(clt_dataset_classes(held), 5);
    see(kept, seen);
    see(held, seen);
    for (int n = 0; n < MANY; n++) assert_int_equal(seen[n], 1);
    for (size_t i = 0; i < held->count; i++) moved += held->bytes[2 * i] != i;
    assert_true(moved > 15);
    assert_int_equal(clt_dataset_count(dataset), MANY);
    clt_dataset_close(kept);
    clt_dataset_close(held);
    clt_dataset_close(dataset);
}

static void the_seed_decides_what_is_held_out(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *dataset = make_many(), *kept[3], *held[3];
    const uint64_t seeds[] = {7, 7, 8};
    for (int i = 0; i < 3; i++)
        assert_ok(clt_dataset_hold_out(dataset, 0.5, seeds[i], &kept[i], &held[i], &error), &error);
    assert_memory_equal(held[0]->bytes, held[1]->bytes, MANY);
    assert_memory_equal(kept[0]->bytes, kept[1]->bytes, MANY);
    assert_memory_not_equal(held[0]->bytes, held[2]->bytes, MANY);
    for (int i = 0; i < 3; i++) {
        clt_dataset_close(kept[i]);
        clt_dataset_close(held[i]);
    }
    clt_dataset_close(dataset);
}

static void each_image_is_held_out_equally_often(void **state)
{
    (void)state;
    enum { SEEDS = 3000 };
    clt_error error;
    clt_dataset *dataset, *kept, *held;
    const uint8_t images[] = {0, 1, 2};
    const clt_shape shape = {1, 1, 1};
    int times[3] = {0};
    assert_ok(clt_dataset_from_bytes(3, shape, images, NULL, 0, &dataset, &error), &error);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assert_ok(clt_dataset_hold_out(dataset, 1 / 3.0, seed, &kept, &held, &error), &error);
        times[held->bytes[0]]++;
        clt_dataset_close(kept);
        clt_dataset_close(held);
    }
    /* Five standard deviations. */
    for (int n = 0; n < 3; n++) assert_in_range(times[n], 1000 - 129, 1000 + 129);
    clt_dataset_close(dataset);
}

static void real_targets_go_with_their_images(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *dataset, *parts[2];
    const double images[] = {0, 1, 2, 3}, targets[] = {0, 10, 1, 11, 2, 12, 3, 13};
    const clt_shape shape = {1, 1, 1};
    assert_ok(clt_dataset_from_reals(4, shape, images, targets, 2, &dataset, &error), &error);
    assert_ok(clt_dataset_hold_out(dataset, 0.25, 1, &parts[0], &parts[1], &error), &error);
    assert_sizes(parts[1], 1, 1, 1, 1);
    double sum = 0;
    for (int p = 0; p < 2; p++) {
        assert_int_equal(parts[p]->outputs, 2);
        for (size_t i = 0; i < parts[p]->count; i++) {
            sum += parts[p]->reals[i];
            assert_true(parts[p]->targets[2 * i] == parts[p]->reals[i]);
            assert_true(parts[p]->targets[2 * i + 1] == parts[p]->reals[i] + 10);
        }
        clt_dataset_close(parts[p]);
    }
    assert_true(sum == 6);
    clt_dataset_close(dataset);
}

static void impossible_fractions_are_refused(void **state)
{
    (void)state;
    static const struct {
        double fraction;
        const char *part;
    } bad[] = {
        {0, "cannot hold out 0 of the images, where a fraction between 0 and 1 is needed"},
        {1, "cannot hold out 1 of the images"},
        {-0.5, "cannot hold out -0.5 of the images"},
        {NAN, "where a fraction between 0 and 1 is needed"},
        {0.004, "cannot hold out 0.004 of 100 images, which would leave one side empty"},
        {0.996, "cannot hold out 0.996 of 100 images, which would leave one side empty"},
    };
    clt_dataset *dataset = make_many();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        clt_error error;
        clt_dataset *kept, *held;
        assert_failed(clt_dataset_hold_out(dataset, bad[i].fraction, 1, &kept, &held, &error), CLT_BAD_ARGUMENT, &error,
                      "the images given: ", bad[i].part);
        assert_null(kept);
        assert_null(held);
    }
    clt_dataset_close(dataset);
}

/* ---- the real thing ----------------------------------------------------------------------------------------- */

static void fashion_mnist_opens(void **state)
{
    (void)state;
    static const char path[] = "/usr/share/datasets/fashion-mnist";
    clt_error error;
    clt_dataset *dataset;
    int counts[10] = {0};
    if (access(path, R_OK)) skip();
    assert_ok(clt_dataset_open(path, CLT_TRAIN, NULL, &dataset, &error), &error);
    assert_sizes(dataset, 60000, 1, 28, 28);
    assert_int_equal(clt_dataset_classes(dataset), 10);
    for (size_t n = 0; n < 60000; n++) counts[clt_dataset_label(dataset, n)]++;
    for (int label = 0; label < 10; label++) assert_int_equal(counts[label], 6000);
    clt_dataset_close(dataset);
    assert_ok(clt_dataset_open(path, CLT_TEST, NULL, &dataset, &error), &error);
    assert_sizes(dataset, 10000, 1, 28, 28);
    clt_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_is_read_plain_and_gzip),
        cmocka_unit_test(large_idx_is_read),
        cmocka_unit_test(unreadable_idx_is_named),
        cmocka_unit_test(idx_header_is_checked),
        cmocka_unit_test(idx_extents_are_checked),
        cmocka_unit_test(idx_data_is_checked),
        cmocka_unit_test(idx_claim_alone_allocates_nothing),
        cmocka_unit_test(corrupt_gzip_is_told),
        cmocka_unit_test(images_have_two_three_or_four_dimensions),
        cmocka_unit_test(colour_images_become_channels_last),
        cmocka_unit_test(unfit_images_are_refused),
        cmocka_unit_test(folder_is_opened_by_any_of_its_names),
        cmocka_unit_test(missing_files_are_listed),
        cmocka_unit_test(labels_must_fit_the_images),
        cmocka_unit_test(bytes_are_copied_channels_last),
        cmocka_unit_test(reals_are_copied_channels_last),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(each_image_goes_to_one_side),
        cmocka_unit_test(the_seed_decides_what_is_held_out),
        cmocka_unit_test(each_image_is_held_out_equally_often),
        cmocka_unit_test(real_targets_go_with_their_images),
        cmocka_unit_test(impossible_fractions_are_refused),
        cmocka_unit_test(fashion_mnist_opens),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
