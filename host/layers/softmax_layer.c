/* Softmax and its logarithm. */
#include "layers/layer.h"
#include "ops/softmax.h"

static softmax_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    const int pixels = s.height * s.width;
    return (softmax_sizes){.rows = layer->out.flat ? layer->batch : layer->batch * pixels,
                           .length = layer->out.flat ? s.channels * pixels : s.channels,
                           .logarithm = layer->row == &clt__log_softmax};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const softmax_sizes sizes = sizes_of(layer);
    const int tensor[] = {[SOFTMAX_X] = layer->in[0].tensor, [SOFTMAX_Y] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__softmax_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const softmax_sizes sizes = sizes_of(layer);
    const int tensor[] = {[SOFTMAX_GRADIENT_DY] = layer->out.gradient,
                          [SOFTMAX_GRADIENT_Y] = layer->out.tensor,
                          [SOFTMAX_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__softmax_gradient_op, layer->name, sizes, tensor, error);
}

static void onnx(const clt__exported *e)
{
    CLT__ONNX_PUT(e->to, e->layer->row == &clt__log_softmax ? "LogSoftmax" : "Softmax", e->out, e->in[0]);
    clt__onnx_put_int(e->to, "axis", 1);
}

static void torch(clt__scripted *s)
{
    clt__script_value(s, "torch.%s(%s, 1)", s->layer->row == &clt__log_softmax ? "log_softmax" : "softmax", s->in[0]);
}

static const clt__case softmax_cases[] = {
    {3, "input 17x5x3; softmax; flatten; softmax"},
    {64, "input 2x3x3; flatten; softmax; dense out=1; softmax"},
    {0, NULL},
};

static const clt__case log_softmax_cases[] = {
    {3, "input 17x5x3; batchnorm; tanh; log_softmax; flatten; log_softmax"},
    {0, NULL},
};

const clt__layer_row clt__softmax = {
    .name = "softmax",
    .help = "exp(x) over its sum, of a pixel's channels or a vector (the loss cross_entropy has its own)",
    .shape = clt__same_shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = softmax_cases,
};

const clt__layer_row clt__log_softmax = {
    .name = "log_softmax",
    .help = "the logarithm of softmax",
    .shape = clt__same_shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = log_softmax_cases,
};
