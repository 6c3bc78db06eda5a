/* What layers with a weight, and perhaps a bias, share: convolution and dense. */
#include "layers/layer.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { WEIGHT, BIAS };

void clt__set_weight_and_bias(clt__layer *layer, const int weight[4], int shown, int fan_in, bool bias)
{
    layer->parameter[WEIGHT] = (clt__parameter){
        .name = "weight", .extent = {weight[0], weight[1], weight[2], weight[3]}, .shown = shown, .fan_in = fan_in};
    layer->parameter[BIAS] =
        (clt__parameter){.name = "bias", .extent = {weight[0], 1, 1, 1}, .shown = 1, .fan_in = fan_in};
    layer->parameters = bias ? 2 : 1;
}

static bool has_bias(const clt__layer *layer)
{
    return layer->parameters > 1;
}

clt_status clt__weighted_forward(clt__tape *tape, const clt__layer *layer, const clt__weighted_ops *ops,
                                 const void *sizes, size_t sizes_bytes, clt_error *error)
{
    const clt__parameter *p = layer->parameter;
    const int tensor[] = {[FORWARD_X] = layer->in[0].tensor,
                          [FORWARD_W] = p[WEIGHT].tensor,
                          [FORWARD_BIAS] = has_bias(layer) ? p[BIAS].tensor : -1,
                          [FORWARD_ADDEND] = clt__addend_of(layer),
                          [FORWARD_Y] = layer->out.tensor,
                          [FORWARD_SUMS] = layer->before};
    return clt__tape_add_op(tape, ops->forward, layer->name, sizes, sizes_bytes, tensor, COUNT(tensor), error);
}

clt_status clt__weighted_backward(clt__tape *tape, const clt__layer *layer, const clt__weighted_ops *ops,
                                  const void *sizes, size_t sizes_bytes, clt_error *error)
{
    const clt__parameter *p = layer->parameter;
    if (p[WEIGHT].gradient >= 0) {
        const int tensor[] = {[WEIGHT_GRADIENT_X] = layer->in[0].tensor,
                              [WEIGHT_GRADIENT_DY] = layer->out.gradient,
                              [WEIGHT_GRADIENT_DW] = p[WEIGHT].gradient,
                              [WEIGHT_GRADIENT_DB] = has_bias(layer) ? p[BIAS].gradient : -1};
        TRY(clt__tape_add_op(tape, ops->weight_gradient, layer->name, sizes, sizes_bytes, tensor, COUNT(tensor),
                             error));
    }
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int tensor[] = {[INPUT_GRADIENT_DY] = layer->out.gradient,
                          [INPUT_GRADIENT_W] = p[WEIGHT].tensor,
                          [INPUT_GRADIENT_X] = layer->in[0].activation ? layer->in[0].tensor : -1,
                          [INPUT_GRADIENT_ADDEND] = layer->rest,
                          [INPUT_GRADIENT_DX] = layer->in[0].gradient};
    return clt__tape_add_op(tape, ops->input_gradient, layer->name, sizes, sizes_bytes, tensor, COUNT(tensor), error);
}
