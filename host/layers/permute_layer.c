/* Axes that change places, and images of another shape. */
#include <inttypes.h>

#include "layers/layer.h"
#include "ops/permute.h"

/* ---- what both are: element e of an image, counted channels first, goes elsewhere */

typedef struct strides {
    int channel, row, column;
} strides;

/* Elements in their own order. */
static strides strides_of(clt_shape shape)
{
    return (strides){shape.height * shape.width, shape.width, 1};
}

/* From one tensor to another, whose element c, h, w is the element c, h, w times these strides. */
static clt_status add(clt__tape *tape, const clt__layer *layer, clt_shape from, int from_tensor, clt_shape to,
                      int to_tensor, strides stride, clt_error *error)
{
    const permute_sizes sizes = {.n = layer->batch,
                                 .c = to.channels,
                                 .h = to.height,
                                 .w = to.width,
                                 .from_c = from.channels,
                                 .from_h = from.height,
                                 .from_w = from.width,
                                 .stride_c = stride.channel,
                                 .stride_h = stride.row,
                                 .stride_w = stride.column};
    const int tensor[] = {[PERMUTE_X] = from_tensor, [PERMUTE_Y] = to_tensor};
    return CLT__ADD_OP(tape, &clt__permute_op, layer->name, sizes, tensor, error);
}

static clt_status add_forward(clt__tape *tape, const clt__layer *layer, strides stride, clt_error *error)
{
    const clt__value *in = &layer->in[0], *out = &layer->out;
    return add(tape, layer, in->shape, in->tensor, out->shape, out->tensor, stride, error);
}

static clt_status add_backward(clt__tape *tape, const clt__layer *layer, strides stride, clt_error *error)
{
    const clt__value *in = &layer->in[0], *out = &layer->out;
    return add(tape, layer, out->shape, out->gradient, in->shape, in->gradient, stride, error);
}

/* ---- permute */

enum { ORDER };

/* Which axis of the input each axis of the output is, by the number of the word. */
static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static const int *order_of(const clt__layer *layer)
{
    return orders[layer->value[ORDER][0]];
}

static clt_status permute_shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    const int size[] = {in.channels, in.height, in.width}, *order = order_of(layer);
    TRY(clt__check_image(layer, error));
    layer->out.shape = (clt_shape){size[order[0]], size[order[1]], size[order[2]]};
    return CLT_OK;
}

static clt_status permute_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const strides own = strides_of(layer->in[0].shape);
    const int all[] = {own.channel, own.row, own.column}, *order = order_of(layer);
    return add_forward(tape, layer, (strides){all[order[0]], all[order[1]], all[order[2]]}, error);
}

static clt_status permute_backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const strides own = strides_of(layer->out.shape);
    const int all[] = {own.channel, own.row, own.column};
    int back[3] = {0};
    for (int i = 0; i < 3; i++) back[order_of(layer)[i]] = all[i];
    return add_backward(tape, layer, (strides){back[0], back[1], back[2]}, error);
}

static void permute_onnx(const clt__exported *e)
{
    const int *order = order_of(e->layer), all[] = {0, order[0] + 1, order[1] + 1, order[2] + 1};
    CLT__ONNX_PUT(e->to, "Transpose", e->out, e->in[0]);
    clt__onnx_put_ints(e->to, "perm", 4, all);
}

static void permute_torch(clt__scripted *s)
{
    const int *order = order_of(s->layer);
    clt__script_value(s, "%s.permute(0, %d, %d, %d)", s->in[0], order[0] + 1, order[1] + 1, order[2] + 1);
}

static const clt__case permute_cases[] = {
    {1, "input 1x1x1; conv out=1; permute order=hwc"},
    {3, "input 3x4x5; conv out=17; relu; permute order=whc; conv out=2; permute order=hwc; conv out=3; permute "
        "order=wch"},
    {64, "input 5x2x3; conv out=18; tanh; permute order=hcw; conv out=4; permute order=cwh; flatten; dense out=3"},
    {0, NULL},
};

const clt__layer_row clt__permute = {
    .name = "permute",
    .help = "axes change places",
    .option = {{"order", CLT__CHOICE, 0, CLT__REQUIRED,
                "chw|cwh|hcw|hwc|wch|whc: which of the input's channels, rows and columns become the output's"}},
    .shape = permute_shape,
    .forward = permute_forward,
    .backward = permute_backward,
    .onnx = permute_onnx,
    .torch = permute_torch,
    .cases = permute_cases,
};

/* ---- reshape */

enum { OUT, SIZE };

static clt_status reshape_shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape, out = {layer->value[OUT][0], layer->value[SIZE][0], layer->value[SIZE][1]};
    const int64_t has = (int64_t)in.channels * in.height * in.width, wanted = (int64_t)out.height * out.width;
    if (has % wanted || has / wanted != out.channels)
        return FAIL(error, CLT_BAD_NET, "%s: %dx%dx%d are not the %" PRId64 " elements of its %dx%dx%d", layer->name,
                    out.channels, out.height, out.width, has, in.channels, in.height, in.width);
    layer->out.shape = out;
    layer->out.flat = false;
    return CLT_OK;
}

static clt_status reshape_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add_forward(tape, layer, strides_of(layer->out.shape), error);
}

static clt_status reshape_backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add_backward(tape, layer, strides_of(layer->in[0].shape), error);
}

static void reshape_onnx(const clt__exported *e)
{
    const clt_shape out = e->layer->out.shape;
    const int dim[] = {0, out.channels, out.height, out.width};
    (void)clt__export_reshape(e, e->in[0], e->out, 4, dim);
}

static void reshape_torch(clt__scripted *s)
{
    const clt_shape out = s->layer->out.shape;
    clt__script_value(s, "%s.reshape(-1, %d, %d, %d)", s->in[0], out.channels, out.height, out.width);
}

static const clt__case reshape_cases[] = {
    {1, "input 1x1x1; conv out=1; reshape out=1 size=1"},
    {3, "input 3x4x5; conv out=18; relu; reshape out=8 size=9x5; conv out=2; flatten; dense out=34; reshape out=17 "
        "size=1x2; conv out=3"},
    {64, "input 5x2x3; conv out=6; tanh; flatten; reshape out=4 size=3; conv out=5"},
    {0, NULL},
};

const clt__layer_row clt__reshape = {
    .name = "reshape",
    .help = "an image of another shape, with the elements in their order; of a vector, too",
    .option = {{"out", CLT__COUNT, 1, CLT__REQUIRED, "output channels"},
               {"size", CLT__PAIR, 1, CLT__REQUIRED, "output height x width"}},
    .shape = reshape_shape,
    .forward = reshape_forward,
    .backward = reshape_backward,
    .onnx = reshape_onnx,
    .torch = reshape_torch,
    .cases = reshape_cases,
};
