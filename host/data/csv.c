/* CSV: a row for each image, with its label and its values in planes (CHW). The label is the column that a header line
 * calls `label`, else the first. Where all values are whole numbers from 0 to 255 they are bytes, else reals. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/format.h"
#include "data/lines.h"

static const char *const file_names[] = {[CLT_TRAIN] = "train.csv", [CLT_TEST] = "test.csv"};

/* ---- cells -------------------------------------------------------------------------------------------------- */

typedef struct cell {
    const char *text;
    size_t length; /* without blanks around it, and without quotes */
} cell;

/* The cell that begins at `at`; *next is where the next one does, NULL after the last. */
static cell read_cell(const clt__line *line, const char *at, const char **next)
{
    const char *end = line->start + line->length, *comma = memchr(at, ',', (size_t)(end - at));
    const char *last = comma ? comma : end;
    *next = comma ? comma + 1 : NULL;
    while (at < last && (*at == ' ' || *at == '\t')) at++;
    while (last > at && (last[-1] == ' ' || last[-1] == '\t')) last--;
    if (last - at >= 2 && *at == '"' && last[-1] == '"') at++, last--;
    return (cell){at, (size_t)(last - at)};
}

/* A finite decimal number, and nothing after it. */
static bool read_number(const cell *from, double *value)
{
    char *end;
    if (!from->length || strspn(from->text, "0123456789+-.eE") < from->length) return false;
    *value = clt__strtod(from->text, &end);
    return end == from->text + from->length && isfinite(*value);
}

static bool is_header(const clt__line *line)
{
    const char *next = line->start;
    bool numbers = true;
    while (next && numbers) {
        double value;
        const cell one = read_cell(line, next, &next);
        numbers = read_number(&one, &value);
    }
    return !numbers;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

typedef struct table {
    const char *path;
    char *text;
    clt__line first;             /* where the rows begin: the next line is the first of them */
    size_t rows, columns, label; /* `label` is a column */
    bool bytes;
} table;

static clt_status fail_cell(const table *t, const clt__line *line, size_t column, const cell *one, const char *wanted,
                            clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: line %zu: column %zu is \"%.*s\", where %s is needed", t->path, line->number,
                column + 1, one->length < 80 ? (int)one->length : 80, one->text, wanted);
}

static void read_header(table *t, const clt__line *line)
{
    const char *next = line->start;
    for (size_t column = 0; next; column++) {
        const cell one = read_cell(line, next, &next);
        if (one.length == strlen("label") && memcmp(one.text, "label", one.length) == 0) t->label = column;
    }
}

static clt_status survey_row(table *t, const clt__line *line, clt_error *error)
{
    const char *next = line->start;
    size_t column = 0;
    for (; next; column++) {
        double value;
        const cell one = read_cell(line, next, &next);
        if (column == t->label) continue;
        if (!read_number(&one, &value)) return fail_cell(t, line, column, &one, "a number", error);
        t->bytes = t->bytes && value >= 0 && value <= 255 && strspn(one.text, "0123456789") >= one.length;
    }
    if (t->rows == 0) t->columns = column;
    if (column != t->columns || column < 2 || t->label >= column)
        return FAIL(error, CLT_BAD_FILE, "%s: line %zu: has %zu columns, where %zu are needed", t->path, line->number,
                    column, t->columns < 2 ? 2 : t->columns);
    t->rows++;
    return CLT_OK;
}

/* Reads the text and sees what is in it; close_table frees it. */
static clt_status open_table(const char *path, table *t, clt_error *error)
{
    size_t size;
    *t = (table){.path = path, .bytes = true};
    TRY(clt__file_read(path, &t->text, &size, error));
    if (!clt__is_text((const unsigned char *)t->text, size))
        return FAIL(error, CLT_BAD_FILE, "%s: is not a CSV text", path);
    t->first = (clt__line){.next = t->text};
    clt__line line = t->first;
    if (clt__next_line(&line) && is_header(&line)) {
        read_header(t, &line);
        t->first = line;
    }
    line = t->first;
    while (clt__next_line(&line)) TRY(survey_row(t, &line, error));
    return CLT_OK;
}

static void close_table(table *t)
{
    free(t->text);
}

/* ---- the data set ------------------------------------------------------------------------------------------- */

