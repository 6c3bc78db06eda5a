/* What the verbs share to tell their user something: failures, notes, tables, numbers, JSON. */
#ifndef CLTRAIN_CLI_OUTPUT_H
#define CLTRAIN_CLI_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "cltrain.h"

#if defined(__GNUC__)
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#else
#define PRINTF_LIKE(text, first)
#endif

/* ---- failures. A verb fills the error record, as the library does; main prints it and picks the exit code. */

clt_status fail_at(clt_error *error, clt_status status, const char *source_file, int source_line, const char *format,
                   ...) PRINTF_LIKE(5, 6);

/* return FAIL(error, CLT_BAD_ARGUMENT, "--topk: %d is ...", topk); */
#define FAIL(error, status, ...) fail_at(error, status, __FILE__, __LINE__, __VA_ARGS__)

/* Returns from the calling function if `call` fails. */
#define TRY(call)                                    \
    do {                                             \
        const clt_status try_status = (call);        \
        if (try_status != CLT_OK) return try_status; \
    } while (0)

/* Zeroed memory for `count` things of `size` bytes; *memory is freed with free(). */
clt_status allocate(size_t count, size_t size, const char *what, void *memory, clt_error *error);

/* ---- text */

/* The one sentence of a failure, to stderr. */
void print_error(const clt_error *error);

/* A sentence that is no failure, to stderr. */
void print_note(const char *format, ...) PRINTF_LIKE(1, 2);

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

void table_add(text_table *table, const char *format, ...) PRINTF_LIKE(2, 3);
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
