/* Labels and targets from arrays. Integers [n] or [n, 1] are class labels, and so are rows [n, classes] of one 1 and
 * else 0, and texts, whose sorted names are the classes. Floats are real targets; where each image has one, and all are
 * whole numbers from 0, they can be labels as well, and the loss says which. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/array_images.h"

static uint64_t columns_of(const clt__array *y)
{
    return y->dimensions == 2 ? y->extent[1] : 1;
}

bool clt__array_answers_need_other(const clt__array *y)
{
    return !clt__array_is_integer(y) || columns_of(y) > 1;
}

/* ---- labels ------------------------------------------------------------------------------------------------- */

static clt_status allocate_labels(clt_dataset *dataset, clt_error *error)
{
    return clt__allocate(dataset->count, sizeof *dataset->labels, "the labels", &dataset->labels, error);
}

static clt_status take_labels(clt_dataset *dataset, const clt__array *y, clt_error *error)
{
    TRY(allocate_labels(dataset, error));
    for (size_t n = 0; n < dataset->count; n++) {
        const int64_t label = y->kind == 'f' ? (int64_t)clt__array_real(y, n) : clt__array_integer(y, n);
        if (label < 0 || label >= INT32_MAX)
            return FAIL(error, CLT_BAD_FILE, "%s: record %zu has the label %" PRId64 ", where 0 to %d are possible",
                        y->name, n, label, INT32_MAX - 1);
        dataset->labels[n] = (int32_t)label;
        if (dataset->classes <= label) dataset->classes = (int)label + 1;
    }
    return CLT_OK;
}

/* The column of a row's only 1, all others being 0; -1 where the row is not so. */
static int64_t hot_column(const clt__array *y, uint64_t row)
{
    const uint64_t columns = columns_of(y);
    int64_t hot = -1;
    for (uint64_t c = 0; c < columns; c++) {
        const double value = clt__array_real(y, row * columns + c);
        if (value == 0) continue;
        if (value != 1 || hot >= 0) return -1;
        hot = (int64_t)c;
    }
    return hot;
}

bool clt__array_is_one_hot(const clt__array *y)
{
    bool hot = columns_of(y) > 1 && columns_of(y) < INT32_MAX && !clt__array_is_text(y);
    for (uint64_t row = 0; hot && row < y->extent[0]; row++) hot = hot_column(y, row) >= 0;
    return hot;
}

static clt_status take_one_hot(clt_dataset *dataset, const clt__array *y, clt_error *error)
{
    TRY(allocate_labels(dataset, error));
    for (size_t n = 0; n < dataset->count; n++) dataset->labels[n] = (int32_t)hot_column(y, n);
    dataset->classes = (int)columns_of(y);
    return CLT_OK;
}

/* ---- texts -------------------------------------------------------------------------------------------------- */

