/* Activations whose derivative needs their input. */
#include "layers/layer.h"
#include "ops/curve.h"

static curve_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    return (curve_sizes){layer->batch * s.channels * s.height * s.width, layer->row->curve, layer->value[0][0]};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const curve_sizes sizes = sizes_of(layer);
    const int tensor[] = {layer->in[0].tensor, layer->out.tensor};
    return clt__tape_add_op(tape, &clt__curve_forward_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    if (layer->in[0].gradient < 0) return CLT_OK;
    const curve_sizes sizes = sizes_of(layer);
    const int tensor[] = {layer->out.gradient, layer->in[0].tensor, layer->in[0].gradient};
    return clt__tape_add_op(tape, &clt__curve_gradient_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

#define CASES(name)                                                                  \
    (const clt__case[])                                                              \
    {                                                                                \
        {1, "input 1x1x1; conv out=1; " name},                                       \
            {3, "input 3x7x5; conv out=5 kernel=3; " name "; flatten; dense out=3"}, \
            {64, "input 17x3x2; conv out=17; tanh; " name "; " name},                \
        {                                                                            \
            0, NULL                                                                  \
        }                                                                            \
    }

#define CURVE(name_, curve_, help_)                                \
    const clt__layer_row clt__##name_ = {.name = #name_,           \
                                         .help = (help_),          \
                                         .shape = clt__same_shape, \
                                         .forward = forward,       \
                                         .backward = backward,     \
                                         .curve = (curve_),        \
                                         .cases = CASES(#name_)}

const clt__layer_row clt__leaky_relu = {
    .name = "leaky_relu",
    .help = "x where it is positive, else slope times x",
    .option = {{"slope", CLT__REAL, 0, 10000, "of the negative side"}},
    .shape = clt__same_shape,
    .forward = forward,
    .backward = backward,
    .curve = CURVE_LEAKY_RELU,
    .cases = CASES("leaky_relu slope=0.2"),
};
const clt__layer_row clt__elu = {
    .name = "elu",
    .help = "x where it is positive, else alpha (exp(x) - 1)",
    .option = {{"alpha", CLT__REAL, 0, 1000000, "what the negative side tends to, negated"}},
    .shape = clt__same_shape,
    .forward = forward,
    .backward = backward,
    .curve = CURVE_ELU,
    .cases = CASES("elu alpha=0.7"),
};
CURVE(selu, CURVE_SELU, "the scaled exponential linear unit of self-normalising nets");
CURVE(gelu, CURVE_GELU, "x times the normal distribution's share below x (by erf)");
CURVE(silu, CURVE_SILU, "x times its sigmoid (swish)");
CURVE(hardswish, CURVE_HARDSWISH, "x times (x + 3) / 6, that held between 0 and 1");
CURVE(relu6, CURVE_RELU6, "x held between 0 and 6");
CURVE(softplus, CURVE_SOFTPLUS, "log(1 + exp(x))");
