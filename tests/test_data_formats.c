/* Data sets in formats other than IDX: what is read, and what each reader says of bad files. Image files alone:
 * test_pictures.c. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* jpeglib.h needs stdio.h before it. */
#include <jpeglib.h>
#include <png.h>

#include "data/dataset.h"

/* ---- helpers ------------------------------------------------------------------------------------------------ */

static clt_dataset *open_set(const char *path, clt_split split, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open(path, split, options, &dataset, &error), &error);
    return dataset;
}

static void refuse_as(clt_status wanted, const char *path, clt_split split, const clt_options *options,
                      const char *start, const char *part)
{
    clt_error error;
    clt_dataset *dataset;
    assert_failed(clt_dataset_open(path, split, options, &dataset, &error), wanted, &error, start, part);
    assert_null(dataset);
}

/* The training split cannot be read. */
static void refuse(const char *path, const char *start, const char *part)
{
    refuse_as(CLT_BAD_FILE, path, CLT_TRAIN, NULL, start, part);
}

/* ---- CIFAR -------------------------------------------------------------------------------------------------- */

enum { CIFAR_IMAGE = 3072, CIFAR_PLANE = 1024, CIFAR_ROOM = 4 * (2 + CIFAR_IMAGE) };

/* Records with these labels, `label_bytes` to each; pixel i of plane c is label + c + i, modulo 256. */
static const char *write_cifar(const char *name, int records, int label_bytes, const uint8_t *labels, size_t cut)
{
    uint8_t bytes[CIFAR_ROOM];
    size_t size = 0;
    for (int n = 0; n < records; n++) {
        if (label_bytes == 2) bytes[size++] = 255; /* the coarse label, which nobody reads */
        bytes[size++] = labels[n];
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < CIFAR_PLANE; i++) bytes[size++] = (uint8_t)(labels[n] + c + i);
    }
    return write_bytes(name, bytes, size - cut);
}

static void assert_cifar_image(const clt_dataset *dataset, size_t n, int label)
{
    assert_int_equal(clt_dataset_label(dataset, n), label);
    for (int i = 0; i < CIFAR_PLANE; i++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(dataset->bytes[n * CIFAR_IMAGE + (size_t)(3 * i + c)], (uint8_t)(label + c + i));
}

static void cifar_10_is_read_batch_by_batch(void **state)
{
    (void)state;
    const char *path = fresh_folder("cifar 10");
    (void)write_cifar("cifar 10/data_batch_10.bin", 1, 1, (uint8_t[]){9}, 0);
    (void)write_cifar("cifar 10/data_batch_2.bin", 2, 1, (uint8_t[]){3, 0}, 0);
    (void)write_text("cifar 10/data_batch_2.bin.old", "no batch");
    clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL);
    assert_sizes(dataset, 3, 3, 32, 32);
    assert_int_equal(clt_dataset_classes(dataset), 10);
    assert_null(clt_dataset_class_name(dataset, 0));
    assert_false(clt_dataset_is_whole(dataset));
    assert_cifar_image(dataset, 0, 3);
    assert_cifar_image(dataset, 1, 0);
    assert_cifar_image(dataset, 2, 9);
    clt_dataset_close(dataset);
    refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, path, "the folder holds no test_batch.bin");
    (void)write_cifar("cifar 10/test_batch.bin", 1, 1, (uint8_t[]){1}, 0);
    (void)write_text("cifar 10/batches.meta.txt", "airplane\nautomobile\r\n\n");
    dataset = open_set(path, CLT_TEST, NULL);
    assert_cifar_image(dataset, 0, 1);
    assert_int_equal(clt_dataset_classes(dataset), 2);
    assert_string_equal(clt_dataset_class_name(dataset, 1), "automobile");
    assert_null(clt_dataset_class_name(dataset, 2));
    assert_null(clt_dataset_class_name(dataset, -1));
    clt_dataset_close(dataset);
}

static void cifar_100_takes_the_fine_label(void **state)
{
    (void)state;
    const char *path = fresh_folder("cifar100");
    (void)write_cifar("cifar100/train.bin", 2, 2, (uint8_t[]){99, 7}, 0);
    clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL), *kept, *held_out;
    assert_sizes(dataset, 2, 3, 32, 32);
    assert_int_equal(clt_dataset_classes(dataset), 100);
    assert_cifar_image(dataset, 0, 99);
    assert_cifar_image(dataset, 1, 7);
    clt_dataset_close(dataset);
    refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, path, "the folder holds no test.bin");
    char names[1000] = "";
    for (int i = 0; i < 100; i++) (void)snprintf(names + strlen(names), 16, "fine%d\n", i);
    (void)write_text("cifar100/fine_label_names.txt", names);
    dataset = open_set(path, CLT_TRAIN, NULL);
    clt_error error;
    assert_ok(clt_dataset_hold_out(dataset, 0.5, 1, &kept, &held_out, &error), &error);
    assert_string_equal(clt_dataset_class_name(held_out, 99), "fine99"); /* a part keeps the names */
    clt_dataset_close(dataset);
    clt_dataset_close(kept);
    clt_dataset_close(held_out);
}

