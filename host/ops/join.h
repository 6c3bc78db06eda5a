/* Joining values: sum(a, b, ... -> y), concat(a, b, ... -> y) and concat_gradient(dy -> a, b, ...); the largest or the
 * smallest, extreme(a, b, ... -> y), and extreme_gradient(dy, a, b, ... -> dx), which is by one of them. */
#ifndef CLT_OPS_JOIN_H
#define CLT_OPS_JOIN_H

#include "engine/tape.h"

enum { CLT__MAX_INPUTS = 8 }; /* of an op that joins: kernels/join.cl has an argument for each */

enum { JOIN_Y = CLT__MAX_INPUTS }; /* sum, concat, extreme: behind the inputs, those that there are not being absent */
enum { CONCAT_GRADIENT_DY, CONCAT_GRADIENT_FIRST }; /* and the gradients by the inputs from there on */

enum { EXTREME_GRADIENT_DY, EXTREME_GRADIENT_FIRST, EXTREME_GRADIENT_DX = EXTREME_GRADIENT_FIRST + CLT__MAX_INPUTS };

extern const clt__op_row clt__concat_op, clt__concat_gradient_op, clt__extreme_op, clt__extreme_gradient_op;

/* Appends the op y = f(the sum of these tensors), which are 2 to CLT__MAX_INPUTS. */
clt_status clt__add_sum(clt__tape *tape, const char *layer, const int *tensor, int count, int y, int activation,
                        clt_error *error);

#endif
