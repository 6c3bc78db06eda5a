/* A value that a constant is added to, or that it multiplies: a bias or a scale of the layer before, or a layer
 * `scale`. */
#ifndef CLT_ONNX_SCALES_H
#define CLT_ONNX_SCALES_H

#include "onnx/graph.h"

/* Gives x + c, x - c, x * c or x / c, by `sign`; with `constant_first` c - x and so on. */
clt_status clt__onnx_with_constant(const clt__onnx_work *work, const clt__onnx_value *x, char sign,
                                   const clt__onnx_value *constant, bool constant_first, clt_error *error);

/* Gives x times one number. */
clt_status clt__onnx_times(const clt__onnx_work *work, const clt__onnx_value *x, double factor, clt_error *error);

/* x after a layer that turns it: c - x is -x + c, c / x is c times 1 / x. */
clt_status clt__onnx_turn(const clt__onnx_work *work, const clt__onnx_value *x, const char *kind,
                          clt__onnx_value *turned, clt_error *error);

#endif
