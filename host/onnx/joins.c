/* Concat. */
#include <string.h>

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

/* Their lines joined, more than eight in steps. */
static clt_status join(const clt__onnx_work *work, clt__onnx_value *joined, clt_error *error)
{
    const size_t count = work->node->n_input;
    int input[MOST] = {joined->line}, inputs = 1;
    for (size_t i = 1; i < count; i++) {
        const clt__onnx_value *x = clt__onnx_input(work, i);
        input[inputs++] = x->line;
        joined->shape.channels += x->shape.channels;
        if (inputs < MOST && i + 1 < count) continue;
        TRY(clt__onnx_write(work->graph, "concat", NULL, input, inputs, joined->shape, &joined->line, error, "%s", ""));
        joined->users = 0;
        input[0] = joined->line;
        inputs = 1;
    }
    return CLT_OK;
}

static clt_status concat(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *first = clt__onnx_input(work, 0);
    int64_t channels = 0;
    if (!clt__onnx_flows(first)) return clt__onnx_refuse(work, error, "one of its inputs is a constant");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", 0), first->view.rank);
    if (axis < 1) return clt__onnx_refuse(work, error, "only channels can be joined");
    for (size_t i = 0; i < work->node->n_input; i++) {
        const clt__onnx_value *x = clt__onnx_input(work, i);
        if (!is_alike(x, first, axis))
            return clt__onnx_refuse(work, error, "its inputs are not alike but for their channels");
        channels += x->shape.channels;
    }
    if (channels > 1000000) return clt__onnx_refuse(work, error, "it has too many channels");
    clt__onnx_value joined = *first;
    TRY(join(work, &joined, error));
    joined.view.dim[axis].atoms = channels > 1;
    joined.view.dim[axis].atom[0] = (clt__atom){'C', channels, 1};
    return clt__onnx_give_view(work, 0, &joined, &joined.view);
}

const clt__onnx_row clt__onnx_join_rows[] = {{"Concat", concat, NULL}, {NULL, NULL, NULL}};
