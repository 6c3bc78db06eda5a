/* Average pools to a given size whose windows differ: ONNX has them as products with constant matrices, one of the rows
 * and one of the columns. */
#ifndef CLT_ONNX_MEAN_PRODUCTS_H
#define CLT_ONNX_MEAN_PRODUCTS_H

#include "onnx/graph.h"

/* Writes the product of images with a matrix of means, [out, h] before or [w, out] behind them. *written is false where
 * the matrix is none. */
clt_status clt__onnx_adaptive(const clt__onnx_work *work, const clt__onnx_value *x, const clt__onnx_tensor *matrix,
                              bool rows, bool *written, clt_error *error);

#endif