static void bad_cifar_is_told(void **state)
{
    (void)state;
    const char *path = fresh_folder("badcifar"), *name = "badcifar/data_batch_1.bin";
    const char *file = write_cifar(name, 2, 1, (uint8_t[]){0, 1}, 1);
    refuse(path, file, ": byte 6145: the file ends inside a record, where records of 3073 bytes are needed");
    (void)write_text(name, "");
    refuse(path, file, ": byte 0: the file ends inside a record");
    (void)write_cifar(name, 2, 1, (uint8_t[]){0, 10}, 0);
    refuse(path, file, ": record 1 has the label 10, where 0 to 9 are possible");
    assert_int_equal(remove(file), 0);
    assert_int_equal(mkdir(file, 0777), 0);
    refuse(path, file, ": is not a file");
}

/* ---- numpy -------------------------------------------------------------------------------------------------- */

/* An NPY file of version `major` with this dictionary. */
static blob make_npy(int major, const char *dictionary, const void *data, size_t size)
{
    blob file = {.size = 0};
    blob_put(&file, "\x93NUMPY", 6);
    blob_put_little(&file, (uint64_t)major, 2);
    blob_put_little(&file, strlen(dictionary), major == 1 ? 2 : 4);
    blob_put(&file, dictionary, strlen(dictionary));
    blob_put(&file, data, size);
    return file;
}

/* As numpy writes it, with values of `type`. */
static blob make_array(const char *type, const char *shape, const void *data, size_t size)
{
    char dictionary[256];
    (void)snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }    \n", type,
                   shape);
    return make_npy(1, dictionary, data, size);
}

static const char *write_array(const char *name, const char *type, const char *shape, const void *data, size_t size)
{
    const blob file = make_array(type, shape, data, size);
    return write_blob(name, &file);
}

/* Two images of 3 x 1 x 2: byte i is i. */
static const uint8_t twelve[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static void npy_folder_and_prefix_are_read(void **state)
{
    (void)state;
    const char *path = fresh_folder("npy");
    (void)write_array("npy/x_train.npy", "|u1", "(2, 3, 1, 2)", twelve, 12);
    (void)write_array("npy/y_train.npy", "<i8", "(2,)", (int64_t[]){4, 1}, 16);
    clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL);
    assert_sizes(dataset, 2, 3, 1, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11}), 12);
    assert_int_equal(clt_dataset_label(dataset, 0), 4);
    assert_int_equal(clt_dataset_classes(dataset), 5);
    clt_dataset_close(dataset);
    refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, path, ": holds no x_test.npy");
    (void)write_array("npy/x_train.npy", "|u1", "(2, 1, 2, 3)", twelve, 12);
    dataset = open_set(path, CLT_TRAIN, &(clt_options){.layout = CLT__NHWC});
    assert_sizes(dataset, 2, 3, 1, 2);
    assert_memory_equal(dataset->bytes, twelve, 12);
    clt_dataset_close(dataset);
    (void)write_array("npy/of_x_test.npy", "|u1", "(2, 2, 3)", twelve, 12);
    (void)write_array("npy/of_y_test.npy", ">u2", "(2, 1)", (uint8_t[]){1, 0, 0, 7}, 4);
    dataset = open_set(path_in("npy/of_"), CLT_TEST, NULL);
    assert_sizes(dataset, 2, 1, 2, 3);
    assert_memory_equal(dataset->bytes, twelve, 12);
    assert_int_equal(clt_dataset_label(dataset, 0), 256);
    assert_int_equal(clt_dataset_label(dataset, 1), 7);
    clt_dataset_close(dataset);
}

static void npy_floats_are_images_and_targets(void **state)
{
    (void)state;
    const char *path = fresh_folder("npyreal");
    const float pixels[4] = {0.5f, -1, 2, 3.25f};
    const double targets[4] = {0.125, -7, 1e300, 4};
    (void)write_array("npyreal/x_train.npy", "<f4", "(2, 2, 1, 1)", pixels, sizeof pixels);
    (void)write_array("npyreal/y_train.npy", "<f8", "(2, 2)", targets, sizeof targets);
    clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL);
    assert_sizes(dataset, 2, 2, 1, 1);
    for (int i = 0; i < 4; i++) assert_true(dataset->reals[i] == pixels[i]);
    assert_memory_equal(dataset->targets, targets, sizeof targets);
    assert_int_equal(dataset->outputs, 2);
    assert_int_equal(clt_dataset_classes(dataset), 0);
    clt_dataset_close(dataset);
    const char *x = write_array("npyreal/x_train.npy", "<f4", "(2, 2, 1, 1)", (uint32_t[]){0, 0, 0, 0x7f800000}, 16);
    refuse(path, x, ": image 1 holds inf, where finite numbers are needed");
}

