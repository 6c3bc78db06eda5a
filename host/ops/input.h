/* The ops that bring a batch of images to the net: batch.c, augment.c, mix.c. */
#ifndef CLT_OPS_INPUT_H
#define CLT_OPS_INPUT_H

#include "engine/op.h"

extern const clt__op_row clt__batch_op, clt__augment_draw_op, clt__augment_op, clt__mix_op;

#endif
