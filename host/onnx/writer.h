/* An ONNX model in the making: its nodes and its tensors in the order in which they are put there.
 *
 * Whoever writes one need not look whether each call succeeded: after one that did not, the others do nothing, and
 * clt__onnx_save tells. Texts are copied. Without protobuf-c none can be opened. */
#ifndef CLT_ONNX_WRITER_H
#define CLT_ONNX_WRITER_H

#include <stdint.h>

#include "base/error.h"

typedef struct clt__onnx_writer clt__onnx_writer;

/* What a graph's tensors of reals are, and its input where it takes bytes. The numbers are TensorProto.DataType's. */
typedef enum clt__onnx_type {
    CLT__ONNX_FLOAT = 1,
    CLT__ONNX_UINT8 = 2,
    CLT__ONNX_INT64 = 7,
    CLT__ONNX_DOUBLE = 11
} clt__onnx_type;

enum { CLT__ONNX_FIRST_OPSET = 13, CLT__ONNX_LAST_OPSET = 21 };

/* reals: FLOAT or DOUBLE */
clt_status clt__onnx_writer_open(int opset, clt__onnx_type reals, clt__onnx_writer **writer, clt_error *error);
/* Replaces `path` whole, or leaves what it was. */
clt_status clt__onnx_save(clt__onnx_writer *writer, const char *path, clt_error *error);
void clt__onnx_writer_close(clt__onnx_writer *writer); /* takes NULL */

int clt__onnx_writer_opset(const clt__onnx_writer *writer);

/* The graph's input and output: [batch, ...], where the batch has no fixed size. */
void clt__onnx_put_input(clt__onnx_writer *writer, const char *name, clt__onnx_type type, int dims, const int *dim);
void clt__onnx_put_output(clt__onnx_writer *writer, const char *name, int dims, const int *dim);
void clt__onnx_put_metadata(clt__onnx_writer *writer, const char *key, const char *value);

/* A node that reads these values and gives `output`; what is put next is its attributes. It is called as what it gives.
 * An input NULL is left out. */
#define CLT__ONNX_PUT(writer, type, output, ...)                                 \
    clt__onnx_put_node(writer, type, output, (const char *const[]){__VA_ARGS__}, \
                       (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))
void clt__onnx_put_node(clt__onnx_writer *writer, const char *type, const char *output, const char *const *input,
                        int inputs);
void clt__onnx_put_int(clt__onnx_writer *writer, const char *name, int64_t value);
void clt__onnx_put_ints(clt__onnx_writer *writer, const char *name, int count, const int *value);
void clt__onnx_put_real(clt__onnx_writer *writer, const char *name, double value);
void clt__onnx_put_word(clt__onnx_writer *writer, const char *name, const char *word);

/* Room for reals, zeros, that goes with the writer; NULL after a failure. */
double *clt__onnx_take_reals(clt__onnx_writer *writer, uint64_t count);

/* A tensor of reals, of integers in a row, of one real. Each gives its name, as the writer keeps it. */
const char *clt__onnx_put_reals(clt__onnx_writer *writer, const char *name, int dims, const int *dim,
                                const double *value);
const char *clt__onnx_put_list(clt__onnx_writer *writer, const char *name, int count, const int *value);
const char *clt__onnx_put_number(clt__onnx_writer *writer, const char *name, double value);

/* A name for what belongs to a value: "/conv1/shape". No layer is called so. */
const char *clt__onnx_own_name(clt__onnx_writer *writer, const char *of, const char *what);

#endif
