/* Data sets in formats other than IDX: what is read, and what each reader says of bad files. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/dataset.h"

/* ---- helpers ------------------------------------------------------------------------------------------------ */

static const char *fresh_folder(const char *name)
{
    const char *path = path_in(name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

static const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

static clt_dataset *open_set(const char *path, clt_split split, const clt_data_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open_with(path, split, options, &dataset, &error), &error);
    return dataset;
}

static void assert_sizes(const clt_dataset *dataset, size_t count, int channels, int height, int width)
{
    const clt_shape shape = clt_dataset_shape(dataset);
    assert_int_equal(clt_dataset_count(dataset), count);
    assert_int_equal(shape.channels, channels);
    assert_int_equal(shape.height, height);
    assert_int_equal(shape.width, width);
}

static void refuse_as(clt_status wanted, const char *path, clt_split split, const clt_data_options *options,
                      const char *start, const char *part)
{
    clt_error error;
    clt_dataset *dataset;
    assert_failed(clt_dataset_open_with(path, split, options, &dataset, &error), wanted, &error, start, part);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar_10_is_read_batch_by_batch),
        cmocka_unit_test(cifar_100_takes_the_fine_label),
        cmocka_unit_test(bad_cifar_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
