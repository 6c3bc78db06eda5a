#include "data/csv_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/csv_names.h"

/* What the choice is made of. */
typedef struct choosing {
    const clt__csv_table *table;
    clt__csv_use use;
    const clt__csv_like *like;
    const clt_options *options;
    clt__csv_columns *to;
    clt__line row;          /* the first */
    bool named;             /* the header has names */
    clt__cell *name, *cell; /* [columns] of the header and of that row; empty where there is none */
} choosing;

/* A header that counts has no names. */
static clt__cell name_of(const choosing *c, size_t column)
{
    return c->named ? c->name[column] : (clt__cell){.text = ""};
}

static bool is_id(const choosing *c, size_t column)
{
    return c->table->has_header && clt__csv_is_id_name(&c->name[column]);
}

/* ---- image files */

/* The name of a column says that it holds files; where its first cell has no image's ending, that it is no number, or
 * that there is no room for pixels, says so too. */
static bool holds_files(const choosing *c, size_t column)
{
    enum { NO_PIXELS = 3 };
    double value;
    const clt__cell name = name_of(c, column), cell = c->cell[column];
    if (!c->named || !(clt__csv_is_picture_name(&name) || (name.length && clt__csv_is_id_name(&name)))) return false;
    return clt__cell_is_picture(&cell) || !clt__cell_number(&cell, &value) || c->table->columns <= NO_PIXELS;
}

static size_t find_picture(const choosing *c)
{
    size_t by_ending = CLT__NO_COLUMN, by_name = CLT__NO_COLUMN;
    if (!c->row.start) return CLT__NO_COLUMN;
    for (size_t i = c->table->columns; i-- > 0;) {
        if (holds_files(c, i)) by_name = i;
        if (clt__cell_is_picture(&c->cell[i]) && !(by_ending != CLT__NO_COLUMN && holds_files(c, by_ending)))
            by_ending = i;
    }
    return by_ending != CLT__NO_COLUMN ? by_ending : by_name;
}

/* ---- the label that the caller names */

/* Its name, else its place: from 1, or from the end with -1. */
static clt_status find_asked(const choosing *c, size_t *label, clt_error *error)
{
    const char *wanted = c->options->label_column;
    const size_t columns = c->table->columns;
    char *end;
    *label = CLT__NO_COLUMN;
    for (size_t i = columns; i-- > 0;)
        if (c->table->has_header && clt__cell_is(&c->name[i], wanted)) *label = i;
    const long place = strtol(wanted, &end, 10);
    if (*label != CLT__NO_COLUMN) return CLT_OK; /* a name it is */
    if (end != wanted && !*end && place != 0 && labs(place) <= (long)columns)
        *label = place > 0 ? (size_t)place - 1 : columns - (size_t)-place;
    else if (c->use == CLT__CSV_WHOLE)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "label-column: %s has no column \"%s\": a name of its header, or a number from 1 to %zu (-1: the "
                    "last) is needed",
                    c->table->path, wanted, columns);
    return CLT_OK;
}

static clt_status check_asked(const choosing *c, size_t label, clt_error *error)
{
    if (label == CLT__NO_COLUMN || label != c->to->picture) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "label-column: column %zu of %s holds the image files' names, not labels",
                label + 1, c->table->path);
}

/* ---- the label that the header names */

/* *label where the header says it, be it that there is none. False where it does not. */
static bool find_in_header(const choosing *c, size_t *label)
{
    size_t known = CLT__NO_COLUMN, odd = CLT__NO_COLUMN, odds = 0;
    if (!c->named) return false;
    for (size_t i = c->table->columns; i-- > 0;) {
        const clt__cell name = name_of(c, i);
        if (i == c->to->picture) continue;
        if (clt__csv_is_label_name(&name)) known = i;
        if (clt__csv_is_id_name(&name) || clt__csv_is_numbered(&name)) continue;
        odds++;
        odd = i;
    }
    *label = known != CLT__NO_COLUMN ? known : odd;
    return known != CLT__NO_COLUMN || odds < 2;
}

static void tell_odd(const choosing *c, size_t label)
{
    if (label == CLT__NO_COLUMN || !c->named) return;
    const clt__cell name = name_of(c, label);
    if (clt__csv_is_label_name(&name)) return;
    clt__options_note(c->options,
                      "%s: column %zu, called \"%.*s\", is taken for the labels: --label-column NAME says another",
                      c->table->path, label + 1, (int)(name.length < 80 ? name.length : 80), name.text);
}

/* ---- the label of files, and of rows of pixels */

/* The only column besides. */
static clt_status find_beside_picture(const choosing *c, size_t *label, clt_error *error)
{
    size_t others = 0;
    *label = CLT__NO_COLUMN;
    for (size_t i = 0; i < c->table->columns; i++) {
        if (i == c->to->picture || is_id(c, i)) continue;
        others++;
        *label = i;
    }
    if (others < 2) return CLT_OK;
    *label = CLT__NO_COLUMN;
    if (c->use == CLT__CSV_IMAGES) return CLT_OK;
    return FAIL(
        error, CLT_BAD_FILE,
        "%s: line %zu: has %zu columns besides the image files' names, and none is called label: --label-column "
        "NAME or N says which is it",
        c->table->path, c->row.number, others);
}

