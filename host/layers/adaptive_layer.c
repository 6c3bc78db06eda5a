/* Average pooling to a given size. */
#include "layers/layer.h"
#include "ops/adaptive.h"

enum { OUT };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    TRY(clt__check_image(layer, error));
    layer->out.shape = (clt_shape){layer->in[0].shape.channels, layer->value[OUT][0], layer->value[OUT][1]};
    return CLT_OK;
}

static adaptive_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    return (adaptive_sizes){layer->batch, in.channels, in.height, in.width, out.height, out.width};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const adaptive_sizes sizes = sizes_of(layer);
    const int tensor[] = {[ADAPTIVE_FROM] = layer->in[0].tensor, [ADAPTIVE_TO] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__adaptive_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const adaptive_sizes sizes = sizes_of(layer);
    const int tensor[] = {[ADAPTIVE_FROM] = layer->out.gradient, [ADAPTIVE_TO] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__adaptive_gradient_op, layer->name, sizes, tensor, error);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=1; adaptiveavgpool out=1"},
    {3, "input 3x7x5; conv out=17; relu; adaptiveavgpool out=3x2; conv out=2; adaptiveavgpool out=5x2"},
    {64, "input 2x3x4; conv out=5; adaptiveavgpool out=7x4; adaptiveavgpool out=2x9"},
    {0, NULL},
};

const clt__layer_row clt__adaptiveavgpool = {
    .name = "adaptiveavgpool",
    .help = "the means of parts of the image, as many as there are to be pixels",
    .option = {{"out", CLT__PAIR, 1, CLT__REQUIRED, "output height x width"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .cases = cases,
};
