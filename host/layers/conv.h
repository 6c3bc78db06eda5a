/* The launch rules of convolution's ops, a file a schedule. Each is a clt__op_row's plan, and depends on nothing but
 * the sizes and the limits. */
#ifndef CLT_LAYERS_CONV_H
#define CLT_LAYERS_CONV_H

#include "layers/layer.h"

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

/* conv.c: the ops that suit these sizes. */
const clt__weighted_ops *clt__conv_ops_for(const conv_sizes *z);

/* conv.c: an error where the groups do not divide both the inputs and the `out` outputs. */
clt_status clt__conv_check_groups(const clt__layer *layer, int groups, int out, clt_error *error);

/* conv.c: from a filter's first to its last weight, in pixels. */
clt_status clt__conv_reach(const clt__layer *layer, const int *kernel, const int *dilation, int reach[2],
                           clt_error *error);

/* conv.c: the weight and the bias, drawn as PyTorch does. */
clt_status clt__conv_parameters(clt__layer *layer, const int weight[4], bool bias, clt_error *error);

#endif
