/* Nodes that take parts of an image, or put more around it: all is done along the channels, which other axes change
 * places with. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/graph.h"
#include "onnx/new_shape.h"

/* ---- parts of an axis */

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
    clt__view_set_axis(&x->view, axis, 'C', count);
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

/* Every so many rows and columns: what a pool of windows of one pixel gives. */
static clt_status take_steps(const clt__onnx_work *work, clt__onnx_value *x, const int64_t *step, bool *fits,
                             clt_error *error)
{
    const int rank = x->view.rank;
    const int64_t down = rank == 4 ? step[2] : 1, across = rank > 2 ? step[rank - 1] : 1;
    *fits = true;
    if (down == 1 && across == 1) return CLT_OK;
    *fits = down <= 100000 && across <= 100000;
    if (*fits) TRY(clt__onnx_lay_out(work, x, 1, fits, error));
    if (!*fits) return CLT_OK;
    x->shape.height = (x->shape.height - 1) / (int)down + 1;
    x->shape.width = (x->shape.width - 1) / (int)across + 1;
    x->view = clt__view_of(work->graph->batch, x->shape, rank);
    return clt__onnx_follow(work->graph, "maxpool", &x->line, x->shape, error, " kernel=1 stride=%dx%d", (int)down,
                            (int)across);
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
    clt__onnx_value part = *x;
    for (int i = 0; i < from.rank; i++) {
        if (cuts.count[i] == from.dim[i] && cuts.step[i] == 1) continue;
        if (cuts.count[i] < 1 || cuts.step[i] < 1 || (i < 2 && cuts.step[i] > 1))
            return clt__onnx_refuse(work, error, "it takes nothing, steps back, or takes steps along the channels");
        const int64_t reach = (cuts.count[i] - 1) * cuts.step[i] + 1;
        if (reach == from.dim[i]) continue;
        TRY(take_axis(work, &part, i, &fits, error));
        if (!fits) return clt__onnx_refuse(work, error, "only axes of images can be cut");
        TRY(cut_channels(work, &part, i, cuts.begin[i], reach, error));
    }
    TRY(take_steps(work, &part, cuts.step, &fits, error));
    return fits ? clt__onnx_give_view(work, 0, &part, &part.view)
                : clt__onnx_refuse(work, error, "only rows and columns can be taken in steps");
}

/* Runs of neighbours among places on an axis: parts, joined again where there are several. */
static clt_status pick(const clt__onnx_work *work, clt__onnx_value *x, int axis, const int64_t *place, int count,
                       clt_error *error)
{
    enum { MOST = 8 };
    clt__onnx_value part[MOST];
    size_t parts = 0;
    for (int i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && place[next] == place[next - 1] + 1;) next++;
        if (parts == MOST) return clt__onnx_refuse(work, error, "it picks from more than eight places");
        part[parts] = *x;
        TRY(cut_channels(work, &part[parts++], axis, place[i], next - i, error));
    }
    return clt__onnx_join(work, part, parts, axis, x, error);
}

/* False where one is beyond the axis. */
static bool read_places(const clt__onnx_tensor *constant, int64_t size, int64_t *place)
{
    for (size_t i = 0; i < constant->count; i++) {
        const double value = clt__onnx_at(constant, i);
        place[i] = (int64_t)value + (value < 0 ? size : 0);
        if (!(value >= -(double)size && value < (double)size)) return false;
    }
    return true;
}

/* A dimension of size 1 goes. */
static void drop_dimension(clt__view *view, int dim)
{
    for (int i = dim; i + 1 < view->rank; i++) view->dim[i] = view->dim[i + 1];
    view->rank--;
}

