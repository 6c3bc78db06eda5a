/* Cells of CSV lines, and the numbers in them. */
#ifndef CLT_DATA_CELLS_H
#define CLT_DATA_CELLS_H

#include "data/lines.h"

typedef struct clt__cell {
    const char *text;
    size_t length; /* without blanks around it, and without the quotes */
    bool quoted;   /* quotes inside are doubled */
} clt__cell;

/* What stands between the cells of a text, by its first lines: a comma, a semicolon or a tab. */
char clt__find_separator(const char *text);

/* The cell that begins at `at`, in the line; *next is where the next one does, NULL after the last. */
clt__cell clt__read_cell(const clt__line *line, const char *at, char separator, const char **next);

/* A copy, with single quotes where doubled ones stand, freed with free(). */
clt_status clt__cell_copy(const clt__cell *cell, char **copy, clt_error *error);

/* Whether it is that word, in any case of letters. */
bool clt__cell_is(const clt__cell *cell, const char *word);

/* A finite decimal number, and nothing after it. */
bool clt__cell_number(const clt__cell *cell, double *value);

/* Whether it ends as image files' names do. */
bool clt__cell_is_picture(const clt__cell *cell);

#endif
