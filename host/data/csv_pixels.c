/* Rows of a CSV file become images: their values lie in planes (CHW). */
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "data/csv_file.h"

/* What the options say; else a square, and else a row. */
static clt_status claim_of(const clt__csv_file *file, const clt_options *options, clt__claim *images, clt_error *error)
{
    const char *path = file->table.path;
    const int64_t values = (int64_t)file->columns.values, side = (int64_t)(sqrt((double)values) + 0.5);
    const clt_shape size = options->size;
    const bool square = side * side == values;
    *images = (clt__claim){path, CLT_BAD_FILE, file->rows, 1, square ? side : 1, square ? side : values};
    if (size.height <= 0 || size.width <= 0) return CLT_OK;
    const int64_t plane = (int64_t)size.height * size.width;
    images->height = size.height;
    images->width = size.width;
    images->channels = size.channels > 0 ? size.channels : values / plane;
    if (file->rows && (values % plane || images->channels != values / plane))
        return FAIL(error, CLT_BAD_FILE, "%s: has %" PRId64 " values in a row, which make no %" PRId64 "x%dx%d", path,
                    values, images->channels ? images->channels : 1, size.height, size.width);
    return CLT_OK;
}

static void fill_row(const clt__csv_file *file, const clt__line *line, size_t row, clt_dataset *dataset)
{
    const size_t size = clt__image_size(dataset->shape), channels = (size_t)dataset->shape.channels;
    size_t value = 0, column = 0;
    for (const char *next = line->start; next; column++) {
        const clt__cell cell = clt__csv_next_cell(&file->table, line, &next);
        double number = 0;
        if (!file->columns.value[column]) continue;
        const size_t plane = size / channels, at = row * size + value % plane * channels + value / plane;
        (void)clt__cell_number(&cell, &number); /* it is one: that was looked at */
        if (dataset->bytes)
            dataset->bytes[at] = (uint8_t)number;
        else
            dataset->reals[at] = number;
        value++;
    }
}

static clt_status fill(const clt__csv_file *file, bool bytes, clt_dataset *dataset, clt_error *error)
{
    clt__line line = file->table.first;
    TRY(bytes ? clt__dataset_allocate_bytes(dataset, error) : clt__dataset_allocate_reals(dataset, error));
    for (size_t row = 0; clt__next_line(&line); row++) fill_row(file, &line, row, dataset);
    return CLT_OK;
}

/* The names of the classes become the data set's. */
static clt_status label(const clt__csv_file *file, clt__text_classes *classes, clt_dataset *dataset, clt_error *error)
{
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, "the labels", &dataset->labels, error));
    for (size_t i = 0; i < dataset->count; i++)
        TRY(clt__text_class(classes, &file->listing.labels, i, &dataset->labels[i], error));
    dataset->classes = classes->count;
    dataset->class_names = classes->names;
    classes->names = (clt__names){0};
    return CLT_OK;
}

static clt_status label_as(const clt__csv_file *file, const clt__csv_file *train, clt_dataset *dataset,
                           clt_error *error)
{
    clt__text_classes classes;
    TRY(clt__text_classes_find(&train->listing.labels, NULL, &classes, error));
    const clt_status status = label(file, &classes, dataset, error);
    clt__text_classes_free(&classes);
    return status;
}

clt_status clt__csv_open_pixels(const clt__csv_file *file, const clt__csv_file *train, bool bytes,
                                const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt__claim images;
    clt_dataset *fresh;
    TRY(claim_of(file, options, &images, error));
    TRY(clt__dataset_create(&images, &fresh, error));
    clt_status status = fill(file, bytes, fresh, error);
    if (status == CLT_OK && train) status = label_as(file, train, fresh, error);
    return clt__dataset_finish(status, fresh, dataset);
}