/* What is wrong with targets is told of the file that they are in, also when only the loss can tell. */
static void a_target_that_is_wrong_names_its_file(void **state)
{
    (void)state;
    clt_error error;
    clt_evaluation *evaluation;
    const char *path = fresh_folder("npywrong");
    (void)write_array("npywrong/x_test.npy", "<f4", "(2, 2, 1, 1)", (float[]){0, 1, 2, 3}, 16);
    const char *y = write_array("npywrong/y_test.npy", "<f8", "(2, 2)", (double[]){0, 1, 0.5, 1.5}, 32);
    clt_dataset *data = open_set(path, CLT_TEST, NULL);
    clt_model *model = make_model("input 2x1x1; flatten; dense out=2", "bce", CLT_F32, 1);
    clt_model *wide = make_model("input 2x1x1; flatten; dense out=3", "bce", CLT_F32, 1);
    clt_device *device = open_called("reference");
    assert_failed(clt_evaluate(model, device, data, NULL, &evaluation, &error), CLT_BAD_ARGUMENT, &error, y,
                  ": target 1 of image 1 is 1.5: the loss bce takes numbers from 0 to 1");
    assert_failed(clt_evaluate(wide, device, data, NULL, &evaluation, &error), CLT_BAD_ARGUMENT, &error, y,
                  " has 2 targets an image, the net has 3 outputs");
    clt_device_close(device);
    clt_model_close(model);
    clt_model_close(wide);
    clt_dataset_close(data);
}

static void npy_images_are_read_without_labels(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *dataset;
    const char *path = write_array("some.npy", "|u1", "(3, 4)", twelve, 12);
    assert_ok(clt_dataset_open_images(path, NULL, &dataset, &error), &error);
    assert_sizes(dataset, 1, 1, 3, 4);
    assert_memory_equal(dataset->bytes, twelve, 12);
    clt_dataset_close(dataset);
}

static void refuse_x(const blob *file, const char *part)
{
    refuse(path_in("badnpy"), write_blob("badnpy/x_train.npy", file), part);
}

static void refuse_header(const char *dictionary, const char *part)
{
    const blob file = make_npy(1, dictionary, twelve, 12);
    refuse_x(&file, part);
}

static void npy_headers_are_checked(void **state)
{
    (void)state;
    (void)fresh_folder("badnpy");
    for (int major = 1; major <= 3; major++) {
        blob good = make_npy(major, "{\"shape\":(2,3,2),'descr':'|u1','fortran_order':False}\n", twelve, 12);
        const size_t whole = good.size;
        (void)write_blob("badnpy/x_train.npy", &good);
        refuse(path_in("badnpy"), path_in("badnpy"), ": holds no y_train.npy");
        for (good.size = 0; good.size < whole; good.size++)
            refuse_x(&good, good.size < 6            ? "is not an NPY file"
                            : good.size < whole - 12 ? "ends inside its NPY header"
                                                     : "where its header promises 12");
        good.size = whole + 1;
        refuse_x(&good, ": holds 13 bytes of data, where its header promises 12");
    }
    const blob late = make_npy(4, "{}", twelve, 12);
    refuse_x(&late, ": byte 6: is of NPY's version 4.0");
    refuse_header("{'descr': '|u1', 'fortran_order': None, 'shape': (12,)}", "True or False is needed here");
    refuse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (12)}", "a comma is needed here");
    refuse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (12 12)}", "a comma is needed here");
    refuse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}", "an extent is needed here");
    refuse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,12)}", "more than 4 dimensions");
    refuse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}", "below 2^63");
    refuse_header("{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000000000,2,2)}", "2^64");
    refuse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000,1,1)}", "promises 1000000000000");
    refuse_header("{'descr': '|u1', 'fortran_order': False}", "lacks descr, fortran_order or shape");
    refuse_header("{'descr': '|u1', 'descr': '|u1'}", "once each");
    refuse_header("{'descr': '|u1', 'size': 4}", "says \"size\"");
    refuse_header("{'descr': '|u1', 'fortran_order': False, 'shape': (12,)} x", "the header's end is needed here");
    refuse_header("{'descr: ", "a short text in quotes");
    refuse_header("[]", "a dictionary");
    refuse_header("", "a dictionary");
    static const char *const types[] = {"<c16", "<M8[ns]", "|b2",  "u1",  "<u3",      "<f1",
                                        "<f16", "",        "<u12", "<U0", "<U1234567"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const blob file = make_array(types[i], "(2, 3, 2)", twelve, 12);
        refuse_x(&file,
                 "where integers of 1, 2, 4 or 8 bytes, floats of 2, 4 or 8, bool or, for labels, texts are needed");
    }
    refuse_header("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (12,)}", "holds records of named fields");
    const blob objects = make_array("|O", "(2, 3, 2)", twelve, 12);
    refuse_x(&objects, ": is a pickled array of Python objects, where plain numbers are needed");
}

