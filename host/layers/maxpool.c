/* Max pooling. */
#include <float.h>
#include <stdio.h>

#include "layers/layer.h"
#include "ops/pool.h"

enum { KERNEL, STRIDE, PADDING, CEIL, PADDING_END, DILATION };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const int *kernel = layer->value[KERNEL], *dilation = layer->value[DILATION];
    int reach[2];
    TRY(clt__window_reach(layer, kernel, dilation, reach, error));
    const clt__window window = {reach, layer->value[STRIDE], layer->value[PADDING], layer->value[PADDING_END],
                                layer->value[CEIL][0]};
    TRY(clt__slide_window(layer, layer->in[0].shape.channels, &window, error));
    return clt__check_pooled(layer, kernel, dilation, &window, error);
}

/* globalmaxpool: one window over all of the image. */
static bool is_global(const clt__layer *layer)
{
    return !layer->row->option[0].key;
}

static pool_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape;
    if (is_global(layer))
        return (pool_sizes){.n = layer->batch,
                            .c = in.channels,
                            .h = in.height,
                            .w = in.width,
                            .y = 1,
                            .x = 1,
                            .r = in.height,
                            .s = in.width,
                            .stride_y = 1,
                            .stride_x = 1,
                            .dilation_y = 1,
                            .dilation_x = 1,
                            .activation = layer->in[0].activation};
    return (pool_sizes){CLT__WINDOW_SIZES(layer, in, layer->out.shape, KERNEL, STRIDE, PADDING),
                        .dilation_y = layer->value[DILATION][0], .dilation_x = layer->value[DILATION][1],
                        .activation = layer->in[0].activation};
}

