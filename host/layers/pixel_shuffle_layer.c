/* Channels that become pixels, and pixels that become channels. */
#include <inttypes.h>

#include "layers/layer.h"
#include "ops/pixel_shuffle.h"

enum { SCALE };

static bool is_back(const clt__layer *layer)
{
    return layer->row == &clt__pixelunshuffle;
}

static clt_status shuffle_shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    const int64_t s = layer->value[SCALE][0];
    TRY(clt__check_image(layer, error));
    if (in.channels % (s * s))
        return FAIL(error, CLT_BAD_NET, "%s: scale=%" PRId64 ": its %d channels are no multiple of %" PRId64,
                    layer->name, s, in.channels, s * s);
    if (s * in.height > INT32_MAX || s * in.width > INT32_MAX)
        return FAIL(error, CLT_BAD_NET, "%s: its output would be too large", layer->name);
    layer->out.shape = (clt_shape){(int)(in.channels / (s * s)), (int)(s * in.height), (int)(s * in.width)};
    return CLT_OK;
}

static clt_status unshuffle_shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    const int s = layer->value[SCALE][0];
    TRY(clt__check_image(layer, error));
    if (in.height % s || in.width % s)
        return FAIL(error, CLT_BAD_NET, "%s: scale=%d divides not both of its %d rows and %d columns", layer->name, s,
                    in.height, in.width);
    if ((int64_t)in.channels * s * s > INT32_MAX)
        return FAIL(error, CLT_BAD_NET, "%s: its output would have too many channels", layer->name);
    layer->out.shape = (clt_shape){in.channels * s * s, in.height / s, in.width / s};
    return CLT_OK;
}

static clt_status add(clt__tape *tape, const clt__layer *layer, bool back, int from, int to, clt_error *error)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape, large = is_back(layer) ? in : out,
                    small = is_back(layer) ? out : in;
    const pixel_shuffle_sizes sizes = {layer->batch, large.channels, small.height, small.width, layer->value[SCALE][0]};
    const int tensor[] = {[PIXEL_SHUFFLE_X] = from, [PIXEL_SHUFFLE_Y] = to};
    return CLT__ADD_OP(tape, back ? &clt__pixel_unshuffle_op : &clt__pixel_shuffle_op, layer->name, sizes, tensor,
                       error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add(tape, layer, is_back(layer), layer->in[0].tensor, layer->out.tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add(tape, layer, !is_back(layer), layer->out.gradient, layer->in[0].gradient, error);
}

/* ONNX's SpaceToDepth has a pixel's parts before the channels: they change places by a reshape. */
static void onnx(const clt__exported *e)
{
    static const int order[] = {0, 2, 1, 3, 4};
    const clt_shape out = e->layer->out.shape;
    const int s = e->layer->value[SCALE][0], channels = e->layer->in[0].shape.channels,
              apart[] = {0, s * s, channels, out.height, out.width},
              together[] = {0, out.channels, out.height, out.width};
    if (!is_back(e->layer)) {
        CLT__ONNX_PUT(e->to, "DepthToSpace", e->out, e->in[0]);
        clt__onnx_put_int(e->to, "blocksize", s);
        clt__onnx_put_word(e->to, "mode", "CRD");
        return;
    }
    const char *depth = clt__export_name(e, "depth"), *turned = clt__export_name(e, "turned");
    CLT__ONNX_PUT(e->to, "SpaceToDepth", depth, e->in[0]);
    clt__onnx_put_int(e->to, "blocksize", s);
    const char *parts = clt__export_reshape(e, depth, clt__export_name(e, "parts"), 5, apart);
    CLT__ONNX_PUT(e->to, "Transpose", turned, parts);
    clt__onnx_put_ints(e->to, "perm", 5, order);
    (void)clt__export_reshape(e, turned, e->out, 4, together);
}

static void torch(clt__scripted *s)
{
    clt__script_value(s, "F.pixel_%sshuffle(%s, %d)", is_back(s->layer) ? "un" : "", s->in[0],
                      s->layer->value[SCALE][0]);
}

static const clt__case shuffle_cases[] = {
    {1, "input 4x1x1; conv out=4; pixelshuffle scale=2"},
    {3, "input 3x4x5; conv out=36; tanh; pixelshuffle scale=3; conv out=2; pixelshuffle scale=1"},
    {64, "input 5x2x3; conv out=68; relu; pixelshuffle scale=2; flatten; dense out=3"},
    {0, NULL},
};

static const clt__case unshuffle_cases[] = {
    {1, "input 1x2x2; conv out=1; pixelunshuffle scale=2"},
    {3,
     "input 3x6x9; conv out=2; tanh; pixelunshuffle scale=3; conv out=8; pixelshuffle scale=2; pixelunshuffle scale=2"},
    {64, "input 5x2x4; conv out=17; relu; pixelunshuffle scale=2; flatten; dense out=3"},
    {0, NULL},
};

const clt__layer_row clt__pixelshuffle = {
    .name = "pixelshuffle",
    .help = "each group of scale x scale channels becomes a channel of an image so many times as high and wide",
    .option = {{"scale", CLT__COUNT, 1, CLT__REQUIRED, "how many times"}},
    .shape = shuffle_shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = shuffle_cases,
};

const clt__layer_row clt__pixelunshuffle = {
    .name = "pixelunshuffle",
    .help = "the other way round: pixels become channels",
    .option = {{"scale", CLT__COUNT, 1, CLT__REQUIRED, "how many times lower and narrower"}},
    .shape = unshuffle_shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = unshuffle_cases,
};
