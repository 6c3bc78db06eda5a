/* Tensors of ONNX: initialisers, and what is computed of them as a file is read. */
#ifndef CLT_ONNX_TENSOR_H
#define CLT_ONNX_TENSOR_H

#include "base/error.h"

enum { CLT__ONNX_RANK = 8 };

/* Values of any type as doubles: integers beyond 2^53 only end a slice, where their size does not matter. */
typedef struct clt__onnx_tensor {
    int rank;
    int64_t dim[CLT__ONNX_RANK];
    size_t count;
    double *value; /* [count] */
    bool whole;    /* of an integer type, or bool */
} clt__onnx_tensor;

/* Zeros. An error where that is no shape, or more than `most` elements. */
clt_status clt__onnx_tensor_make(int rank, const int64_t *dim, bool whole, clt__onnx_tensor *tensor, clt_error *error);
clt_status clt__onnx_tensor_copy(const clt__onnx_tensor *from, clt__onnx_tensor *to, clt_error *error);
void clt__onnx_tensor_free(clt__onnx_tensor *tensor);

/* A file that holds one tensor, as ONNX's tests have them. */
clt_status clt__onnx_tensor_read_file(const char *path, clt__onnx_tensor *tensor, clt_error *error);

#endif
