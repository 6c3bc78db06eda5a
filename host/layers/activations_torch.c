/* Activations as PyTorch has them. */
#include <string.h>

#include "layers/layer.h"

/* What stands before x and behind it; an option's number comes where a % is. */
static const struct {
    const char *name, *before, *behind;
} forms[] = {
    {"relu", "F.relu(", ")"},
    {"sigmoid", "torch.sigmoid(", ")"},
    {"sigmoid_notebook", "torch.sigmoid(", ")"}, /* it is the gradient that differs */
    {"tanh", "torch.tanh(", ")"},
    {"leaky_relu", "F.leaky_relu(", ", %)"},
    {"elu", "F.elu(", ", %)"},
    {"celu", "F.celu(", ", %)"},
    {"selu", "F.selu(", ")"},
    {"gelu", "F.gelu(", ")"},
    {"gelu_tanh", "F.gelu(", ", approximate=\"tanh\")"},
    {"silu", "F.silu(", ")"},
    {"mish", "F.mish(", ")"},
    {"hardswish", "F.hardswish(", ")"},
    {"hardsigmoid", "torch.clamp(", " * % + %, 0, 1)"},
    {"relu6", "F.relu6(", ")"},
    {"clip", "torch.clamp(", ", %, %)"},
    {"thresholded_relu", "F.threshold(", ", %, 0)"},
    {"softplus", "F.softplus(", ")"},
    {"softsign", "F.softsign(", ")"},
    {"erf", "torch.erf(", ")"},
    {"exp", "torch.exp(", ")"},
    {"log", "torch.log(", ")"},
    {"sqrt", "torch.sqrt(", ")"},
    {"pow", "torch.pow(", ", %)"},
    {"reciprocal", "torch.reciprocal(", ")"},
    {"abs", "torch.abs(", ")"},
    {"neg", "torch.neg(", ")"},
};

void clt__script_activation(clt__scripted *s)
{
    size_t i = 0;
    while (i < sizeof forms / sizeof *forms && strcmp(forms[i].name, s->layer->row->name) != 0) i++;
    if (i == sizeof forms / sizeof *forms) return;
    clt__script_value(s, "%s%s", forms[i].before, s->in[0]);
    int option = 0;
    for (const char *at = forms[i].behind; *at; at++) {
        if (*at == '%')
            clt__script_value(s, "%.9g", clt__option_number(s->layer, option++));
        else
            clt__script_value(s, "%c", *at);
    }
}
