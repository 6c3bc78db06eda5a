/* Nodes that pool. */
#include <stdio.h>
#include <string.h>

#include "onnx/graph.h"
#include "onnx/sliding.h"

static clt_status pool(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value x;
    clt__onnx_window w;
    bool fits;
    char options[256];
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    TRY(clt__onnx_read_window(work, &x, NULL, false, &w, &fits, error));
    if (!fits) return CLT_OK;
    if (clt__onnx_output(work, 1)) return clt__onnx_refuse(work, error, "the places of its maxima are wanted");
    clt__onnx_window_options(&w, w.kernel, options, sizeof options);
    const clt_shape shape = {x.shape.channels, w.out[0], w.out[1]};
    const bool leaves_out = strcmp(work->kind, "avgpool") == 0 && !clt__onnx_int(work, "count_include_pad", 0);
    return clt__onnx_give_line(work, &x, work->kind, shape, NULL, error, "%s%s%s", options, w.ceil ? " ceil=yes" : "",
                               leaves_out ? " count_include_pad=no" : "");
}

static clt_status global(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value x;
    bool fits;
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    if (x.view.rank < 3) return clt__onnx_refuse(work, error, "its input is no image");
    return clt__onnx_give_line(work, &x, work->kind, (clt_shape){x.shape.channels, 1, 1}, NULL, error, "%s", "");
}

/* ---- means and maxima over axes */

/* Which axes of the images, as letters in the order N, C, H, W; "" where dimensions are not whole axes. */
static void find_letters(const clt__onnx_value *x, const bool *reduced, char letters[5])
{
    bool all[4] = {false};
    static const char order[] = "NCHW";
    const int64_t size[] = {0, x->shape.channels, x->shape.height, x->shape.width};
    int64_t got[4] = {1, 1, 1, 1};
    for (int i = 0; i < x->view.rank; i++)
        for (int j = 0; reduced[i] && j < x->view.dim[i].atoms; j++) {
            const long letter = strchr(order, x->view.dim[i].atom[j].of) - order;
            got[letter] *= x->view.dim[i].atom[j].size;
            all[letter] = true;
        }
    int length = 0;
    for (int i = 0; i < 4; i++) {
        if (!all[i]) continue;
        letters[length++] = order[i];
        if (i && got[i] != size[i]) length = 0, i = 4;
    }
    letters[length] = 0;
}

/* The dimensions that stay, with the reduced ones as 1 or left out. */
static void reduce_view(const clt__onnx_value *x, const bool *reduced, bool keep, clt__view *view)
{
    *view = (clt__view){0};
    for (int i = 0; i < x->view.rank; i++) {
        if (!reduced[i]) view->dim[view->rank] = x->view.dim[i];
        view->rank += !reduced[i] || keep;
    }
}

static bool read_reduced(const clt__onnx_work *work, const clt__onnx_value *x, bool *reduced)
{
    int64_t axes[CLT__ONNX_RANK];
    const int count = clt__onnx_axes(work, "axes", 1, axes, CLT__ONNX_RANK);
    for (int i = 0; i < x->view.rank; i++) reduced[i] = count == 0;
    for (int i = 0; i < count; i++) {
        const int axis = clt__onnx_axis(axes[i], x->view.rank);
        if (axis < 0) return false;
        reduced[axis] = true;
    }
    return count >= 0;
}

/* Over an image's pixels to the layer of the row; a mean over the channels is one too. */
static clt_status reduce(const clt__onnx_work *work, clt_error *error)
{
    const char *over_channels = strcmp(work->kind, "globalavgpool") == 0 ? "channelmean" : NULL;
    clt__onnx_value *x = clt__onnx_input(work, 0);
    bool reduced[CLT__ONNX_RANK];
    char letters[5];
    clt__view view;
    if (!clt__onnx_flows(x) || !read_reduced(work, x, reduced))
        return clt__onnx_refuse(work, error, "its axes cannot be found");
    TRY(clt__onnx_in_order(work, x, error));
    find_letters(x, reduced, letters);
    const bool pixels = x->shape.height * x->shape.width == 1;
    const bool image = strcmp(letters, "HW") == 0 || (strcmp(letters, "W") == 0 && x->shape.height == 1) ||
                       (strcmp(letters, "H") == 0 && x->shape.width == 1) || (!*letters && pixels);
    const bool channels = strcmp(letters, "C") == 0 && over_channels;
    if (!image && !channels)
        return clt__onnx_refuse(work, error, "only %s can be reduced",
                                over_channels ? "an image's pixels or its channels" : "an image's pixels");
    reduce_view(x, reduced, clt__onnx_int(work, "keepdims", 1) != 0, &view);
    const clt_shape shape =
        image ? (clt_shape){x->shape.channels, 1, 1} : (clt_shape){1, x->shape.height, x->shape.width};
    return clt__onnx_give_line(work, x, image ? work->kind : over_channels, shape, &view, error, "%s", "");
}

const clt__onnx_row clt__onnx_pool_rows[] = {
    {"MaxPool", pool, "maxpool"},
    {"AveragePool", pool, "avgpool"},
    {"GlobalAveragePool", global, "globalavgpool"},
    {"GlobalMaxPool", global, "globalmaxpool"},
    {"ReduceMean", reduce, "globalavgpool"},
    {"ReduceMax", reduce, "globalmaxpool"},
    {NULL, NULL, NULL},
};
