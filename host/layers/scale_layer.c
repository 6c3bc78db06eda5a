/* Channels scaled and shifted. */
#include <stdio.h>

#include "layers/channels.h"
#include "ops/channel.h"
#include "ops/scale.h"

enum { WEIGHT, BIAS, SHARED, OVER };
enum { CHANNELS, ELEMENTS };

/* The parameter that an option stands for; NULL where there is none. */
static const clt__parameter *find(const clt__layer *layer, int option)
{
    if (!layer->value[option][0]) return NULL;
    return &layer->parameter[option == BIAS && layer->value[WEIGHT][0]];
}

static int tensor_of(const clt__parameter *parameter)
{
    return parameter ? parameter->tensor : -1;
}

static bool is_by_element(const clt__layer *layer)
{
    return layer->value[OVER][0] == ELEMENTS && !layer->value[SHARED][0];
}

/* Element by element, an image is a vector. */
static clt__value scaled(const clt__layer *layer)
{
    clt__value value = layer->in[0];
    if (layer->value[SHARED][0]) value = (clt__value){.shape = {1, 1, 1}};
    value.flat = value.flat || is_by_element(layer);
    return value;
}

static void add_parameter(clt__layer *layer, const char *name, double initial)
{
    const clt__value value = scaled(layer);
    clt__parameter *parameter = &layer->parameter[layer->parameters++];
    *parameter = clt__channel_parameter(name, &value, initial);
    if (is_by_element(layer) && !layer->in[0].flat) parameter->shown = CLT__SHOWN_IMAGE;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    if (layer->value[WEIGHT][0]) add_parameter(layer, "weight", 1);
    if (layer->value[BIAS][0]) add_parameter(layer, "bias", 0);
    if (!layer->parameters)
        return FAIL(error, CLT_BAD_NET, "%s: without a weight and without a bias it does nothing", layer->name);
    return clt__same_shape(layer, error);
}

static channel_sizes sizes_of(const clt__layer *layer)
{
    clt__value value = layer->out;
    value.flat = value.flat || is_by_element(layer);
    channel_sizes sizes = clt__channel_sizes_of(layer, &value);
    sizes.shared = layer->value[SHARED][0];
    return sizes;
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const channel_sizes sizes = sizes_of(layer);
    const int tensor[] = {[SCALE_X] = layer->in[0].tensor,
                          [SCALE_W] = tensor_of(find(layer, WEIGHT)),
                          [SCALE_B] = tensor_of(find(layer, BIAS)),
                          [SCALE_Y] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__scale_op, layer->name, sizes, tensor, error);
}

static clt_status add_gradient(clt__tape *tape, const clt__layer *layer, const clt__parameter *parameter, int x,
                               clt_error *error)
{
    const channel_sizes sizes = sizes_of(layer);
    if (!parameter || parameter->gradient < 0) return CLT_OK;
    const int tensor[] = {
        [CHANNEL_SUM_DY] = layer->out.gradient, [CHANNEL_SUM_X] = x, [CHANNEL_SUM_SUM] = parameter->gradient};
    return CLT__ADD_OP(tape, &clt__channel_sum_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const channel_sizes sizes = sizes_of(layer);
    TRY(add_gradient(tape, layer, find(layer, WEIGHT), layer->in[0].tensor, error));
    TRY(add_gradient(tape, layer, find(layer, BIAS), -1, error));
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int tensor[] = {[SCALE_X] = layer->out.gradient,
                          [SCALE_W] = tensor_of(find(layer, WEIGHT)),
                          [SCALE_B] = -1,
                          [SCALE_Y] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__scale_op, layer->name, sizes, tensor, error);
}

static const char *put(const clt__exported *e, int parameter)
{
    return is_by_element(e->layer) ? clt__export_parameter(e, parameter) : clt__export_by_channel(e, parameter);
}

static void onnx(const clt__exported *e)
{
    const bool scales = e->layer->value[WEIGHT][0], shifts = e->layer->value[BIAS][0];
    const char *product = scales && shifts ? clt__export_name(e, "product") : scales ? e->out : e->in[0];
    if (scales) CLT__ONNX_PUT(e->to, "Mul", product, e->in[0], put(e, 0));
    if (shifts) CLT__ONNX_PUT(e->to, "Add", e->out, product, put(e, scales));
}

static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const clt__parameter *p = &layer->parameter[0];
    const int count = p->extent[1] * p->extent[2] * p->extent[3];
    char numbers[64], shape[64];
    const bool image = p->shown == CLT__SHOWN_IMAGE, spread = !layer->in[0].flat && !image && count > 1;
    (void)snprintf(numbers, sizeof numbers, image ? "(%d, %d, %d)" : "(%d,)", image ? p->extent[1] : count,
                   p->extent[2], p->extent[3]);
    (void)snprintf(shape, sizeof shape, "(%d, 1, 1)", count);
    clt__script_module(s, "Scale(%s, %s, %s, %s)", numbers, spread ? shape : numbers,
                       clt__script_flag(layer->value[WEIGHT][0]), clt__script_flag(layer->value[BIAS][0]));
}

static const clt__case cases[] = {
    {1, "input 1x1x1; scale; tanh; scale bias=no; tanh; scale weight=no"},
    {3, "input 17x7x5; conv out=33; scale; relu; scale weight=no; flatten; scale bias=no; dense out=3"},
    {3, "input 3x7x5; conv out=17; tanh; scale over=elements; relu; scale over=elements bias=no; conv out=2; flatten; "
        "scale over=elements weight=no"},
    {64, "input 5x3x3; conv out=18; tanh; scale shared=yes; tanh; flatten; scale shared=yes bias=no; "
         "scale frozen=yes; dense out=3"},
    {0, NULL},
};

const clt__layer_row clt__scale = {
    .name = "scale",
    .help = "channel by channel, or element by element of a vector, a learned weight times x plus a learned bias",
    .option = {{"weight", CLT__FLAG, 0, 1, "it has a weight, at first 1"},
               {"bias", CLT__FLAG, 0, 1, "it has a bias, at first 0"},
               {"shared", CLT__FLAG, 0, 0, "one of each for all channels"},
               {"over", CLT__CHOICE, 0, CHANNELS,
                "channels|elements: what has one of each, an image's channels or its elements"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
