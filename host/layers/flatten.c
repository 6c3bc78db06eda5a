/* Flatten: from here on an image is one vector. Nothing moves: the vector keeps the image's memory order, and the
 * dense layer that follows reorders its weights when they are read from or written to a file. */
#include "layers/layer.h"

static clt_status shape(clt__layer *layer, clt_error *error)
{
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->out.flat = true;
    return CLT_OK;
}

static void onnx(const clt__exported *e)
{
    CLT__ONNX_PUT(e->to, "Flatten", e->out, e->in[0]);
}

static void torch(clt__scripted *s)
{
    clt__script_value(s, "torch.flatten(%s, 1)", s->in[0]);
}

const clt__layer_row clt__flatten = {
    .name = "flatten",
    .help = "makes a vector of an image",
    .shape = shape,
    .onnx = onnx,
    .torch = torch,
    .cases = (const clt__case[]){{3, "input 3x5x2; conv out=4 kernel=2; relu; flatten; dense out=3"}, {0, NULL}},
};
