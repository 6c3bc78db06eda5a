/* A leaky relu with learned slopes. */
#include "layers/channels.h"
#include "ops/channel.h"
#include "ops/prelu.h"

enum { SHARED };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    static const clt__value one = {.shape = {1, 1, 1}};
    const bool shared = layer->value[SHARED][0];
    layer->parameter[0] = clt__channel_parameter("weight", shared ? &one : &layer->in[0], 0.25);
    layer->parameters = 1;
    return clt__same_shape(layer, error);
}

static channel_sizes sizes_of(const clt__layer *layer)
{
    channel_sizes sizes = clt__channel_sizes_of(layer, &layer->out);
    sizes.shared = layer->value[SHARED][0];
    sizes.negative = true;
    return sizes;
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const channel_sizes sizes = sizes_of(layer);
    const int tensor[] = {
        [PRELU_X] = layer->in[0].tensor, [PRELU_SLOPE] = layer->parameter[0].tensor, [PRELU_Y] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__prelu_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const channel_sizes sizes = sizes_of(layer);
    const clt__parameter *slope = &layer->parameter[0];
    if (slope->gradient >= 0) {
        const int tensor[] = {[CHANNEL_SUM_DY] = layer->out.gradient,
                              [CHANNEL_SUM_X] = layer->in[0].tensor,
                              [CHANNEL_SUM_SUM] = slope->gradient};
        TRY(CLT__ADD_OP(tape, &clt__channel_sum_op, layer->name, sizes, tensor, error));
    }
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int tensor[] = {[PRELU_GRADIENT_DY] = layer->out.gradient,
                          [PRELU_GRADIENT_X] = layer->in[0].tensor,
                          [PRELU_GRADIENT_SLOPE] = slope->tensor,
                          [PRELU_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__prelu_gradient_op, layer->name, sizes, tensor, error);
}

static void onnx(const clt__exported *e)
{
    CLT__ONNX_PUT(e->to, "PRelu", e->out, e->in[0], clt__export_by_channel(e, 0));
}

static void torch(clt__scripted *s)
{
    const int *extent = s->layer->parameter[0].extent;
    clt__script_module(s, "nn.PReLU(%d)", extent[1] * extent[2] * extent[3]);
}

static const clt__case cases[] = {
    {3, "input 17x7x5; prelu; flatten; prelu shared=yes"},
    {64, "input 33x3x3; batchnorm; tanh; prelu shared=yes; flatten; prelu"},
    {0, NULL},
};

const clt__layer_row clt__prelu = {
    .name = "prelu",
    .help = "x where it is positive, else a learned slope times x",
    .option = {{"shared", CLT__FLAG, 0, 0, "one slope for all channels"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
