/* arithmetic(a, b -> y) and arithmetic_gradient(dy, a, b -> dx): a and b are absent where the gradient does not depend
 * on them. */
#ifndef CLT_OPS_ARITHMETIC_H
#define CLT_OPS_ARITHMETIC_H

#include "engine/tape.h"

enum { ARITHMETIC_A, ARITHMETIC_B, ARITHMETIC_Y };
enum { ARITHMETIC_GRADIENT_DY, ARITHMETIC_GRADIENT_A, ARITHMETIC_GRADIENT_B, ARITHMETIC_GRADIENT_DX };

extern const clt__op_row clt__arithmetic_op, clt__arithmetic_gradient_op;

#endif
