#include "cli/npy_writer.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

enum { ALIGNMENT = 64, HEAD = 10 /* magic, version and the length of what follows */ };

clt_status npy_add_row(npy_rows *rows, const double *row, clt_error *error)
{
    const size_t bytes = rows->columns * sizeof *row;
    if (rows->count == rows->room) {
        const size_t room = rows->room ? 2 * rows->room : 256;
        double *more = room <= SIZE_MAX / bytes ? realloc(rows->value, room * bytes) : NULL;
        if (!more) return FAIL(error, CLT_NO_MEMORY, "no host memory for %zu predictions", room);
        rows->value = more;
        rows->room = room;
    }
    memcpy(rows->value + rows->count++ * rows->columns, row, bytes);
    return CLT_OK;
}

/* Version 1.0: "\x93NUMPY", 1, 0, a length of 16 bits, and a Python dictionary that ends a whole number of 64 bytes. */
static void write_head(const npy_rows *rows, FILE *stream)
{
    char text[256];
    int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
                          rows->is_double ? "<f8" : "<f4", rows->count, rows->columns);
    while ((HEAD + length + 1) % ALIGNMENT) text[length++] = ' ';
    text[length++] = '\n';
    const unsigned char head[HEAD] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length % 256), (unsigned char)(length / 256)};
    (void)fwrite(head, 1, sizeof head, stream);
    (void)fwrite(text, 1, (size_t)length, stream);
}

/* The lowest byte first, whatever the host's order. */
static void write_value(double value, bool is_double, FILE *stream)
{
    const float single = (float)value;
    uint64_t bits = 0;
    uint32_t single_bits;
    memcpy(&bits, &value, sizeof bits);
    memcpy(&single_bits, &single, sizeof single_bits);
    if (!is_double) bits = single_bits;
    for (size_t i = 0; i < (is_double ? sizeof value : sizeof single); i++)
        (void)putc((int)(bits >> 8 * i & 255), stream);
}

void npy_write(const npy_rows *rows, FILE *stream)
{
    write_head(rows, stream);
    for (size_t i = 0; i < rows->count * rows->columns; i++) write_value(rows->value[i], rows->is_double, stream);
}

void npy_free(npy_rows *rows)
{
    free(rows->value);
    *rows = (npy_rows){0};
}
