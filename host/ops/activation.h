/* Activations, fused into other ops or ops of their own: activation_forward(x -> y) and activation_gradient(dy, at ->
 * dx), where `at` is y, or x where the gradient is not of the output. The activations themselves: activation_rows.h. */
#ifndef CLT_OPS_ACTIVATION_H
#define CLT_OPS_ACTIVATION_H

#include "ops/bounds.h"

enum { ACTIVATION_X, ACTIVATION_Y };
enum { ACTIVATION_GRADIENT_DY, ACTIVATION_GRADIENT_AT, ACTIVATION_GRADIENT_DX };

extern const clt__op_row clt__activation_forward_op, clt__activation_gradient_op;

enum { CLT__NO_ACTIVATION = 0 }; /* the others' numbers are those of the rows, from 1 */

/* Whether its gradient is written in terms of y: then it can be fused. */
bool clt__activation_is_of_output(int activation);

/* y = f(sum) and gradient * f'(sum), the latter written in terms of y, for one that is of its output. */
clt__near clt__activate(int activation, clt__near sum);
clt__near clt__deactivate(int activation, clt__near gradient, double y);

/* Element by element, slack included: y = f(y), what y was going to `sums` where that is wanted; and dx = dx f'(x), x
 * being what f gave, nothing where there is no x. */
void clt__activate_sums(const clt__array *y, const clt__array *sums, int activation);
void clt__deactivate_sums(const clt__array *dx, const clt__array *x, int activation);

/* Define what follows an op's sums (engine/op.h), static or extern: these, for sizes that have an activation. */
#define CLT__ACTIVATES(linkage, name, type, y, sums)                                        \
    linkage void name(const void *sizes, const clt__array *operand)                         \
    {                                                                                       \
        clt__activate_sums(&operand[y], &operand[sums], ((const type *)sizes)->activation); \
    }
#define CLT__DEACTIVATES(linkage, name, type, dx, x)                                        \
    linkage void name(const void *sizes, const clt__array *operand)                         \
    {                                                                                       \
        clt__deactivate_sums(&operand[dx], &operand[x], ((const type *)sizes)->activation); \
    }

/* What kernels are told: "ACTIVATION_relu". */
const char *clt__activation_name(int activation);

#endif
