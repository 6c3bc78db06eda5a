/* What launch rules share. */
#ifndef CLT_OPS_LAUNCH_H
#define CLT_OPS_LAUNCH_H

#include "device/tiling.h"
#include "engine/op.h"

/* `count` work-items in a row, in whole work-groups: an item beyond the count must do nothing. Under the vector
 * schedule an item that is `much` work is a group of its own, so that every core has some. */
clt__launch clt__flat_launch(const char *kernel, const clt__limits *limits, int count, bool much);

/* One such launch of the op's kernel in `file`. */
void clt__launch_flat(const char *file, const clt__limits *limits, int count, bool much, clt__launches *to);

/* VEC for kernels that go over elements, whose rows have `row` (0: there is but one row, and the last vector may end
 * behind it): the device's own, or under the tile schedule four reals where rows are multiples of that. */
int clt__define_width(clt__launches *to, const clt__limits *limits, int row);

/* A work-item for each vector of `count` elements. */
void clt__launch_elements(const char *file, const clt__limits *limits, int count, clt__launches *to);

/* What kernels that apply an activation are built with. */
void clt__define_activation(clt__launches *to, int activation);

/* What kernels with a SPREAD form (kernels/real.h) are built with, and whether they are spread. */
bool clt__define_spread(clt__launches *to, const clt__limits *limits);

/* The tile schedule's products, kernels/group_tile.h. Fills *to but for its flops; behind the launches that it has, for
 * most rules none, it gets one of `kernel` in `file`, in the tiling chosen for the product; where that cuts sums into
 * slices, a second one of `adding`, for `count` elements of the op's outputs, or none where `adding` is NULL: then the
 * rule has a launch of its own for that. */
void clt__launch_product(const clt__limits *limits, const clt__tiling *tiling, const char *file, const char *kernel,
                         const char *adding, int count, int activation, const clt__product *product, clt__launches *to);

/* The same with two products in one launch, in the tiling chosen for both: the first's tiles come first, in the groups'
 * first number alone. */
void clt__launch_two_products(const clt__tiling *tiling, const char *file, const char *kernel, int activation,
                              const clt__product product[2], clt__launches *to);

/* kernels/pixel_run.h: a work-item for each row of pixels or, spread, each pixel of n images. */
void clt__launch_pixel_runs(const char *file, const clt__limits *limits, int n, int h, int w, clt__launches *to);

/* kernels/pixel.h: a work-item for each vector of the `channels` of each of `pixels` pixels. */
void clt__launch_pixels(const char *file, const clt__limits *limits, int pixels, int channels, clt__launches *to);

#endif
