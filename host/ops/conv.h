/* Convolution's ops. Their launch rules are a file a schedule, and depend on nothing but the sizes and the limits. */
#ifndef CLT_OPS_CONV_H
#define CLT_OPS_CONV_H

#include "device/tiling.h"
#include "ops/weighted.h"

/* The ops that suit these sizes: conv.c's or, where there are groups or a dilation, grouped_conv.c's. */
const clt__weighted_ops *clt__conv_ops_for(const conv_sizes *z);

extern const clt__weighted_ops clt__grouped_conv_ops;

/* conv.c: what both do. Only their input gradients add up in another order. */
void clt__conv_forward_twin(const void *sizes, const clt__array *operand);
void clt__conv_weight_gradient_twin(const void *sizes, const clt__array *operand);
void clt__grouped_conv_input_gradient_twin(const void *sizes, const clt__array *operand);
double clt__conv_forward_growth(const void *sizes);
double clt__conv_input_gradient_growth(const void *sizes);
double clt__conv_weight_gradient_growth(const void *sizes);
void clt__conv_finish_forward(const void *sizes, const clt__array *operand);
void clt__conv_finish_input_gradient(const void *sizes, const clt__array *operand);

/* Of the formula, of one without groups. */
static inline double clt__conv_flops(const conv_sizes *z)
{
    return 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c;
}

/* conv_vector.c */
void clt__conv_forward_vector(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__conv_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__conv_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to);

/* conv_tile.c */
void clt__conv_forward_tile(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__conv_input_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to);
void clt__conv_weight_gradient_tile(void *sizes, const clt__limits *limits, clt__launches *to);
extern const clt__merging clt__conv_forward_merging, clt__conv_input_gradient_merging;

/* conv_winograd.c: true where Winograd tiles suit the sizes and the device; *to is then filled, and z->winograd set. */
bool clt__launch_winograd_forward(conv_sizes *z, const clt__limits *limits, clt__launches *to);
bool clt__launch_winograd_input_gradient(conv_sizes *z, const clt__limits *limits, clt__launches *to);

/* conv_winograd_weights.c: the same. */
bool clt__launch_winograd_weight_gradient(conv_sizes *z, const clt__limits *limits, clt__launches *to);

/* conv_winograd_tile.c: the same under the tile schedule, where the formula's own product would be `formula`. */
bool clt__launch_winograd_tile(conv_sizes *z, bool input_gradient, const clt__tiling *formula,
                               const clt__limits *limits, clt__launches *to);

/* conv_winograd_weights_tile.c: the same. */
bool clt__launch_winograd_weight_gradient_tile(conv_sizes *z, const clt__tiling *formula, const clt__limits *limits,
                                               clt__launches *to);

/* conv_winograd_bounds.c: the rows' bounds: those of Winograd tiles, or false where there are none. */
bool clt__winograd_forward_bound(const void *sizes, const clt__array *operand);
bool clt__winograd_input_gradient_bound(const void *sizes, const clt__array *operand);
bool clt__winograd_weight_gradient_bound(const void *sizes, const clt__array *operand);

#endif