static bool make_image(int64_t values, const clt_options *options)
{
    const clt_shape size = options->size;
    if (size.height > 0 && size.width > 0) {
        const int64_t plane = (int64_t)size.height * size.width;
        return values == plane * (size.channels > 0 ? size.channels : 1) || (!size.channels && values == 3 * plane);
    }
    const int64_t side = (int64_t)(sqrt((double)values) + 0.5), third = values / 3;
    const int64_t colour = (int64_t)(sqrt((double)third) + 0.5);
    return side * side == values || (values == 3 * third && colour * colour == third);
}

/* Images alone, and no header: labels are there where the other values make an image. */
static bool has_label_too(const choosing *c)
{
    const int64_t values = (int64_t)c->to->values;
    return c->use != CLT__CSV_IMAGES || (!make_image(values, c->options) && make_image(values - 1, c->options));
}

static size_t find_among_values(const choosing *c)
{
    if (c->like && c->table->columns == c->like->columns) return c->like->label;
    if (c->like && c->table->columns + 1 == c->like->columns) return CLT__NO_COLUMN;
    return has_label_too(c) ? clt__csv_guess_label(c->table, c->to, c->options) : CLT__NO_COLUMN;
}

static clt_status find_label(const choosing *c, size_t *label, clt_error *error)
{
    const bool lacks_one = c->like && c->table->columns + 1 == c->like->columns && !c->named;
    *label = CLT__NO_COLUMN;
    if (lacks_one || !c->row.start) return CLT_OK; /* without rows there is nothing to label */
    if (c->options->label_column) {
        TRY(find_asked(c, label, error));
        return check_asked(c, *label, error);
    }
    if (find_in_header(c, label)) {
        tell_odd(c, *label);
        return CLT_OK;
    }
    if (c->to->picture != CLT__NO_COLUMN) return find_beside_picture(c, label, error);
    *label = find_among_values(c);
    return CLT_OK;
}

/* ---- all of it */

/* The cells of a line, which may be NULL. */
static clt_status read_cells(const clt__csv_table *table, const clt__line *line, clt__cell **cells, clt_error *error)
{
    const char *next = line ? line->start : NULL;
    TRY(clt__allocate(table->columns, sizeof **cells, "the cells of a line", cells, error));
    for (size_t i = 0; i < table->columns; i++)
        (*cells)[i] = next ? clt__csv_next_cell(table, line, &next) : (clt__cell){.text = ""};
    return CLT_OK;
}

static bool is_left_out(const choosing *c, size_t column)
{
    if (column == c->to->label || column == c->to->picture) return false;
    return c->to->picture != CLT__NO_COLUMN || is_id(c, column);
}

static void tell_left_out(const choosing *c)
{
    size_t count = 0, first = 0;
    for (size_t i = c->table->columns; i-- > 0;) {
        if (!is_left_out(c, i)) continue;
        count++;
        first = i;
    }
    const clt__cell name = name_of(c, first);
    if (count)
        clt__options_note(c->options, "%s: %zu of its columns %s left out: column %zu%s%.*s%s", c->table->path, count,
                          count > 1 ? "are" : "is", first + 1, name.length ? ", called \"" : "",
                          (int)(name.length < 80 ? name.length : 80), name.text,
                          name.length ? (count > 1 ? "\", is the first" : "\"") : "");
}

/* All but identifiers and the label. */
static void set_values(const choosing *c)
{
    c->to->values = 0;
    for (size_t i = 0; i < c->table->columns; i++) {
        c->to->value[i] = i != c->to->label && c->to->picture == CLT__NO_COLUMN && !is_id(c, i);
        c->to->values += c->to->value[i];
    }
}

static clt_status find_columns(choosing *c, clt_error *error)
{
    size_t label;
    TRY(clt__allocate(c->table->columns, sizeof *c->to->value, "the columns", &c->to->value, error));
    TRY(read_cells(c->table, c->table->has_header ? &c->table->header : NULL, &c->name, error));
    TRY(read_cells(c->table, c->row.start ? &c->row : NULL, &c->cell, error));
    c->to->picture = find_picture(c);
    set_values(c);
    TRY(find_label(c, &label, error));
    c->to->label = label;
    set_values(c);
    tell_left_out(c);
    return CLT_OK;
}

clt_status clt__csv_find_columns(const clt__csv_table *table, clt__csv_use use, const clt__csv_like *like,
                                 const clt_options *options, clt__csv_columns *columns, clt_error *error)
{
    choosing c = {.table = table,
                  .use = use,
                  .like = like,
                  .options = options,
                  .to = columns,
                  .row = table->first,
                  .named = table->has_header && !table->counts};
    *columns = (clt__csv_columns){.label = CLT__NO_COLUMN, .picture = CLT__NO_COLUMN};
    if (!clt__next_line(&c.row)) c.row.start = NULL;
    const clt_status status = find_columns(&c, error);
    free(c.name);
    free(c.cell);
    return status;
}

void clt__csv_columns_free(clt__csv_columns *columns)
{
    free(columns->value);
    *columns = (clt__csv_columns){.label = CLT__NO_COLUMN, .picture = CLT__NO_COLUMN};
}
