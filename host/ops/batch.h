/* The ops that bring a batch of images to the net: batch.c, augment.c, mix.c. */
#ifndef CLT_OPS_BATCH_H
#define CLT_OPS_BATCH_H

#include "engine/op.h"

enum {
    BATCH_IMAGES,
    BATCH_LABELS,
    BATCH_TARGETS,
    BATCH_ORDER,
    BATCH_STEP,
    BATCH_NORMALIZE,
    BATCH_X,
    BATCH_LABEL, /* may be absent, as the targets may */
    BATCH_TARGET
};
enum { AUGMENT_DRAW_STEP, AUGMENT_DRAW_NUMBER, AUGMENT_DRAW_DRAWN }; /* numbers may be absent: see augment.cl */
enum { AUGMENT_X, AUGMENT_DRAWN, AUGMENT_NORMALIZE, AUGMENT_Y };
enum {
    MIX_OWN,
    MIX_PARTNER,
    MIX_OWN_LABEL,
    MIX_PARTNER_LABEL,
    MIX_OWN_TARGET,
    MIX_PARTNER_TARGET,
    MIX_STEP,
    MIX_X,
    MIX_LABEL,
    MIX_TARGET
};

/* Where in the order the image for place n of the batch stands: kernels/position.h. */
size_t clt__batch_position(bool partner, size_t n, const int32_t *step);

extern const clt__op_row clt__batch_op, clt__augment_draw_op, clt__augment_op, clt__mix_op;

#endif
