/* Activations as ONNX has them: a node, or several. */
#include <float.h>
#include <string.h>

#include "layers/layer.h"

static const char *number(const clt__exported *e, const char *what, double value)
{
    return clt__onnx_put_number(e->to, clt__export_name(e, what), value);
}

/* A node of one or two inputs, with a name of its own; gives that. */
static const char *step(const clt__exported *e, const char *type, const char *what, const char *a, const char *b)
{
    const char *name = clt__export_name(e, what);
    CLT__ONNX_PUT(e->to, type, name, a, b);
    return name;
}

/* x times what `gate` is. */
static void put_gated(const clt__exported *e, const char *gate)
{
    CLT__ONNX_PUT(e->to, "Mul", e->out, e->in[0], gate);
}

/* ---- those that need more than a node */

static void silu(const clt__exported *e)
{
    put_gated(e, step(e, "Sigmoid", "gate", e->in[0], NULL));
}

static void hardswish(const clt__exported *e)
{
    if (clt__onnx_writer_opset(e->to) >= 14) {
        CLT__ONNX_PUT(e->to, "HardSwish", e->out, e->in[0]);
        return;
    }
    const char *gate = step(e, "HardSigmoid", "gate", e->in[0], NULL);
    clt__onnx_put_real(e->to, "alpha", 1.0 / 6);
    clt__onnx_put_real(e->to, "beta", 0.5);
    put_gated(e, gate);
}

static void mish(const clt__exported *e)
{
    if (clt__onnx_writer_opset(e->to) >= 18)
        CLT__ONNX_PUT(e->to, "Mish", e->out, e->in[0]);
    else
        put_gated(e, step(e, "Tanh", "gate", step(e, "Softplus", "softplus", e->in[0], NULL), NULL));
}

/* x (1 + share) / 2 */
static void put_half(const clt__exported *e, const char *share)
{
    const char *above = step(e, "Add", "above", share, number(e, "one", 1)),
               *twice = step(e, "Mul", "twice", e->in[0], above);
    CLT__ONNX_PUT(e->to, "Mul", e->out, twice, number(e, "half", 0.5));
}

static void gelu(const clt__exported *e)
{
    if (clt__onnx_writer_opset(e->to) >= 20)
        CLT__ONNX_PUT(e->to, "Gelu", e->out, e->in[0]);
    else
        put_half(e, step(e, "Erf", "share",
                         step(e, "Div", "deviations", e->in[0], number(e, "root", 1.4142135623730951)), NULL));
}

static void gelu_tanh(const clt__exported *e)
{
    const char *x = e->in[0];
    if (clt__onnx_writer_opset(e->to) >= 20) {
        CLT__ONNX_PUT(e->to, "Gelu", e->out, x);
        clt__onnx_put_word(e->to, "approximate", "tanh");
        return;
    }
    const char *cube = step(e, "Pow", "cube", x, number(e, "three", 3)),
               *bent = step(e, "Add", "bent", x, step(e, "Mul", "bend", cube, number(e, "share_of_cube", 0.044715))),
               *lifted = step(e, "Mul", "lifted", bent, number(e, "lift", 0.7978845608028654));
    put_half(e, step(e, "Tanh", "share", lifted, NULL));
}

static void hardsigmoid(const clt__exported *e)
{
    CLT__ONNX_PUT(e->to, "HardSigmoid", e->out, e->in[0]);
    clt__onnx_put_real(e->to, "alpha", clt__option_number(e->layer, 0));
    clt__onnx_put_real(e->to, "beta", clt__option_number(e->layer, 1));
}

static void put_held(const clt__exported *e, double least, double most)
{
    const char *below = least > -(double)FLT_MAX ? number(e, "least", least) : "",
               *above = most < (double)FLT_MAX ? number(e, "most", most) : NULL;
    CLT__ONNX_PUT(e->to, "Clip", e->out, e->in[0], below, above);
}

static void relu6(const clt__exported *e)
{
    put_held(e, 0, 6);
}

static void clip(const clt__exported *e)
{
    put_held(e, clt__option_number(e->layer, 0), clt__option_number(e->layer, 1));
}

static void power(const clt__exported *e)
{
    CLT__ONNX_PUT(e->to, "Pow", e->out, e->in[0], number(e, "exponent", clt__option_number(e->layer, 0)));
}

/* ---- the others */

/* A node whose attribute alpha is the layer's option, where it has one. */
static const struct {
    const char *name, *type;
} plain[] = {
    {"relu", "Relu"},
    {"sigmoid", "Sigmoid"},
    {"sigmoid_notebook", "Sigmoid"}, /* it is the gradient that differs */
    {"tanh", "Tanh"},
    {"leaky_relu", "LeakyRelu"},
    {"elu", "Elu"},
    {"celu", "Celu"},
    {"selu", "Selu"},
    {"thresholded_relu", "ThresholdedRelu"},
    {"softplus", "Softplus"},
    {"softsign", "Softsign"},
    {"erf", "Erf"},
    {"exp", "Exp"},
    {"log", "Log"},
    {"sqrt", "Sqrt"},
    {"reciprocal", "Reciprocal"},
    {"abs", "Abs"},
    {"neg", "Neg"},
};

static const struct {
    const char *name;
    void (*put)(const clt__exported *e);
} composed[] = {
    {"silu", silu},   {"hardswish", hardswish},     {"mish", mish}, {"gelu", gelu}, {"gelu_tanh", gelu_tanh},
    {"relu6", relu6}, {"hardsigmoid", hardsigmoid}, {"clip", clip}, {"pow", power},
};

void clt__export_activation(const clt__exported *e)
{
    const char *name = e->layer->row->name;
    for (size_t i = 0; i < sizeof composed / sizeof *composed; i++)
        if (strcmp(composed[i].name, name) == 0) composed[i].put(e);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(plain[i].name, name) != 0) continue;
        CLT__ONNX_PUT(e->to, plain[i].type, e->out, e->in[0]);
        if (e->layer->row->option[0].key) clt__onnx_put_real(e->to, "alpha", clt__option_number(e->layer, 0));
    }
}
