/* NumPy's NPY format, as predict writes it. */
#ifndef CLTRAIN_CLI_NPY_WRITER_H
#define CLTRAIN_CLI_NPY_WRITER_H

#include <stdio.h>

#include "cltrain.h"

/* An array [count, columns] that grows row by row. */
typedef struct npy_rows {
    size_t columns, count, room;
    bool is_double; /* the file's type: f8, else f4 */
    double *value;
} npy_rows;

clt_status npy_add_row(npy_rows *rows, const double *row, clt_error *error);
/* Whoever closes the stream tells whether it got there. */
void npy_write(const npy_rows *rows, FILE *stream);
void npy_free(npy_rows *rows);

#endif
