/* Average pooling, and means over all of an image or over its channels. */
#include "layers/layer.h"
#include "ops/average.h"

enum { KERNEL, STRIDE, PADDING, CEIL, INCLUDE_PAD, PADDING_END };

static clt_status average_shape(clt__layer *layer, clt_error *error)
{
    static const int side_by_side[2] = {1, 1};
    const int *kernel = layer->value[KERNEL];
    const clt__window window = {kernel, layer->value[STRIDE], layer->value[PADDING], layer->value[PADDING_END],
                                layer->value[CEIL][0]};
    TRY(clt__slide_window(layer, layer->in[0].shape.channels, &window, error));
    return clt__check_pooled(layer, kernel, side_by_side, &window, error);
}

static clt_status mean_shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    TRY(clt__check_image(layer, error));
    layer->out.shape = (clt_shape){1, in.height, in.width};
    return CLT_OK;
}

/* channelmean: channels lie last, so a pixel's are a row of an image of one channel, of as many rows as there are
 * pixels. */
static average_sizes mean_sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape;
    const int pixels = in.height * in.width;
    return (average_sizes){.n = layer->batch,
                           .c = 1,
                           .h = pixels,
                           .w = in.channels,
                           .y = pixels,
                           .x = 1,
                           .r = 1,
                           .s = in.channels,
                           .stride_y = 1,
                           .stride_x = 1};
}

static average_sizes average_sizes_of(const clt__layer *layer)
{
    if (layer->row == &clt__channelmean) return mean_sizes_of(layer);
    average_sizes sizes = {CLT__WINDOW_SIZES(layer, layer->in[0].shape, layer->out.shape, KERNEL, STRIDE, PADDING),
                           .pad_end_y = layer->value[PADDING_END][0], .pad_end_x = layer->value[PADDING_END][1],
                           .include_pad = layer->value[INCLUDE_PAD][0]};
    if (layer->row->option[0].key) return sizes;
    sizes.r = sizes.h; /* globalavgpool: one window over all of the image */
    sizes.s = sizes.w;
    sizes.stride_y = sizes.stride_x = 1;
    return sizes;
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const average_sizes sizes = average_sizes_of(layer);
    const int tensor[] = {[AVERAGE_FROM] = layer->in[0].tensor, [AVERAGE_TO] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__average_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const average_sizes sizes = average_sizes_of(layer);
    const int tensor[] = {[AVERAGE_FROM] = layer->out.gradient, [AVERAGE_TO] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__average_gradient_op, layer->name, sizes, tensor, error);
}

/* With `ceil` the last window may reach beyond the padding. What it has there counts never, so that it is more padding
 * where that does not count either, and where none reaches so far there is no need to say so. */
static void onnx(const clt__exported *e)
{
    const clt__layer *layer = e->layer;
    const int *kernel = layer->value[KERNEL], *stride = layer->value[STRIDE], *padding = layer->value[PADDING];
    const bool counts = layer->value[INCLUDE_PAD][0];
    int end[] = {layer->value[PADDING_END][0], layer->value[PADDING_END][1]};
    bool beyond = false;
    for (int i = 0; i < 2 && layer->value[CEIL][0]; i++) {
        const int reached = clt__window_reached(layer, i, kernel[i], stride[i], padding[i]);
        beyond = beyond || (counts && reached > end[i]);
        if (reached >= 0 && (!counts || reached < end[i])) end[i] = reached;
    }
    CLT__ONNX_PUT(e->to, "AveragePool", e->out, e->in[0]);
    clt__export_window(e, kernel, stride, padding, end);
    clt__onnx_put_int(e->to, "ceil_mode", beyond);
    clt__onnx_put_int(e->to, "count_include_pad", counts);
}

static void global_onnx(const clt__exported *e)
{
    CLT__ONNX_PUT(e->to, "GlobalAveragePool", e->out, e->in[0]);
}

/* The axes are an input from opset 18 on. */
static void mean_onnx(const clt__exported *e)
{
    static const int channels = 1;
    const bool old = clt__onnx_writer_opset(e->to) < 18;
    const char *axes = old ? NULL : clt__onnx_put_list(e->to, clt__export_name(e, "axes"), 1, &channels);
    CLT__ONNX_PUT(e->to, "ReduceMean", e->out, e->in[0], axes);
    if (old) clt__onnx_put_ints(e->to, "axes", 1, &channels);
}

/* Where PyTorch's own pool does not do, one of the values over one of what counts: the module has a function for it. */
static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const int *kernel = layer->value[KERNEL], *stride = layer->value[STRIDE], *before = layer->value[PADDING],
              *end = layer->value[PADDING_END];
    const char *counts = clt__script_flag(layer->value[INCLUDE_PAD][0]);
    const bool plain = clt__script_pads_alike(before, end) && 2 * before[0] <= kernel[0] && 2 * before[1] <= kernel[1];
    int beyond[2];
    for (int i = 0; i < 2; i++) {
        beyond[i] = clt__window_reached(layer, i, kernel[i], stride[i], before[i]) - end[i];
        if (beyond[i] < 0) beyond[i] = 0;
    }
    if (plain)
        clt__script_value(s, "F.avg_pool2d(%s, (%d, %d), (%d, %d), (%d, %d), %s, %s)", s->in[0], kernel[0], kernel[1],
                          stride[0], stride[1], before[0], before[1], clt__script_flag(layer->value[CEIL][0]), counts);
    else
        clt__script_value(s, "average(%s, (%d, %d, %d, %d), (0, %d, 0, %d), (%d, %d), (%d, %d), %s)", s->in[0],
                          before[1], end[1], before[0], end[0], beyond[1], beyond[0], kernel[0], kernel[1], stride[0],
                          stride[1], counts);
}

