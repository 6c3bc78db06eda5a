/* A model as a module of PyTorch's. */
#ifndef CLT_MODEL_EXPORT_TORCH_H
#define CLT_MODEL_EXPORT_TORCH_H

#include "model/model.h"

/* `path` ends in .py; the weights go to a file of that name that ends in .weights.safetensors. */
clt_status clt__export_torch(const clt_model *model, const char *path, clt_error *error);

#endif