static void unfit_arrays_are_refused(void **state)
{
    (void)state;
    const char *path = fresh_folder("unfitnpy"), *x = "unfitnpy/x_train.npy", *y = "unfitnpy/y_train.npy";
    const char *at = write_array(x, "|S2", "(6, 1, 1)", twelve, 12);
    refuse(path, at, ": holds texts, where images are numbers");
    (void)write_array(x, "|u1", "(12,)", twelve, 12);
    refuse(path, at, ": has 1 dimension, where images have 2, 3 or 4");
    (void)write_array(x, "|u1", "(3, 4)", twelve, 12);
    refuse(path, at, ": has 2 dimensions, where the images of a data set have 3 or 4");
    (void)write_array(x, "|u1", "(0, 3, 4)", twelve, 0);
    refuse(path, at, ": holds no images");
    (void)write_array(x, "|u1", "(2, 3, 2)", twelve, 12);
    at = write_array(y, "|i1", "(2,)", (int8_t[]){1, -1}, 2);
    refuse(path, at, ": record 1 has the label -1, where 0 to 2147483646 are possible");
    (void)write_array(y, "<u8", "(2,)", (uint64_t[]){UINT64_MAX, 0}, 16);
    refuse(path, at, ": record 0 has the label 9223372036854775807");
    (void)write_array(y, "|u1", "(3,)", twelve, 3);
    refuse(path, at, ": holds 3 labels, where ");
    (void)write_array(y, "|u1", "(2, 2)", twelve, 4);
    refuse(path, at, ": its shape is not right");
    (void)write_array(y, "|u1", "()", twelve, 1);
    refuse(path, at, ": its shape is not right");
    (void)write_array(y, "<f4", "(2, 0)", twelve, 0);
    refuse(path, at, ": its shape is not right");
}

/* ---- zip ---------------------------------------------------------------------------------------------------- */

typedef struct zip_file {
    blob file, directory;
    int entries;
} zip_file;

enum { STORED = 0, DEFLATED = 8 };

/* How a member is written: ZIP64 has its sizes and offset in an extra field. */
static void zip_add(zip_file *zip, const char *name, const blob *content, int method, bool zip64)
{
    blob packed = *content, extra = {.size = 0};
    if (method == DEFLATED) {
        z_stream stream = {.next_in = (uint8_t *)(uintptr_t)content->bytes,
                           .avail_in = (unsigned)content->size,
                           .next_out = packed.bytes,
                           .avail_out = sizeof packed.bytes};
        assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        packed.size = stream.total_out;
        assert_int_equal(deflateEnd(&stream), Z_OK);
    }
    const uint64_t offset = zip->file.size, sum = crc32(0, content->bytes, (unsigned)content->size);
    blob_put_little(&zip->file, 0x04034b50, 4);
    blob_put_little(&zip->file, 0, 22); /* what the directory says again */
    blob_put_little(&zip->file, strlen(name), 2);
    blob_put_little(&zip->file, 3, 2);
    blob_put(&zip->file, name, strlen(name));
    blob_put(&zip->file, "ext", 3);
    blob_put(&zip->file, packed.bytes, packed.size);
    blob_put_little(&extra, 1, 2);
    blob_put_little(&extra, 24, 2);
    blob_put_little(&extra, content->size, 8);
    blob_put_little(&extra, packed.size, 8);
    blob_put_little(&extra, offset, 8);
    blob *list = &zip->directory;
    blob_put_little(list, 0x02014b50, 4);
    blob_put_little(list, 0, 6);
    blob_put_little(list, (uint64_t)method, 2);
    blob_put_little(list, 0, 4);
    blob_put_little(list, sum, 4);
    blob_put_little(list, zip64 ? UINT32_MAX : packed.size, 4);
    blob_put_little(list, zip64 ? UINT32_MAX : content->size, 4);
    blob_put_little(list, strlen(name), 2);
    blob_put_little(list, zip64 ? extra.size : 0, 2);
    blob_put_little(list, 0, 10);
    blob_put_little(list, zip64 ? UINT32_MAX : offset, 4);
    blob_put(list, name, strlen(name));
    blob_put(list, extra.bytes, zip64 ? extra.size : 0);
    zip->entries++;
}

static blob zip_end(const zip_file *zip, const char *comment)
{
    blob file = zip->file;
    blob_put(&file, zip->directory.bytes, zip->directory.size);
    blob_put_little(&file, 0x06054b50, 4);
    blob_put_little(&file, 0, 4);
    blob_put_little(&file, (uint64_t)zip->entries, 2);
    blob_put_little(&file, (uint64_t)zip->entries, 2);
    blob_put_little(&file, zip->directory.size, 4);
    blob_put_little(&file, zip->file.size, 4);
    blob_put_little(&file, strlen(comment), 2);
    blob_put(&file, comment, strlen(comment));
    return file;
}

static blob make_npz(int method, bool zip64, const char *comment)
{
    zip_file zip = {.entries = 0};
    const blob x = make_array("|u1", "(2, 3, 2)", twelve, 12), y = make_array("<i4", "(2,)", (int32_t[]){0, 1}, 8);
    zip_add(&zip, "x_train.npy", &x, method, zip64);
    zip_add(&zip, "y_train.npy", &y, method, zip64);
    return zip_end(&zip, comment);
}

static void npz_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        const blob file = make_npz(i & 1 ? DEFLATED : STORED, i & 2, i & 4 ? "a comment" : "");
        const char *path = write_blob("good.npz", &file);
        clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL);
        assert_sizes(dataset, 2, 1, 3, 2);
        assert_memory_equal(dataset->bytes, twelve, 12);
        assert_int_equal(clt_dataset_label(dataset, 1), 1);
        assert_false(clt_dataset_is_whole(dataset));
        clt_dataset_close(dataset);
        refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, path, ": holds no x_test.npy");
    }
}

