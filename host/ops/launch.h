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

/* A work-item for each vector of `count` elements. */
void clt__launch_elements(const char *file, const clt__limits *limits, int count, clt__launches *to);

/* What kernels that apply an activation are built with. */
void clt__define_activation(clt__launches *to, int activation);

/* What kernels with a SPREAD form (kernels/real.h) are built with, and whether they are spread. */
bool clt__define_spread(clt__launches *to, const clt__limits *limits);

/* The tile schedule's products, kernels/group_tile.h: so many of rows x outputs, of operands A and B with so many
 * neighbouring elements in a row. */
typedef struct clt__product {
    int rows, outputs, products;
    int a_row, b_row;
    bool together; /* a work-item loads the same places of a row of both */
} clt__product;

/* Fills *to but for its flops: one launch of `kernel` in `file`, in the group tile chosen for the product. */
void clt__launch_product(const clt__group_tile *tile, const char *file, const char *kernel, int activation,
                         const clt__product *product, clt__launches *to);

/* kernels/channel_parts.h: `sums` sums for each of `channels` channels over `rows` rows of `images` images, in two
 * launches: over parts of the rows, then over the parts. Gives the number of parts. */
int clt__launch_channel_sums(const char *file, const char *parts_kernel, const char *sum_kernel,
                             const clt__limits *limits, int images, int rows, int channels, int sums,
                             clt__launches *to);

/* kernels/pixel_run.h: a work-item for each row of pixels or, spread, each pixel of n images. */
void clt__launch_pixel_runs(const char *file, const clt__limits *limits, int n, int h, int w, clt__launches *to);

/* kernels/pixel.h: a work-item for each vector of the `channels` of each of `pixels` pixels. */
void clt__launch_pixels(const char *file, const clt__limits *limits, int pixels, int channels, clt__launches *to);

#endif
