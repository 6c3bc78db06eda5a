/* Layers that take the largest or the smallest of values: maximum and minimum. */
#include "layers/layer.h"
#include "ops/join.h"

static join_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape out = layer->out.shape;
    return (join_sizes){.count = layer->batch * out.channels * out.height * out.width,
                        .inputs = layer->inputs,
                        .least = layer->row == &clt__minimum};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const join_sizes sizes = sizes_of(layer);
    int tensor[] = {[JOIN_Y] = layer->out.tensor};
    clt__list_inputs(layer, tensor);
    return CLT__ADD_OP(tape, &clt__extreme_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    join_sizes sizes = sizes_of(layer);
    int tensor[EXTREME_GRADIENT_DX + 1] = {[EXTREME_GRADIENT_DY] = layer->out.gradient};
    clt__list_inputs(layer, tensor + EXTREME_GRADIENT_FIRST);
    for (sizes.which = 0; sizes.which < layer->inputs; sizes.which++) {
        tensor[EXTREME_GRADIENT_DX] = layer->in[sizes.which].gradient;
        if (tensor[EXTREME_GRADIENT_DX] < 0) continue;
        TRY(CLT__ADD_OP(tape, &clt__extreme_gradient_op, layer->name, sizes, tensor, error));
    }
    return CLT_OK;
}

static void onnx(const clt__exported *e)
{
    clt__onnx_put_node(e->to, e->layer->row == &clt__minimum ? "Min" : "Max", e->out, e->in, e->layer->inputs);
}

static void torch(clt__scripted *s)
{
    const char *name = s->layer->row == &clt__minimum ? "minimum" : "maximum";
    for (int i = 1; i < s->layer->inputs; i++) clt__script_value(s, "torch.%s(", name);
    for (int i = 0; i < s->layer->inputs; i++) clt__script_value(s, "%s%s%s", i ? ", " : "", s->in[i], i ? ")" : "");
}

/* relu's zeros are what ties. */
#define CASES(name)                                                                                                  \
    (const clt__case[])                                                                                              \
    {                                                                                                                \
        {3, "input 3x5x7; conv out=7; relu as=a; conv out=7 from=input; relu as=b; conv out=7 from=input; relu "     \
            "as=c; " name " from=a,b,c; flatten; dense out=3"},                                                      \
            {64, "input 17x3x2; conv out=17; " name " from=conv1,input; tanh; " name " from=tanh1," name "1,tanh1"}, \
        {                                                                                                            \
            0, NULL                                                                                                  \
        }                                                                                                            \
    }

#define LAYER(name_, help_)               \
    const clt__layer_row clt__##name_ = { \
        .name = #name_,                   \
        .help = (help_),                  \
        .shape = clt__joined_shape,       \
        .forward = forward,               \
        .backward = backward,             \
        .onnx = onnx,                     \
        .torch = torch,                   \
        .joins = true,                    \
        .cases = CASES(#name_),           \
    };

LAYER(maximum, "the largest of two to eight layers of the same shape, element by element")
LAYER(minimum, "the smallest of them")
