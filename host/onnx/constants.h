/* What can be computed while a file is read: nodes whose inputs are all constants, and the shapes that exporters leave.
 */
#ifndef CLT_ONNX_CONSTANTS_H
#define CLT_ONNX_CONSTANTS_H

#include "onnx/graph.h"

/* *folded tells whether the node was one of these: what it gives is then a constant, or it was refused. */
clt_status clt__onnx_fold(const clt__onnx_work *work, bool *folded, clt_error *error);

/* Whether nodes of this type can be such. */
bool clt__onnx_folds(const char *type);

#endif
