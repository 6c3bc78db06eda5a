/* A window that slides over an image: what convolutions and pools of ONNX share. */
#ifndef CLT_ONNX_SLIDING_H
#define CLT_ONNX_SLIDING_H

#include "onnx/graph.h"

/* Each is height and width. */
typedef struct clt__onnx_window {
    int kernel[2], stride[2], dilation[2];
    int before[2], after[2]; /* padding */
    int output_padding[2];   /* of a transposed convolution */
    bool ceil;
    int out[2];
} clt__onnx_window;

/* Of a node whose input is `image`; `kernel` is its height and width, or NULL where the node's kernel_shape says it.
 * Where it cannot be, the node is refused and *fits is false. */
clt_status clt__onnx_read_window(const clt__onnx_work *work, const clt__onnx_value *image, const int64_t *kernel,
                                 bool transposed, clt__onnx_window *window, bool *fits, clt_error *error);

/* As options of a line, without those at their default; a stride's is given. */
void clt__onnx_window_options(const clt__onnx_window *window, const int usual_stride[2], char *text, size_t room);

#endif
