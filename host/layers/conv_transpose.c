/* Transposed convolution: the linear map that a convolution's input gradient is. So its ops are those of that
 * convolution (conv.c), whose images [h,w,c] are this layer's outputs, and whose outputs [y,x,k] are its inputs:
 *
 *   forward          y = f( input gradient(x, w) + b[c] )
 *   weight gradient  dw = weight gradient(dy, x),   db[c] = sum of dy
 *   input gradient   dx = forward(dy, w) */
#include <inttypes.h>
#include <stdio.h>

#include "layers/channels.h"
#include "layers/conv_layer.h"
#include "ops/channel.h"

enum { OUT, KERNEL, STRIDE, PADDING, OUTPUT_PADDING, BIAS_OPTION, GROUPS, DILATION, PADDING_END };
enum { WEIGHT, BIAS };
enum { PRODUCTS };

static int64_t outputs(const clt__layer *layer, int side, int size, int reach)
{
    const int64_t left_out = (int64_t)layer->value[PADDING][side] + layer->value[PADDING_END][side];
    return ((int64_t)size - 1) * layer->value[STRIDE][side] - left_out + reach + layer->value[OUTPUT_PADDING][side];
}

/* As PyTorch has it: more would be a row that no filter reaches. */
static clt_status check_output_padding(const clt__layer *layer, clt_error *error)
{
    for (int side = 0; side < 2; side++) {
        const int more = layer->value[OUTPUT_PADDING][side];
        if (more >= layer->value[STRIDE][side] && more >= layer->value[DILATION][side])
            return FAIL(error, CLT_BAD_NET,
                        "%s: an output_padding of %d: it should be less than the stride or the dilation", layer->name,
                        more);
    }
    return CLT_OK;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    const int *kernel = layer->value[KERNEL], groups = layer->value[GROUPS][0], out = layer->value[OUT][0];
    int reach[2];
    TRY(clt__check_image(layer, error));
    TRY(clt__conv_check_groups(layer, groups, out, error));
    TRY(clt__window_reach(layer, kernel, layer->value[DILATION], reach, error));
    TRY(check_output_padding(layer, error));
    const int64_t height = outputs(layer, 0, in.height, reach[0]), width = outputs(layer, 1, in.width, reach[1]);
    if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX)
        return FAIL(error, CLT_BAD_NET, "%s: its output comes to %" PRId64 "x%" PRId64 " pixels", layer->name, height,
                    width);
    layer->out.shape = (clt_shape){out, (int)height, (int)width};
    const int weight[4] = {in.channels, out / groups, kernel[0], kernel[1]};
    TRY(clt__conv_parameters(layer, weight, layer->value[BIAS_OPTION][0], error));
    layer->parameter[BIAS].extent[0] = out;
    return CLT_OK;
}

/* Of the convolution. */
static conv_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    return (conv_sizes){CLT__WINDOW_SIZES(layer, out, in, KERNEL, STRIDE, PADDING), .k = in.channels,
                        .groups = layer->value[GROUPS][0], .dilation_y = layer->value[DILATION][0],
                        .dilation_x = layer->value[DILATION][1]};
}

static bool has_bias(const clt__layer *layer)
{
    return layer->parameters > 1;
}

/* Whether anything is done to the products before they are the output. */
static bool finishes(const clt__layer *layer)
{
    return has_bias(layer) || layer->out.activation || layer->before >= 0;
}

static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    const clt_shape out = layer->out.shape;
    const int extent[4] = {layer->batch, out.channels, out.height, out.width};
    char name[64];
    if (!finishes(layer)) return CLT_OK;
    (void)snprintf(name, sizeof name, "%s.products", layer->name);
    return clt__tape_add(tape, name, tape->stored, CLT__IMAGES, extent, 4, -1, &layer->saved[PRODUCTS], error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer);
    const clt__parameter *p = layer->parameter;
    const int products = finishes(layer) ? layer->saved[PRODUCTS] : layer->out.tensor;
    const int tensor[] = {[INPUT_GRADIENT_DY] = layer->in[0].tensor,
                          [INPUT_GRADIENT_W] = p[WEIGHT].tensor,
                          [INPUT_GRADIENT_X] = -1,
                          [INPUT_GRADIENT_ADDEND] = -1,
                          [INPUT_GRADIENT_DX] = products};
    TRY(CLT__ADD_OP(tape, clt__conv_ops_for(&sizes)->input_gradient, layer->name, sizes, tensor, error));
    if (!finishes(layer)) return CLT_OK;
    channel_sizes finish = clt__channel_sizes_of(layer, &layer->out);
    finish.activation = layer->out.activation;
    const int biased[] = {[BIAS_X] = products,
                          [BIAS_B] = has_bias(layer) ? p[BIAS].tensor : -1,
                          [BIAS_Y] = layer->out.tensor,
                          [BIAS_SUMS] = layer->before};
    return CLT__ADD_OP(tape, &clt__bias_op, layer->name, finish, biased, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer);
    const clt__weighted_ops *ops = clt__conv_ops_for(&sizes);
    const clt__parameter *p = layer->parameter;
    const int x = layer->in[0].tensor, dy = layer->out.gradient;
    if (p[WEIGHT].gradient >= 0) {
        const int tensor[] = {[WEIGHT_GRADIENT_X] = dy,
                              [WEIGHT_GRADIENT_DY] = x,
                              [WEIGHT_GRADIENT_DW] = p[WEIGHT].gradient,
                              [WEIGHT_GRADIENT_DB] = -1};
        TRY(CLT__ADD_OP(tape, ops->weight_gradient, layer->name, sizes, tensor, error));
    }
    if (has_bias(layer) && p[BIAS].gradient >= 0) {
        const channel_sizes sums = clt__channel_sizes_of(layer, &layer->out);
        const int tensor[] = {[CHANNEL_SUM_DY] = dy, [CHANNEL_SUM_X] = -1, [CHANNEL_SUM_SUM] = p[BIAS].gradient};
        TRY(CLT__ADD_OP(tape, &clt__channel_sum_op, layer->name, sums, tensor, error));
    }
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int tensor[] = {[FORWARD_X] = dy,
                          [FORWARD_W] = p[WEIGHT].tensor,
                          [FORWARD_BIAS] = -1,
                          [FORWARD_ADDEND] = layer->rest,
                          [FORWARD_Y] = layer->in[0].gradient,
                          [FORWARD_SUMS] = -1};
    return CLT__ADD_OP(tape, ops->forward, layer->name, sizes, tensor, error);
}

