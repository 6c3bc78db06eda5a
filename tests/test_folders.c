/* Folders of images as people have them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/dataset.h"
#include "support.h"

/* ---- what the tests make */

/* ROOT/SPLIT/CLASS/NAME, one grey pixel; the folders are made as needed. */
static const char *put(const char *root, const char *split, const char *class, const char *name, uint8_t pixel)
{
    char path[256];
    (void)make_subfolder(root);
    (void)snprintf(path, sizeof path, "%s/%s", root, split);
    if (*split) (void)make_subfolder(path);
    (void)snprintf(path, sizeof path, "%s/%s%s%s", root, split, *split ? "/" : "", class);
    (void)make_subfolder(path);
    const size_t length = strlen(path);
    (void)snprintf(path + length, sizeof path - length, "/%s", name);
    return save_png(path, 1, 1, 1, &pixel);
}

static const char *make_pets(const char *root, const char *train, const char *test)
{
    (void)put(root, train, "cat", "0.png", 10);
    (void)put(root, train, "cat", "1.png", 11);
    (void)put(root, train, "dog", "0.png", 20);
    if (test) (void)put(root, test, "dog", "7.png", 27);
    return path_in(root);
}

static clt_dataset *open_quietly(const char *path, clt_split split, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open(path, split, options, &dataset, &error), &error);
    return dataset;
}

/* The pixels of all images, in order, and the class names. */
static void assert_holds(const char *path, clt_split split, const clt_options *options, size_t count,
                         const uint8_t *pixels, const char *first, const char *second)
{
    clt_dataset *dataset = open_quietly(path, split, options);
    assert_int_equal(clt_dataset_count(dataset), count);
    assert_memory_equal(dataset->bytes, pixels, count);
    assert_string_equal(clt_dataset_class_name(dataset, 0), first);
    assert_string_equal(clt_dataset_class_name(dataset, 1), second);
    assert_null(clt_dataset_class_name(dataset, 2));
    clt_dataset_close(dataset);
}

static const uint8_t pets[] = {10, 11, 20};

/* ---- layouts */

static void splits_have_many_names(void **state)
{
    (void)state;
    static const char *const trains[] = {"train", "training", "Train", "TRAINING"}, *const tests[] = {
                                                                                        "test",  "testing",    "val",
                                                                                        "valid", "validation", "Test",
                                                                                        "VALID"};
    clt_options options = telling();
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        char root[32];
        (void)snprintf(root, sizeof root, "splits%zu", i);
        const char *path = make_pets(root, trains[i % 4], tests[i]);
        assert_holds(path, CLT_TRAIN, &options, 3, pets, "cat", "dog");
        assert_holds(path, CLT_TEST, &options, 1, (uint8_t[]){27}, "cat", "dog");
    }
    assert_string_equal(notes_told, "");
}

static void a_split_that_is_not_used_is_told(void **state)
{
    (void)state;
    clt_options options = telling();
    const char *path = make_pets("three", "train", "val");
    (void)put("three", "test", "cat", "0.png", 90);
    assert_holds(path, CLT_TEST, &options, 1, (uint8_t[]){90}, "cat", "dog");
    assert_told("holds test and val: val is not used");
}

static void classes_need_no_splits(void **state)
{
    (void)state;
    clt_options options = telling();
    const char *path = make_pets("bare", "", NULL);
    assert_holds(path, CLT_TRAIN, &options, 3, pets, "cat", "dog");
    clt_dataset *dataset = open_quietly(path, CLT_TEST, &options);
    assert_true(clt_dataset_is_whole(dataset));
    clt_dataset_close(dataset);
    dataset = open_quietly(make_pets("notbare", "train", "test"), CLT_TRAIN, &options);
    assert_false(clt_dataset_is_whole(dataset));
    clt_dataset_close(dataset);
}

static void images_lie_at_any_depth(void **state)
{
    (void)state;
    clt_options options = telling();
    const char *path = make_pets("deep", "train", NULL);
    (void)put("deep", "train", "cat/0a", "z.png", 12);
    (void)put("deep", "train", "cat/0a/b", "y.png", 13);
    assert_holds(path, CLT_TRAIN, &options, 5, (uint8_t[]){10, 13, 12, 11, 20}, "cat", "dog");
}

/* ---- what is passed over */

static void what_is_no_image_is_counted(void **state)
{
    (void)state;
    clt_options options = telling();
    const char *path = make_pets("left", "train", "test");
    for (int i = 0; i < 3; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "left/train/cat/%d.TXT", i);
        (void)write_bytes(name, "words", 5);
    }
    (void)write_bytes("left/train/dog/README", "words", 5);
    (void)write_bytes("left/train/dog/Thumbs.db", "x", 1);
    (void)write_bytes("left/train/.DS_Store", "x", 1);
    (void)make_subfolder("left/train/__MACOSX");
    (void)make_subfolder("left/train/.ipynb_checkpoints");
    (void)put("left", "train", ".ipynb_checkpoints", "0-checkpoint.png", 99);
    (void)put("left", "train", "cat", "._0.png", 99);
    (void)save_png("left/train/stray.png", 1, 1, 1, (uint8_t[]){99});
    assert_int_equal(mkfifo(path_in("left/train/cat/pipe.png"), 0600), 0);
    assert_holds(path, CLT_TRAIN, &options, 3, pets, "cat", "dog");
    assert_told("left/train: not read: 4 files are no images: 3 .txt, 1 without an ending");
    assert_told("; 1 image lies beside the folders of classes");
    assert_told("; 5 hidden or system files and folders");
    assert_told("; 1 pipe, socket or device");
}

