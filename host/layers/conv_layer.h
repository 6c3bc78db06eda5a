/* What convolution and its transposed form share. */
#ifndef CLT_LAYERS_CONV_LAYER_H
#define CLT_LAYERS_CONV_LAYER_H

#include "layers/layer.h"
#include "ops/conv.h"

/* An error where the groups do not divide both the inputs and the `out` outputs. */
clt_status clt__conv_check_groups(const clt__layer *layer, int groups, int out, clt_error *error);

/* The weight and the bias, drawn as PyTorch does. */
clt_status clt__conv_parameters(clt__layer *layer, const int weight[4], bool bias, clt_error *error);

#endif
