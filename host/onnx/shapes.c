/* Nodes that move no value, or few: reshapes, transposes, parts, padding, sizes. */
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

/* ---- parts of the channels */

/* The channels of a value from `first` on, as output `output`. `axis` is all of its channels. */
static clt_status give_slice(const clt__onnx_work *work, const clt__onnx_value *x, int axis, int64_t first,
                             int64_t count, size_t output, clt_error *error)
{
    const clt_shape shape = {(int)count, x->shape.height, x->shape.width};
    clt__view view = x->view;
    int line;
    if (!clt__onnx_output(work, output)) return CLT_OK;
    TRY(clt__onnx_write(work->graph, "slice", NULL, &x->line, 1, shape, &line, error, " first=%lld count=%lld",
                        (long long)first, (long long)count));
    view.dim[axis].atoms = count > 1;
    view.dim[axis].atom[0] = (clt__atom){'C', count, 1};
    return clt__onnx_give_made(work, output, line, &view);
}

static clt_status split(const clt__onnx_work *work, clt_error *error)
{
    enum { MOST = 64 };
    clt__onnx_value *x = clt__onnx_input(work, 0);
    int64_t sizes[MOST], first = 0;
    const size_t outputs = work->node->n_output;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    TRY(clt__onnx_in_order(work, x, error));
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", 0), x->view.rank);
    int count = clt__onnx_axes(work, "split", 1, sizes, MOST);
    if (axis < 0 || outputs < 1 || outputs > MOST || !clt__view_is_axis(&x->view, axis, 'C', x->shape.channels))
        return clt__onnx_refuse(work, error, "only channels can be split");
    if (count == 0) {
        const int64_t each = (x->shape.channels + (int64_t)outputs - 1) / (int64_t)outputs;
        count = (int)outputs;
        for (int i = 0; i < count; i++)
            sizes[i] = each < x->shape.channels - i * each ? each : x->shape.channels - i * each;
    }
    int64_t sum = 0;
    bool fits = count == (int)outputs;
    for (int i = 0; fits && i < count; i++) {
        fits = sizes[i] >= 1 && sizes[i] <= x->shape.channels;
        sum += sizes[i];
    }
    if (!fits || sum != x->shape.channels) return clt__onnx_refuse(work, error, "its parts are not all the channels");
    for (int i = 0; i < count; i++) {
        TRY(give_slice(work, x, axis, first, sizes[i], (size_t)i, error));
        first += sizes[i];
    }
    return CLT_OK;
}

static clt_status slice(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value *x = clt__onnx_input(work, 0);
    clt__onnx_cuts cuts;
    int cut = -1;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const clt__onnx_shape from = clt__onnx_shape_of(x);
    if (!clt__onnx_find_cuts(work, &from, &cuts))
        return clt__onnx_refuse(work, error, "where it begins and ends is not known");
    TRY(clt__onnx_in_order(work, x, error));
    for (int i = 0; i < from.rank; i++) {
        if (cuts.step[i] != 1) return clt__onnx_refuse(work, error, "it takes steps");
        if (cuts.count[i] == from.dim[i]) continue;
        if (cut >= 0 || cuts.count[i] < 1 || !clt__view_is_axis(&x->view, i, 'C', x->shape.channels))
            return clt__onnx_refuse(work, error, "only channels can be cut");
        cut = i;
    }
    if (cut < 0) return clt__onnx_give_view(work, 0, x, &x->view);
    return give_slice(work, x, cut, cuts.begin[cut], cuts.count[cut], 0, error);
}

/* Whether a constant is `first`, first + 1 and so on. */
static bool counts_from(const clt__onnx_tensor *constant, double first)
{
    for (size_t i = 0; i < constant->count; i++)
        if (clt__onnx_at(constant, i) != first + (double)i) return false;
    return true;
}

/* Neighbouring channels, or all elements in their order, which is a reshape: PyTorch's as_strided comes so. */
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
    if (axis >= 0 && counts_from(places, first)) {
        if (x->view.rank == 1 && first == 0 && (int64_t)places->count == clt__view_size(&x->view, 0) &&
            clt__view_reshape(&x->view, places->rank, places->dim, &view))
            return clt__onnx_give_view(work, 0, x, &view);
        TRY(clt__onnx_in_order(work, x, error));
        const int64_t channels = x->shape.channels, begin = (int64_t)first + (first < 0 ? channels : 0);
        if (places->rank == 1 && clt__view_is_axis(&x->view, axis, 'C', channels) && begin >= 0 &&
            begin + (int64_t)places->count <= channels)
            return give_slice(work, x, axis, begin, (int64_t)places->count, 0, error);
    }
    return clt__onnx_refuse(work, error, "only neighbouring channels can be picked");
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

/* ---- padding and sizes */

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

/* A size that is resized to: by its pixels, or by a scale, which stays part of the grid where it is not exact. */
typedef struct target {
    int pixels[2];
    double scale[2]; /* 0 where the sizes tell it */
} target;

static bool take_side(double wanted, bool by_size, int from, int *pixels, double *scale)
{
    const double size = by_size ? wanted : floor(from * (double)(float)wanted + 1e-6);
    if (!(size >= 1 && size <= 100000 && wanted > 0)) return false;
    *pixels = (int)size;
    *scale = by_size || fabs(size - from * wanted) <= 1e-4 ? 0 : wanted;
    return !by_size || wanted == size;
}