/* What the options say; else a square, and else a row. */
static clt_status claim_of(const table *t, const clt_options *options, clt__claim *images, clt_error *error)
{
    const int64_t values = t->columns > 0 ? (int64_t)t->columns - 1 : 0, side = (int64_t)(sqrt((double)values) + 0.5);
    const clt_shape size = options->size;
    const bool square = side * side == values;
    *images = (clt__claim){t->path, CLT_BAD_FILE, t->rows, 1, square ? side : 1, square ? side : values};
    if (size.height <= 0 || size.width <= 0) return CLT_OK;
    const int64_t plane = (int64_t)size.height * size.width;
    images->height = size.height;
    images->width = size.width;
    images->channels = size.channels > 0 ? size.channels : values / plane;
    if (t->rows && (values % plane || images->channels != values / plane))
        return FAIL(error, CLT_BAD_FILE, "%s: has %" PRId64 " values in a row, which make no %" PRId64 "x%dx%d",
                    t->path, values, images->channels ? images->channels : 1, size.height, size.width);
    return CLT_OK;
}

static clt_status fill_row(const table *t, const clt__line *line, size_t row, clt_dataset *dataset, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape), channels = (size_t)dataset->shape.channels;
    const char *next = line->start;
    size_t value = 0;
    for (size_t column = 0; next; column++) {
        const cell one = read_cell(line, next, &next);
        if (column == t->label) {
            const int32_t label = clt__class_number(one.text, one.length);
            if (label < 0) return fail_cell(t, line, column, &one, "a label, a class's number from 0,", error);
            dataset->labels[row] = label;
            if (dataset->classes <= label) dataset->classes = label + 1;
            continue;
        }
        const size_t plane = size / channels, at = row * size + value % plane * channels + value / plane;
        double number = 0;
        (void)read_number(&one, &number); /* it is one: the survey saw it */
        if (dataset->bytes)
            dataset->bytes[at] = (uint8_t)number;
        else
            dataset->reals[at] = number;
        value++;
    }
    return CLT_OK;
}

static clt_status fill(const table *t, bool bytes, clt_dataset *dataset, clt_error *error)
{
    clt__line line = t->first;
    TRY(bytes ? clt__dataset_allocate_bytes(dataset, error) : clt__dataset_allocate_reals(dataset, error));
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, "the labels", &dataset->labels, error));
    for (size_t row = 0; clt__next_line(&line); row++) TRY(fill_row(t, &line, row, dataset, error));
    return CLT_OK;
}

/* `other` is the other split's file, or NULL: both splits are bytes, or both are reals. */
static clt_status take_table(const table *t, const char *other, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    clt__claim images;
    clt_dataset *fresh;
    table beside = {.bytes = true};
    clt_status status = other && t->bytes ? open_table(other, &beside, error) : CLT_OK;
    close_table(&beside);
    TRY(status);
    TRY(claim_of(t, options, &images, error));
    TRY(clt__dataset_create(&images, &fresh, error));
    return clt__dataset_finish(fill(t, t->bytes && beside.bytes, fresh, error), fresh, dataset);
}

static clt_status open_csv(const char *path, const char *other, const clt_options *options, clt_dataset **dataset,
                           clt_error *error)
{
    table t;
    clt_status status = open_table(path, &t, error);
    if (status == CLT_OK) status = take_table(&t, other, options, dataset, error);
    close_table(&t);
    return status;
}

/* ---- the format --------------------------------------------------------------------------------------------- */

/* A line of numbers and commas; the first may be a header, and the last that is seen may be cut off. */
static bool looks(const clt__data_source *source)
{
    if (source->folder)
        return clt__is_there(source->path, file_names[CLT_TRAIN]) || clt__is_there(source->path, file_names[CLT_TEST]);
    clt__line line = {.next = (const char *)source->start};
    if (!clt__is_text(source->start, source->size) || !clt__next_line(&line)) return false;
    if (!memchr(line.start, ',', line.length)) return false;
    if (*line.next) (void)clt__next_line(&line);
    size_t plain = 0;
    while (plain < line.length && strchr("0123456789+-.eE, \t\"", line.start[plain])) plain++;
    return plain == line.length || line.next == (const char *)source->start + source->size;
}

static clt_status open_split(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    const char *other_name = file_names[split == CLT_TRAIN ? CLT_TEST : CLT_TRAIN];
    char *file = NULL, *other = NULL;
    if (!clt__is_there(path, file_names[split]))
        return FAIL(error, CLT_NO_FILE, "%s: the folder holds no %s", path, file_names[split]);
    clt_status status = clt__join(path, file_names[split], &file, error);
    if (status == CLT_OK && clt__is_there(path, other_name)) status = clt__join(path, other_name, &other, error);
    if (status == CLT_OK) status = open_csv(file, other, options, dataset, error);
    free(file);
    free(other);
    return status;
}

static clt_status open_any(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                           clt_error *error)
{
    if (clt__is_folder(path, ".")) return open_split(path, split, options, dataset, error);
    TRY(open_csv(path, NULL, options, dataset, error));
    (*dataset)->whole = true;
    return CLT_OK;
}

const clt__data_format clt__csv_format = {.looks = looks, .open = open_any};
