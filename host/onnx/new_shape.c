#include "onnx/new_shape.h"

#include <string.h>

clt__onnx_shape clt__onnx_shape_of(const clt__onnx_value *value)
{
    const bool flows = clt__onnx_flows(value);
    clt__onnx_shape shape = {.rank = flows ? value->view.rank : value->constant.rank};
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = flows ? clt__view_size(&value->view, i) : value->constant.dim[i];
    return shape;
}

/* ---- another shape of the same elements */

static int64_t count_of(const clt__onnx_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) count *= shape->dim[i];
    return count;
}

/* 0 stands for as many as before, -1 for what is left. */
static const char *reshape(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_shape *to)
{
    static const char other[] = "its new shape has another number of elements";
    const bool zero_is_zero = clt__onnx_int(work, "allowzero", 0) != 0;
    int unknown = -1;
    int64_t known = 1;
    to->rank = clt__onnx_axes(work, "shape", 1, to->dim, CLT__ONNX_RANK);
    if (to->rank < 0) return "its new shape is not known";
    for (int i = 0; i < to->rank; i++) {
        if (i < from->rank && to->dim[i] == 0 && !zero_is_zero) to->dim[i] = from->dim[i];
        if (to->dim[i] == -1 && unknown < 0) {
            unknown = i;
            continue;
        }
        if (to->dim[i] < 0 || to->dim[i] > INT32_MAX || (to->dim[i] && known > INT64_MAX / to->dim[i])) return other;
        known *= to->dim[i];
    }
    const int64_t all = count_of(from);
    if (unknown >= 0) to->dim[unknown] = known ? all / known : 0;
    return count_of(to) == all ? NULL : other;
}

static const char *flatten(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_shape *to)
{
    const int64_t axis = clt__onnx_int(work, "axis", 1), at = axis < 0 ? axis + from->rank : axis;
    if (at < 0 || at > from->rank) return "its axis is not one of the input's";
    *to = (clt__onnx_shape){.rank = 2, .dim = {1, 1}};
    for (int i = 0; i < from->rank; i++) to->dim[i >= at] *= from->dim[i];
    return NULL;
}

static const char *squeeze(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_shape *to)
{
    int64_t axes[CLT__ONNX_RANK];
    bool left_out[CLT__ONNX_RANK] = {false};
    const int count = clt__onnx_axes(work, "axes", 1, axes, CLT__ONNX_RANK);
    if (count < 0) return "its axes are not known";
    for (int i = 0; i < count; i++) {
        const int axis = clt__onnx_axis(axes[i], from->rank);
        if (axis < 0 || from->dim[axis] != 1) return "an axis of its is not of size 1";
        left_out[axis] = true;
    }
    for (int i = 0; i < from->rank; i++)
        if (!(left_out[i] || (count == 0 && from->dim[i] == 1))) to->dim[to->rank++] = from->dim[i];
    return NULL;
}

static const char *unsqueeze(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_shape *to)
{
    int64_t axes[CLT__ONNX_RANK];
    bool fresh[CLT__ONNX_RANK] = {false};
    const int count = clt__onnx_axes(work, "axes", 1, axes, CLT__ONNX_RANK);
    if (count < 1 || from->rank + count > CLT__ONNX_RANK) return "its axes are not known";
    to->rank = from->rank + count;
    for (int i = 0; i < count; i++) {
        const int axis = clt__onnx_axis(axes[i], to->rank);
        if (axis < 0 || fresh[axis]) return "an axis of its is not one of the output's";
        fresh[axis] = true;
    }
    for (int i = 0, at = 0; i < to->rank; i++) to->dim[i] = fresh[i] ? 1 : from->dim[at++];
    return NULL;
}

const char *clt__onnx_new_shape(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_shape *to)
{
    const char *type = work->node->op_type;
    *to = (clt__onnx_shape){0};
    if (strcmp(type, "Reshape") == 0) return reshape(work, from, to);
    if (strcmp(type, "Flatten") == 0) return flatten(work, from, to);
    return strcmp(type, "Squeeze") == 0 ? squeeze(work, from, to) : unsqueeze(work, from, to);
}

/* ---- another order */

bool clt__onnx_new_order(const clt__onnx_work *work, int rank, int order[CLT__ONNX_RANK])
{
    int64_t list[CLT__ONNX_RANK];
    bool used[CLT__ONNX_RANK] = {false};
    const int count = clt__onnx_ints(work, "perm", list, CLT__ONNX_RANK);
    if (count && count != rank) return false;
    for (int i = 0; i < rank; i++) {
        const int64_t axis = count ? list[i] : rank - 1 - i;
        if (axis < 0 || axis >= rank || used[axis]) return false;
        used[axis] = true;
        order[i] = (int)axis;
    }
    return true;
}

/* ---- some of them */

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

int64_t clt__onnx_cut(int64_t size, int64_t start, int64_t end, int64_t step, int64_t *begin)
{
    if (start < 0) start += size;
    if (end < 0 && end > INT64_MIN + size) end += size;
    start = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
    end = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
    *begin = start;
    const int64_t span = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
    return span > 0 ? (span + stride - 1) / stride : 0;
}

bool clt__onnx_find_cuts(const clt__onnx_work *work, const clt__onnx_shape *from, clt__onnx_cuts *cuts)
{
    int64_t starts[CLT__ONNX_RANK], ends[CLT__ONNX_RANK], axes[CLT__ONNX_RANK], steps[CLT__ONNX_RANK];
    const int count = clt__onnx_axes(work, "starts", 1, starts, CLT__ONNX_RANK),
              other = clt__onnx_axes(work, "ends", 2, ends, CLT__ONNX_RANK),
              named = clt__onnx_axes(work, "axes", 3, axes, CLT__ONNX_RANK),
              stepped = clt__onnx_axes(work, "steps", 4, steps, CLT__ONNX_RANK);
    if (count < 1 || other != count || (named && named != count) || (stepped && stepped != count)) return false;
    for (int i = 0; i < from->rank; i++) {
        cuts->begin[i] = 0;
        cuts->count[i] = from->dim[i];
        cuts->step[i] = 1;
    }
    for (int i = 0; i < count; i++) {
        const int axis = clt__onnx_axis(named ? axes[i] : i, from->rank);
        const int64_t step = stepped ? steps[i] : 1;
        if (axis < 0 || step == 0 || step <= -INT32_MAX || step >= INT32_MAX) return false;
        cuts->step[axis] = step;
        cuts->count[axis] = clt__onnx_cut(from->dim[axis], starts[i], ends[i], step, &cuts->begin[axis]);
    }
    return true;
}
