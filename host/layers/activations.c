/* Activations. */
#include "layers/layer.h"
#include "ops/activation.h"

static element_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    return (element_sizes){layer->batch * s.channels * s.height * s.width, layer->row->activation};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const element_sizes sizes = sizes_of(layer);
    const int tensor[] = {layer->in[0].tensor, layer->out.tensor};
    return clt__tape_add_op(tape, &clt__activation_forward_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    if (layer->in[0].gradient < 0) return CLT_OK;
    const element_sizes sizes = sizes_of(layer);
    const int tensor[] = {layer->out.gradient, layer->out.tensor, layer->in[0].gradient};
    return clt__tape_add_op(tape, &clt__activation_gradient_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

/* After a pool nothing can be fused, so these run the ops on their own. */
#define CASES(name)                                                                                                \
    (const clt__case[])                                                                                            \
    {                                                                                                              \
        {1, "input 1x1x1; maxpool kernel=1; " name}, {3, "input 3x7x5; maxpool kernel=1; " name},                  \
            {64, "input 17x13x2; maxpool kernel=1; " name "; " name}, {3, "input 2x3x3; conv out=3; tanh; " name}, \
        {                                                                                                          \
            0, NULL                                                                                                \
        }                                                                                                          \
    }

const clt__layer_row clt__relu = {.name = "relu",
                                  .help = "max(x, 0)",
                                  .shape = clt__same_shape,
                                  .forward = forward,
                                  .backward = backward,
                                  .activation = ACTIVATION_RELU,
                                  .cases = CASES("relu")};
const clt__layer_row clt__sigmoid = {.name = "sigmoid",
                                     .help = "1 / (1 + exp(-x))",
                                     .shape = clt__same_shape,
                                     .forward = forward,
                                     .backward = backward,
                                     .activation = ACTIVATION_SIGMOID,
                                     .cases = CASES("sigmoid")};
const clt__layer_row clt__tanh = {.name = "tanh",
                                  .help = "the hyperbolic tangent",
                                  .shape = clt__same_shape,
                                  .forward = forward,
                                  .backward = backward,
                                  .activation = ACTIVATION_TANH,
                                  .cases = CASES("tanh")};
const clt__layer_row clt__sigmoid_notebook = {
    .name = "sigmoid_notebook",
    .help = "sigmoid whose derivative is taken at its output, as the notebook of `cltrain example` has it",
    .shape = clt__same_shape,
    .forward = forward,
    .backward = backward,
    .activation = ACTIVATION_SIGMOID_NOTEBOOK,
    .cases = CASES("sigmoid_notebook")};
