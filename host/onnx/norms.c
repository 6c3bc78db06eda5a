/* Nodes that normalise, softmax among them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/graph.h"

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

/* Inputs of the node as parameters of a line, each a number a channel. */
static clt_status add_numbers(const clt__onnx_work *work, int line, size_t first, const char *const *names, int count,
                              clt_error *error)
{
    for (int i = 0; i < count; i++) {
        const clt__onnx_tensor *given = &clt__onnx_input(work, first + (size_t)i)->constant;
        const int64_t extent = (int64_t)given->count;
        TRY(clt__onnx_add_weight(work->graph, line, names[i], 1, &extent, given->value, error));
    }
    return CLT_OK;
}

/* ---- batch normalisation */

static const char *const batchnorm_names[] = {"weight", "bias", "running_mean", "running_var"};

static bool has_batchnorm_numbers(const clt__onnx_work *work, int64_t channels)
{
    for (size_t i = 1; i <= 4; i++)
        if (!has_numbers(clt__onnx_input(work, i), channels)) return false;
    return true;
}

static clt_status batchnorm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *given = clt__onnx_input(work, 0);
    clt__onnx_value x;
    bool fits;
    char name[128], eps[48], number[32], momentum[48] = "";
    int line;
    TRY(clt__onnx_as_image(work, given, &x, &fits, error));
    if (!fits) return CLT_OK;
    if (!has_batchnorm_numbers(work, x.shape.channels))
        return clt__onnx_refuse(work, error, "its scale, bias, mean and variance are not constants of %d numbers",
                                x.shape.channels);
    if (clt__onnx_int(work, "training_mode", 0) && (clt__onnx_output(work, 1) || clt__onnx_output(work, 2)) &&
        (clt__onnx_output(work, 1) ? clt__onnx_output(work, 1)->users : 0) > 0)
        return clt__onnx_refuse(work, error, "its running statistics are read");
    const double share = 1 - clt__onnx_float(work, "momentum", 0.9);
    if (fabs(share - 0.1) > 1e-7)
        (void)snprintf(momentum, sizeof momentum, " momentum=%s", clt__onnx_number(share, number));
    TRY(clt__onnx_write(work->graph, "batchnorm", clt__onnx_layer_name(work, 1, name, sizeof name), &x.line, 1, x.shape,
                        &line, error, "%s%s", momentum, epsilon(work, eps)));
    TRY(add_numbers(work, line, 1, batchnorm_names, 4, error));
    const clt__onnx_value made = {.line = line, .shape = x.shape};
    return clt__onnx_give_view(work, 0, &made, &x.view);
}

/* ---- instance, group and layer normalisation */

static bool is_all(const clt__onnx_value *value, double number)
{
    for (size_t i = 0; i < value->constant.count; i++)
        if (value->constant.value[i] != number) return false;
    return true;
}

/* Whether each part that is normalised is one channel, or neighbouring ones: dimension 1 says which, and all that is
 * behind it is the part. */
static bool find_groups(const clt__onnx_value *x, int64_t *groups)
{
    *groups = clt__view_size(&x->view, 1);
    return x->view.rank >= 3 && clt__view_is_ordered(&x->view, x->shape) && x->shape.channels % *groups == 0 &&
           clt__view_size(&x->view, 0) == x->view.dim[0].atom[0].size;
}

static clt_status instance_norm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0), *weight = clt__onnx_input(work, 1),
                          *bias = clt__onnx_input(work, 2);
    static const char *const names[] = {"weight", "bias"};
    int64_t groups;
    char name[128], eps[48], options[96];
    int line;
    if (!clt__onnx_flows(x) || !find_groups(x, &groups) || !has_numbers(weight, groups) || !has_numbers(bias, groups))
        return clt__onnx_refuse(work, error, "its input is no image, or its scale and bias are no constants");
    const bool plain = is_all(weight, 1) && is_all(bias, 0), by_channel = groups == x->shape.channels;
    if (!plain && !by_channel) return clt__onnx_refuse(work, error, "it scales groups of channels, each by one number");
    (void)snprintf(options, sizeof options, " groups=%lld affine=no", (long long)groups);
    if (by_channel) (void)snprintf(options, sizeof options, "%s", plain ? "" : " affine=yes");
    TRY(clt__onnx_write(work->graph, by_channel ? "instancenorm" : "groupnorm",
                        clt__onnx_layer_name(work, 1, name, sizeof name), &x->line, 1, x->shape, &line, error, "%s%s",
                        options, epsilon(work, eps)));
    if (!plain) TRY(add_numbers(work, line, 1, names, 2, error));
    const clt__onnx_value made = {.line = line, .shape = x->shape};
    return clt__onnx_give_view(work, 0, &made, &x->view);
}

static clt_status group_norm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *weight = clt__onnx_input(work, 1), *bias = clt__onnx_input(work, 2);
    static const char *const names[] = {"weight", "bias"};
    const int64_t groups = clt__onnx_int(work, "num_groups", 0);
    clt__onnx_value x;
    bool fits;
    char name[128], eps[48];
    int line;
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    if (groups < 1 || x.shape.channels % groups || !has_numbers(weight, x.shape.channels) ||
        !has_numbers(bias, x.shape.channels))
        return clt__onnx_refuse(work, error, "its scale and bias are not a number a channel");
    TRY(clt__onnx_write(work->graph, "groupnorm", clt__onnx_layer_name(work, 1, name, sizeof name), &x.line, 1, x.shape,
                        &line, error, " groups=%d%s", (int)groups, epsilon(work, eps)));
    TRY(add_numbers(work, line, 1, names, 2, error));
    const clt__onnx_value made = {.line = line, .shape = x.shape};
    return clt__onnx_give_view(work, 0, &made, &x.view);
}