/* Whatever byte is changed, and wherever the file ends: it is read or refused, and nothing else happens. */
static void spoilt_npz_harms_nothing(void **state)
{
    (void)state;
    for (int method = STORED; method <= DEFLATED; method += DEFLATED) {
        const blob good = make_npz(method, method == DEFLATED, "");
        for (size_t i = 0; i < 2 * good.size; i++) {
            blob bad = good;
            if (i < good.size)
                bad.bytes[i] ^= 0xff;
            else
                bad.size = i - good.size;
            clt_dataset *dataset;
            const clt_status status = clt_dataset_open(write_blob("bad.npz", &bad), CLT_TRAIN, NULL, &dataset, NULL);
            assert_true(i < good.size || (status != CLT_OK && status != CLT_NO_MEMORY));
            assert_int_not_equal(status, CLT_NO_MEMORY);
            clt_dataset_close(dataset);
        }
    }
}

static void refuse_npz(const blob *file, const char *part)
{
    const char *path = write_blob("bad.npz", file);
    refuse(path, path, part);
}

static void bad_npz_is_told(void **state)
{
    (void)state;
    blob file = make_npz(STORED, false, "");
    const size_t entry = file.size - 22 - 2 * (46 + 11);
    file.bytes[60] ^= 1;
    refuse_npz(&file, "x_train.npy: its content does not have the checksum that the directory says");
    file = make_npz(STORED, false, "");
    file.bytes[entry + 8] = 1;
    refuse_npz(&file, "x_train.npy is encrypted");
    file = make_npz(STORED, false, "");
    file.bytes[entry + 10] = 12;
    refuse_npz(&file, "packed by zip's method 12");
    file = make_npz(DEFLATED, false, "");
    file.bytes[file.size - 22 - 2 * (46 + 11) + 27] = 0x7f; /* of the size */
    refuse_npz(&file, "bytes cannot be packed into");
    file = make_npz(STORED, false, "");
    file.bytes[entry + 23] = 0x7f; /* of the packed size */
    refuse_npz(&file, "lies beyond the end of the zip archive");
    file = make_npz(STORED, false, "");
    file.size -= 1;
    refuse_npz(&file, "the zip archive has no directory at its end");
    file = make_npz(STORED, false, "");
    file.bytes[entry] = 0;
    refuse_npz(&file, "entry 0 of the zip archive's directory is not right");
    file = make_npz(STORED, false, "");
    file.bytes[file.size - 22 + 11] = 0x7f; /* of the number of entries */
    refuse_npz(&file, "does not fit into it");
}

/* ---- image files -------------------------------------------------------------------------------------------- */

static const char *write_png(const char *name, uint32_t format, int width, int height, const uint8_t *pixels)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION, .format = format, .width = (png_uint_32)width, .height = (png_uint_32)height};
    const char *path = path_in(name);
    assert_int_not_equal(png_image_write_to_file(&image, path, 0, pixels, 0, NULL), 0);
    return path;
}

/* All pixels have this value in each channel. */
static const char *write_jpeg(const char *name, int width, int height, uint8_t value)
{
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr manager;
    uint8_t row[192];
    const char *path = path_in(name);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_true((size_t)(3 * width) <= sizeof row);
    memset(row, value, sizeof row);
    codec.err = jpeg_std_error(&manager);
    jpeg_create_compress(&codec);
    jpeg_stdio_dest(&codec, stream);
    codec.image_width = (JDIMENSION)width;
    codec.image_height = (JDIMENSION)height;
    codec.input_components = 3;
    codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec);
    jpeg_start_compress(&codec, TRUE);
    for (int y = 0; y < height; y++) (void)jpeg_write_scanlines(&codec, &(JSAMPROW){row}, 1);
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    assert_int_equal(fclose(stream), 0);
    return path;
}

static clt_dataset *open_picture(const char *path, clt_shape size)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open_images(path, &(clt_options){.size = size}, &dataset, &error), &error);
    assert_int_equal(clt_dataset_label(dataset, 0), -1);
    return dataset;
}

static void assert_pixels(const char *path, clt_shape size, int channels, int height, int width, const uint8_t *pixels)
{
    clt_dataset *dataset = open_picture(path, size);
    assert_sizes(dataset, 1, channels, height, width);
    assert_memory_equal(dataset->bytes, pixels, (size_t)(channels * height * width));
    clt_dataset_close(dataset);
}

static const clt_shape as_is;

static void pictures_are_made_grey_or_rgb(void **state)
{
    (void)state;
    const char *path = write_png("grey 1.PNG", PNG_FORMAT_GRAY, 3, 2, twelve);
    assert_pixels(path, as_is, 1, 2, 3, twelve);
    assert_pixels(path, (clt_shape){3, 0, 0}, 3, 2, 3,
                  (uint8_t[]){0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5});
    path = write_png("rgb.png", PNG_FORMAT_RGB, 1, 2, (uint8_t[]){255, 0, 0, 0, 255, 1});
    assert_pixels(path, as_is, 3, 2, 1, (uint8_t[]){255, 0, 0, 0, 255, 1});
    assert_pixels(path, (clt_shape){1, 0, 0}, 1, 2, 1, (uint8_t[]){76, 150});
}

