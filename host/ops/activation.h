/* Activations, fused into other ops or ops of their own: activation_forward(x -> y) and activation_gradient(dy, y ->
 * dx). */
#ifndef CLT_OPS_ACTIVATION_H
#define CLT_OPS_ACTIVATION_H

#include "engine/op.h"

extern const clt__op_row clt__activation_forward_op, clt__activation_gradient_op;

/* y = f(sum) and f'(sum), the latter written in terms of y, for an activation of kernels/params.h. */
double clt__activate(int activation, double sum);
double clt__deactivate(int activation, double gradient, double y);

/* The slack of f(sum), where the sum has `slack`; and of gradient * f'(sum). */
double clt__activate_slack(int activation, double sum, double slack);
double clt__deactivate_slack(int activation, double gradient, double slack, double y);

#endif
