/* Concat. */
#include <stdlib.h>

#include "base/memory.h"
#include "onnx/graph.h"

enum { MOST = 8 };

/* Whether a value is like another but for its channels, which are dimension `axis`. */
static bool is_alike(const clt__onnx_value *x, const clt__onnx_value *first, int axis)
{
    if (!clt__onnx_flows(x) || x->view.rank != first->view.rank || x->shape.height != first->shape.height ||
        x->shape.width != first->shape.width || !clt__view_is_axis(&x->view, axis, 'C', x->shape.channels))
        return false;
    clt__view with = x->view;
    with.dim[axis] = first->view.dim[axis];
    return clt__view_equal(&with, &first->view);
}

/* More than eight are joined in steps. */
clt_status clt__onnx_join(const clt__onnx_work *work, const clt__onnx_value *parts, size_t count, int axis,
                          clt__onnx_value *joined, clt_error *error)
{
    int input[MOST] = {parts->line}, inputs = 1;
    *joined = *parts;
    for (size_t i = 1; i < count; i++) {
        input[inputs++] = parts[i].line;
        joined->shape.channels += parts[i].shape.channels;
        if (inputs < MOST && i + 1 < count) continue;
        TRY(clt__onnx_write(work->graph, "concat", NULL, input, inputs, joined->shape, &joined->line, error, "%s", ""));
        joined->users = 0;
        input[0] = joined->line;
        inputs = 1;
    }
    clt__view_set_axis(&joined->view, axis, 'C', joined->shape.channels);
    return CLT_OK;
}

/* Each value with its channels as dimension `axis`: where they are another, they change places. */
static clt_status lay_out(const clt__onnx_work *work, int axis, clt__onnx_value *parts, bool *alike, clt_error *error)
{
    *alike = true;
    for (size_t i = 0; i < work->node->n_input && *alike; i++) {
        clt__onnx_value *part = &parts[i];
        *part = *clt__onnx_input(work, i);
        *alike = clt__onnx_flows(part) && axis < part->view.rank;
        if (*alike && !clt__view_is_axis(&part->view, axis, 'C', part->shape.channels))
            TRY(clt__onnx_lay_out(work, part, axis, alike, error));
        *alike = *alike && is_alike(part, parts, axis);
    }
    return CLT_OK;
}

static clt_status join_axis(const clt__onnx_work *work, int axis, clt__onnx_value *parts, clt_error *error)
{
    clt__onnx_value joined;
    int64_t channels = 0;
    bool alike;
    TRY(lay_out(work, axis, parts, &alike, error));
    if (!alike) return clt__onnx_refuse(work, error, "its inputs are not images that differ in one axis");
    for (size_t i = 0; i < work->node->n_input; i++) channels += parts[i].shape.channels;
    if (channels > 1000000) return clt__onnx_refuse(work, error, "it has too many channels");
    TRY(clt__onnx_join(work, parts, work->node->n_input, axis, &joined, error));
    return clt__onnx_give_view(work, 0, &joined, &joined.view);
}

static clt_status concat(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *first = clt__onnx_input(work, 0);
    clt__onnx_value *parts;
    if (!clt__onnx_flows(first)) return clt__onnx_refuse(work, error, "one of its inputs is a constant");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", 0), first->view.rank);
    if (axis < 1) return clt__onnx_refuse(work, error, "batches cannot be joined");
    TRY(clt__allocate(work->node->n_input, sizeof *parts, "what a node joins", &parts, error));
    const clt_status status = join_axis(work, axis, parts, error);
    free(parts);
    return status;
}

const clt__onnx_row clt__onnx_join_rows[] = {{"Concat", concat, NULL}, {NULL, NULL, NULL}};