/* Figures worked out by hand: the triangle's weights are 1 3 3 1 over 8 inside, 3 3 1 over 7 at the ends. */
static void resizing_is_a_triangle_filter(void **state)
{
    (void)state;
    const uint8_t row[8] = {0, 40, 80, 120, 160, 200, 240, 0};
    const uint8_t halved[4] = {29 /* (0*3+40*3+80)/7 = 28.57 */, 100 /* (40+3*80+3*120+160)/8 */,
                               180 /* (120+3*160+3*200+240)/8 */, 131 /* (200+3*240+0)/7 = 131.4 */};
    assert_pixels(write_png("row.png", PNG_FORMAT_GRAY, 8, 1, row), (clt_shape){0, 1, 4}, 1, 1, 4, halved);
    assert_pixels(write_png("column.png", PNG_FORMAT_GRAY, 1, 8, row), (clt_shape){0, 4, 1}, 1, 4, 1, halved);
    const uint8_t doubled[4] = {0, 25, 75, 100};
    assert_pixels(write_png("two.png", PNG_FORMAT_GRAY, 2, 1, (uint8_t[]){0, 100}), (clt_shape){0, 1, 4}, 1, 1, 4,
                  doubled);
    const uint8_t colour[12] = {10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30};
    assert_pixels(write_png("colour.png", PNG_FORMAT_RGB, 4, 1, colour), (clt_shape){0, 1, 1}, 3, 1, 1, colour);
    assert_pixels(write_png("large.png", PNG_FORMAT_RGB, 1, 1, colour), (clt_shape){0, 2, 2}, 3, 2, 2, colour);
}

/* root/train: a (two files), b (one), root/test: b (one). */
static const char *make_class_folders(const char *root)
{
    static const char *const folders[] = {"", "/train", "/train/b", "/train/a b", "/test", "/test/b"};
    char name[64];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        (void)snprintf(name, sizeof name, "%s%s", root, folders[i]);
        (void)fresh_folder(name);
    }
    static const struct {
        const char *name;
        uint8_t first;
    } files[] = {{"/train/b/x.png", 1}, {"/train/a b/2.png", 2}, {"/train/a b/1 1.png", 3}, {"/test/b/x.png", 4}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)snprintf(name, sizeof name, "%s%s", root, files[i].name);
        (void)write_png(name, PNG_FORMAT_GRAY, 2, 1, (uint8_t[]){files[i].first, 0});
    }
    (void)snprintf(name, sizeof name, "%s/train/b/notes.txt", root);
    (void)write_text(name, "no image");
    return path_in(root);
}

static void class_folders_are_read(void **state)
{
    (void)state;
    const char *path = make_class_folders("folders of images");
    clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL);
    assert_sizes(dataset, 3, 1, 1, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){3, 0, 2, 0, 1, 0}), 6);
    assert_int_equal(clt_dataset_label(dataset, 1), 0);
    assert_int_equal(clt_dataset_label(dataset, 2), 1);
    assert_string_equal(clt_dataset_class_name(dataset, 0), "a b");
    assert_int_equal(clt_dataset_classes(dataset), 2);
    clt_dataset_close(dataset);
    dataset = open_set(path, CLT_TEST, NULL); /* the training set's classes, though here is only one */
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    assert_string_equal(clt_dataset_class_name(dataset, 1), "b");
    clt_dataset_close(dataset);
    /* One in colour makes all of them so; JPEG and PNG mix. */
    (void)write_jpeg("folders of images/train/b/y.JPG", 2, 1, 200);
    dataset = open_set(path, CLT_TRAIN, NULL);
    assert_sizes(dataset, 4, 3, 1, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){3, 3, 3, 0, 0, 0}), 6);
    clt_dataset_close(dataset);
    const char *other = write_png("folders of images/train/b/z.png", PNG_FORMAT_GRAY, 3, 4, twelve);
    refuse(path, other, ": is 4 high and 3 wide, where ");
    dataset = open_set(path, CLT_TRAIN, &(clt_options){.size = {1, 2, 2}});
    assert_sizes(dataset, 5, 1, 2, 2);
    clt_dataset_close(dataset);
    refuse_as(CLT_BAD_ARGUMENT, path, CLT_TRAIN, &(clt_options){.size = {2, 4, 4}}, NULL, "where 1 or 3 channels");
    (void)fresh_folder("folders of images/test/c");
    refuse_as(CLT_BAD_FILE, path, CLT_TEST, NULL, path_in("folders of images/test/c"),
              "a class that the training images do not have");
    assert_int_equal(remove(path_in("folders of images/test/c")), 0);
    assert_int_equal(rename(path_in("folders of images/test"), path_in("folders of images/val")), 0);
    clt_dataset_close(open_set(path, CLT_TEST, NULL));
}

