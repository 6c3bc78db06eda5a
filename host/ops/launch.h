/* What launch rules share. */
#ifndef CLT_OPS_LAUNCH_H
#define CLT_OPS_LAUNCH_H

#include "device/tiling.h"
#include "engine/op.h"

/* `count` work-items in a row, in whole work-groups: an item beyond the count must do nothing. Under the vector
 * schedule an item that is `much` work is a group of its own, so that every core has some. */
clt__launch clt__flat_launch(const char *kernel, const clt__limits *limits, int count, bool much);

/* What a kernel with a SPREAD form (kernels/real.h) is built with, to stand behind other defines. */
const char *clt__spread_define(const clt__limits *limits);

/* The tile schedule's products, kernels/group_tile.h. Fills *plan but for its flops: one launch of `kernel` in `file`,
 * of `products` products of `rows` x `outputs`, in the tile chosen for them. */
void clt__plan_product(const clt__group_tile *tile, const char *file, const char *kernel, int activation, int rows,
                       int outputs, int products, clt__launch_plan *plan);

/* kernels/channel_parts.h: `sums` sums for each of `channels` channels over `rows` rows of `images` images, in two
 * launches: over parts of the rows, then over the parts. Gives the number of parts; fills *plan but for its file and
 * its defines. */
int clt__plan_channel_sums(const char *parts_kernel, const char *sum_kernel, const clt__limits *limits, int images,
                           int rows, int channels, int sums, clt__launch_plan *plan);

/* kernels/pixel_run.h: a work-item for each row of pixels or, spread, each pixel of n images. Fills *plan but for its
 * file; `defines` begin with a space where there are any. */
void clt__plan_pixel_runs(const char *kernel, const char *defines, const clt__limits *limits, int n, int h, int w,
                          clt__launch_plan *plan);

/* kernels/pixel.h: a work-item for each vector of the `channels` of each of `pixels` pixels. Fills *plan but for its
 * file. */
void clt__plan_pixels(const char *kernel, const clt__limits *limits, int pixels, int channels, clt__launch_plan *plan);

#endif
