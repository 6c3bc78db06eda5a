/* CSV files and lists of image files as people have them. What is plain about them: test_data_formats.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support.h"

/* ---- what the tests make */

static clt_dataset *open_as(const char *path, clt_split split, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open(path, split, options, &dataset, &error), &error);
    return dataset;
}

static void refuse_as(clt_status wanted, const char *path, clt_split split, const clt_options *options,
                      const char *part)
{
    clt_error error;
    clt_dataset *dataset;
    assert_failed(clt_dataset_open(path, split, options, &dataset, &error), wanted, &error, NULL, part);
    assert_null(dataset);
}

static void refuse(const char *text, const char *part)
{
    refuse_as(CLT_BAD_FILE, write_text("bad.csv", text), CLT_TRAIN, NULL, part);
}

/* Two images of 2x2 with the labels 1 and 0, the pixels 1 to 8. */
static void assert_pair(const char *path, const char *told)
{
    clt_options options = telling();
    clt_dataset *dataset = open_as(path, CLT_TRAIN, &options);
    assert_int_equal(clt_dataset_count(dataset), 2);
    assert_non_null(dataset->bytes);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}), 8);
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    assert_int_equal(clt_dataset_label(dataset, 1), 0);
    assert_int_equal(clt_dataset_classes(dataset), 2);
    clt_dataset_close(dataset);
    if (told)
        assert_told(told);
    else
        assert_string_equal(notes_told, "");
}

/* ---- how spreadsheets write them */

static void separators_marks_and_line_ends_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "label,a,b,c,d\n1,1,2,3,4\n0,5,6,7,8\n",
        "\xef\xbb\xbflabel,a,b,c,d\r\n1,1,2,3,4\r\n0,5,6,7,8\r\n",
        "label;a;b;c;d\r1;1;2;3;4\r\r0;5;6;7;8",
        "label\ta\tb\tc\td\n1\t1\t2\t3\t4\n \n0\t5\t6\t7\t8\n",
        "label,a,b,c,d,\n1,1,2,3,4,\n0,5,6,7,8,\n",
        "label,a,b,c,d\n1,1,2,3,4,\n0,5,6,7,8,\n",
        "\"label\",\"a\",\"b,\"\"x\"\"\",\"c\",\"d\"\n\"1\",\"1\",\"2\", \"3\" ,4\n0,5,6,7,8\n",
        "a,b,c,d,Label\n1,2,3,4,1.0\n5,6,7,8,0.0\n",
        "a,b,y,c,d\n1,2,1,3,4\n5,6,0,7,8\n",
        "sep=;\r\nlabel;a;b;c;d\r\n1;1;2;3;4\r\n0;5;6;7;8\r\n",
        "sep=\t\nlabel\ta\tb\tc\td\n1\t1\t2\t3\t4\n0\t5\t6\t7\t8\n",
        "TARGET,0,1,2,3\n1,1,2,3,4\n0,5,6,7,8\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_pair(write_text("pair.csv", texts[i]), NULL);
    assert_pair(write_text("id.csv", ",label,a,b,c,d\n0,1,1,2,3,4\n1,0,5,6,7,8\n"),
                "1 of its columns is left out: column 1");
    assert_pair(write_text("id.csv", "id,label,a,b,c,d\n7,1,1,2,3,4\n8,0,5,6,7,8\n"),
                "1 of its columns is left out: column 1, called \"id\"");
}

static void a_mark_costs_no_row(void **state)
{
    (void)state;
    clt_dataset *dataset = open_as(write_text("mark.csv", "\xef\xbb\xbf"
                                                          "1,1,2\n0,3,4\n"),
                                   CLT_TRAIN, NULL);
    assert_int_equal(clt_dataset_count(dataset), 2);
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    clt_dataset_close(dataset);
}

