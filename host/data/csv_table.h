/* A CSV text: its separator, its header, its rows. */
#ifndef CLT_DATA_CSV_TABLE_H
#define CLT_DATA_CSV_TABLE_H

#include "data/cells.h"

typedef struct clt__csv_table {
    const char *path;
    char *text;
    clt__line first; /* where the rows begin: the next line is the first of them */
    clt__line header;
    bool has_header;
    bool counts; /* the header is 0, 1, 2 ... */
    bool tail;   /* every line ends in a separator */
    char separator;
    size_t columns; /* of each row, without that end; without rows, of the header */
} clt__csv_table;

/* clt__csv_close frees it. */
clt_status clt__csv_open(const char *path, clt__csv_table *table, clt_error *error);
/* The same for the start of a file, which stays the caller's. */
void clt__csv_look(const char *path, char *text, clt__csv_table *table);
void clt__csv_close(clt__csv_table *table);

/* The cell of a line in this column; an empty one where it has none. */
clt__cell clt__csv_cell(const clt__csv_table *table, const clt__line *line, size_t column);

/* Walks through the cells of a row: `next` begins as the line's start, and the walk ends where it is NULL. */
clt__cell clt__csv_next_cell(const clt__csv_table *table, const clt__line *line, const char **next);

/* The error for a cell that is not what it should be. */
clt_status clt__csv_fail_cell(const clt__csv_table *table, const clt__line *line, size_t column, const clt__cell *cell,
                              const char *wanted, clt_error *error);

/* An error where a row has not as many columns as the first, or fewer than `least`. */
clt_status clt__csv_check_width(const clt__csv_table *table, const clt__line *line, size_t columns, size_t least,
                                clt_error *error);

#endif
