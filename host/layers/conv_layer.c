/* Convolution. */
#include "layers/conv_layer.h"

enum { OUT, KERNEL, STRIDE, PADDING, BIAS, GROUPS, DILATION, PADDING_END };

clt_status clt__conv_check_groups(const clt__layer *layer, int groups, int out, clt_error *error)
{
    const int in = layer->in[0].shape.channels;
    if (in % groups == 0 && out % groups == 0) return CLT_OK;
    return FAIL(error, CLT_BAD_NET, "%s: groups=%d divides neither or only one of its %d inputs and %d outputs",
                layer->name, groups, in, out);
}

clt_status clt__conv_parameters(clt__layer *layer, const int weight[4], bool bias, clt_error *error)
{
    const double fan_in = (double)weight[1] * weight[2] * weight[3];
    if (!(fan_in <= INT32_MAX)) return FAIL(error, CLT_BAD_NET, "%s: the kernel is too large", layer->name);
    clt__set_weight_and_bias(layer, weight, 4, (int)fan_in, bias);
    return CLT_OK;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const int *kernel = layer->value[KERNEL], groups = layer->value[GROUPS][0], out = layer->value[OUT][0];
    int reach[2];
    TRY(clt__conv_check_groups(layer, groups, out, error));
    TRY(clt__window_reach(layer, kernel, layer->value[DILATION], reach, error));
    const clt__window window = {reach, layer->value[STRIDE], layer->value[PADDING], layer->value[PADDING_END], false};
    TRY(clt__slide_window(layer, out, &window, error));
    const int weight[4] = {out, layer->in[0].shape.channels / groups, kernel[0], kernel[1]};
    TRY(clt__conv_parameters(layer, weight, layer->value[BIAS][0], error));
    layer->parameter[0].groups = groups;
    for (int i = 0; i < 2; i++) layer->parameter[0].dilation[i] = layer->value[DILATION][i];
    return CLT_OK;
}

static conv_sizes sizes_of(const clt__layer *layer, int activation)
{
    return (conv_sizes){CLT__WINDOW_SIZES(layer, layer->in[0].shape, layer->out.shape, KERNEL, STRIDE, PADDING),
                        .k = layer->out.shape.channels,
                        .bias = layer->value[BIAS][0],
                        .activation = activation,
                        .groups = layer->value[GROUPS][0],
                        .dilation_y = layer->value[DILATION][0],
                        .dilation_x = layer->value[DILATION][1]};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer, layer->out.activation);
    return clt__weighted_forward(tape, layer, clt__conv_ops_for(&sizes), &sizes, sizeof sizes, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer, layer->in[0].activation);
    return clt__weighted_backward(tape, layer, clt__conv_ops_for(&sizes), &sizes, sizeof sizes, error);
}

static void onnx(const clt__exported *e)
{
    const clt__layer *layer = e->layer;
    const char *weight = clt__export_parameter(e, 0),
               *bias = layer->parameters > 1 ? clt__export_parameter(e, 1) : NULL;
    CLT__ONNX_PUT(e->to, "Conv", e->out, e->in[0], weight, bias);
    clt__export_window(e, layer->value[KERNEL], layer->value[STRIDE], layer->value[PADDING], layer->value[PADDING_END]);
    clt__onnx_put_ints(e->to, "dilations", 2, layer->value[DILATION]);
    clt__onnx_put_int(e->to, "group", layer->value[GROUPS][0]);
}