static void reals_are_what_strtod_reads(void **state)
{
    (void)state;
    static const char *const cells[] = {"0.1",   "12.345678901234",    ".5",  "7.", "-0.25",
                                        "1e-05", "0.3333333333333333", "000", "3"};
    enum { CELLS = sizeof cells / sizeof *cells };
    char text[300] = "label";
    for (int i = 0; i < CELLS; i++) (void)strcat(text, ",p0");
    (void)strcat(text, "\n0");
    for (int i = 0; i < CELLS; i++) (void)strcat(strcat(text, ","), cells[i]);
    clt_dataset *dataset = open_as(write_text("reals.csv", text), CLT_TRAIN, NULL);
    for (int i = 0; i < CELLS; i++) assert_true(dataset->reals[i] == strtod(cells[i], NULL));
    clt_dataset_close(dataset);
    refuse("label,a\n0,1.2.3\n", ": line 2: column 2 is \"1.2.3\", where a number is needed");
    refuse("label,a\n0,.\n", ": line 2: column 2 is \".\"");
}

static void a_mistake_is_no_header(void **state)
{
    (void)state;
    refuse("0,12O,3\n1,2,3\n", ": line 1: column 2 is \"12O\", where a number is needed");
    refuse("0,1,2\n1,12O,3\n", ": line 2: column 2 is \"12O\"");
    refuse("0,1,2,\n1,1,2\n0,1,\n", ": line 3: has 2 columns, where 3 are needed");
    refuse("0;0,5;1\n", ": line 1: column 2 is \"0,5\"");
    refuse_as(CLT_BAD_FILE,
              write_bytes("wide.csv",
                          "\xff\xfe"
                          "0\0,\0",
                          6),
              CLT_TRAIN, NULL, ": is not a CSV text, but UTF-16: save it as UTF-8");
}

/* ---- which column holds the labels */

/* `rows` rows of a label i % 3 and three pixels that look like pixels, the label first or last. */
static const char *write_rows(const char *name, const char *header, int rows, bool label_first)
{
    char text[4096];
    size_t at = (size_t)snprintf(text, sizeof text, "%s", header);
    for (int i = 0; i < rows; i++) {
        const int a = i * 7 % 251, b = i * 11 % 253, c = i * 5 % 255;
        at += (size_t)(label_first ? snprintf(text + at, sizeof text - at, "%d,%d,%d,%d\n", i % 3, a, b, c)
                                   : snprintf(text + at, sizeof text - at, "%d,%d,%d,%d\n", a, b, c, i % 3));
    }
    return write_text(name, text);
}

static void assert_labels(const char *path, const clt_options *options)
{
    clt_dataset *dataset = open_as(path, CLT_TRAIN, options);
    assert_int_equal(clt_dataset_classes(dataset), 3);
    for (int i = 0; i < 40; i++) assert_int_equal(clt_dataset_label(dataset, (size_t)i), i % 3);
    clt_dataset_close(dataset);
}

static void pixels_are_not_taken_for_labels_in_silence(void **state)
{
    (void)state;
    clt_options options = telling();
    assert_labels(write_rows("first.csv", "", 40, true), &options);
    assert_string_equal(notes_told, "");
    assert_labels(write_rows("last.csv", "", 40, false), &options);
    assert_told("column 4, whole numbers up to 2, is taken for the labels, as no header says which it is: "
                "--label-column N says another");
    options = telling();
    assert_labels(write_rows("odd.csv", "p0,p1,p2,outcome\n", 40, false), &options);
    assert_told("column 4, called \"outcome\", is taken for the labels: --label-column NAME says another");
    options = telling();
    clt_dataset *dataset = open_as(write_text("few.csv", "250,1,2\n3,4,5\n"), CLT_TRAIN, &options);
    assert_told("column 1, whole numbers up to 250, is taken");
    clt_dataset_close(dataset);
}

static void the_caller_may_name_it(void **state)
{
    (void)state;
    static const char *const asked[] = {"q", "Q", "-1", "4"};
    const char *path = write_rows("asked.csv", "label,b,c,q\n", 40, false);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        clt_options options = telling();
        options.label_column = asked[i];
        assert_labels(path, &options);
        assert_string_equal(notes_told, "");
    }
    static const char *const refused[] = {"x", "0", "5", "-5", "1x", ""};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        refuse_as(CLT_BAD_ARGUMENT, path, CLT_TRAIN, &(clt_options){.label_column = refused[i]},
                  "a name of its header, or a number from 1 to 4 (-1: the last) is needed");
}

