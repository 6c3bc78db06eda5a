/* The shapes of tensors in files beside those of a net's parameters. */
#ifndef CLT_MODEL_STORED_SHAPE_H
#define CLT_MODEL_STORED_SHAPE_H

#include "formats/safetensors.h"

/* "[6, 1, 5, 5], the net's is [8, 1, 5, 5]"; "" where they are the same. */
void clt__compare_shapes(const clt__stored_tensor *stored, const clt_tensor_info *info, char *text, size_t size);

#endif