static clt_status layer_norm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0), *weight = clt__onnx_input(work, 1),
                          *bias = clt__onnx_input(work, 2);
    static const char *const names[] = {"weight", "bias"};
    char name[128], eps[48];
    int line;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", -1), x->view.rank);
    const int64_t channels = x->shape.channels;
    if (axis != x->view.rank - 1 || axis < 1 || !clt__view_is_axis(&x->view, axis, 'C', channels))
        return clt__onnx_refuse(work, error, "only the channels of each pixel can be normalised");
    if (!has_numbers(weight, channels) || !(bias->kind == CLT__ONNX_ABSENT || has_numbers(bias, channels)))
        return clt__onnx_refuse(work, error, "its scale and bias are no constants of a number a channel");
    TRY(clt__onnx_write(work->graph, "layernorm", clt__onnx_layer_name(work, 1, name, sizeof name), &x->line, 1,
                        x->shape, &line, error, " over=channels%s", epsilon(work, eps)));
    TRY(add_numbers(work, line, 1, names, bias->kind == CLT__ONNX_ABSENT ? 1 : 2, error));
    const clt__onnx_value made = {.line = line, .shape = x->shape};
    return clt__onnx_give_view(work, 0, &made, &x->view);
}

static clt_status lrn(const clt__onnx_work *work, clt_error *error)
{
    clt__onnx_value x;
    bool fits;
    char alpha[32], beta[32], k[32];
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    const int64_t size = clt__onnx_int(work, "size", 0);
    if (size < 1 || size > 1000000) return clt__onnx_refuse(work, error, "its size is not from 1 to 1000000");
    return clt__onnx_give_line(work, &x, "lrn", x.shape, NULL, error, " size=%d alpha=%s beta=%s k=%s", (int)size,
                               clt__onnx_number(clt__onnx_float(work, "alpha", 1e-4), alpha),
                               clt__onnx_number(clt__onnx_float(work, "beta", 0.75), beta),
                               clt__onnx_number(clt__onnx_float(work, "bias", 1), k));
}

/* ---- softmax */

static clt_status softmax(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0);
    const char *kind = strcmp(work->node->op_type, "Softmax") == 0 ? "softmax" : "log_softmax";
    const bool old = work->graph->opset < 13;
    if (!clt__onnx_flows(x)) return clt__onnx_refuse(work, error, "its data is a constant");
    const int axis = clt__onnx_axis(clt__onnx_int(work, "axis", old ? 1 : -1), x->view.rank);
    int64_t behind = 1;
    for (int i = axis + 1; axis >= 0 && i < x->view.rank; i++) behind *= clt__view_size(&x->view, i);
    const bool channels = axis > 0 && clt__view_is_axis(&x->view, axis, 'C', x->shape.channels);
    /* Up to opset 12 all from the axis on is one vector. */
    if (axis < 1 || (old && behind != 1) || (!channels && x->view.rank != 2))
        return clt__onnx_refuse(work, error, "its axis is not the channels, nor all of a vector");
    clt__onnx_value from = *x;
    if (!channels)
        TRY(clt__onnx_write(work->graph, "flatten", NULL, &x->line, 1, x->shape, &from.line, error, "%s", ""));
    return clt__onnx_give_line(work, &from, kind, x->shape, &x->view, error, "%s", "");
}

static clt_status prelu(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *slope = clt__onnx_input(work, 1);
    clt__onnx_value x;
    bool fits;
    char name[128];
    int line;
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    const bool shared = has_numbers(slope, 1) && x.shape.channels > 1;
    const int channel_dim = slope->constant.rank - (x.view.rank - 1);
    if (!shared &&
        (!has_numbers(slope, x.shape.channels) ||
         (x.shape.channels > 1 && (channel_dim < 0 || slope->constant.dim[channel_dim] != x.shape.channels))))
        return clt__onnx_refuse(work, error, "its slopes are not one number, nor one a channel");
    TRY(clt__onnx_write(work->graph, "prelu", clt__onnx_layer_name(work, 1, name, sizeof name), &x.line, 1, x.shape,
                        &line, error, "%s", shared ? " shared=yes" : ""));
    const int64_t count = (int64_t)slope->constant.count;
    TRY(clt__onnx_add_weight(work->graph, line, "weight", 1, &count, slope->constant.value, error));
    const clt__onnx_value made = {.line = line, .shape = x.shape};
    return clt__onnx_give_view(work, 0, &made, &x.view);
}

const clt__onnx_row clt__onnx_norm_rows[] = {
    {"BatchNormalization", batchnorm},
    {"InstanceNormalization", instance_norm},
    {"GroupNormalization", group_norm},
    {"LayerNormalization", layer_norm},
    {"LRN", lrn},
    {"Softmax", softmax},
    {"LogSoftmax", softmax},
    {"PRelu", prelu},
    {NULL, NULL},
};