static void columns_may_be_numbered(void **state)
{
    (void)state;
    static const char *const before[] = {"", ","};
    for (int with = 0; with < 2; with++) {
        char text[600] = "";
        (void)strcat(text, before[with]);
        for (int i = 0; i < 17; i++) (void)sprintf(text + strlen(text), "%d%s", i, i < 16 ? "," : "\n");
        for (int row = 0; row < 2; row++) {
            (void)strcat(text, with ? "7," : "");
            for (int i = 0; i < 17; i++) (void)sprintf(text + strlen(text), "%d%s", i ? 9 : row, i < 16 ? "," : "\n");
        }
        clt_dataset *dataset = open_as(write_text("numbered.csv", text), CLT_TRAIN, NULL);
        assert_int_equal(clt_dataset_count(dataset), 2);
        assert_int_equal(clt_dataset_shape(dataset).width, 4);
        assert_int_equal(clt_dataset_label(dataset, 1), 1);
        clt_dataset_close(dataset);
    }
}

/* ---- labels */

static void labels_may_be_names(void **state)
{
    (void)state;
    (void)make_subfolder("names");
    (void)write_text("names/train.csv", "label,a\ndog,1\ncat,2\nemu,3\n");
    (void)write_text("names/test.csv", "label,a\nemu,4\n");
    const char *path = path_in("names");
    for (int split = CLT_TRAIN; split <= CLT_TEST; split++) {
        clt_dataset *dataset = open_as(path, (clt_split)split, NULL);
        assert_int_equal(clt_dataset_classes(dataset), 3);
        assert_string_equal(clt_dataset_class_name(dataset, 0), "cat");
        assert_int_equal(clt_dataset_label(dataset, 0), split == CLT_TRAIN ? 1 : 2);
        clt_dataset_close(dataset);
    }
    (void)write_text("names/test.csv", "label,a\nemu,4\nbee,5\n");
    refuse_as(CLT_BAD_FILE, path, CLT_TEST, NULL, "test.csv: line 3: has the class \"bee\", which ");
    (void)write_text("names/train.csv", "cat,1,2\ndog,3,4\n");
    clt_dataset *dataset = open_as(path_in("names/train.csv"), CLT_TRAIN, NULL);
    assert_int_equal(clt_dataset_count(dataset), 2);
    clt_dataset_close(dataset);
    refuse("label,a\n0,1\ncat,2\n", ": line 3: column 1 is \"cat\", where a label, a class's number from 0, is needed");
    refuse("label,a\ncat,1\n0,2\n",
           ": line 3: column 1 is \"0\", where a label, a class's name, as before it, is needed");
    refuse("label,a\n,1\n0,2\n", ": line 2: column 1 is \"\", where a label");
}

static void a_class_that_training_lacks_is_told(void **state)
{
    (void)state;
    (void)make_subfolder("lacks");
    (void)write_text("lacks/train.csv", "label,a\n0,1\n1,2\n");
    (void)write_text("lacks/test.csv", "label,a\n1,4\n2,5\n");
    refuse_as(CLT_BAD_FILE, path_in("lacks"), CLT_TEST, NULL, "test.csv: line 3: has the class \"2\", which ");
}

/* ---- files without labels */

static clt_dataset *open_images(const char *path, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    assert_ok(clt_dataset_open_images(path, options, &dataset, &error), &error);
    assert_null(dataset->labels);
    return dataset;
}

static void assert_images(const char *text, const clt_options *options)
{
    clt_dataset *dataset = open_images(write_text("images.csv", text), options);
    assert_int_equal(clt_dataset_count(dataset), 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){1, 2, 3, 4, 5, 6, 7, 8}), 8);
    clt_dataset_close(dataset);
}

static void predict_needs_no_labels(void **state)
{
    (void)state;
    assert_images("p0,p1,p2,p3\n1,2,3,4\n5,6,7,8\n", NULL);
    assert_images("id,p0,p1,p2,p3\n9,1,2,3,4\n8,5,6,7,8\n", NULL);
    assert_images("1,2,3,4\n5,6,7,8\n", NULL);
    assert_images("label,a,b,c,d\n9,1,2,3,4\n8,5,6,7,8\n", NULL);
    assert_images("9,1,2,3,4\n9,5,6,7,8\n", NULL);
    assert_images("1,2,3,4,0\n5,6,7,8,0\n", &(clt_options){.label_column = "-1"});
    assert_images("1,2,3,4\n5,6,7,8\n", &(clt_options){.size = {1, 2, 2}});
}

