/* Nodes that move no value, or few: reshapes, transposes, parts, padding. */
#include <math.h>
#include <stdio.h>
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

/* ---- parts of an axis: of the channels, which other axes change places with */

/* A value whose channels are dimension `axis`. Not `fits` where that is no axis of images. */
static clt_status take_axis(const clt__onnx_work *work, clt__onnx_value *x, int axis, bool *fits, clt_error *error)
{
    TRY(clt__onnx_in_order(work, x, error));
    *fits = axis >= 0 && clt__view_is_axis(&x->view, axis, 'C', x->shape.channels);
    return *fits || axis < 1 ? CLT_OK : clt__onnx_lay_out(work, x, axis, fits, error);
}

/* The channels from `first` on, which are all of dimension `axis`. */
static clt_status cut_channels(const clt__onnx_work *work, clt__onnx_value *x, int axis, int64_t first, int64_t count,
                               clt_error *error)
{
    const clt_shape shape = {(int)count, x->shape.height, x->shape.width};
    TRY(clt__onnx_follow(work->graph, "slice", &x->line, shape, error, " first=%lld count=%lld", (long long)first,
                         (long long)count));
    x->shape = shape;
    x->view.dim[axis].atoms = count > 1;
    x->view.dim[axis].atom[0] = (clt__atom){'C', count, 1};
    x->users = 0;
    return CLT_OK;
}

static clt_status split(const clt__onnx_work *work, clt_error *error)
{
    enum { MOST = 64 };
    clt__onnx_value *x = clt__onnx_input(work, 0);
    int64_t sizes[MOST], first = 0;
    const size_t outputs = work->node->n_output;
    bool fits;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", 0), x->view.rank);
    TRY(take_axis(work, x, axis, &fits, error));
    if (!fits || outputs < 1 || outputs > MOST)
        return clt__onnx_refuse(work, error, "only an axis of images can be split");
    int count = clt__onnx_axes(work, "split", 1, sizes, MOST);
    if (count == 0) {
        const int64_t each = (x->shape.channels + (int64_t)outputs - 1) / (int64_t)outputs;
        count = (int)outputs;
        for (int i = 0; i < count; i++)
            sizes[i] = each < x->shape.channels - i * each ? each : x->shape.channels - i * each;
    }
    int64_t sum = 0;
    fits = count == (int)outputs;
    for (int i = 0; fits && i < count; i++) {
        fits = sizes[i] >= 1 && sizes[i] <= x->shape.channels;
        sum += sizes[i];
    }
    if (!fits || sum != x->shape.channels) return clt__onnx_refuse(work, error, "its parts are not all of the axis");
    for (int i = 0; i < count; i++) {
        clt__onnx_value part = *x;
        if (clt__onnx_output(work, (size_t)i)) {
            TRY(cut_channels(work, &part, axis, first, sizes[i], error));
            TRY(clt__onnx_give_view(work, (size_t)i, &part, &part.view));
        }
        first += sizes[i];
    }
    return CLT_OK;
}

static clt_status slice(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value *x = clt__onnx_input(work, 0);
    clt__onnx_cuts cuts;
    bool fits;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const clt__onnx_shape from = clt__onnx_shape_of(x);
    if (!clt__onnx_find_cuts(work, &from, &cuts))
        return clt__onnx_refuse(work, error, "where it begins and ends is not known");
    for (int i = 0; i < from.rank; i++)
        if (cuts.step[i] != 1) return clt__onnx_refuse(work, error, "it takes steps");
    clt__onnx_value part = *x;
    for (int i = 0; i < from.rank; i++) {
        if (cuts.count[i] == from.dim[i]) continue;
        TRY(take_axis(work, &part, i, &fits, error));
        if (!fits || cuts.count[i] < 1) return clt__onnx_refuse(work, error, "only axes of images can be cut");
        TRY(cut_channels(work, &part, i, cuts.begin[i], cuts.count[i], error));
    }
    return clt__onnx_give_view(work, 0, &part, &part.view);
}

/* Whether a constant is `first`, first + 1 and so on. */
static bool counts_from(const clt__onnx_tensor *constant, double first)
{
    for (size_t i = 0; i < constant->count; i++)
        if (clt__onnx_at(constant, i) != first + (double)i) return false;
    return true;
}

