/* What nodes say that put a tensor's elements in another shape or order, or take some of them: the same for constants
 * and for what flows. */
#ifndef CLT_ONNX_NEW_SHAPE_H
#define CLT_ONNX_NEW_SHAPE_H

#include "onnx/graph.h"

/* A shape, or of a slice, for each dimension where it begins, how many it takes and how far apart they are. */
typedef struct clt__onnx_shape {
    int rank;
    int64_t dim[CLT__ONNX_RANK];
} clt__onnx_shape;

typedef struct clt__onnx_cuts {
    int64_t begin[CLT__ONNX_RANK], count[CLT__ONNX_RANK], step[CLT__ONNX_RANK];
} clt__onnx_cuts;

/* Of a value, a constant or one that flows. */
clt__onnx_shape clt__onnx_shape_of(const clt__onnx_value *value);

/* Of Reshape, Flatten, Squeeze and Unsqueeze: the shape that they give, of as many elements. NULL, or why there is
 * none. */
const char *clt__onnx_new_shape(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_shape *to);

/* Of Transpose: which dimension each becomes. False where its list is none of that rank. */
bool clt__onnx_new_order(const clt__onnx_work *work, int rank, int order[CLT__ONNX_RANK]);

/* Of Slice. False where it does not say what it takes. */
bool clt__onnx_find_cuts(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_cuts *cuts);

/* From `start` to before `end` of so many, negative ones counted from the end: how many there are, and the first. */
int64_t clt__onnx_cut(int64_t size, int64_t start, int64_t end, int64_t step, int64_t *begin);

#endif
