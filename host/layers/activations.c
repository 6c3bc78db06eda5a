/* Activations as layers: rows made of ops/activation_rows.h. */
#include "layers/layer.h"
#include "ops/activation_rows.h"

static element_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    return (element_sizes){.count = layer->batch * s.channels * s.height * s.width,
                           .activation = layer->row->activation,
                           .numbers = layer->row->option[0].kind == CLT__NUMBER,
                           .a = layer->value[0][0],
                           .b = layer->value[1][0]};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const element_sizes sizes = sizes_of(layer);
    const int tensor[] = {[ACTIVATION_X] = layer->in[0].tensor, [ACTIVATION_Y] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__activation_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const element_sizes sizes = sizes_of(layer);
    const bool of_output = clt__activation_is_of_output(layer->row->activation);
    const int tensor[] = {[ACTIVATION_GRADIENT_DY] = layer->out.gradient,
                          [ACTIVATION_GRADIENT_AT] = of_output ? layer->out.tensor : layer->in[0].tensor,
                          [ACTIVATION_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__activation_gradient_op, layer->name, sizes, tensor, error);
}

#define NUMBER(name, ...) NUMBER_##name,
enum { NUMBER_none = CLT__NO_ACTIVATION, CLT__ACTIVATIONS(NUMBER) };

/* After a pool nothing can be fused; after a convolution, and into a dense layer, what is of its output. */
#define CASES(name)                                                                  \
    (const clt__case[])                                                              \
    {                                                                                \
        {1, "input 1x1x1; conv out=1; maxpool kernel=1; " name},                     \
            {3, "input 3x7x5; conv out=5 kernel=3; " name "; flatten; dense out=3"}, \
            {64, "input 17x3x2; conv out=17; tanh; " name "; " name},                \
        {                                                                            \
            0, NULL                                                                  \
        }                                                                            \
    }

#define LAYER(name_, of_output, help_, before, words, ...)                \
    const clt__layer_row clt__##name_ = {.name = #name_,                  \
                                         .help = (help_),                 \
                                         .option = {__VA_ARGS__},         \
                                         .shape = clt__same_shape,        \
                                         .forward = forward,              \
                                         .backward = backward,            \
                                         .onnx = clt__export_activation,  \
                                         .torch = clt__script_activation, \
                                         .activation = NUMBER_##name_,    \
                                         .cases = CASES(before #name_ words)};

CLT__ACTIVATIONS(LAYER)