/* Neighbours on an axis, or all elements in their order, which is a reshape: PyTorch's as_strided comes so. */
static clt_status gather(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value *x = clt__onnx_input(work, 0);
    const clt__onnx_value *index = clt__onnx_input(work, 1);
    const clt__onnx_tensor *places = &index->constant;
    clt__view view;
    if (!clt__onnx_flows(x) || !clt__onnx_is_constant(index) || places->count == 0)
        return clt__onnx_refuse(work, error, "its data is a constant, or its indices are not");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", 0), x->view.rank);
    const double first = clt__onnx_at(places, 0);
    const int64_t count = (int64_t)places->count, size = axis < 0 ? 0 : clt__view_size(&x->view, axis),
                  begin = (int64_t)first + (first < 0 ? size : 0);
    bool fits = false;
    if (!counts_from(places, first) || begin < 0 || begin + count > size)
        return clt__onnx_refuse(work, error, "only neighbours can be picked");
    if (x->view.rank == 1 && first == 0 && count == size &&
        clt__view_reshape(&x->view, places->rank, places->dim, &view))
        return clt__onnx_give_view(work, 0, x, &view);
    clt__onnx_value part = *x;
    if (places->rank == 1) TRY(take_axis(work, &part, axis, &fits, error));
    if (!fits) return clt__onnx_refuse(work, error, "only an axis of images can be picked from");
    TRY(cut_channels(work, &part, axis, begin, count, error));
    return clt__onnx_give_view(work, 0, &part, &part.view);
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

/* ---- padding */

static clt_status pad(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *given = clt__onnx_input(work, 0), *fill = clt__onnx_input(work, 2);
    clt__onnx_value x;
    int64_t pads[2 * CLT__ONNX_RANK], axes[CLT__ONNX_RANK], all[2 * CLT__ONNX_RANK] = {0};
    bool fits;
    TRY(clt__onnx_as_image(work, given, &x, &fits, error));
    if (!fits) return CLT_OK;
    const int rank = x.view.rank, named = clt__onnx_axes(work, "axes", 3, axes, CLT__ONNX_RANK);
    const int count = clt__onnx_axes(work, "pads", 1, pads, 2 * CLT__ONNX_RANK), half = named ? named : rank;
    if (named < 0 || count != 2 * half) return clt__onnx_refuse(work, error, "how much it pads is not known");
    for (int i = 0; i < half; i++) {
        const int axis = clt__onnx_axis(named ? axes[i] : i, rank);
        if (axis < 0) return clt__onnx_refuse(work, error, "it pads an axis that is not there");
        all[axis] = pads[i];
        all[rank + axis] = pads[half + i];
    }
    for (int i = 0; i < rank; i++)
        if (all[i] < 0 || all[rank + i] < 0 || all[i] > 100000 || all[rank + i] > 100000 ||
            (i < 2 && (all[i] || all[rank + i])))
            return clt__onnx_refuse(work, error, "only rows and columns can be added");
    const int top = rank == 4 ? (int)all[2] : 0, bottom = rank == 4 ? (int)all[rank + 2] : 0,
              left = rank > 2 ? (int)all[rank - 1] : 0, right = rank > 2 ? (int)all[2 * rank - 1] : 0;
    if (fill->kind != CLT__ONNX_ABSENT && (!clt__onnx_is_constant(fill) || fill->constant.count != 1))
        return clt__onnx_refuse(work, error, "what it pads with is not known");
    const double value =
        clt__onnx_is_constant(fill) ? clt__onnx_at(&fill->constant, 0) : clt__onnx_float(work, "value", 0);
    const char *mode = clt__onnx_is_word(work, "mode", "reflect") ? "reflect"
                       : clt__onnx_is_word(work, "mode", "edge")  ? "replicate"
                                                                  : "constant";
    if (clt__onnx_has(work, "mode") && strcmp(mode, "constant") == 0 && !clt__onnx_is_word(work, "mode", "constant"))
        return clt__onnx_refuse(work, error, "its mode is not constant, reflect or edge");
    if (!isfinite((float)value)) return clt__onnx_refuse(work, error, "it pads with no finite number");
    if (!(top || bottom || left || right)) return clt__onnx_give_view(work, 0, &x, &x.view);
    const clt_shape shape = {x.shape.channels, x.shape.height + top + bottom, x.shape.width + left + right};
    char more[48] = "", number[32];
    if (value != 0) (void)snprintf(more, sizeof more, " value=%s", clt__onnx_number(value, number));
    return clt__onnx_give_line(work, &x, "pad", shape, NULL, error, " mode=%s before=%dx%d after=%dx%d%s", mode, top,
                               left, bottom, right, more);
}

const clt__onnx_row clt__onnx_shape_rows[] = {
    {"Identity", pass, NULL},
    {"Cast", pass, NULL},
    {"Reshape", reshape, NULL},
    {"Flatten", reshape, NULL},
    {"Squeeze", reshape, NULL},
    {"Unsqueeze", reshape, NULL},
    {"Slice", slice, NULL},
    {"Split", split, NULL},
    {"Gather", gather, NULL},
    {"Transpose", transpose, NULL},
    {"Pad", pad, NULL},
    {"DepthToSpace", shuffle_pixels, "pixelshuffle"},
    {"SpaceToDepth", shuffle_pixels, "pixelunshuffle"},
    {NULL, NULL, NULL},
};
