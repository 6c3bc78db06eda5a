/* Nodes that give their elements another shape or order: most move no value. */
#include <string.h>

#include "onnx/graph.h"
#include "onnx/new_shape.h"

static clt_status pass(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0);
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    return clt__onnx_give_view(work, 0, x, &x->view);
}

/* ---- shapes */

static clt_status reshape(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0);
    clt__view view;
    clt__onnx_shape to;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const clt__onnx_shape from = clt__onnx_shape_of(x);
    const char *reason = clt__onnx_new_shape(work, &from, &to);
    if (reason) return clt__onnx_refuse(work, error, "%s", reason);
    if (clt__view_reshape(&x->view, to.rank, to.dim, &view)) return clt__onnx_give_view(work, 0, x, &view);
    bool done;
    clt__onnx_value image = *x;
    TRY(clt__onnx_reshape(work, &image, to.rank, to.dim, &done, error));
    if (done) return clt__onnx_give_view(work, 0, &image, &image.view);
    return clt__onnx_refuse(work, error, "its new shape mixes the batch or parts of axes");
}

static clt_status transpose(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0);
    int order[CLT__ONNX_RANK];
    clt__view view;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    if (!clt__onnx_new_order(work, x->view.rank, order))
        return clt__onnx_refuse(work, error, "its order is none of the input's dimensions");
    clt__view_transpose(&x->view, order, &view);
    return clt__onnx_give_view(work, 0, x, &view);
}

/* Channels that become pixels, and back. ONNX counts a pixel's parts first, but in the mode CRD of DepthToSpace, and
 * cltrain as PyTorch the channels: a channel shuffle lies between. */
static clt_status shuffle_pixels(const clt__onnx_work *work, clt_error *error)
{
    const bool back = strcmp(work->kind, "pixelunshuffle") == 0,
               parts_first = back || !clt__onnx_is_word(work, "mode", "CRD");
    const int64_t scale = clt__onnx_int(work, "blocksize", 0);
    clt__onnx_value x;
    bool fits;
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    const clt_shape in = x.shape;
    const int s = scale >= 1 && scale <= 10000 ? (int)scale : 0, area = s * s;
    if (x.view.rank != 4 || !s ||
        (back ? in.height % s || in.width % s || in.channels > 1000000 / area : in.channels % area))
        return clt__onnx_refuse(work, error, "its block does not fit its input");
    const clt_shape shape = back ? (clt_shape){in.channels * area, in.height / s, in.width / s}
                                 : (clt_shape){in.channels / area, in.height * s, in.width * s};
    clt__onnx_graph *graph = work->graph;
    if (parts_first && !back) TRY(clt__onnx_follow(graph, "channelshuffle", &x.line, in, error, " groups=%d", area));
    TRY(clt__onnx_follow(graph, work->kind, &x.line, shape, error, " scale=%d", s));
    if (back) TRY(clt__onnx_follow(graph, "channelshuffle", &x.line, shape, error, " groups=%d", in.channels));
    const clt__view view = clt__view_of(graph->batch, shape, 4);
    return clt__onnx_give_made(work, 0, x.line, &view);
}

const clt__onnx_row clt__onnx_shape_rows[] = {
    {"Identity", pass, NULL},
    {"Cast", pass, NULL},
    {"Reshape", reshape, NULL},
    {"Flatten", reshape, NULL},
    {"Squeeze", reshape, NULL},
    {"Unsqueeze", reshape, NULL},
    {"Transpose", transpose, NULL},
    {"DepthToSpace", shuffle_pixels, "pixelshuffle"},
    {"SpaceToDepth", shuffle_pixels, "pixelunshuffle"},
    {NULL, NULL, NULL},
};
