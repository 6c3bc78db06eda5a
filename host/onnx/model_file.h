/* An ONNX file, unpacked: its messages as protobuf-c makes them from onnx.proto. */
#ifndef CLT_ONNX_MODEL_FILE_H
#define CLT_ONNX_MODEL_FILE_H

#include "onnx/tensor.h"
#include <onnx.pb-c.h>

typedef struct clt__onnx_file {
    char *folder;              /* where files of external data lie, with a / at its end, or "" */
    const char *path;          /* the caller's */
    Onnx__ModelProto *message; /* it has a graph */
} clt__onnx_file;

/* Checks versions, nesting and the memory that the messages take before they take it. */
clt_status clt__onnx_file_read(const char *path, clt__onnx_file *file, clt_error *error);
/* The version of ONNX's own operators. */
int64_t clt__onnx_opset(const clt__onnx_file *file);
void clt__onnx_file_free(clt__onnx_file *file);

/* Whether a number of TensorProto.DataType is that of a type of floats that is read. */
bool clt__onnx_is_float(int32_t number);

/* An initialiser, from the file or from the file of external data that it names. */
clt_status clt__onnx_tensor_read(const clt__onnx_file *file, const Onnx__TensorProto *proto, clt__onnx_tensor *tensor,
                                 clt_error *error);

#endif