static void global_torch(clt__scripted *s)
{
    clt__script_value(s, "F.adaptive_avg_pool2d(%s, 1)", s->in[0]);
}

static void mean_torch(clt__scripted *s)
{
    clt__script_value(s, "%s.mean(1, keepdim=True)", s->in[0]);
}

static const clt__case average_cases[] = {
    {1, "input 1x1x1; conv out=1; avgpool kernel=1"},
    {3, "input 3x7x5; conv out=3 kernel=1; relu; avgpool kernel=2"},
    {3, "input 17x13x31; conv out=17; avgpool kernel=3 stride=2 padding=1; conv out=2"},
    {3, "input 2x9x8; conv out=5; tanh; avgpool kernel=3x2 stride=2x3 padding=1x1 count_include_pad=no ceil=yes"},
    {3, "input 3x7x6; conv out=17; avgpool kernel=3 stride=2 padding=0 padding_end=1; avgpool kernel=2x3 stride=1 "
        "padding=1 padding_end=0x2 count_include_pad=no"},
    {3, "input 2x7x6; conv out=5; avgpool kernel=3x4 stride=2 padding=2x3 padding_end=1x0 ceil=yes; avgpool kernel=2 "
        "padding=0x1 padding_end=1x0 ceil=yes count_include_pad=no"},
    {64, "input 3x5x5; conv out=33; avgpool kernel=3 stride=2 padding=1 ceil=yes; avgpool kernel=2 stride=1"},
    {0, NULL},
};

static const clt__case global_cases[] = {
    {1, "input 1x1x1; conv out=1; globalavgpool"},
    {3, "input 3x7x5; conv out=18 kernel=3; relu; globalavgpool; dense out=3"},
    {64, "input 5x3x3; conv out=7; globalavgpool; flatten; dense out=3"},
    {0, NULL},
};

static const clt__case mean_cases[] = {
    {1, "input 1x1x1; conv out=1; channelmean"},
    {3, "input 3x7x5; conv out=17; relu; channelmean; conv out=3; channelmean"},
    {0, NULL},
};

const clt__layer_row clt__avgpool = {
    .name = "avgpool",
    .help = "the mean of each window, channel by channel",
    .option = {{"kernel", CLT__PAIR, 1, CLT__REQUIRED, "window height x width"},
               {"stride", CLT__PAIR, 1, CLT__AS(KERNEL), "steps between windows (default: the kernel)"},
               {"padding", CLT__PAIR, 0, 0, "zeros on each side"},
               {"ceil", CLT__FLAG, 0, 0, "a last window may reach beyond the padding"},
               {"count_include_pad", CLT__FLAG, 0, 1, "the mean is over the padding too"},
               {"padding_end", CLT__PAIR, 0, CLT__AS(PADDING), "zeros below and to the right (default: as padding)"}},
    .shape = average_shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = average_cases,
};

const clt__layer_row clt__globalavgpool = {
    .name = "globalavgpool",
    .help = "the mean of each channel",
    .shape = clt__one_pixel,
    .forward = forward,
    .backward = backward,
    .onnx = global_onnx,
    .torch = global_torch,
    .cases = global_cases,
};

const clt__layer_row clt__channelmean = {
    .name = "channelmean",
    .help = "the mean over the channels of each pixel",
    .shape = mean_shape,
    .forward = forward,
    .backward = backward,
    .onnx = mean_onnx,
    .torch = mean_torch,
    .cases = mean_cases,
};
