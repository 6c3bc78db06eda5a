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
    double *value; /* [count], or the one that all are */
    bool filled;   /* all are one */
    bool whole;    /* of an integer type, or bool */
} clt__onnx_tensor;

static inline double clt__onnx_at(const clt__onnx_tensor *tensor, size_t element)
{
    return tensor->value[tensor->filled ? 0 : element];
}

/* All of them that number: as little memory whatever the shape. An error where that is none. */
clt_status clt__onnx_tensor_fill(int rank, const int64_t *dim, bool whole, double value, clt__onnx_tensor *tensor,
                                 clt_error *error);

/* Zeros. An error where that is no shape, or more than 2^31 - 1 elements. */
clt_status clt__onnx_tensor_make(int rank, const int64_t *dim, bool whole, clt__onnx_tensor *tensor, clt_error *error);
clt_status clt__onnx_tensor_copy(const clt__onnx_tensor *from, clt__onnx_tensor *to, clt_error *error);
void clt__onnx_tensor_free(clt__onnx_tensor *tensor);

/* A file that holds one tensor, as ONNX's tests have them. */
clt_status clt__onnx_tensor_read_file(const char *path, clt__onnx_tensor *tensor, clt_error *error);

#endif