static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    const clt_shape out = layer->out.shape;
    char name[64];
    (void)snprintf(name, sizeof name, "%s.best", layer->name);
    return clt__tape_add(tape, name, CLT__INTS, CLT__IMAGES,
                         (const int[4]){layer->batch, out.channels, out.height, out.width}, 4, -1, &layer->saved[0],
                         error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const pool_sizes sizes = sizes_of(layer);
    const int tensor[] = {[POOL_X] = layer->in[0].tensor, [POOL_Y] = layer->out.tensor, [POOL_BEST] = layer->saved[0]};
    return CLT__ADD_OP(tape, &clt__pool_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const pool_sizes sizes = sizes_of(layer);
    const int tensor[] = {[POOL_GRADIENT_DY] = layer->out.gradient,
                          [POOL_GRADIENT_BEST] = layer->saved[0],
                          [POOL_GRADIENT_X] = layer->in[0].activation ? layer->in[0].tensor : -1,
                          [POOL_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__pool_input_gradient_op, layer->name, sizes, tensor, error);
}

/* With `ceil` the last window may reach beyond the padding: there is then so much more, which never wins. */
static int padding_end_of(const clt__layer *layer, int side)
{
    const int reach = (layer->value[KERNEL][side] - 1) * layer->value[DILATION][side] + 1,
              given = layer->value[PADDING_END][side];
    const int reached =
        clt__window_reached(layer, side, reach, layer->value[STRIDE][side], layer->value[PADDING][side]);
    return layer->value[CEIL][0] && reached > given ? reached : given;
}

/* A window of pixels apart may be padded by more than it has pixels, which ONNX Runtime does not take: the padding is
 * then a node of its own, of the least there is. */
static void onnx(const clt__exported *e)
{
    static const int none[] = {0, 0};
    const clt__layer *layer = e->layer;
    const int *kernel = layer->value[KERNEL], *padding = layer->value[PADDING],
              padding_end[] = {padding_end_of(layer, 0), padding_end_of(layer, 1)};
    bool apart = false;
    for (int i = 0; i < 2; i++) apart = apart || padding[i] >= kernel[i] || padding_end[i] >= kernel[i];
    const char *padded = apart ? clt__export_name(e, "padded") : e->in[0];
    if (apart)
        clt__export_pads(e, padded, padding, padding_end,
                         clt__onnx_put_number(e->to, clt__export_name(e, "least"), -(double)FLT_MAX));
    CLT__ONNX_PUT(e->to, "MaxPool", e->out, padded);
    clt__export_window(e, kernel, layer->value[STRIDE], apart ? none : padding, apart ? none : padding_end);
    clt__onnx_put_ints(e->to, "dilations", 2, layer->value[DILATION]);
}

static void global_onnx(const clt__exported *e)
{
    CLT__ONNX_PUT(e->to, "GlobalMaxPool", e->out, e->in[0]);
}

/* More padding than half the kernel PyTorch does not take, nor such as differs from side to side. */
static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const int *kernel = layer->value[KERNEL], *stride = layer->value[STRIDE], *dilation = layer->value[DILATION],
              *before = layer->value[PADDING], *end = layer->value[PADDING_END];
    const bool plain = clt__script_pads_alike(before, end) && 2 * before[0] <= kernel[0] && 2 * before[1] <= kernel[1];
    if (plain)
        clt__script_value(s, "F.max_pool2d(%s, (%d, %d), (%d, %d), (%d, %d), (%d, %d), %s)", s->in[0], kernel[0],
                          kernel[1], stride[0], stride[1], before[0], before[1], dilation[0], dilation[1],
                          clt__script_flag(layer->value[CEIL][0]));
    else
        clt__script_value(
            s, "F.max_pool2d(F.pad(%s, (%d, %d, %d, %d), value=-torch.inf), (%d, %d), (%d, %d), 0, (%d, %d))", s->in[0],
            before[1], padding_end_of(layer, 1), before[0], padding_end_of(layer, 0), kernel[0], kernel[1], stride[0],
            stride[1], dilation[0], dilation[1]);
}

static void global_torch(clt__scripted *s)
{
    clt__script_value(s, "F.adaptive_max_pool2d(%s, 1)", s->in[0]);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; maxpool kernel=1"},
    {1, "input 1x2x2; maxpool kernel=2"},
    {3, "input 3x7x5; conv out=3 kernel=1; relu; maxpool kernel=2"},
    {3, "input 17x13x31; maxpool kernel=3 stride=2 padding=1"},
    {3, "input 6x28x28; conv out=6 kernel=1; sigmoid; maxpool kernel=2x3 stride=1x2 padding=1x0"},
    {64, "input 33x5x5; conv out=33 kernel=1; tanh; maxpool kernel=3 stride=1 padding=1; maxpool kernel=5 stride=7"},
    {3, "input 6x6x9; conv out=6; maxpool kernel=3 stride=2 ceil=yes; maxpool kernel=2 stride=3 padding=1 ceil=yes"},
    {3, "input 20x5x7; conv out=20; relu; maxpool kernel=2 ceil=yes; conv out=3; tanh; maxpool kernel=2x3 ceil=yes"},
    {3, "input 3x7x6; conv out=17; relu; maxpool kernel=3 stride=2 padding=0 padding_end=1; conv out=20; tanh; "
        "maxpool kernel=2x3 padding=1x2 padding_end=0x1; maxpool kernel=2 padding=0 padding_end=1"},
    {3, "input 3x9x8; conv out=18; sigmoid; maxpool kernel=2x3 stride=1x2 dilation=3x2 padding=2x1 padding_end=1x3; "
        "conv out=3; maxpool kernel=2 dilation=2 stride=2"},
    {3, "input 70x3x2; maxpool kernel=2x1 stride=3x1; flatten; dense out=3"},
    {0, NULL},
};

static const clt__case global_cases[] = {
    {1, "input 1x1x1; conv out=1; globalmaxpool"},
    {3, "input 3x7x5; conv out=18 kernel=3; relu; globalmaxpool; dense out=3"},
    {0, NULL},
};

const clt__layer_row clt__maxpool = {
    .name = "maxpool",
    .help = "the largest value of each window, channel by channel",
    .option = {{"kernel", CLT__PAIR, 1, CLT__REQUIRED, "window height x width"},
               {"stride", CLT__PAIR, 1, CLT__AS(KERNEL), "steps between windows (default: the kernel)"},
               {"padding", CLT__PAIR, 0, 0, "border on each side that never wins"},
               {"ceil", CLT__FLAG, 0, 0, "a last window may reach beyond the padding"},
               {"padding_end", CLT__PAIR, 0, CLT__AS(PADDING), "border below and to the right (default: as padding)"},
               {"dilation", CLT__PAIR, 1, 1, "pixels between those that a window has"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .takes_activation = true,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};

const clt__layer_row clt__globalmaxpool = {
    .name = "globalmaxpool",
    .help = "the largest value of each channel",
    .shape = clt__one_pixel,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .takes_activation = true,
    .onnx = global_onnx,
    .torch = global_torch,
    .cases = global_cases,
};
