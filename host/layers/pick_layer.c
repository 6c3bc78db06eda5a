/* Layers that take channels: some of them, or all in another order. */
#include "layers/layer.h"
#include "ops/pick.h"

enum { FIRST, COUNT };
enum { GROUPS };

static clt_status slice_shape(clt__layer *layer, clt_error *error)
{
    const int channels = layer->in[0].shape.channels, first = layer->value[FIRST][0], count = layer->value[COUNT][0];
    TRY(clt__check_channels(layer, error));
    if (count > channels || first > channels - count)
        return FAIL(error, CLT_BAD_NET, "%s: first=%d count=%d of the %d channels of its input", layer->name, first,
                    count, channels);
    TRY(clt__same_shape(layer, error));
    layer->out.shape.channels = count;
    return CLT_OK;
}

static clt_status shuffle_shape(clt__layer *layer, clt_error *error)
{
    const int channels = layer->in[0].shape.channels, groups = layer->value[GROUPS][0];
    TRY(clt__check_channels(layer, error));
    if (channels % groups)
        return FAIL(error, CLT_BAD_NET, "%s: groups=%d does not divide its %d channels", layer->name, groups, channels);
    return clt__same_shape(layer, error);
}

/* The op from `from` channels to `to`. */
static clt_status add_op(clt__tape *tape, const clt__layer *layer, const clt__value *from, const clt__value *to,
                         int groups, int first, const int tensor[2], clt_error *error)
{
    const clt_shape shape = from->shape;
    const pick_sizes sizes = {.rows = layer->batch * shape.height * shape.width,
                              .c = shape.channels,
                              .k = to->shape.channels,
                              .groups = groups,
                              .first = first};
    return clt__tape_add_op(tape, &clt__pick_op, layer->name, &sizes, sizeof sizes, tensor, 2, error);
}

static clt_status add_forward(clt__tape *tape, const clt__layer *layer, int groups, int first, clt_error *error)
{
    const int tensor[] = {[PICK_FROM] = layer->in[0].tensor, [PICK_TO] = layer->out.tensor};
    return add_op(tape, layer, &layer->in[0], &layer->out, groups, first, tensor, error);
}

static clt_status add_backward(clt__tape *tape, const clt__layer *layer, int groups, int first, clt_error *error)
{
    const int tensor[] = {[PICK_FROM] = layer->out.gradient, [PICK_TO] = layer->in[0].gradient};
    return add_op(tape, layer, &layer->out, &layer->in[0], groups, first, tensor, error);
}

static clt_status slice_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add_forward(tape, layer, 1, layer->value[FIRST][0], error);
}

static clt_status slice_backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add_backward(tape, layer, 1, -layer->value[FIRST][0], error);
}

static clt_status shuffle_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add_forward(tape, layer, layer->value[GROUPS][0], 0, error);
}

static clt_status shuffle_backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add_backward(tape, layer, layer->in[0].shape.channels / layer->value[GROUPS][0], 0, error);
}

static void slice_onnx(const clt__exported *e)
{
    static const int axis = 1;
    const int first = e->layer->value[FIRST][0], end = first + e->layer->value[COUNT][0];
    const char *begins = clt__onnx_put_list(e->to, clt__export_name(e, "starts"), 1, &first),
               *ends = clt__onnx_put_list(e->to, clt__export_name(e, "ends"), 1, &end),
               *axes = clt__onnx_put_list(e->to, clt__export_name(e, "axes"), 1, &axis);
    CLT__ONNX_PUT(e->to, "Slice", e->out, e->in[0], begins, ends, axes);
}

/* The groups become a dimension of their own, which changes places with that of their channels. */
static void shuffle_onnx(const clt__exported *e)
{
    const clt_shape s = e->layer->out.shape;
    const int groups = e->layer->value[GROUPS][0], apart[] = {0, groups, s.channels / groups, s.height, s.width},
              together[] = {0, s.channels, s.height, s.width}, dims = e->layer->out.flat ? 2 : 4;
    static const int order[] = {0, 2, 1, 3, 4};
    const char *parts = clt__export_reshape(e, e->in[0], clt__export_name(e, "parts"), dims + 1, apart),
               *turned = clt__export_name(e, "turned");
    CLT__ONNX_PUT(e->to, "Transpose", turned, parts);
    clt__onnx_put_ints(e->to, "perm", dims + 1, order);
    (void)clt__export_reshape(e, turned, e->out, dims, together);
}

static void slice_torch(clt__scripted *s)
{
    const int first = s->layer->value[FIRST][0];
    clt__script_value(s, "%s[:, %d:%d]", s->in[0], first, first + s->layer->value[COUNT][0]);
}

static void shuffle_torch(clt__scripted *s)
{
    clt__script_value(s, "%s.unflatten(1, (%d, -1)).transpose(1, 2).flatten(1, 2)", s->in[0],
                      s->layer->value[GROUPS][0]);
}

static const clt__case slice_cases[] = {
    {1, "input 2x1x1; conv out=2; slice first=1 count=1"},
    {3, "input 3x5x4; conv out=33; relu; slice first=5 count=18; conv out=3; slice first=0 count=2"},
    {64, "input 7x1x1; flatten; dense out=17; tanh; slice first=16 count=1"},
    {0, NULL},
};

static const clt__case shuffle_cases[] = {
    {1, "input 1x1x1; conv out=1; channelshuffle groups=1"},
    {3, "input 3x5x4; conv out=34; relu; channelshuffle groups=17; conv out=6; channelshuffle groups=3"},
    {64, "input 7x1x2; conv out=12; tanh; channelshuffle groups=4; channelshuffle groups=12"},
    {0, NULL},
};

const clt__layer_row clt__slice = {
    .name = "slice",
    .help = "some of the channels, one after the other",
    .option = {{"first", CLT__COUNT, 0, CLT__REQUIRED, "the first of them, counted from 0"},
               {"count", CLT__COUNT, 1, CLT__REQUIRED, "how many they are"}},
    .shape = slice_shape,
    .forward = slice_forward,
    .backward = slice_backward,
    .onnx = slice_onnx,
    .torch = slice_torch,
    .cases = slice_cases,
};

const clt__layer_row clt__channelshuffle = {
    .name = "channelshuffle",
    .help = "the channels of equal parts in turn: the first of each, the second of each, and so on",
    .option = {{"groups", CLT__COUNT, 1, CLT__REQUIRED, "equal parts of the channels"}},
    .shape = shuffle_shape,
    .forward = shuffle_forward,
    .backward = shuffle_backward,
    .onnx = shuffle_onnx,
    .torch = shuffle_torch,
    .cases = shuffle_cases,
};
