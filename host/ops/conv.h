/* The launch rules of convolution's ops, a file a schedule. Each is a clt__op_row's plan, and depends on nothing but
 * the sizes and the limits. */
#ifndef CLT_OPS_CONV_H
#define CLT_OPS_CONV_H

#include "ops/weighted.h"

clt_status clt__conv_forward_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
clt_status clt__conv_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                           clt_error *error);
clt_status clt__conv_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                            clt_error *error);

/* conv_winograd.c: true where Winograd tiles suit the sizes and the device; *plan is then filled. */
bool clt__plan_winograd_forward(conv_sizes *z, const clt__limits *limits, clt__launch_plan *plan);
bool clt__plan_winograd_input_gradient(conv_sizes *z, const clt__limits *limits, clt__launch_plan *plan);

/* For twins whose z->winograd the plan set: the slack of every sum, a bias apart. `source`: x, or dy for the input
 * gradient. */
void clt__winograd_slack(const conv_sizes *z, bool input_gradient, const double *source, const double *weights,
                         double *slack);

clt_status clt__conv_forward_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
clt_status clt__conv_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                         clt_error *error);
clt_status clt__conv_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                          clt_error *error);

/* grouped_conv.c: the ops where there are groups or a dilation. */
extern const clt__weighted_ops clt__grouped_conv_ops;

/* The ops that suit these sizes. */
const clt__weighted_ops *clt__conv_ops_for(const conv_sizes *z);

#endif
