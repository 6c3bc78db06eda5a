/* Layers that join values: add and concat. */
#include "layers/layer.h"
#include "ops/join.h"

enum { INPUTS = CLT__MAX_INPUTS };

static clt_status check_inputs(const clt__layer *layer, bool channels, clt_error *error)
{
    const clt__value *first = &layer->in[0];
    for (int i = 1; i < layer->inputs; i++) {
        const clt__value *other = &layer->in[i];
        if (first->flat == other->flat && first->shape.height == other->shape.height &&
            first->shape.width == other->shape.width && (!channels || first->shape.channels == other->shape.channels))
            continue;
        return FAIL(error, CLT_BAD_NET, "%s: its inputs 1 and %d are %s of %dx%dx%d and %s of %dx%dx%d: %s",
                    layer->name, i + 1, first->flat ? "a vector" : "an image", first->shape.channels,
                    first->shape.height, first->shape.width, other->flat ? "a vector" : "an image",
                    other->shape.channels, other->shape.height, other->shape.width,
                    channels ? "they should be alike" : "only the channels may differ");
    }
    return CLT_OK;
}

void clt__list_inputs(const clt__layer *layer, int tensor[CLT__MAX_INPUTS])
{
    for (int i = 0; i < INPUTS; i++) tensor[i] = i < layer->inputs ? layer->in[i].tensor : -1;
}

clt_status clt__joined_shape(clt__layer *layer, clt_error *error)
{
    TRY(check_inputs(layer, true, error));
    return clt__same_shape(layer, error);
}

static clt_status add_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    int tensor[INPUTS];
    clt__list_inputs(layer, tensor);
    return clt__add_sum(tape, layer->name, tensor, layer->inputs, layer->out.tensor, layer->out.activation, error);
}

static clt_status concat_shape(clt__layer *layer, clt_error *error)
{
    int64_t channels = 0;
    TRY(check_inputs(layer, false, error));
    for (int i = 0; i < layer->inputs; i++) channels += layer->in[i].shape.channels;
    if (channels > INT32_MAX) return FAIL(error, CLT_BAD_NET, "%s: too many channels", layer->name);
    layer->out.shape = layer->in[0].shape;
    layer->out.shape.channels = (int)channels;
    layer->out.flat = layer->in[0].flat;
    return CLT_OK;
}

static join_sizes concat_sizes(const clt__layer *layer)
{
    const clt_shape out = layer->out.shape;
    join_sizes sizes = {.count = layer->batch * out.channels * out.height * out.width,
                        .inputs = layer->inputs,
                        .all_channels = out.channels};
    for (int i = 0; i < layer->inputs; i++) sizes.channels[i] = layer->in[i].shape.channels;
    return sizes;
}

static clt_status concat_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const join_sizes sizes = concat_sizes(layer);
    int tensor[] = {[JOIN_Y] = layer->out.tensor};
    clt__list_inputs(layer, tensor);
    return CLT__ADD_OP(tape, &clt__concat_op, layer->name, sizes, tensor, error);
}

static clt_status concat_backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const join_sizes sizes = concat_sizes(layer);
    int tensor[CONCAT_GRADIENT_FIRST + INPUTS] = {[CONCAT_GRADIENT_DY] = layer->out.gradient};
    bool any = false;
    for (int i = 0; i < INPUTS; i++) {
        tensor[CONCAT_GRADIENT_FIRST + i] = i < layer->inputs ? layer->in[i].gradient : -1;
        any = any || tensor[CONCAT_GRADIENT_FIRST + i] >= 0;
    }
    return any ? CLT__ADD_OP(tape, &clt__concat_gradient_op, layer->name, sizes, tensor, error) : CLT_OK;
}

static void add_onnx(const clt__exported *e)
{
    clt__onnx_put_node(e->to, e->layer->inputs == 2 ? "Add" : "Sum", e->out, e->in, e->layer->inputs);
}

static void concat_onnx(const clt__exported *e)
{
    clt__onnx_put_node(e->to, "Concat", e->out, e->in, e->layer->inputs);
    clt__onnx_put_int(e->to, "axis", 1);
}

static void add_torch(clt__scripted *s)
{
    for (int i = 0; i < s->layer->inputs; i++) clt__script_value(s, "%s%s", i ? " + " : "", s->in[i]);
}

