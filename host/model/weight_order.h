/* A file's tensors in the order of the layers that they belong to. */
#ifndef CLT_MODEL_WEIGHT_ORDER_H
#define CLT_MODEL_WEIGHT_ORDER_H

#include "formats/safetensors.h"

/* Those that are parameters, layer by layer: the layers as the file has them, or where it sorts its tensors by name, as
 * PyTorch's safetensors does, in the order of their names, with numbers as numbers. Within a layer its weight, its
 * bias, its running mean and its running variance. *order is freed with free(). */
clt_status clt__weights_in_order(const clt__safetensors *file, const clt__stored_tensor ***order, size_t *count,
                                 clt_error *error);

#endif