/* Where the name is, or would be, among sorted ones. */
static size_t find_sorted(const clt__names *names, const char *name)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(names->name[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static clt_status add_sorted(clt__names *names, const char *name, clt_error *error)
{
    const size_t at = find_sorted(names, name);
    if (at < names->count && strcmp(names->name[at], name) == 0) return CLT_OK;
    TRY(clt__names_add(names, name, strlen(name), error));
    char *added = names->name[names->count - 1];
    memmove(names->name + at + 1, names->name + at, (names->count - 1 - at) * sizeof *names->name);
    names->name[at] = added;
    return CLT_OK;
}

static clt_status add_texts(const clt__array *y, char *text, clt__names *names, clt_error *error)
{
    for (uint64_t n = 0; n < y->count; n++) {
        clt__array_text(y, n, text);
        if (!*text)
            return FAIL(error, CLT_BAD_FILE, "%s: record %" PRIu64 " is empty, where a class's name is needed", y->name,
                        n);
        TRY(add_sorted(names, text, error));
    }
    return CLT_OK;
}

static clt_status take_texts(clt_dataset *dataset, const clt__array *y, const clt__array *other, clt_error *error)
{
    char *text;
    const bool both = other && clt__array_is_text(other);
    TRY(clt__allocate((uint64_t)(both && other->size > y->size ? other->size : y->size) + 1, 1, "a class's name", &text,
                      error));
    clt_status status = add_texts(y, text, &dataset->class_names, error);
    if (status == CLT_OK && both) status = add_texts(other, text, &dataset->class_names, error);
    if (status == CLT_OK) status = allocate_labels(dataset, error);
    for (size_t n = 0; n < dataset->count && status == CLT_OK; n++) {
        clt__array_text(y, n, text);
        dataset->labels[n] = (int32_t)find_sorted(&dataset->class_names, text);
    }
    dataset->classes = (int)dataset->class_names.count;
    free(text);
    return status;
}

/* ---- targets ------------------------------------------------------------------------------------------------ */

/* Whole numbers that can be labels. */
static bool are_whole(const clt__array *y)
{
    bool whole = y->kind == 'f';
    for (uint64_t i = 0; i < y->count && whole; i++) {
        const double value = clt__array_real(y, i);
        whole = value >= 0 && value < INT32_MAX && floor(value) == value;
    }
    return whole;
}

static clt_status take_targets(clt_dataset *dataset, const clt__array *y, clt_error *error)
{
    dataset->outputs = (int)columns_of(y);
    TRY(clt__allocate(y->count, sizeof *dataset->targets, "the targets", &dataset->targets, error));
    for (uint64_t i = 0; i < y->count; i++) {
        dataset->targets[i] = clt__array_real(y, i);
        if (!isfinite(dataset->targets[i]))
            return FAIL(error, CLT_BAD_FILE, "%s: record %" PRIu64 " holds %g, where finite numbers are needed",
                        y->name, i / (uint64_t)dataset->outputs, dataset->targets[i]);
    }
    return CLT_OK;
}

static clt_status take_column(clt_dataset *dataset, const clt__array *y, const clt__array *other, clt_error *error)
{
    if (clt__array_is_text(y)) return take_texts(dataset, y, other, error);
    if (clt__array_is_integer(y)) return take_labels(dataset, y, error);
    TRY(take_targets(dataset, y, error));
    return are_whole(y) && (!other || are_whole(other)) ? take_labels(dataset, y, error) : CLT_OK;
}

/* The first row that is neither one class nor several, y->extent[0] where there is none. */
static uint64_t find_odd_row(const clt__array *y)
{
    const uint64_t columns = columns_of(y);
    for (uint64_t i = 0; i < y->count; i++) {
        const int64_t value = clt__array_integer(y, i);
        if (value != 0 && value != 1) return i / columns;
    }
    return y->extent[0];
}

static clt_status take_columns(clt_dataset *dataset, const clt__array *y, const clt__array *other,
                               const clt_options *options, clt_error *error)
{
    const bool alone = !other || columns_of(other) != columns_of(y);
    if (clt__array_is_one_hot(y) && (alone || clt__array_is_one_hot(other))) return take_one_hot(dataset, y, error);
    const uint64_t odd = clt__array_is_integer(y) ? find_odd_row(y) : y->extent[0];
    if (odd < y->extent[0])
        return FAIL(error, CLT_BAD_FILE,
                    "%s: its shape is not right: integer labels are [n] or [n, 1], or [n, classes] of one 1 and else 0 "
                    "in each row, which row %" PRIu64 " has not",
                    y->name, odd);
    if (clt__array_is_integer(y))
        clt__options_note(options,
                          "%s: its rows of 0 and 1 are not all of one class: they are taken as %" PRIu64
                          " real targets an image, for losses like bce",
                          y->name, columns_of(y));
    return take_targets(dataset, y, error);
}

clt_status clt__array_to_answers(const clt__array *y, const clt__array *other, const clt_options *options,
                                 clt_dataset *dataset, clt_error *error)
{
    const uint64_t columns = columns_of(y);
    if (y->dimensions < 1 || y->dimensions > 2 || columns < 1 || columns > (clt__array_is_text(y) ? 1 : INT32_MAX))
        return FAIL(error, CLT_BAD_FILE,
                    "%s: its shape is not right, where labels are [n], [n, 1] or one-hot [n, classes], and real "
                    "targets [n] or [n, outputs]",
                    y->name);
    if (y->extent[0] != dataset->count)
        return FAIL(error, CLT_BAD_FILE, "%s: holds %" PRIu64 " %s, where %s holds %zu images", y->name, y->extent[0],
                    y->kind == 'f' ? "targets" : "labels", dataset->name, dataset->count);
    return columns == 1 ? take_column(dataset, y, other, error) : take_columns(dataset, y, other, options, error);
}
