#include "data/csv_table.h"

#include <stdlib.h>
#include <string.h>

#include "data/csv_names.h"

/* ---- cells of a line */

clt__cell clt__csv_next_cell(const clt__csv_table *table, const clt__line *line, const char **next)
{
    const clt__cell cell = clt__read_cell(line, *next, table->separator, next);
    /* The empty cell behind the last separator is none. */
    if (table->tail && *next == line->start + line->length) *next = NULL;
    return cell;
}

clt__cell clt__csv_cell(const clt__csv_table *table, const clt__line *line, size_t column)
{
    const char *next = line->start;
    for (size_t i = 0; next; i++) {
        const clt__cell cell = clt__csv_next_cell(table, line, &next);
        if (i == column) return cell;
    }
    return (clt__cell){.text = ""};
}

static size_t count_cells(const clt__csv_table *table, const clt__line *line)
{
    size_t count = 0;
    for (const char *next = line->start; next; count++) (void)clt__csv_next_cell(table, line, &next);
    return count;
}

clt_status clt__csv_fail_cell(const clt__csv_table *table, const clt__line *line, size_t column, const clt__cell *cell,
                              const char *wanted, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: line %zu: column %zu is \"%.*s\", where %s is needed", table->path,
                line->number, column + 1, cell->length < 80 ? (int)cell->length : 80, cell->text, wanted);
}

clt_status clt__csv_check_width(const clt__csv_table *table, const clt__line *line, size_t columns, size_t least,
                                clt_error *error)
{
    const size_t wanted = table->columns < least ? least : table->columns;
    if (columns == wanted) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: line %zu: has %zu columns, where %zu are needed", table->path, line->number,
                columns, wanted);
}

/* ---- the header */

/* 0, 1, 2 ... or 1, 2, 3 ..., maybe behind an empty cell: what a program writes that numbers columns without names. A
 * row of so many values that grow by one is no image. */
static bool counts_columns(const clt__csv_table *table, const clt__line *line)
{
    enum { LEAST = 16 };
    size_t column = 0, empty = 0;
    double start = 0, value;
    for (const char *next = line->start; next; column++) {
        const clt__cell cell = clt__csv_next_cell(table, line, &next);
        if (column == 0 && !cell.length) empty = 1;
        if (column < empty) continue;
        if (!clt__cell_number(&cell, &value)) return false;
        if (column == empty) start = value;
        if (value != start + (double)(column - empty)) return false;
    }
    return column >= LEAST && (start == 0 || start == 1);
}

/* How many columns of numbers the second line has, and in how many of these the first has something else. */
static void compare_lines(const clt__csv_table *table, const clt__line *first, const clt__line *second, size_t *numbers,
                          size_t *others)
{
    const char *above = first->start, *below = second->start;
    *numbers = *others = 0;
    while (above && below) {
        double value;
        const clt__cell name = clt__csv_next_cell(table, first, &above);
        const clt__cell cell = clt__csv_next_cell(table, second, &below);
        if (!clt__cell_number(&cell, &value)) continue;
        ++*numbers;
        *others += !clt__cell_number(&name, &value);
    }
}

/* A single cell that is no number is a mistake in a row, where its label is no name; most of them are a header. */
static bool is_header(const clt__csv_table *table, const clt__line *first, const clt__line *second)
{
    size_t numbers, others;
    double value;
    if (clt__csv_has_known_name(table, first)) return true;
    compare_lines(table, first, second ? second : first, &numbers, &others);
    if (second && numbers) return 2 * others > numbers;
    if (second) return false;
    const clt__cell cell = clt__csv_cell(table, first, 0);
    return !numbers && !clt__cell_number(&cell, &value) && !clt__csv_has_picture(table, first);
}

static void find_header(clt__csv_table *table)
{
    clt__line first = table->first, second;
    if (!clt__next_line(&first)) return;
    second = first;
    const bool more = clt__next_line(&second);
    table->counts = more && counts_columns(table, &first);
    table->has_header = table->counts || is_header(table, &first, more ? &second : NULL);
    if (!table->has_header) return;
    table->header = first;
    table->first = first;
}

/* Whether the first row ends in a separator, and no header gives what follows it a name. */
static void find_tail(clt__csv_table *table)
{
    clt__line row = table->first;
    if (!clt__next_line(&row)) {
        table->columns = table->has_header ? count_cells(table, &table->header) : 0;
        return;
    }
    const size_t last = count_cells(table, &row) - 1;
    const clt__cell cell = clt__csv_cell(table, &row, last);
    table->tail = last && !cell.length && !cell.quoted &&
                  !(table->has_header && clt__csv_cell(table, &table->header, last).length);
    table->columns = last + !table->tail;
}

/* `sep=;`, which some spreadsheets write, and want, before all else. */
static void find_said_separator(clt__csv_table *table)
{
    static const char said[] = "sep=";
    clt__line line = table->first;
    if (!clt__next_line(&line) || strncmp(line.start, said, strlen(said)) != 0) return;
    const char separator = line.start[strlen(said)];
    const bool alone = line.length == strlen(said) + (separator != '\t'); /* a tab is cut off as a blank at the end */
    if (!alone || !strchr(",;\t", separator ? separator : 'x')) return;
    table->separator = separator;
    table->first = line;
}

void clt__csv_look(const char *path, char *text, clt__csv_table *table)
{
    *table = (clt__csv_table){.path = path, .text = text, .first = {.next = clt__skip_mark(text)}};
    table->separator = clt__find_separator(text);
    find_said_separator(table);
    find_header(table);
    find_tail(table);
}

clt_status clt__csv_open(const char *path, clt__csv_table *table, clt_error *error)
{
    char *text;
    *table = (clt__csv_table){.path = path};
    TRY(clt__text_read(path, "a CSV text", &text, error));
    clt__csv_look(path, text, table);
    return CLT_OK;
}

void clt__csv_close(clt__csv_table *table)
{
    free(table->text);
    table->text = NULL;
}
