/* Zero padding and upsampling: the first option of each is a height and a width. */
#include "layers/layer.h"
#include "ops/resample.h"
#include "ops/resize_image.h"

enum { EXTENT, MODE };
enum { NEAREST, BILINEAR };

static bool is_bilinear(const clt__layer *layer)
{
    return layer->row == &clt__upsample && layer->value[MODE][0] == BILINEAR;
}

static clt_status set_shape(clt__layer *layer, int64_t height, int64_t width, clt_error *error)
{
    TRY(clt__check_image(layer, error));
    if (height > INT32_MAX || width > INT32_MAX)
        return FAIL(error, CLT_BAD_NET, "%s: its output would be too large", layer->name);
    layer->out.shape = (clt_shape){layer->in[0].shape.channels, (int)height, (int)width};
    return CLT_OK;
}

static clt_status pad_shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    return set_shape(layer, in.height + 2 * (int64_t)layer->value[EXTENT][0],
                     in.width + 2 * (int64_t)layer->value[EXTENT][1], error);
}

static clt_status upsample_shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    return set_shape(layer, in.height * (int64_t)layer->value[EXTENT][0], in.width * (int64_t)layer->value[EXTENT][1],
                     error);
}

/* What lies between pixels: with s = scale, output y lies at (y + 1/2) / s - 1/2 = (2 y + 1 - s) / (2 s). */
static clt_status add_bilinear(clt__tape *tape, const clt__layer *layer, const clt__op_row *row, int from, int to,
                               clt_error *error)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    const int *scale = layer->value[EXTENT], tensor[] = {[RESIZE_FROM] = from, [RESIZE_TO] = to};
    const resize_sizes sizes = {.n = layer->batch,
                                .c = in.channels,
                                .h = in.height,
                                .w = in.width,
                                .y = out.height,
                                .x = out.width,
                                .start_y = 1 - scale[0],
                                .step_y = 2,
                                .parts_y = 2 * scale[0],
                                .start_x = 1 - scale[1],
                                .step_x = 2,
                                .parts_x = 2 * scale[1]};
    return CLT__ADD_OP(tape, row, layer->name, sizes, tensor, error);
}

static clt_status add_op(clt__tape *tape, const clt__layer *layer, const clt__op_row *row, int from, int to,
                         clt_error *error)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    const bool pads = layer->row == &clt__zeropad;
    const int *value = layer->value[EXTENT], tensor[] = {[RESAMPLE_FROM] = from, [RESAMPLE_TO] = to};
    const resample_sizes sizes = {.n = layer->batch,
                                  .c = in.channels,
                                  .h = in.height,
                                  .w = in.width,
                                  .y = out.height,
                                  .x = out.width,
                                  .pad_y = pads ? value[0] : 0,
                                  .pad_x = pads ? value[1] : 0,
                                  .scale_y = pads ? 1 : value[0],
                                  .scale_x = pads ? 1 : value[1]};
    return CLT__ADD_OP(tape, row, layer->name, sizes, tensor, error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const int from = layer->in[0].tensor, to = layer->out.tensor;
    if (is_bilinear(layer)) return add_bilinear(tape, layer, &clt__bilinear_forward_op, from, to, error);
    return add_op(tape, layer, &clt__resample_forward_op, from, to, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const int from = layer->out.gradient, to = layer->in[0].gradient;
    if (is_bilinear(layer)) return add_bilinear(tape, layer, &clt__bilinear_gradient_op, from, to, error);
    return add_op(tape, layer, &clt__resample_gradient_op, from, to, error);
}

static void pad_onnx(const clt__exported *e)
{
    clt__export_pads(e, e->out, e->layer->value[EXTENT], e->layer->value[EXTENT], NULL);
}

static void upsample_onnx(const clt__exported *e)
{
    static const int four = 4;
    const int *scale = e->layer->value[EXTENT];
    const double scales[] = {1, 1, scale[0], scale[1]};
    const char *input[] = {e->in[0], NULL, clt__onnx_put_reals(e->to, clt__export_name(e, "scales"), 1, &four, scales)};
    clt__onnx_put_node(e->to, "Resize", e->out, input, 3);
    if (is_bilinear(e->layer)) {
        clt__export_grid(e, "linear", "half_pixel");
    } else {
        clt__export_grid(e, "nearest", "asymmetric");
        clt__onnx_put_word(e->to, "nearest_mode", "floor");
    }
}

static void pad_torch(clt__scripted *s)
{
    const int *padding = s->layer->value[EXTENT];
    clt__script_value(s, "F.pad(%s, (%d, %d, %d, %d))", s->in[0], padding[1], padding[1], padding[0], padding[0]);
}

static void upsample_torch(clt__scripted *s)
{
    const int *scale = s->layer->value[EXTENT];
    clt__script_value(s, "F.interpolate(%s, scale_factor=(%d, %d), mode=\"%s\")", s->in[0], scale[0], scale[1],
                      is_bilinear(s->layer) ? "bilinear" : "nearest");
}

static const clt__case pad_cases[] = {
    {1, "input 1x1x1; conv out=1; zeropad padding=1"},
    {3, "input 3x4x5; conv out=17; relu; zeropad padding=2x0; conv out=2 kernel=3x2"},
    {64, "input 2x3x2; conv out=5; zeropad padding=1x3; zeropad padding=0"},
    {0, NULL},
};

static const clt__case upsample_cases[] = {
    {1, "input 1x1x1; conv out=1; upsample scale=2"},
    {3, "input 3x4x5; conv out=17; tanh; upsample scale=2x3; conv out=2 kernel=3"},
    {64, "input 2x3x2; conv out=33; upsample scale=3x1; upsample scale=1"},
    {3, "input 17x4x3; upsample scale=2x3 mode=bilinear; upsample scale=4x1 mode=bilinear"},
    {0, NULL},
};

const clt__layer_row clt__zeropad = {
    .name = "zeropad",
    .help = "zeros around the image",
    .option = {{"padding", CLT__PAIR, 0, CLT__REQUIRED, "zeros on each side"}},
    .shape = pad_shape,
    .forward = forward,
    .backward = backward,
    .onnx = pad_onnx,
    .torch = pad_torch,
    .cases = pad_cases,
};

const clt__layer_row clt__upsample = {
    .name = "upsample",
    .help = "each pixel several times, or what lies between pixels",
    .option = {{"scale", CLT__PAIR, 1, CLT__REQUIRED, "times as high x wide"},
               {"mode", CLT__CHOICE, 0, NEAREST, "nearest|bilinear: what the new pixels are"}},
    .shape = upsample_shape,
    .forward = forward,
    .backward = backward,
    .onnx = upsample_onnx,
    .torch = upsample_torch,
    .cases = upsample_cases,
};