static void keep_note(void *user, const char *sentence)
{
    (void)snprintf(user, 1024, "%s", sentence);
}

static void bad_images_are_counted_or_skipped(void **state)
{
    (void)state;
    const char *path = make_class_folders("badfolders");
    char note[1024] = "";
    const clt_options skip = {.skip_bad = true, .note = keep_note, .note_user = note};
    const char *bad = write_text("badfolders/train/a b/0.png", "no image");
    refuse(
        path, bad,
        ": is something else, where a picture (PNG, JPEG, WebP, TIFF, GIF, BMP) is needed; 1 of 4 image files are bad");
    size_t size;
    uint8_t *bytes = read_bytes(path_in("badfolders/train/b/x.png"), &size);
    (void)write_bytes("badfolders/train/b/y.png", bytes, size - 20); /* its header is good */
    free(bytes);
    char part[600];
    (void)snprintf(part, sizeof part, "2 of 5 image files are bad (also %s)", path_in("badfolders/train/b/y.png"));
    refuse(path, bad, part);
    clt_dataset *dataset = open_set(path, CLT_TRAIN, &skip);
    assert_sizes(dataset, 3, 1, 1, 2);
    assert_int_equal(clt_dataset_label(dataset, 2), 1);
    assert_non_null(strstr(note, "2 of 5 image files are left out"));
    assert_non_null(strstr(note, bad));
    clt_dataset_close(dataset);
    const char *empty = fresh_folder("badfolders/train/c");
    refuse(path, empty,
           ": the class's folder holds no image; remove it, or train without images of that class (--skip-bad)");
    dataset = open_set(path, CLT_TRAIN, &skip);
    assert_int_equal(clt_dataset_classes(dataset), 3);
    clt_dataset_close(dataset);
    const char *all = fresh_folder("allbad");
    (void)fresh_folder("allbad/train");
    (void)fresh_folder("allbad/train/a");
    bad = write_text("allbad/train/a/0.png", "no image");
    refuse_as(CLT_BAD_FILE, all, CLT_TRAIN, &skip, bad, "1 of 1 image files are bad");
    const char *none = fresh_folder("noclass");
    (void)fresh_folder("noclass/train");
    refuse(none, path_in("noclass/train"), ": holds no folder, where one for each class is needed");
    refuse_as(CLT_NO_FILE, none, CLT_TEST, NULL, none, ": holds no folder test, testing, val, valid or validation");
}

/* ---- lists -------------------------------------------------------------------------------------------------- */

static void lists_are_read(void **state)
{
    (void)state;
    const char *path = fresh_folder("my lists");
    (void)fresh_folder("my lists/train");
    (void)write_png("my lists/train/a 1.png", PNG_FORMAT_GRAY, 1, 1, (uint8_t[]){10});
    const char *absolute = write_png("elsewhere.png", PNG_FORMAT_GRAY, 1, 1, (uint8_t[]){20});
    char text[600];
    (void)snprintf(text, sizeof text, "train/a 1.png 2\r\n\n%s\t  0\n", absolute);
    const char *list = write_text("my lists/train.txt", text);
    clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL);
    assert_sizes(dataset, 2, 1, 1, 1);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){10, 20}), 2);
    assert_int_equal(clt_dataset_label(dataset, 0), 2);
    assert_int_equal(clt_dataset_classes(dataset), 3);
    assert_false(clt_dataset_is_whole(dataset));
    clt_dataset_close(dataset);
    refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, path, ": the folder holds no test.txt");
    dataset = open_set(list, CLT_TEST, NULL);
    assert_true(clt_dataset_is_whole(dataset));
    assert_null(clt_dataset_class_name(dataset, 0));
    clt_dataset_close(dataset);
    (void)write_text("my lists/classes.txt", "cat\ndog\n");
    refuse(list, list, ": line 1: has the label \"2\", where a name from classes.txt, or its number from 0, is needed");
    (void)write_text("my lists/train.txt", "train/a 1.png dog\n");
    dataset = open_set(list, CLT_TRAIN, NULL);
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    assert_string_equal(clt_dataset_class_name(dataset, 0), "cat");
    clt_dataset_close(dataset);
}

static void bad_lists_are_told(void **state)
{
    (void)state;
    const char *path = fresh_folder("badlist"), *name = "badlist/train.txt";
    const char *list = write_text(name, "a.png 0\n\nb.png -1\n");
    refuse(path, list, ": line 3: has the label \"-1\", where a class's number from 0 is needed");
    (void)write_text(name, "a.png 0\nb.png 2147483647\n");
    refuse(path, list, ": line 2: has the label \"2147483647\"");
    (void)write_text(name, "a.png 0\nb.png\n");
    refuse(path, list, ": line 2: is not `PATH LABEL`");
    (void)write_text(name, "\n");
    refuse(path, list, ": holds no images");
    (void)write_bytes(name, "a.png 0\n\0", 9);
    refuse(path, list, ": is not a text of lines");
    (void)write_text(name, "a.png 0\n");
    refuse(path, path_in("badlist/a.png"), ": cannot be opened: No such file or directory; 1 of 1 image files are bad");
    (void)write_text(name, "/dev/zero 0\n");
    refuse(path, "/dev/zero", ": is not a file; 1 of 1 image files are bad");
}