static void onnx(const clt__exported *e)
{
    const clt__layer *layer = e->layer;
    const char *weight = clt__export_parameter(e, WEIGHT),
               *bias = has_bias(layer) ? clt__export_parameter(e, BIAS) : NULL;
    CLT__ONNX_PUT(e->to, "ConvTranspose", e->out, e->in[0], weight, bias);
    clt__export_window(e, layer->value[KERNEL], layer->value[STRIDE], layer->value[PADDING], layer->value[PADDING_END]);
    clt__onnx_put_ints(e->to, "output_padding", 2, layer->value[OUTPUT_PADDING]);
    clt__onnx_put_ints(e->to, "dilations", 2, layer->value[DILATION]);
    clt__onnx_put_int(e->to, "group", layer->value[GROUPS][0]);
}

/* What PyTorch leaves out on both sides alike is cut off here where it differs. */
static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const int *kernel = layer->value[KERNEL], *stride = layer->value[STRIDE], *dilation = layer->value[DILATION],
              *before = layer->value[PADDING], *after = layer->value[PADDING_END], *more = layer->value[OUTPUT_PADDING];
    const bool even = clt__script_pads_alike(before, after);
    clt__script_module(s, "nn.ConvTranspose2d(%d, %d, (%d, %d), (%d, %d), (%d, %d), (%d, %d), %d, %s, (%d, %d))",
                       layer->in[0].shape.channels, layer->value[OUT][0], kernel[0], kernel[1], stride[0], stride[1],
                       even ? before[0] : 0, even ? before[1] : 0, more[0], more[1], layer->value[GROUPS][0],
                       clt__script_flag(has_bias(layer)), dilation[0], dilation[1]);
    if (!even)
        clt__script_value(s, "%s(%s)[..., %d:%d, %d:%d]", s->self, s->in[0], before[0],
                          before[0] + layer->out.shape.height, before[1], before[1] + layer->out.shape.width);
}

static const clt__case cases[] = {
    {3, "input 5x5x4; conv_transpose out=17 kernel=3x2 stride=2x3 padding=1x0 output_padding=1x2; tanh; "
        "conv_transpose out=2 kernel=3 bias=no"},
    {64, "input 33x3x3; batchnorm; relu; conv_transpose out=31 kernel=3 padding=1; sigmoid"},
    {3, "input 4x4x5; conv_transpose out=6 kernel=2x3 stride=2 groups=2 dilation=3x1 output_padding=2x1 bias=no; relu"},
    {3, "input 5x4x5; conv_transpose out=17 kernel=3 stride=2 padding=0 padding_end=1; relu; conv_transpose out=4 "
        "kernel=3x2 padding=2x1 padding_end=0 groups=1 dilation=2x1"},
    {0, NULL},
};

const clt__layer_row clt__conv_transpose = {
    .name = "conv_transpose",
    .help = "transposed convolution: each input adds a kernel, times its value, to the outputs",
    .option = {{"out", CLT__COUNT, 1, CLT__REQUIRED, "output channels"},
               {"kernel", CLT__PAIR, 1, 1, "kernel height x width"},
               {"stride", CLT__PAIR, 1, 1, "outputs between inputs"},
               {"padding", CLT__PAIR, 0, 0, "outputs left out on each side"},
               {"output_padding", CLT__PAIR, 0, 0, "outputs added below and to the right"},
               {"bias", CLT__FLAG, 0, 1, "adds a bias to each output channel"},
               {"groups", CLT__COUNT, 1, 1, "parts of the outputs, each of which sees its part of the inputs"},
               {"dilation", CLT__PAIR, 1, 1, "outputs between neighbouring weights"},
               {"padding_end", CLT__PAIR, 0, CLT__AS(PADDING),
                "left out below and to the right (default: as padding)"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .takes_rest = true,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