static void training_on_such_is_refused(void **state)
{
    (void)state;
    (void)make_subfolder("kaggle");
    (void)write_text("kaggle/train.csv", "label,pixel0,pixel1\n0,1,2\n1,3,4\n");
    (void)write_text("kaggle/test.csv", "pixel0,pixel1\n1,2\n");
    const char *path = path_in("kaggle");
    clt_dataset_close(open_as(path, CLT_TRAIN, NULL));
    refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, "test.csv: has no column of labels, where ");
    (void)write_text("kaggle/train.csv", "0,1,2\n1,3,4\n");
    (void)write_text("kaggle/test.csv", "1,2\n");
    refuse_as(CLT_NO_FILE, path, CLT_TEST, NULL, "test.csv: has no column of labels, where ");
    refuse("pixel0,pixel1\n1,2\n", ": has no column called label, class, target or the like: --label-column NAME or N");
}

/* ---- names of image files */

static void put(const char *name, uint8_t pixel)
{
    (void)save_png(name, 1, 1, 1, &pixel);
}

/* A cat of 10, a dog of 20, in folders of a list's own. */
static const char *make_animals(const char *root)
{
    char name[100];
    (void)make_subfolder(root);
    (void)snprintf(name, sizeof name, "%s/train", root);
    (void)make_subfolder(name);
    (void)snprintf(name, sizeof name, "%s/train/a, 1.png", root);
    put(name, 10);
    (void)snprintf(name, sizeof name, "%s/train/b 2.png", root);
    put(name, 20);
    return path_in(root);
}

static void assert_animals(const char *path, const clt_options *options)
{
    clt_dataset *dataset = open_as(path, CLT_TRAIN, options);
    assert_int_equal(clt_dataset_count(dataset), 2);
    assert_memory_equal(dataset->bytes, ((uint8_t[]){20, 10}), 2);
    assert_int_equal(clt_dataset_classes(dataset), 2);
    assert_string_equal(clt_dataset_class_name(dataset, 0), "cat");
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    assert_int_equal(clt_dataset_label(dataset, 1), 0);
    clt_dataset_close(dataset);
}

static void rows_may_name_image_files(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "image,label\ntrain/b 2.png,dog\n\"train/a, 1.png\",cat\n",
        "\357\273\277class;file\r\ndog;train/b 2.png\r\ncat;\"train/a, 1.png\"\r\n",
        "train/b 2.png\tdog\ntrain/a, 1.png\tcat\n",
        "id,breed\nb 2,dog\n\"a, 1\",cat\n",
        "path,kind\ntrain\\b 2.png,dog\n\"train\\a, 1.png\",cat\n",
    };
    static const char *const told[] = {NULL, NULL, NULL, "2 are found in a folder beside the list, the first in train/",
                                       "2 are read with / for \\"};
    (void)make_animals("animals");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        clt_options options = telling();
        const char *path = write_text("animals/train.csv", texts[i]);
        assert_animals(path, &options);
        assert_animals(path_in("animals"), &options);
        if (told[i]) assert_told(told[i]);
        if (!told[i]) assert_string_equal(notes_told, "");
        if (i == 3) assert_told("2 lack their ending, which is completed");
    }
    clt_options options = telling();
    assert_animals(write_text("animals/more.csv", "age,file,label\n3,train/b 2.png,dog\n4,\"train/a, 1.png\",cat\n"),
                   &options);
    assert_told("1 of its columns is left out: column 1, called \"age\"");
    refuse_as(CLT_BAD_ARGUMENT, path_in("animals/more.csv"), CLT_TRAIN, &(clt_options){.label_column = "file"},
              "label-column: column 2 of ");
    refuse_as(CLT_BAD_FILE, write_text("animals/two.csv", "file,x,z\ntrain/b 2.png,dog,3\n"), CLT_TRAIN, NULL,
              ": line 2: has 2 columns besides the image files' names, and none is called label");
    refuse_as(CLT_BAD_FILE, write_text("animals/none.csv", "file,label\n,dog\n"), CLT_TRAIN, NULL,
              ": line 2: column 1 is \"\", where an image file's name is needed");
}