/* ---- CSV ---------------------------------------------------------------------------------------------------- */

static void csv_is_read(void **state)
{
    (void)state;
    const char *file = write_text("plain.csv", "1,0,1,2,255\r\n\n0, 4 ,5,6,7");
    clt_dataset *dataset = open_set(file, CLT_TEST, NULL);
    assert_sizes(dataset, 2, 1, 2, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){0, 1, 2, 255, 4, 5, 6, 7}), 8);
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    assert_int_equal(clt_dataset_classes(dataset), 2);
    assert_true(clt_dataset_is_whole(dataset));
    clt_dataset_close(dataset);
    dataset = open_set(file, CLT_TRAIN, &(clt_options){.size = {2, 1, 2}});
    assert_sizes(dataset, 2, 2, 1, 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){0, 2, 1, 255, 4, 6, 5, 7}), 8);
    clt_dataset_close(dataset);
    file = write_text("header.csv", "\"p0\", p1,label,p2\n0.5,-1,3,1e2\n");
    dataset = open_set(file, CLT_TRAIN, NULL);
    assert_sizes(dataset, 1, 1, 1, 3);
    assert_true(dataset->reals[0] == 0.5 && dataset->reals[1] == -1 && dataset->reals[2] == 100);
    assert_int_equal(clt_dataset_label(dataset, 0), 3);
    clt_dataset_close(dataset);
}

/* One split of reals makes the other reals too: the two must mean the same. */
static void csv_splits_agree(void **state)
{
    (void)state;
    const char *path = fresh_folder("csv");
    (void)write_text("csv/train.csv", "label,a\n0,1\n");
    clt_dataset *dataset = open_set(path, CLT_TRAIN, NULL);
    assert_non_null(dataset->bytes);
    assert_false(clt_dataset_is_whole(dataset));
    clt_dataset_close(dataset);
    refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, path, ": the folder holds no test.csv");
    (void)write_text("csv/test.csv", "label,a\n0,0.25\n");
    dataset = open_set(path, CLT_TRAIN, NULL);
    assert_null(dataset->bytes);
    assert_true(dataset->reals[0] == 1);
    clt_dataset_close(dataset);
}

static void refuse_csv(const char *text, const char *part)
{
    const char *path = path_in("badcsv");
    refuse(path, write_text("badcsv/train.csv", text), part);
}

static void bad_csv_is_told(void **state)
{
    (void)state;
    (void)fresh_folder("badcsv");
    refuse_csv("0,1,2\n0,1\n", ": line 2: has 2 columns, where 3 are needed");
    refuse_csv("0\n", ": line 1: has 1 columns, where 2 are needed");
    refuse_csv("0,1\n0,nan\n", ": line 2: column 2 is \"nan\", where a number is needed");
    refuse_csv("0,1\n0,1e999\n", ": line 2: column 2 is \"1e999\", where a number is needed");
    refuse_csv("0,1\n0,\n", ": line 2: column 2 is \"\", where a number is needed");
    refuse_csv("0,1\n-1,2\n", ": line 2: column 1 is \"-1\", where a label, a class's number from 0, is needed");
    refuse_csv("0,1\n1.5,2\n", ": line 2: column 1 is \"1.5\"");
    refuse_csv("label,a\n", ": holds no images");
    refuse_csv("\n", ": holds no images");
    const char *file = write_text("three.csv", "0,1,2,3\n");
    refuse_as(CLT_BAD_FILE, file, CLT_TRAIN, &(clt_options){.size = {0, 2, 2}}, file,
              ": has 3 values in a row, which make no 1x2x2");
    (void)write_bytes("badcsv/train.csv", "0,1\n\0", 5);
    refuse(path_in("badcsv"), path_in("badcsv/train.csv"), ": is not a CSV text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar_10_is_read_batch_by_batch),
        cmocka_unit_test(cifar_100_takes_the_fine_label),
        cmocka_unit_test(bad_cifar_is_told),
        cmocka_unit_test(npy_folder_and_prefix_are_read),
        cmocka_unit_test(npy_floats_are_images_and_targets),
        cmocka_unit_test(a_target_that_is_wrong_names_its_file),
        cmocka_unit_test(npy_images_are_read_without_labels),
        cmocka_unit_test(npy_headers_are_checked),
        cmocka_unit_test(unfit_arrays_are_refused),
        cmocka_unit_test(npz_is_read),
        cmocka_unit_test(spoilt_npz_harms_nothing),
        cmocka_unit_test(bad_npz_is_told),
        cmocka_unit_test(pictures_are_made_grey_or_rgb),
        cmocka_unit_test(resizing_is_a_triangle_filter),
        cmocka_unit_test(class_folders_are_read),
        cmocka_unit_test(bad_images_are_counted_or_skipped),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(bad_lists_are_told),
        cmocka_unit_test(csv_is_read),
        cmocka_unit_test(csv_splits_agree),
        cmocka_unit_test(bad_csv_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