static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const int *kernel = layer->value[KERNEL], *stride = layer->value[STRIDE], *dilation = layer->value[DILATION],
              *before = layer->value[PADDING], *after = layer->value[PADDING_END];
    const bool even = clt__script_pads_alike(before, after);
    clt__script_module(s, "nn.Conv2d(%d, %d, (%d, %d), (%d, %d), (%d, %d), (%d, %d), %d, %s)",
                       layer->in[0].shape.channels, layer->value[OUT][0], kernel[0], kernel[1], stride[0], stride[1],
                       even ? before[0] : 0, even ? before[1] : 0, dilation[0], dilation[1], layer->value[GROUPS][0],
                       clt__script_flag(layer->value[BIAS][0]));
    if (!even)
        clt__script_value(s, "%s(F.pad(%s, (%d, %d, %d, %d)))", s->self, s->in[0], before[1], after[1], before[0],
                          after[0]);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=1 kernel=1"},
    {1, "input 1x4x4; conv out=1 kernel=3 bias=no"},
    {3, "input 1x28x28; conv out=6 kernel=5 padding=2; relu"},
    {3, "input 2x5x7; conv out=3 kernel=3; tanh"},
    {3, "input 3x13x17; conv out=17 kernel=3x5 stride=2x1 padding=1x2; sigmoid; conv out=5 kernel=2 stride=3"},
    {1, "input 5x33x31; conv out=31 kernel=7 stride=3 padding=3; relu; conv out=33 kernel=3 padding=2"},
    {64, "input 7x2x3; conv out=13 kernel=2x3 padding=1; relu; conv out=70 kernel=1"},
    {3, "input 16x10x10; conv out=16 kernel=3 padding=1; conv out=32 kernel=3 padding=1 bias=no; relu; conv out=64"},
    {3, "input 70x5x5; conv out=70 kernel=3 padding=1 bias=no; tanh; conv out=33 kernel=5 padding=4 stride=2"},
    {1, "input 31x1x13; conv out=2 kernel=1x3 stride=1x5; relu; conv out=40 kernel=1x2 padding=0x3"},
    {64, "input 13x17x2; conv out=10 kernel=5x2 stride=4x2 padding=2x1; sigmoid; conv out=1 kernel=1 stride=2"},
    {3,
     "input 3x1x8; conv out=4; conv out=4 kernel=3 stride=2x3 padding=1; conv out=3 kernel=1x3 stride=3 padding=0x1"},
    {1, "input 2x5x5; conv out=4 kernel=3 groups=2"},
    {3, "input 6x9x7; conv out=6 kernel=3 padding=1 groups=6; relu; conv out=12 kernel=3 groups=6 stride=2; tanh"},
    {3, "input 33x9x8; conv out=33 kernel=3x2 groups=33 stride=2x1 padding=1 bias=no; relu; conv out=34; sigmoid; "
        "conv out=51 kernel=2 groups=17 dilation=3x2 padding=2"},
    {64, "input 3x7x6; conv out=18 kernel=3x2 dilation=2x3 padding=2x1; relu; conv out=5 kernel=2 dilation=1x2"},
    {3, "input 3x32x32; conv out=32 kernel=3 padding=1; relu; conv out=32 kernel=3 padding=1"},
    /* Winograd tiles that the image's edge cuts, with lanes and stripes to spare */
    {3, "input 17x33x31; conv out=31 kernel=3; tanh; conv out=64 kernel=3 padding=2; sigmoid; conv out=33 kernel=3"},
    {3, "input 64x13x9; conv out=70 kernel=3 padding=1 bias=no; relu; conv out=17 kernel=3 padding=0x2; tanh"},
    {1, "input 33x13x9; conv out=64 kernel=3 padding=2x1; relu; conv out=33 kernel=3 padding=1 bias=no"},
    {64, "input 31x5x7; conv out=32 kernel=3 padding=4x1; relu; conv out=31 kernel=3 padding=1"},
    /* Padding that differs from side to side */
    {3, "input 3x7x5; conv out=17 kernel=3 padding=0 padding_end=1; relu; conv out=5 kernel=3x2 padding=1 "
        "padding_end=0x2"},
    {3, "input 5x9x8; conv out=33 kernel=3 stride=2 padding=0 padding_end=1; tanh; conv out=6 kernel=2 stride=1x2 "
        "padding=1x0 padding_end=0x3"},
    {3, "input 64x13x9; conv out=70 kernel=3 padding=0 padding_end=2x1; relu; conv out=33 kernel=3 padding=2x1 "
        "padding_end=0"},
    {3, "input 6x9x7; conv out=6 kernel=3 padding=1 padding_end=0x3 groups=6; relu; conv out=4 kernel=2 dilation=2x3 "
        "padding=0 padding_end=2x1 groups=2"},
    {5,
     "input 19x8x9; conv out=19 kernel=5 padding=4x1 groups=19 stride=1x2 dilation=2x1; tanh; conv out=19 kernel=1x3 "
     "groups=19 padding=0x3; conv out=19 kernel=7 padding=6 groups=19"},
    /* Depthwise rows of several tiles, phases of several lengths, more padding than a tile has pixels */
    {3,
     "input 35x6x37; conv out=35 kernel=3 padding=1 groups=35; relu; conv out=35 kernel=3 stride=2 padding=1 groups=35 "
     "bias=no; tanh; conv out=35 kernel=5x3 stride=1x3 padding=2x20 dilation=1x2 groups=35"},
    {2, "input 16x5x67; conv out=16 kernel=2x4 stride=3x4 padding=1x9 groups=16; sigmoid; conv out=16 kernel=1x5 "
        "padding=0x2 groups=16"},
    {0, NULL},
};

const clt__layer_row clt__conv = {
    .name = "conv",
    .help = "convolution: out channels, each a sum over a kernel of all input channels",
    .option = {{"out", CLT__COUNT, 1, CLT__REQUIRED, "output channels"},
               {"kernel", CLT__PAIR, 1, 1, "kernel height x width"},
               {"stride", CLT__PAIR, 1, 1, "steps between outputs"},
               {"padding", CLT__PAIR, 0, 0, "zeros on each side"},
               {"bias", CLT__FLAG, 0, 1, "adds a bias to each output channel"},
               {"groups", CLT__COUNT, 1, 1, "parts of the outputs, each of which sees its part of the inputs"},
               {"dilation", CLT__PAIR, 1, 1, "pixels between neighbouring weights"},
               {"padding_end", CLT__PAIR, 0, CLT__AS(PADDING), "zeros below and to the right (default: as padding)"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .adds = true,
    .takes_activation = true,
    .takes_rest = true,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
