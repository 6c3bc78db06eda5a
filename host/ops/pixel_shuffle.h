/* pixel_shuffle(x -> y) and pixel_unshuffle(x -> y) */
#ifndef CLT_OPS_PIXEL_SHUFFLE_H
#define CLT_OPS_PIXEL_SHUFFLE_H

#include "engine/op.h"

enum { PIXEL_SHUFFLE_X, PIXEL_SHUFFLE_Y };

extern const clt__op_row clt__pixel_shuffle_op, clt__pixel_unshuffle_op;

#endif
