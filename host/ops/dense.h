/* The launch rules of the dense layer's ops, a file a schedule: see conv.h. */
#ifndef CLT_OPS_DENSE_H
#define CLT_OPS_DENSE_H

#include "ops/weighted.h"

extern const clt__weighted_ops clt__dense_ops;

clt_status clt__dense_forward_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
clt_status clt__dense_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                            clt_error *error);
clt_status clt__dense_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                             clt_error *error);

clt_status clt__dense_forward_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
clt_status clt__dense_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                          clt_error *error);
clt_status clt__dense_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                           clt_error *error);

#endif
