/* What the launch rules of the tile schedule share: a product's work-groups. kernels/group_tile.h. */
#ifndef CLT_LAYERS_GROUP_TILE_H
#define CLT_LAYERS_GROUP_TILE_H

#include "device/tiling.h"
#include "engine/op.h"

/* Fills *plan but for its flops: one launch of `kernel` in `file`, of `products` products of `rows` x `outputs`, in the
 * tile chosen for them. */
void clt__plan_product(const clt__group_tile *tile, const char *file, const char *kernel, int activation, int rows,
                       int outputs, int products, clt__launch_plan *plan);

#endif
