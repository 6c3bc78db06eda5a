/* Nodes that normalise, softmax among them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/graph.h"
#include "onnx/scales.h"

static const char *epsilon(const clt__onnx_work *work, char text[48])
{
    char number[32];
    const double eps = clt__onnx_float(work, "epsilon", 1e-5);
    *text = 0;
    if ((float)eps != 1e-5f) (void)snprintf(text, 48, " eps=%s", clt__onnx_number(eps, number));
    return text;
}

static bool has_numbers(const clt__onnx_value *value, int64_t count)
{
    return clt__onnx_is_constant(value) && (int64_t)value->constant.count == count;
}

static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};

/* A layer whose first parameters, a number a channel each, are the node's inputs 1 to `count`. */
static clt_status give_layer(const clt__onnx_work *work, const clt__onnx_value *x, const char *kind,
                             const char *options, int count, clt_error *error)
{
    char name[128];
    int line;
    TRY(clt__onnx_write(work->graph, kind, clt__onnx_layer_name(work, 1, name, sizeof name), &x->line, 1, x->shape,
                        &line, error, "%s", options));
    for (int i = 0; i < count; i++) {
        const clt__onnx_tensor *given = &clt__onnx_input(work, 1 + (size_t)i)->constant;
        int64_t extent[3];
        const int dims = clt__onnx_numbers_shape(work->graph, line, (int64_t)given->count, extent);
        TRY(clt__onnx_add_constant(work->graph, line, names[i], dims, extent, given, error));
    }
    return clt__onnx_give_made(work, 0, line, &x->view);
}

/* ---- batch normalisation */

static bool has_batchnorm_numbers(const clt__onnx_work *work, int64_t channels)
{
    for (size_t i = 1; i <= 4; i++)
        if (!has_numbers(clt__onnx_input(work, i), channels)) return false;
    return true;
}

static bool are_read(const clt__onnx_work *work, size_t output)
{
    const clt__onnx_value *value = clt__onnx_output(work, output);
    return value && value->users > 0;
}

static clt_status batchnorm(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value x;
    bool fits;
    char eps[48], number[32], options[96] = "";
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    const int64_t channels = clt__view_size(&x.view, 1);
    if (!has_batchnorm_numbers(work, channels))
        return clt__onnx_refuse(work, error, "its scale, bias, mean and variance are not constants of %lld numbers",
                                (long long)channels);
    if (are_read(work, 1) || are_read(work, 2)) return clt__onnx_refuse(work, error, "its running statistics are read");
    const double share = 1 - clt__onnx_float(work, "momentum", 0.9);
    if (fabs(share - 0.1) > 1e-7)
        (void)snprintf(options, sizeof options, " momentum=%s", clt__onnx_number(share, number));
    (void)snprintf(options + strlen(options), sizeof options - strlen(options), "%s", epsilon(work, eps));
    return give_layer(work, &x, "batchnorm", options, 4, error);
}

/* ---- instance, group and layer normalisation */

/* Whether a scale or a bias changes nothing, and is no parameter that may come to: those are called so. */
static bool is_plain(const clt__onnx_work *work, const clt__onnx_value *value, double number)
{
    for (size_t i = 0; i < value->constant.count; i++)
        if (clt__onnx_at(&value->constant, i) != number) return false;
    return !clt__onnx_is_parameter(work, value);
}

/* Whether each part that is normalised is one channel, or neighbouring ones: dimension 1 says which, and all that is
 * behind it is the part. */
static bool find_groups(const clt__onnx_value *x, int64_t *groups)
{
    *groups = clt__view_size(&x->view, 1);
    return x->view.rank >= 3 && clt__view_is_ordered(&x->view, x->shape) && x->shape.channels % *groups == 0 &&
           clt__view_size(&x->view, 0) == x->view.dim[0].atom[0].size;
}

/* Whether each part is a pixel: [n h w, 1, c], as layers over the channels are written that way before opset 17. */
static bool are_pixels(const clt__onnx_value *x)
{
    const int64_t pixels = (int64_t)x->shape.height * x->shape.width;
    return x->view.rank == 3 && clt__view_size(&x->view, 1) == 1 &&
           clt__view_is_axis(&x->view, 2, 'C', x->shape.channels) &&
           clt__view_size(&x->view, 0) == x->view.dim[0].atom[0].size * pixels;
}

static clt_status instance_norm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0), *weight = clt__onnx_input(work, 1),
                          *bias = clt__onnx_input(work, 2);
    int64_t groups;
    char eps[48], options[96];
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const bool grouped = find_groups(x, &groups);
    if ((!grouped && !are_pixels(x)) || !has_numbers(weight, groups) || !has_numbers(bias, groups))
        return clt__onnx_refuse(work, error, "its input is no image, or its scale and bias are no constants");
    const bool plain = is_plain(work, weight, 1) && is_plain(work, bias, 0), by_channel = groups == x->shape.channels;
    if (!plain && !(grouped && by_channel))
        return clt__onnx_refuse(work, error, "it scales groups of channels, each by one number");
    const bool layer = plain && (groups == 1 || !grouped);
    (void)epsilon(work, eps);
    if (layer)
        (void)snprintf(options, sizeof options, " affine=no%s%s", grouped ? "" : " over=channels", eps);
    else if (by_channel)
        (void)snprintf(options, sizeof options, "%s%s", plain ? "" : " affine=yes", eps);
    else
        (void)snprintf(options, sizeof options, " groups=%lld affine=no%s", (long long)groups, eps);
    return give_layer(work, x,
                      layer        ? "layernorm"
                      : by_channel ? "instancenorm"
                                   : "groupnorm",
                      options, plain ? 0 : 2, error);
}

