/* How a tensor of a graph lies in the images of a net.
 *
 * ONNX has tensors of any rank, which graphs reshape and transpose; a net has images of C x H x W. A view says which
 * part of an image each dimension is: a list of atoms, the outermost first, each all or a part of one axis.
 *
 *   what the graph has                 its view
 *   [n, 24, 7, 5]                      N, C, H, W
 *   transposed to [n, 7, 5, 24]        N, H, W, C
 *   flattened to [n, 840]              N, (C H W)
 *   [n, 3, 8, 7, 5]                    N, C of 3 with stride 8, C of 8 with stride 1, H, W
 *   transposed to [n, 8, 3, 7, 5],
 *   then [n, 24, 7, 5]                 N, (C of 8 with stride 1, C of 3 with stride 8), H, W: shuffled channels
 *
 * So that none of it moves a value, until a layer wants one that lies otherwise. Atoms of size 1 are left out, but for
 * the batch's. */
#ifndef CLT_ONNX_VIEW_H
#define CLT_ONNX_VIEW_H

#include "onnx/tensor.h"

enum { CLT__ATOMS = 8 };

typedef struct clt__atom {
    char of; /* 'N', 'C', 'H' or 'W' */
    int64_t size;
    int64_t stride; /* along that axis */
} clt__atom;

typedef struct clt__view {
    int rank;
    struct {
        int atoms;
        clt__atom atom[CLT__ATOMS];
    } dim[CLT__ONNX_RANK];
} clt__view;

/* Of images as they are: [n, c, h, w], or with fewer dimensions [n, c, w] or [n, c], what is left out being 1. */
clt__view clt__view_of(int64_t batch, clt_shape shape, int rank);

int64_t clt__view_size(const clt__view *view, int dim);

/* False where it cannot be said so. `dim` has the product of the view's sizes. */
bool clt__view_reshape(const clt__view *from, int rank, const int64_t *dim, clt__view *to);
void clt__view_transpose(const clt__view *from, const int *order, clt__view *to);

/* Whether dimension `dim` is all of that axis and nothing else; and makes it so. */
bool clt__view_is_axis(const clt__view *view, int dim, char axis, int64_t size);
void clt__view_set_axis(clt__view *view, int dim, char axis, int64_t size);

/* Whether it is that of clt__view_of: images whose channels are dimension 1. */
bool clt__view_is_image(const clt__view *view, clt_shape shape);

/* Whether, all dimensions written one behind the other, they are the image's own order. */
bool clt__view_is_ordered(const clt__view *view, clt_shape shape);

/* Whether the channels alone are in another order: as a reshape to [n, groups, c / groups, h, w], a transpose of the
 * two in the middle and a reshape back leave them. */
bool clt__view_is_shuffled(const clt__view *view, clt_shape shape, int64_t *groups);

/* Whether it is what a pixel shuffle gives (back: what undoes one gives), as reshapes and transposes write it: channels
 * of a scale's square that became pixels, or pixels that became channels. */
bool clt__view_is_pixel_shuffled(const clt__view *view, clt_shape shape, bool back, int64_t *scale);

/* Where in an image's C x H x W elements the element of this place (one index a dimension, that of the batch 0) is. */
int64_t clt__view_element(const clt__view *view, clt_shape shape, const int64_t *place);

bool clt__view_equal(const clt__view *a, const clt__view *b);
bool clt__shapes_equal(clt_shape a, clt_shape b);

#endif