/* Sizes or scales are inputs of these numbers. */
static bool read_target(const clt__onnx_work *work, const clt__onnx_value *x, size_t scales, size_t sizes, target *to)
{
    const clt__onnx_value *scale = clt__onnx_input(work, scales), *size = clt__onnx_input(work, sizes);
    const int rank = x->view.rank, from[] = {x->shape.height, x->shape.width};
    const bool by_size = clt__onnx_is_constant(size);
    const clt__onnx_tensor *given = by_size ? &size->constant : &scale->constant;
    int64_t axes[CLT__ONNX_RANK];
    const int named = clt__onnx_ints(work, "axes", axes, CLT__ONNX_RANK), count = named ? named : rank;
    if (!(by_size || clt__onnx_is_constant(scale)) || named < 0 || (int)given->count != count || rank < 3) return false;
    *to = (target){.pixels = {from[0], from[1]}};
    for (int j = 0; j < count; j++) {
        const int i = clt__onnx_axis(named ? axes[j] : j, rank), at = 2 - (rank - i);
        const double wanted = clt__onnx_at(given, (size_t)j);
        if (i < 0) return false;
        if (i < 2) {
            if (by_size ? i == 1 && wanted != x->shape.channels : wanted != 1) return false;
        } else if (!take_side(wanted, by_size, from[at], &to->pixels[at], &to->scale[at])) {
            return false;
        }
    }
    return true;
}

/* The words of a net for the grid and the rounding; *grid is NULL where there are none. */
static void read_grid(const clt__onnx_work *work, bool upsample, const target *to, const char **grid,
                      const char **rounding)
{
    static const struct {
        const char *onnx, *net;
    } grids[] = {{"half_pixel", "half_pixel"}, {"align_corners", "align_corners"}, {"asymmetric", "asymmetric"}},
      roundings[] = {
          {"round_prefer_floor", "half_down"}, {"round_prefer_ceil", "half_up"}, {"floor", "floor"}, {"ceil", "ceil"}};
    const bool none = !clt__onnx_has(work, "coordinate_transformation_mode");
    *grid = upsample ? "asymmetric" : none ? "half_pixel" : NULL;
    *rounding = upsample ? "floor" : "half_down";
    for (size_t i = 0; i < sizeof grids / sizeof *grids && !upsample; i++)
        if (clt__onnx_is_word(work, "coordinate_transformation_mode", grids[i].onnx)) *grid = grids[i].net;
    for (size_t i = 0; i < sizeof roundings / sizeof *roundings && !upsample; i++)
        if (clt__onnx_is_word(work, "nearest_mode", roundings[i].onnx)) *rounding = roundings[i].net;
    if (clt__onnx_is_word(work, "coordinate_transformation_mode", "pytorch_half_pixel")) *grid = "half_pixel";
    /* Half a pixel later than half_pixel, so that rounding down is what rounds that up from a half on. */
    const bool later = clt__onnx_is_word(work, "coordinate_transformation_mode", "tf_half_pixel_for_nn"),
               down = strcmp(*rounding, "floor") == 0;
    if (later && (down || strcmp(*rounding, "half_down") == 0)) {
        *grid = "half_pixel";
        *rounding = down ? "half_up" : "ceil";
    }
    if (*grid && strcmp(*grid, "align_corners") == 0 && (to->scale[0] != 0 || to->scale[1] != 0)) *grid = NULL;
}

/* In the grid that ONNX calls pytorch_half_pixel a side of one pixel is the first one. */
static clt_status take_first(const clt__onnx_work *work, clt__onnx_value *x, const target *to, clt_error *error)
{
    clt_shape *s = &x->shape;
    if (to->pixels[0] > 1 && to->pixels[1] > 1) return CLT_OK;
    if (to->pixels[0] == 1) s->height = 1;
    if (to->pixels[1] == 1) s->width = 1;
    return clt__onnx_follow(work->graph, "resize", &x->line, *s, error, " size=%dx%d grid=asymmetric", s->height,
                            s->width);
}

static clt_status resize(const clt__onnx_work *work, clt_error *error)
{
    const bool upsample = strcmp(work->node->op_type, "Upsample") == 0 || work->graph->opset < 11;
    clt__onnx_value x;
    bool fits;
    target to;
    const char *grid, *rounding, *const names[] = {"height", "width"};
    char more[160] = "", number[32];
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    if (!read_target(work, &x, upsample ? 1 : 2, upsample ? 99 : 3, &to))
        return clt__onnx_refuse(work, error, "its size is not known, or not of rows and columns alone");
    const bool linear = clt__onnx_is_word(work, "mode", "linear") || clt__onnx_is_word(work, "mode", "bilinear");
    if (clt__onnx_has(work, "mode") && !linear && !clt__onnx_is_word(work, "mode", "nearest"))
        return clt__onnx_refuse(work, error, "its mode is not nearest or linear");
    read_grid(work, upsample, &to, &grid, &rounding);
    if (!grid) return clt__onnx_refuse(work, error, "its grid is not among those that can be written");
    if (!linear) (void)snprintf(more, sizeof more, " rounding=%s", rounding);
    for (int i = 0; i < 2; i++)
        if (to.scale[i] != 0)
            (void)snprintf(more + strlen(more), sizeof more - strlen(more), " scale_%s=%s", names[i],
                           clt__onnx_number(to.scale[i], number));
    if (clt__onnx_is_word(work, "coordinate_transformation_mode", "pytorch_half_pixel"))
        TRY(take_first(work, &x, &to, error));
    const clt_shape shape = {x.shape.channels, to.pixels[0], to.pixels[1]};
    return clt__onnx_give_line(work, &x, "resize", shape, NULL, error, " size=%dx%d mode=%s grid=%s%s", to.pixels[0],
                               to.pixels[1], linear ? "bilinear" : "nearest", grid, more);
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
    {"Resize", resize, NULL},
    {"Upsample", resize, NULL},
    {NULL, NULL, NULL},
};