static clt_status group_norm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *weight = clt__onnx_input(work, 1), *bias = clt__onnx_input(work, 2);
    const int64_t groups = clt__onnx_int(work, "num_groups", 0);
    clt__onnx_value x;
    bool fits;
    char eps[48], options[96];
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    if (groups < 1 || x.shape.channels % groups || clt__view_size(&x.view, 1) != x.shape.channels ||
        !has_numbers(weight, x.shape.channels) || !has_numbers(bias, x.shape.channels))
        return clt__onnx_refuse(work, error, "its scale and bias are not a number a channel");
    (void)snprintf(options, sizeof options, " groups=%d%s", (int)groups, epsilon(work, eps));
    return give_layer(work, &x, "groupnorm", options, 2, error);
}

/* x and then a constant, if it is there, as the node's output. */
static clt_status apply(const clt__onnx_work *work, clt__onnx_value *x, char sign, const clt__onnx_value *constant,
                        clt_error *error)
{
    TRY(clt__onnx_give_view(work, 0, x, &x->view));
    if (!clt__onnx_is_constant(constant)) return CLT_OK;
    TRY(clt__onnx_with_constant(work, x, sign, constant, false, error));
    const int users = x->users;
    *x = *clt__onnx_output(work, 0);
    x->users = users;
    return CLT_OK;
}

/* *line becomes the mean of each row, or with `eps` the root of that and eps, at each of its pixels. */
static clt_status spread_mean(clt__onnx_graph *graph, clt_shape whole, const double *eps, int *line, clt_error *error)
{
    const clt_shape row = {whole.channels, whole.height, 1};
    const int64_t one = 1;
    TRY(clt__onnx_follow(graph, "avgpool", line, row, error, " kernel=1x%d", whole.width));
    if (eps) {
        TRY(clt__onnx_follow(graph, "scale", line, row, error, " weight=no shared=yes frozen=yes"));
        TRY(clt__onnx_add_weight(graph, *line, "bias", 1, &one, eps, error));
        TRY(clt__onnx_follow(graph, "sqrt", line, row, error, "%s", ""));
    }
    return clt__onnx_follow(graph, "upsample", line, whole, error, " scale=1x%d", whole.width);
}

/* Over the columns of each row: each minus its row's mean, over the root of the mean of such squares and eps. */
static clt_status normalise_rows(const clt__onnx_work *work, clt__onnx_value *x, double eps, clt_error *error)
{
    clt__onnx_graph *graph = work->graph;
    int mean = x->line, centred = 0, root = 0;
    TRY(spread_mean(graph, x->shape, NULL, &mean, error));
    TRY(clt__onnx_write(graph, "sub", NULL, (const int[]){x->line, mean}, 2, x->shape, &centred, error, "%s", ""));
    TRY(clt__onnx_write(graph, "mul", NULL, (const int[]){centred, centred}, 2, x->shape, &root, error, "%s", ""));
    TRY(spread_mean(graph, x->shape, &eps, &root, error));
    return clt__onnx_write(graph, "div", NULL, (const int[]){centred, root}, 2, x->shape, &x->line, error, "%s", "");
}

/* Over the pixels of each channel, or of each row of one. */
static clt_status plane_norm(const clt__onnx_work *work, clt__onnx_value *x, int axis, clt_error *error)
{
    const int rank = x->view.rank;
    const bool image = rank == 4 && clt__view_is_image(&x->view, x->shape), plane = image && axis == 2,
               rows = (image && axis == 3) || (rank == 3 && axis == 2 && clt__view_is_image(&x->view, x->shape));
    const clt__onnx_value *weight = clt__onnx_input(work, 1), *bias = clt__onnx_input(work, 2);
    char eps[48];
    if (!plane && !rows)
        return clt__onnx_refuse(work, error, "only an image, its channels, or its rows can be normalised");
    if (plane)
        TRY(clt__onnx_follow(work->graph, "instancenorm", &x->line, x->shape, error, "%s", epsilon(work, eps)));
    else
        TRY(normalise_rows(work, x, clt__onnx_float(work, "epsilon", 1e-5), error));
    x->users = 2; /* its numbers are for each pixel: they are not the layer's own */
    TRY(apply(work, x, '*', weight, error));
    return apply(work, x, '+', bias, error);
}