/* Places on an axis; or all elements in their order, which is a reshape: PyTorch's as_strided comes so. */
static clt_status gather(const clt__onnx_work *work, clt_error *error)
{
    enum { MOST = 4096 };
    clt__onnx_value *x = clt__onnx_input(work, 0);
    const clt__onnx_value *index = clt__onnx_input(work, 1);
    const clt__onnx_tensor *places = &index->constant;
    clt__view view;
    int64_t place[MOST];
    bool fits;
    if (!clt__onnx_flows(x) || !clt__onnx_is_constant(index) || places->count == 0)
        return clt__onnx_refuse(work, error, "its data is a constant, or its indices are not");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", 0), x->view.rank);
    const int64_t size = axis < 0 ? 0 : clt__view_size(&x->view, axis);
    bool all = x->view.rank == 1 && (int64_t)places->count == size;
    for (size_t i = 0; i < places->count && all; i++) all = clt__onnx_at(places, i) == (double)i;
    if (all && clt__view_reshape(&x->view, places->rank, places->dim, &view))
        return clt__onnx_give_view(work, 0, x, &view);
    if (places->count > MOST || places->rank > 1 || !read_places(places, size, place))
        return clt__onnx_refuse(work, error, "its indices are no list of places on an axis");
    clt__onnx_value part = *x;
    TRY(take_axis(work, &part, axis, &fits, error));
    if (!fits) return clt__onnx_refuse(work, error, "only an axis of images can be picked from");
    TRY(pick(work, &part, axis, place, (int)places->count, error));
    if (places->rank == 0) drop_dimension(&part.view, axis);
    return clt__onnx_give_view(work, 0, &part, &part.view);
}

/* ---- repetition */

/* One channel becomes several, by way of the rows. */
static clt_status repeat_channel(const clt__onnx_work *work, clt__onnx_value *x, int times, clt_error *error)
{
    static const int swapped[] = {1, 0, 2};
    if (times == 1) return CLT_OK;
    TRY(clt__onnx_permute(work, x, swapped, error));
    TRY(clt__onnx_repeat(work, x, times, 1, error));
    return clt__onnx_permute(work, x, swapped, error);
}

/* How often what is one channel, row or column is wanted. NULL, or why that cannot be. */
static const char *read_times(const clt__onnx_work *work, const clt__onnx_value *x, int times[4])
{
    const clt__onnx_value *size = clt__onnx_input(work, 1);
    const int64_t from[] = {work->graph->batch, x->shape.channels, x->shape.height, x->shape.width};
    const int rank = x->view.rank, wanted = clt__onnx_is_constant(size) ? (int)size->constant.count : 0;
    if (wanted < 1 || wanted > rank) return "its new shape is not known, or has another rank";
    for (int i = 0; i < wanted; i++) {
        const int dim = rank - wanted + i, at = dim < 2 ? dim : dim + 4 - rank;
        const double value = clt__onnx_at(&size->constant, (size_t)i);
        if (value == 1 || value == (double)from[at]) continue;
        if (at < 1 || from[at] != 1 || !(value >= 1 && value <= 100000))
            return "only one channel, row or column can become more";
        times[at] = (int)value;
    }
    return NULL;
}

static clt_status expand(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value x;
    bool fits;
    int times[] = {1, 1, 1, 1};
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    const char *reason = read_times(work, &x, times);
    if (reason) return clt__onnx_refuse(work, error, "%s", reason);
    const bool same = times[1] == 1 && times[2] == 1 && times[3] == 1;
    if (same) return clt__onnx_give_view(work, 0, &x, &x.view);
    TRY(clt__onnx_unflatten(work, &x, error));
    TRY(repeat_channel(work, &x, times[1], error));
    TRY(clt__onnx_repeat(work, &x, times[2], times[3], error));
    x.view = clt__view_of(work->graph->batch, x.shape, x.view.rank);
    return clt__onnx_give_view(work, 0, &x, &x.view);
}

/* ---- padding */

/* Pads below 0 cut: all that is left of them is 0. Not `fits` where nothing would be left. */
static clt_status cut_negative(const clt__onnx_work *work, clt__onnx_value *x, int64_t *pads, bool *fits,
                               clt_error *error)
{
    const int rank = x->view.rank;
    bool cut = false;
    for (int i = 2; i < rank; i++) {
        int64_t *before = &pads[i], *after = &pads[rank + i];
        const int64_t first = *before < 0 ? -*before : 0, last = *after < 0 ? -*after : 0,
                      size = clt__view_size(&x->view, i);
        *fits = size > first + last;
        if (!*fits) return CLT_OK;
        if (!first && !last) continue;
        TRY(take_axis(work, x, i, fits, error));
        if (!*fits) return CLT_OK;
        TRY(cut_channels(work, x, i, first, size - first - last, error));
        *before = *before > 0 ? *before : 0;
        *after = *after > 0 ? *after : 0;
        cut = true;
    }
    *fits = true;
    return cut ? clt__onnx_lay_out(work, x, 1, fits, error) : CLT_OK;
}

