/* The launch rules of convolution's ops, a file a schedule. Each is a clt__op_row's plan, and depends on nothing but
 * the sizes and the limits. */
#ifndef CLT_LAYERS_CONV_H
#define CLT_LAYERS_CONV_H

#include "engine/op.h"

clt_status clt__conv_forward_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
clt_status clt__conv_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                           clt_error *error);
clt_status clt__conv_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                            clt_error *error);

clt_status clt__conv_forward_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
clt_status clt__conv_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                         clt_error *error);
clt_status clt__conv_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                          clt_error *error);

#endif
