/* The dense layer's ops. Their launch rules are a file a schedule, as convolution's are. */
#ifndef CLT_OPS_DENSE_H
#define CLT_OPS_DENSE_H

#include "ops/weighted.h"

extern const clt__weighted_ops clt__dense_ops;

/* dense_vector.c */
void clt__dense_forward_vector(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__dense_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__dense_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to);

/* dense_tile.c */
void clt__dense_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__dense_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__dense_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to);
extern const clt__merging clt__dense_input_gradient_merging, clt__dense_weight_gradient_merging;

#endif
