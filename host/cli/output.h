/* What the verbs share to tell their user something: failures, notes, tables, numbers, JSON. */
#ifndef CLTRAIN_CLI_OUTPUT_H
#define CLTRAIN_CLI_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

/* ---- text */

enum { BLOCK_HEIGHTS = 8 };

/* A character as high as that, of BLOCK_HEIGHTS from 0 on: a block where the environment says that text is UTF-8, else
 * a mark of ASCII. */
const char *block_of(int height);

/* The one sentence of a failure, to stderr. */
void print_error(const clt_error *error);

/* A sentence that is no failure, to stderr. */
/* From now on print_note prints nothing. */
void mute_notes(void);
void print_note(const char *format, ...) CLT__PRINTF(1, 2);

/* Prints `text` and a line's end, broken at spaces to fit 80 columns; lines after the first begin at column `indent`.
 */
void print_wrapped(const char *text, int indent, FILE *stream);

/* Fails if anything that was printed to stdout did not get there. Closes it. */
clt_status close_stdout(clt_error *error);

/* A column of text that fits every cell: fill it row by row, then print it. */
typedef struct text_table {
    const char *alignment; /* a letter for each column, l or r */
    char **cell;
    size_t count, capacity;
    bool failed; /* a cell found no memory: table_print tells */
} text_table;

void table_add(text_table *table, const char *format, ...) CLT__PRINTF(2, 3);
/* Prints the table to stdout and frees it. */
clt_status table_print(text_table *table, clt_error *error);

/* ---- numbers */

/* The digits that tell every number of this precision from all others: 9 or 17. */
int digits_of(clt_precision precision);

/* ---- JSON */

/* null where JSON has no such number: NaN, infinities. */
json_t *json_of_number(double value);
/* Text from outside; where it is no UTF-8, each byte that is no ASCII becomes a question mark. */
json_t *json_of_text(const char *text);

/* Whether standard output is to hold JSON and nothing else. `path` may be NULL. */
bool is_stdout(const char *path);

/* Writes `root` to the file `path`, or to stdout for "-", and releases it. A NULL root is a failure: no memory. */
clt_status write_json(json_t *root, const char *path, clt_error *error);

#endif
