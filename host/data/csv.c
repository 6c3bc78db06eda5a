/* CSV: a row for each image, with its label and either its values in planes (CHW) or the name of its file. Where all
 * values are whole numbers from 0 to 255 they are bytes, else reals. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv_file.h"
#include "data/csv_names.h"
#include "data/format.h"

static const char *const file_names[] = {[CLT_TRAIN] = "train.csv", [CLT_TEST] = "test.csv"};

/* ---- opening one, with the other split's beside it */

/* Paths; `train` and `test` may be NULL, and `own` is one of them or a file alone. */
typedef struct csv_paths {
    const char *own, *train, *test;
} csv_paths;

static clt_status fail_unlabelled(const csv_paths *paths, clt_error *error)
{
    if (paths->own == paths->test && paths->train)
        return FAIL(error, CLT_NO_FILE,
                    "%s: has no column of labels, where %s has one: only predict reads images without labels",
                    paths->own, paths->train);
    return FAIL(error, CLT_BAD_FILE,
                "%s: has no column called label, class, target or the like: --label-column NAME or N says which holds "
                "the labels, and only predict reads images without",
                paths->own);
}

/* Both splits are bytes, or both are reals. */
static clt_status open_pair(const csv_paths *paths, clt__csv_file *own, clt__csv_file *train, clt__csv_file *test,
                            const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    const clt__csv_file *teacher = paths->own == paths->test && paths->train ? train : own;
    const bool bytes = own->bytes && (paths->train ? train->bytes : true) && (paths->test ? test->bytes : true);
    if (own->rows && !clt__csv_is_labelled(own)) return fail_unlabelled(paths, error);
    if (teacher->rows && !clt__csv_is_labelled(teacher))
        return fail_unlabelled(&(csv_paths){.own = paths->train}, error);
    if (clt__csv_has_files(own)) return clt__listing_open(&own->listing, &teacher->listing, options, dataset, error);
    return clt__csv_open_pixels(own, teacher, bytes, options, dataset, error);
}

/* What the other split's file looks like is nothing to tell. */
static const clt_options *told(const csv_paths *paths, const char *path, const clt_options *options, clt_options *quiet)
{
    *quiet = *options;
    quiet->note = NULL;
    return path == paths->own ? options : quiet;
}

/* The training file first, for it may say what the test file's columns are; its text is not kept where only its labels
 * are needed. */
static clt_status open_both(const csv_paths *paths, clt__csv_file *train, clt__csv_file *test,
                            const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt_options quiet;
    clt__csv_like like = {0};
    if (paths->train) {
        TRY(clt__csv_file_open(paths->train, CLT__CSV_WHOLE, NULL, told(paths, paths->train, options, &quiet), train,
                               error));
        like = (clt__csv_like){train->table.columns, train->columns.label};
        if (paths->own != paths->train) clt__csv_close(&train->table);
    }
    if (paths->test && !(paths->own == paths->train && clt__csv_has_files(train))) {
        TRY(clt__csv_file_open(paths->test, paths->train ? CLT__CSV_TEST : CLT__CSV_WHOLE, paths->train ? &like : NULL,
                               told(paths, paths->test, options, &quiet), test, error));
        if (paths->own != paths->test) clt__csv_close(&test->table);
    }
    return open_pair(paths, paths->own == paths->train ? train : test, train, test, options, dataset, error);
}

static clt_status open_paths(const csv_paths *paths, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    clt__csv_file train = {0}, test = {0};
    const clt_status status = open_both(paths, &train, &test, options, dataset, error);
    clt__csv_file_close(&train);
    clt__csv_file_close(&test);
    return status;
}

/* ---- the format --------------------------------------------------------------------------------------------- */

static bool ends_as_csv(const char *path)
{
    const clt__cell name = {.text = path, .length = strlen(path)};
    const size_t ending = strlen(".csv");
    if (name.length <= ending) return false;
    const clt__cell last = {.text = path + name.length - ending, .length = ending};
    return clt__cell_is(&last, ".csv") || clt__cell_is(&last, ".tsv");
}

/* Numbers and separators alone, but for quotes and blanks. */
static bool is_of_numbers(const clt__line *line)
{
    size_t plain = 0;
    while (plain < line->length && strchr("0123456789+-.eE,; \t\"", line->start[plain])) plain++;
    return plain == line->length;
}

/* A first line that names an image file and more. */
static bool names_files(const clt__csv_table *table, const clt__line *row)
{
    return table->columns > 1 && table->separator != '\t' && clt__csv_has_picture(table, row);
}

/* By its name; else by a header of known words, rows of numbers (three at least, for a list may have two between tabs),
 * or of image files' names. The last line that is seen may be cut off. */
static bool looks_like_table(const clt__data_source *source)
{
    clt__csv_table table;
    char start[sizeof source->start];
    const bool named = ends_as_csv(source->path);
    if (!clt__is_text(source->start, source->size)) return named && clt__is_utf16(source->start, source->size);
    if (named) return true;
    memcpy(start, source->start, sizeof start);
    clt__csv_look(source->path, start, &table);
    clt__line row = table.first;
    if (!clt__next_line(&row)) return false;
    const bool cut = row.next == start + source->size && source->size == sizeof start - 1;
    const bool wide = table.columns > (table.separator == '\t' ? 2 : 1);
    return names_files(&table, &row) || (wide && (is_of_numbers(&row) || cut));
}

static bool looks(const clt__data_source *source)
{
    if (source->folder)
        return clt__is_there(source->path, file_names[CLT_TRAIN]) || clt__is_there(source->path, file_names[CLT_TEST]);
    return looks_like_table(source);
}

static clt_status open_split(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    char *file[] = {[CLT_TRAIN] = NULL, [CLT_TEST] = NULL};
    clt_status status = CLT_OK;
    if (!clt__is_there(path, file_names[split]))
        return FAIL(error, CLT_NO_FILE, "%s: the folder holds no %s", path, file_names[split]);
    for (int i = CLT_TRAIN; i <= CLT_TEST && status == CLT_OK; i++)
        if (clt__is_there(path, file_names[i])) status = clt__join(path, file_names[i], &file[i], error);
    const csv_paths paths = {.own = file[split], .train = file[CLT_TRAIN], .test = file[CLT_TEST]};
    if (status == CLT_OK) status = open_paths(&paths, options, dataset, error);
    free(file[CLT_TRAIN]);
    free(file[CLT_TEST]);
    return status;
}

static clt_status open_any(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                           clt_error *error)
{
    if (clt__is_folder(path, ".")) return open_split(path, split, options, dataset, error);
    TRY(open_paths(&(csv_paths){.own = path, .train = path}, options, dataset, error));
    (*dataset)->whole = true;
    return CLT_OK;
}

static bool looks_like_images(const clt__data_source *source)
{
    return !source->folder && looks_like_table(source);
}

static clt_status open_images(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt__csv_file file;
    clt_status status = clt__csv_file_open(path, CLT__CSV_IMAGES, NULL, options, &file, error);
    if (status == CLT_OK && clt__csv_has_files(&file))
        status = clt__listing_open_images(&file.listing, options, dataset, error);
    else if (status == CLT_OK)
        status = clt__csv_open_pixels(&file, NULL, file.bytes, options, dataset, error);
    clt__csv_file_close(&file);
    return status;
}

const clt__data_format clt__csv_format = {.name = "CSV",
                                          .looks = looks,
                                          .open = open_any,
                                          .looks_like_images = looks_like_images,
                                          .open_images = open_images};
