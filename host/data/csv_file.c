#include "data/csv_file.h"

#include <stdlib.h>
#include <string.h>

void clt__csv_file_close(clt__csv_file *file)
{
    clt__csv_close(&file->table);
    clt__csv_columns_free(&file->columns);
    clt__listing_free(&file->listing);
}

bool clt__csv_has_files(const clt__csv_file *file)
{
    return file->columns.picture != CLT__NO_COLUMN;
}

bool clt__csv_is_labelled(const clt__csv_file *file)
{
    return file->columns.label != CLT__NO_COLUMN;
}

/* ---- looking at every cell */

static bool is_byte(const clt__cell *cell, double value)
{
    if (!(value >= 0 && value <= 255)) return false;
    for (size_t i = 0; i < cell->length; i++)
        if (cell->text[i] < '0' || cell->text[i] > '9') return false;
    return true;
}

static clt_status see_cell(clt__csv_file *file, const clt__line *line, size_t column, const clt__cell *cell,
                           clt_error *error)
{
    double value;
    if (column >= file->table.columns || !file->columns.value[column]) return CLT_OK;
    if (!clt__cell_number(cell, &value)) return clt__csv_fail_cell(&file->table, line, column, cell, "a number", error);
    file->bytes = file->bytes && is_byte(cell, value);
    return CLT_OK;
}

/* The name of the row's image file, if its rows are such, and its label, if there is one. */
static clt_status keep_texts(clt__csv_file *file, const clt__line *line, const clt__cell *picture,
                             const clt__cell *label, clt_error *error)
{
    char *name = NULL, *text = NULL;
    if (clt__csv_is_labelled(file)) TRY(clt__cell_copy(label, &text, error));
    if (!clt__csv_has_files(file)) return clt__text_labels_add(&file->listing.labels, text, line->number, error);
    clt_status status = clt__cell_copy(picture, &name, error);
    if (status == CLT_OK && !*name)
        status = clt__csv_fail_cell(&file->table, line, file->columns.picture, picture, "an image file's name", error);
    if (status == CLT_OK) {
        status = clt__listing_add(&file->listing, name, strlen(name), text, line->number, error);
        text = NULL;
    }
    free(text);
    free(name);
    return status;
}

static clt_status see_row(clt__csv_file *file, const clt__line *line, clt_error *error)
{
    const size_t least = clt__csv_has_files(file) || !clt__csv_is_labelled(file) ? 1 : 2;
    size_t column = 0;
    clt__cell picture = {0}, label = {0};
    for (const char *next = line->start; next; column++) {
        const clt__cell cell = clt__csv_next_cell(&file->table, line, &next);
        if (column == file->columns.picture) picture = cell;
        if (column == file->columns.label) label = cell;
        TRY(see_cell(file, line, column, &cell, error));
    }
    TRY(clt__csv_check_width(&file->table, line, column, least, error));
    file->rows++;
    return keep_texts(file, line, &picture, &label, error);
}

clt_status clt__csv_file_open(const char *path, clt__csv_use use, const clt__csv_like *like, const clt_options *options,
                              clt__csv_file *file, clt_error *error)
{
    *file = (clt__csv_file){.bytes = true, .listing = {.labels = {.file = path}}};
    TRY(clt__csv_open(path, &file->table, error));
    TRY(clt__csv_find_columns(&file->table, use, like, options, &file->columns, error));
    if (clt__csv_is_labelled(file)) file->listing.labels.column = file->columns.label + 1;
    clt__line line = file->table.first;
    while (clt__next_line(&line)) TRY(see_row(file, &line, error));
    return CLT_OK;
}
