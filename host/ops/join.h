/* Joining values: sum, concat and its gradient. */
#ifndef CLT_OPS_JOIN_H
#define CLT_OPS_JOIN_H

#include "engine/tape.h"

enum { CLT__MAX_INPUTS = 8 }; /* of an op that joins */

extern const clt__op_row clt__concat_op, clt__concat_gradient_op;

/* Appends the op y = f(the sum of these tensors), which are 2 to CLT__MAX_INPUTS. */
clt_status clt__add_sum(clt__tape *tape, const char *layer, const int *tensor, int count, int y, int activation,
                        clt_error *error);

#endif
