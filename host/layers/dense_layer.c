/* The dense layer. */
#include "layers/layer.h"
#include "ops/dense.h"

enum { OUT, BIAS };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    const int inputs = in.channels * in.height * in.width; /* a tensor of so many exists */
    if (!layer->in[0].flat && (in.height > 1 || in.width > 1))
        return FAIL(error, CLT_BAD_NET, "%s needs a vector, its input is an image of %dx%dx%d: put `flatten` before it",
                    layer->name, in.channels, in.height, in.width);
    layer->out.shape = (clt_shape){layer->value[OUT][0], 1, 1};
    layer->out.flat = true;
    const int weight[4] = {layer->value[OUT][0], in.channels, in.height, in.width};
    clt__set_weight_and_bias(layer, weight, 2, inputs, layer->value[BIAS][0]);
    return CLT_OK;
}

static dense_sizes sizes_of(const clt__layer *layer, int activation)
{
    return (dense_sizes){.n = layer->batch,
                         .i = layer->parameter[0].fan_in,
                         .o = layer->value[OUT][0],
                         .bias = layer->value[BIAS][0],
                         .activation = activation};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const dense_sizes sizes = sizes_of(layer, layer->out.activation);
    return clt__weighted_forward(tape, layer, &clt__dense_ops, &sizes, sizeof sizes, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const dense_sizes sizes = sizes_of(layer, layer->in[0].activation);
    return clt__weighted_backward(tape, layer, &clt__dense_ops, &sizes, sizeof sizes, error);
}

static void onnx(const clt__exported *e)
{
    const char *weight = clt__export_parameter(e, 0),
               *bias = e->layer->parameters > 1 ? clt__export_parameter(e, 1) : NULL,
               *vector = e->layer->in[0].flat ? e->in[0] : clt__export_name(e, "vector");
    if (!e->layer->in[0].flat) CLT__ONNX_PUT(e->to, "Flatten", vector, e->in[0]);
    CLT__ONNX_PUT(e->to, "Gemm", e->out, vector, weight, bias);
    clt__onnx_put_int(e->to, "transB", 1);
}

static void torch(clt__scripted *s)
{
    const clt_shape in = s->layer->in[0].shape;
    clt__script_module(s, "nn.Linear(%d, %d, %s)", in.channels * in.height * in.width, s->layer->value[OUT][0],
                       clt__script_flag(s->layer->value[BIAS][0]));
    if (!s->layer->in[0].flat) clt__script_value(s, "%s(torch.flatten(%s, 1))", s->self, s->in[0]);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; dense out=1; sigmoid"},
    {1, "input 1x2x2; flatten; dense out=1 bias=no; sigmoid; dense out=2"},
    {3, "input 3x5x7; conv out=2 kernel=1; relu; flatten; dense out=17; tanh; dense out=31 bias=no"},
    {64, "input 16x5x5; flatten; dense out=120; relu; dense out=84; relu; dense out=10"},
    {64, "input 70x1x1; dense out=33; sigmoid; dense out=70; relu; dense out=13; tanh; dense out=5"},
    {33, "input 31x3x1; flatten; dense out=65; sigmoid; dense out=7; sigmoid_notebook"},
    {0, NULL},
};

const clt__layer_row clt__dense = {
    .name = "dense",
    .help = "fully connected: out sums over all inputs",
    .option = {{"out", CLT__COUNT, 1, CLT__REQUIRED, "outputs"},
               {"bias", CLT__FLAG, 0, 1, "adds a bias to each output"}},
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