/* Around the image comes the image again: its last rows before its first, and so on. */
static clt_status wrap(const clt__onnx_work *work, clt__onnx_value *x, const int64_t *pads, clt_error *error)
{
    const int rank = x->view.rank;
    for (int i = 2; i < rank; i++) {
        const int64_t before = pads[i], after = pads[rank + i], size = clt__view_size(&x->view, i);
        clt__onnx_value part[3];
        size_t parts = 0;
        bool fits;
        if (!before && !after) continue;
        TRY(take_axis(work, x, i, &fits, error));
        if (!fits || before > size || after > size) return clt__onnx_refuse(work, error, "it wraps more than there is");
        if (before) part[parts++] = *x;
        if (before) TRY(cut_channels(work, &part[0], i, size - before, before, error));
        part[parts++] = *x;
        if (after) part[parts++] = *x;
        if (after) TRY(cut_channels(work, &part[parts - 1], i, 0, after, error));
        TRY(clt__onnx_join(work, part, parts, i, x, error));
    }
    return clt__onnx_give_view(work, 0, x, &x->view);
}

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
        if (llabs(all[i]) > 100000 || llabs(all[rank + i]) > 100000 || (i < 2 && (all[i] || all[rank + i])))
            return clt__onnx_refuse(work, error, "only rows and columns can be added or cut");
    TRY(cut_negative(work, &x, all, &fits, error));
    if (!fits) return clt__onnx_refuse(work, error, "it cuts more than there is");
    const int top = rank == 4 ? (int)all[2] : 0, bottom = rank == 4 ? (int)all[rank + 2] : 0,
              left = rank > 2 ? (int)all[rank - 1] : 0, right = rank > 2 ? (int)all[2 * rank - 1] : 0;
    if (fill->kind != CLT__ONNX_ABSENT && (!clt__onnx_is_constant(fill) || fill->constant.count != 1))
        return clt__onnx_refuse(work, error, "what it pads with is not known");
    const double value =
        clt__onnx_is_constant(fill) ? clt__onnx_at(&fill->constant, 0) : clt__onnx_float(work, "value", 0);
    if (clt__onnx_is_word(work, "mode", "wrap")) return wrap(work, &x, all, error);
    const char *mode = clt__onnx_is_word(work, "mode", "reflect") ? "reflect"
                       : clt__onnx_is_word(work, "mode", "edge")  ? "replicate"
                                                                  : "constant";
    if (clt__onnx_has(work, "mode") && strcmp(mode, "constant") == 0 && !clt__onnx_is_word(work, "mode", "constant"))
        return clt__onnx_refuse(work, error, "its mode is not constant, reflect, edge or wrap");
    if (!isfinite((float)value)) return clt__onnx_refuse(work, error, "it pads with no finite number");
    if (!(top || bottom || left || right)) return clt__onnx_give_view(work, 0, &x, &x.view);
    const clt_shape shape = {x.shape.channels, x.shape.height + top + bottom, x.shape.width + left + right};
    char more[48] = "", number[32];
    if (value != 0) (void)snprintf(more, sizeof more, " value=%s", clt__onnx_number(value, number));
    return clt__onnx_give_line(work, &x, "pad", shape, NULL, error, " mode=%s before=%dx%d after=%dx%d%s", mode, top,
                               left, bottom, right, more);
}

const clt__onnx_row clt__onnx_part_rows[] = {
    {"Slice", slice, NULL},   {"Split", split, NULL}, {"Gather", gather, NULL},
    {"Expand", expand, NULL}, {"Pad", pad, NULL},     {NULL, NULL, NULL},
};
