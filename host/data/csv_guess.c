/* Where no header tells the labels from the pixels, their values do. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "data/csv_columns.h"

enum { MANY = 100, MOST = 1000 }; /* classes: few data sets have more */

typedef struct facts {
    size_t column, rows, whole, names, distinct;
    double most;
    bool seen[MOST];
} facts;

static void see(facts *f, const clt__cell *cell)
{
    double value;
    f->rows++;
    if (!clt__cell_number(cell, &value)) {
        f->names += cell->length > 0;
        return;
    }
    if (value < 0 || value != floor(value)) return;
    f->whole++;
    if (value > f->most) f->most = value;
    if (value >= MOST || f->seen[(size_t)value]) return;
    f->seen[(size_t)value] = true;
    f->distinct++;
}

static void see_all(const clt__csv_table *table, facts *first, facts *last)
{
    clt__line line = table->first;
    while (clt__next_line(&line)) {
        size_t column = 0;
        for (const char *next = line.start; next; column++) {
            const clt__cell cell = clt__csv_next_cell(table, &line, &next);
            if (column == first->column) see(first, &cell);
            if (column == last->column) see(last, &cell);
        }
    }
}

/* Names, or not too many classes, which have a few images each. */
static bool fits(const facts *f)
{
    if (f->rows && f->names == f->rows) return true;
    return f->whole == f->rows && f->most < MOST && f->distinct >= 2 && 2 * f->distinct <= f->rows;
}

static void tell(const clt__csv_table *table, const facts *f, const clt_options *options)
{
    char values[64] = "";
    if (f->whole == f->rows && f->rows) (void)snprintf(values, sizeof values, ", whole numbers up to %.0f,", f->most);
    clt__options_note(options,
                      "%s: column %zu%s is taken for the labels, as no header says which it is: --label-column N "
                      "says another",
                      table->path, f->column + 1, values);
}

size_t clt__csv_guess_label(const clt__csv_table *table, const clt__csv_columns *columns, const clt_options *options)
{
    facts first = {.column = CLT__NO_COLUMN}, last = {0};
    for (size_t i = 0; i < table->columns; i++) {
        if (!columns->value[i]) continue;
        if (first.column == CLT__NO_COLUMN) first.column = i;
        last.column = i;
    }
    if (first.column == CLT__NO_COLUMN) return CLT__NO_COLUMN;
    see_all(table, &first, &last);
    const bool first_fits = fits(&first), last_fits = fits(&last);
    const bool takes_last = last_fits && (!first_fits || (first.most >= MANY && last.most < MANY));
    const facts *taken = takes_last ? &last : &first;
    if (takes_last || last_fits || !first_fits || taken->most >= MANY) tell(table, taken, options);
    return taken->column;
}
