/* Nodes that pool. */
#include <stdio.h>
#include <string.h>

#include "onnx/graph.h"
#include "onnx/scales.h"
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
    const clt__onnx_value *places = clt__onnx_output(work, 1);
    if (places && places->users) return clt__onnx_refuse(work, error, "the places of its maxima are wanted");
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

/* Which axes of the images, as letters in the order N, C, H, W; false where some are there in part. */
static bool find_letters(const clt__onnx_value *x, const bool *reduced, char letters[5])
{
    static const char order[] = "NCHW";
    const int64_t size[] = {0, x->shape.channels, x->shape.height, x->shape.width};
    int64_t got[4] = {1, 1, 1, 1};
    bool batch = false, whole = true;
    for (int i = 0; i < x->view.rank; i++)
        for (int j = 0; reduced[i] && j < x->view.dim[i].atoms; j++) {
            const clt__atom *atom = &x->view.dim[i].atom[j];
            batch = batch || atom->of == 'N';
            got[strchr(order, atom->of) - order] *= atom->size;
        }
    int length = 0;
    if (batch) letters[length++] = 'N';
    for (int i = 1; i < 4; i++) {
        whole = whole && (got[i] == 1 || got[i] == size[i]);
        if (got[i] > 1) letters[length++] = order[i];
    }
    letters[length] = 0;
    return whole;
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

/* x becomes a mean or a maximum over its rows, its columns or both. */
static clt_status reduce_pixels(const clt__onnx_work *work, clt__onnx_value *x, bool rows, bool columns, bool most,
                                clt_error *error)
{
    const int kernel[] = {rows ? x->shape.height : 1, columns ? x->shape.width : 1};
    if (kernel[0] * kernel[1] == 1) return CLT_OK;
    x->shape.height /= kernel[0];
    x->shape.width /= kernel[1];
    if (x->shape.height * x->shape.width == 1)
        return clt__onnx_follow(work->graph, most ? "globalmaxpool" : "globalavgpool", &x->line, x->shape, error, "%s",
                                "");
    return clt__onnx_follow(work->graph, most ? "maxpool" : "avgpool", &x->line, x->shape, error, " kernel=%dx%d",
                            kernel[0], kernel[1]);
}

/* Over the channels, which for a maximum become rows. */
static clt_status reduce_channels(const clt__onnx_work *work, clt__onnx_value *x, bool most, clt_error *error)
{
    static const int swapped[] = {1, 0, 2};
    if (x->shape.channels == 1) return CLT_OK;
    if (most) {
        TRY(clt__onnx_permute(work, x, swapped, error));
        TRY(reduce_pixels(work, x, true, false, true, error));
        return clt__onnx_permute(work, x, swapped, error);
    }
    x->shape.channels = 1;
    return clt__onnx_follow(work->graph, "channelmean", &x->line, x->shape, error, "%s", "");
}

/* A sum is a mean times the number of what it is of, a minimum what the maximum of -x is, negated; a norm the root of a
 * sum of squares. */
static clt_status reduce(const clt__onnx_work *work, clt_error *error)
{
    const bool least = strcmp(work->kind, "min") == 0, most = least || strcmp(work->kind, "max") == 0,
               norm = strcmp(work->kind, "norm") == 0;
    clt__onnx_value *given = clt__onnx_input(work, 0);
    bool reduced[CLT__ONNX_RANK];
    char letters[5];
    if (!clt__onnx_flows(given) || !read_reduced(work, given, reduced))
        return clt__onnx_refuse(work, error, "its axes cannot be found");
    TRY(clt__onnx_in_order(work, given, error));
    clt__onnx_value x = *given;
    const int64_t elements = (int64_t)x.shape.channels * x.shape.height * x.shape.width;
    if (!find_letters(&x, reduced, letters))
        return clt__onnx_refuse(work, error, "its axes are not all of an image's rows, columns or channels");
    const bool channels = strchr(letters, 'C') != NULL;
    if (strchr(letters, 'N')) return clt__onnx_refuse(work, error, "only what an image has can be reduced so");
    TRY(clt__onnx_unflatten(work, &x, error));
    reduce_view(given, reduced, clt__onnx_int(work, "keepdims", 1) != 0, &x.view);
    if (least) TRY(clt__onnx_turn(work, &x, "neg", &x, error));
    if (norm) TRY(clt__onnx_follow(work->graph, "pow", &x.line, x.shape, error, "%s", " exponent=2"));
    TRY(reduce_pixels(work, &x, strchr(letters, 'H'), strchr(letters, 'W'), most, error));
    if (channels) TRY(reduce_channels(work, &x, most, error));
    if (least) TRY(clt__onnx_turn(work, &x, "neg", &x, error));
    const int64_t left = (int64_t)x.shape.channels * x.shape.height * x.shape.width;
    if (!norm && strcmp(work->kind, "sum") != 0) return clt__onnx_give_view(work, 0, &x, &x.view);
    TRY(clt__onnx_times(work, &x, (double)elements / (double)left, error));
    const clt__onnx_value *sum = clt__onnx_output(work, 0);
    return norm && sum ? clt__onnx_give_line(work, sum, "sqrt", sum->shape, &sum->view, error, "%s", "") : CLT_OK;
}

const clt__onnx_row clt__onnx_pool_rows[] = {
    {"MaxPool", pool, "maxpool"},
    {"AveragePool", pool, "avgpool"},
    {"GlobalAveragePool", global, "globalavgpool"},
    {"GlobalMaxPool", global, "globalmaxpool"},
    {"ReduceMean", reduce, "mean"},
    {"ReduceSum", reduce, "sum"},
    {"ReduceMax", reduce, "max"},
    {"ReduceMin", reduce, "min"},
    {"ReduceL2", reduce, "norm"},
    {NULL, NULL, NULL},
};