/* Over all that an image has, or over the channels of each pixel. */
static clt_status layer_norm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *given = clt__onnx_input(work, 0), *weight = clt__onnx_input(work, 1),
                          *bias = clt__onnx_input(work, 2);
    if (!clt__onnx_flows(given)) return clt__onnx_refuse(work, error, "its data is a constant");
    clt__onnx_value x = *given;
    const int rank = x.view.rank, axis = clt__onnx_axis(clt__onnx_int(work, "axis", -1), rank);
    const int64_t channels = x.shape.channels, elements = channels * x.shape.height * x.shape.width;
    const bool by_pixel = axis > 0 && axis == rank - 1 && clt__view_is_axis(&x.view, axis, 'C', channels),
               whole = axis == 1 && clt__view_is_ordered(&x.view, x.shape);
    const int64_t numbers = by_pixel ? channels : elements;
    if (!by_pixel && !whole) return plane_norm(work, &x, axis, error);
    if (!has_numbers(weight, numbers) || !(bias->kind == CLT__ONNX_ABSENT || has_numbers(bias, numbers)))
        return clt__onnx_refuse(work, error, "its scale and bias are no constants of a number for each value");
    if (!by_pixel && rank == 2) TRY(clt__onnx_follow(work->graph, "flatten", &x.line, x.shape, error, "%s", ""));
    const bool plain = is_plain(work, weight, 1) && bias->kind == CLT__ONNX_ABSENT;
    char eps[48], options[96];
    (void)snprintf(options, sizeof options, "%s%s%s", by_pixel ? " over=channels" : "", plain ? " affine=no" : "",
                   epsilon(work, eps));
    return give_layer(work, &x, "layernorm", options, plain ? 0 : bias->kind == CLT__ONNX_ABSENT ? 1 : 2, error);
}

static clt_status lrn(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value x;
    bool fits;
    char alpha[32], beta[32], k[32];
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    const int64_t size = clt__onnx_int(work, "size", 0);
    if (size < 1 || size > 1000000 || size % 2 == 0)
        return clt__onnx_refuse(work, error, "its size is no odd number of channels");
    if (x.view.rank < 3) return clt__onnx_refuse(work, error, "its input is no image");
    return clt__onnx_give_line(work, &x, "lrn", x.shape, NULL, error, " size=%d alpha=%s beta=%s k=%s", (int)size,
                               clt__onnx_number(clt__onnx_float(work, "alpha", 1e-4), alpha),
                               clt__onnx_number(clt__onnx_float(work, "beta", 0.75), beta),
                               clt__onnx_number(clt__onnx_float(work, "bias", 1), k));
}

/* ---- softmax */

static clt_status softmax(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0);
    const bool old = work->graph->opset < 13;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", old ? 1 : -1), x->view.rank);
    int64_t behind = 1;
    for (int i = axis + 1; axis >= 0 && i < x->view.rank; i++) behind *= clt__view_size(&x->view, i);
    clt__onnx_value from = *x;
    const bool channels = axis > 0 && clt__view_is_axis(&x->view, axis, 'C', x->shape.channels),
               vector =
                   axis == 1 && (x->view.rank == 2 || (old && behind != 1)) && clt__view_is_ordered(&x->view, x->shape);
    bool fits = true;
    /* Up to opset 12 all from the axis on is one vector. */
    if (old && behind != 1 && !vector) return clt__onnx_refuse(work, error, "it is of several dimensions");
    if (vector)
        TRY(clt__onnx_follow(work->graph, "flatten", &from.line, x->shape, error, "%s", ""));
    else if (!channels)
        TRY(clt__onnx_lay_out(work, &from, axis, &fits, error));
    if (!fits) return clt__onnx_refuse(work, error, "its axis is none of an image");
    return clt__onnx_give_line(work, &from, work->kind, from.shape, &from.view, error, "%s", "");
}

static clt_status prelu(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *slope = clt__onnx_input(work, 1);
    clt__onnx_value x;
    bool fits;
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    const int64_t channels = clt__view_size(&x.view, 1);
    const bool shared = has_numbers(slope, 1) && channels > 1;
    const bool old = work->graph->opset < 7 && slope->constant.rank == 1; /* it then met the channels by itself */
    const int channel_dim = old ? 0 : slope->constant.rank - (x.view.rank - 1);
    if (!shared && (!has_numbers(slope, channels) ||
                    (channels > 1 && (channel_dim < 0 || slope->constant.dim[channel_dim] != channels))))
        return clt__onnx_refuse(work, error, "its slopes are not one number, nor one a channel");
    return give_layer(work, &x, "prelu", shared ? " shared=yes" : "", 1, error);
}

const clt__onnx_row clt__onnx_norm_rows[] = {
    {"BatchNormalization", batchnorm, NULL},
    {"InstanceNormalization", instance_norm, NULL},
    {"GroupNormalization", group_norm, NULL},
    {"LayerNormalization", layer_norm, NULL},
    {"LRN", lrn, NULL},
    {"Softmax", softmax, "softmax"},
    {"LogSoftmax", softmax, "log_softmax"},
    {"PRelu", prelu, NULL},
    {NULL, NULL, NULL},
};
