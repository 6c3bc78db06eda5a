/* permute(x -> y): the elements of images in another order. */
#ifndef CLT_OPS_PERMUTE_H
#define CLT_OPS_PERMUTE_H

#include "engine/op.h"

enum { PERMUTE_X, PERMUTE_Y };

extern const clt__op_row clt__permute_op;

#endif