static void one_file_is_found_or_told(void **state)
{
    (void)state;
    (void)make_animals("several");
    (void)make_subfolder("several/other");
    put("several/train/x.png", 1);
    put("several/other/x.png", 2);
    put("several/other/y.png", 2);
    put("several/other/y.JPG", 2);
    clt_dataset *dataset = open_as(write_text("several/train.csv", "image,label\nx,cat\n"), CLT_TRAIN, NULL);
    assert_int_equal(dataset->bytes[0], 1);
    clt_dataset_close(dataset);
    const char *list = write_text("several/list.csv", "image,label\nx,cat\n");
    refuse_as(CLT_BAD_FILE, list, CLT_TRAIN, NULL,
              ": line 2: \"x\" may be other/x.png or train/x.png, where one file is needed");
    (void)write_text("several/list.csv", "image,label\nother/y,cat\n");
    refuse_as(CLT_BAD_FILE, list, CLT_TRAIN, NULL, ": line 2: \"other/y\" may be other/y.png or other/y.JPG");
    (void)write_text("several/list.csv", "image,label\nz.png,cat\n");
    refuse_as(CLT_BAD_FILE, list, CLT_TRAIN, NULL, "several/z.png: cannot be opened");
}

/* ---- lists */

static void lists_may_have_names_without_classes_txt(void **state)
{
    (void)state;
    (void)make_animals("listed");
    (void)write_text("listed/train.txt", "\xef\xbb\xbftrain/b 2.png dog\r\n\"train/a, 1.png\" cat\r\n");
    assert_animals(path_in("listed"), NULL);
    (void)write_text("listed/train.txt", "train/b 2.png;dog\n\"train/a, 1.png\", cat\n");
    assert_animals(path_in("listed"), NULL);
    (void)write_text("listed/test.txt", "train/b 2.png dog\ntrain/a, 1.png bird\n");
    refuse_as(CLT_BAD_FILE, path_in("listed"), CLT_TEST, NULL, "test.txt: line 2: has the class \"bird\", which ");
    (void)write_text("listed/test.txt", "train/b 2.png dog\n");
    clt_dataset *dataset = open_as(path_in("listed"), CLT_TEST, NULL);
    assert_int_equal(clt_dataset_label(dataset, 0), 1);
    assert_int_equal(clt_dataset_classes(dataset), 2);
    clt_dataset_close(dataset);
    (void)write_text("listed/test.txt", "train/b 2.png 1\n");
    refuse_as(CLT_BAD_FILE, path_in("listed"), CLT_TEST, NULL, "test.txt: line 1: has the class \"1\", which ");
}

static void lists_without_labels_are_for_predict(void **state)
{
    (void)state;
    static const char *const texts[] = {"train/b 2.png\ntrain/a, 1.png\n", "train/b 2.png 5\ntrain/a, 1.png cat\n",
                                        "train/b 2.png dog\n\"train/a, 1.png\"\n"};
    (void)make_animals("bare");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        clt_dataset *dataset = open_images(write_text("bare/files.txt", texts[i]), NULL);
        assert_memory_equal(dataset->bytes, ((uint8_t[]){20, 10}), 2);
        clt_dataset_close(dataset);
    }
    const char *list = write_text("bare/files.txt", texts[0]);
    refuse_as(CLT_BAD_FILE, list, CLT_TRAIN, NULL,
              ": line 1: is not `PATH LABEL`: only predict reads paths without labels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separators_marks_and_line_ends_are_read),
        cmocka_unit_test(a_mark_costs_no_row),
        cmocka_unit_test(reals_are_what_strtod_reads),
        cmocka_unit_test(a_mistake_is_no_header),
        cmocka_unit_test(pixels_are_not_taken_for_labels_in_silence),
        cmocka_unit_test(the_caller_may_name_it),
        cmocka_unit_test(columns_may_be_numbered),
        cmocka_unit_test(labels_may_be_names),
        cmocka_unit_test(a_class_that_training_lacks_is_told),
        cmocka_unit_test(predict_needs_no_labels),
        cmocka_unit_test(training_on_such_is_refused),
        cmocka_unit_test(rows_may_name_image_files),
        cmocka_unit_test(one_file_is_found_or_told),
        cmocka_unit_test(lists_may_have_names_without_classes_txt),
        cmocka_unit_test(lists_without_labels_are_for_predict),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