static void concat_torch(clt__scripted *s)
{
    for (int i = 0; i < s->layer->inputs; i++) clt__script_value(s, "%s%s", i ? ", " : "torch.cat((", s->in[i]);
    clt__script_value(s, "), 1)");
}

static const clt__case add_cases[] = {
    {1, "input 1x1x1; conv out=1; add from=conv1,input"},
    {3,
     "input 3x5x7; conv out=3 kernel=3 padding=1; relu; conv out=3; add from=conv2,relu1; relu; flatten; dense out=3"},
    {3, "input 2x5x5; conv out=4; tanh; maxpool kernel=1; conv out=4 from=tanh1; add from=tanh1,maxpool1,conv2,tanh1; "
        "sigmoid; conv out=2"},
    /* more uses of a value than a sum of gradients takes at a time */
    {3, "input 2x3x4; conv out=3 as=a; relu as=b; tanh from=a as=c; abs from=a as=d; neg from=a as=e; sigmoid from=a "
        "as=f; add from=a,b,c,d,e,f; add from=a,a,a,a,a,a,a,a; add from=add1,add2,a,b; conv out=2"},
    {64, "input 5x1x1; dense out=17; relu as=a; dense out=17 as=b; dense out=17 from=a as=c; add from=a,b,c,b; tanh"},
    /* sums of two that the later one's op makes, and gradients that the first reader's adds up */
    {3, "input 16x9x10; conv out=16 kernel=3 padding=1; relu as=a; conv out=16 kernel=3 padding=1 from=a; add "
        "from=a,conv2; tanh as=b; conv out=16 kernel=3 padding=1 from=b; add from=conv3,b; conv out=3"},
    {3, "input 3x5x7; conv out=17; tanh as=a; batchnorm from=a; add from=batchnorm1,a; relu as=b; conv out=17 from=b; "
        "batchnorm as=c; conv out=17 from=b; batchnorm as=d; add from=c,d; relu; flatten; dense out=3"},
    {3, "input 6x5x4; conv out=6; sigmoid as=a; conv out=6 kernel=3 padding=1 groups=3 from=a as=b; add from=b,a; tanh "
        "as=c; conv out=6 kernel=3 padding=2 dilation=2 from=c as=d; add from=c,d; groupnorm groups=2 as=e; add "
        "from=d,e; relu; layernorm as=f; add from=f,f"},
    {64,
     "input 7x1x1; dense out=33; tanh as=a; dense out=33 from=a as=b; add from=a,b; relu as=c; dense out=33 from=c; "
     "add from=dense3,c; dense out=13 from=add2"},
    {3, "input 2x4x5; conv out=5; relu as=a; conv_transpose out=5 kernel=3 padding=1 from=a as=b; add from=b,a; "
        "conv_transpose out=5 kernel=1 as=c; add from=c,add1; flatten; dense out=2"},
    {0, NULL},
};

static const clt__case concat_cases[] = {
    {1, "input 1x1x1; conv out=1; concat from=conv1,input; conv out=2"},
    {3,
     "input 3x5x7; conv out=2; relu; conv out=5 from=input; concat from=relu1,conv2,input,relu1; conv out=3 kernel=3"},
    {3, "input 2x4x3; conv out=17; tanh; maxpool kernel=1; concat from=tanh1,maxpool1; relu; flatten; dense out=3"},
    {64, "input 7x1x1; dense out=3; relu; dense out=33 from=input; concat from=relu1,dense2; dense out=4"},
    {0, NULL},
};

const clt__layer_row clt__add = {
    .name = "add",
    .help = "the sum of two to eight layers of the same shape",
    .shape = clt__joined_shape,
    .forward = add_forward,
    .joins = true,
    .passes_gradient = true,
    .fuses = true,
    .onnx = add_onnx,
    .torch = add_torch,
    .cases = add_cases,
};

const clt__layer_row clt__concat = {
    .name = "concat",
    .help = "the channels of two to eight layers, one layer's after the other's",
    .shape = concat_shape,
    .forward = concat_forward,
    .backward = concat_backward,
    .joins = true,
    .onnx = concat_onnx,
    .torch = concat_torch,
    .cases = concat_cases,
};