static void images_are_told_by_content(void **state)
{
    (void)state;
    clt_options options = telling();
    const char *path = make_pets("content", "train", NULL);
    (void)put("content", "train", "cat", "9.jpg", 12); /* a PNG */
    (void)put("content", "train", "cat", "9.dat", 13);
    (void)put("content", "train", "cat", "9", 14);
    assert_holds(path, CLT_TRAIN, &options, 6, (uint8_t[]){10, 11, 14, 13, 12, 20}, "cat", "dog");
    (void)write_bytes("content/train/cat/page.png", "<!DOCTYPE html><html></html>", 28);
    clt_error error;
    clt_dataset *dataset;
    assert_failed(clt_dataset_open(path, CLT_TRAIN, &options, &dataset, &error), CLT_BAD_FILE, &error,
                  path_in("content/train/cat/page.png"), ": is a web page, where a");
}

static void links_are_followed_but_not_in_circles(void **state)
{
    (void)state;
    clt_options options = telling();
    const char *path = make_pets("links", "train", NULL);
    (void)put("links", "store", "w", "0.png", 30);
    assert_int_equal(symlink("../store/w", path_in("links/train/wolf")), 0);
    assert_int_equal(symlink("../../store/w/0.png", path_in("links/train/dog/1.png")), 0);
    assert_int_equal(symlink("..", path_in("links/train/dog/up")), 0);
    assert_int_equal(symlink("../..", path_in("links/train/dog/further up")), 0);
    assert_int_equal(symlink("itself", path_in("links/train/itself")), 0);
    clt_dataset *dataset = open_quietly(path, CLT_TRAIN, &options);
    assert_int_equal(clt_dataset_count(dataset), 5);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){10, 11, 20, 30, 30}), 5);
    assert_string_equal(clt_dataset_class_name(dataset, 2), "wolf");
    clt_dataset_close(dataset);
    assert_told("3 links to folders that they lie in");
    assert_int_equal(symlink("nowhere", path_in("links/train/dog/2.png")), 0);
    clt_error error;
    assert_failed(clt_dataset_open(path, CLT_TRAIN, &options, &dataset, &error), CLT_BAD_FILE, &error,
                  path_in("links/train/dog/2.png"), "1 of 6 image files are bad");
    options.skip_bad = true;
    dataset = open_quietly(path, CLT_TRAIN, &options);
    assert_int_equal(clt_dataset_count(dataset), 5);
    clt_dataset_close(dataset);
}

static void an_empty_class_is_told(void **state)
{
    (void)state;
    clt_options options = telling();
    clt_error error;
    clt_dataset *dataset;
    const char *path = make_pets("empty", "train", "test");
    const char *folder = make_subfolder("empty/train/eel");
    assert_failed(clt_dataset_open(path, CLT_TRAIN, &options, &dataset, &error), CLT_BAD_FILE, &error, folder,
                  ": the class's folder holds no image");
    options.skip_bad = true;
    dataset = open_quietly(path, CLT_TRAIN, &options);
    assert_int_equal(clt_dataset_classes(dataset), 3);
    clt_dataset_close(dataset);
    assert_told("eel: the class's folder holds no image");
    options = telling();
    (void)make_subfolder("empty/test/cat");
    dataset = open_quietly(path, CLT_TEST, &options);
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    clt_dataset_close(dataset);
    assert_told("test/cat: the class's folder holds no image");
}

static void a_class_more_in_the_test_images_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *dataset;
    const char *path = make_pets("more", "train", "test");
    (void)put("more", "test", "aa", "0.png", 1);
    assert_failed(clt_dataset_open(path, CLT_TEST, NULL, &dataset, &error), CLT_BAD_FILE, &error,
                  path_in("more/test/aa"), ": is a folder of a class that the training images do not have");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_have_many_names),
        cmocka_unit_test(a_split_that_is_not_used_is_told),
        cmocka_unit_test(classes_need_no_splits),
        cmocka_unit_test(images_lie_at_any_depth),
        cmocka_unit_test(what_is_no_image_is_counted),
        cmocka_unit_test(images_are_told_by_content),
        cmocka_unit_test(links_are_followed_but_not_in_circles),
        cmocka_unit_test(an_empty_class_is_told),
        cmocka_unit_test(a_class_more_in_the_test_images_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
