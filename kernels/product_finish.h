/* What the tile schedule's sums of products become: conv_tile.cl, dense_tile.cl, grouped_conv_tile.cl. bias,
 * addend, before and x may be NULL. */
#ifndef CLT_PRODUCT_FINISH_H
#define CLT_PRODUCT_FINISH_H

#include "activations.h"

/* Forward: element `at` of y, of output k. */
static inline void finish_forward(const real product, const int at, const int k, global const real *bias,
                                  global const stored *addend, global stored *y, global stored *before)
{
    const real biased = bias ? product + bias[k] : product, sum = addend ? biased + GET(addend + at) : biased;
    if (before) PUT(sum, before + at);
    PUT(activate(sum), y + at);
}

/* Input gradient: element `at` of dx, where x is what an activation made. */
static inline void finish_input_gradient(const real product, const int at, global const stored *x,
                                         global const stored *addend, global stored *dx)
{
    const real sum = addend ? product + GET(addend + at) : product;
    PUT(x ? deactivate(sum, GET(x + at)) : sum, dx + at);
}

/* The same, and what is merged with it. */
#ifdef POOLED
#define FINISH_INPUT_GRADIENT(sum, at, x)                                                                              \
    (finish_input_gradient(sum, at, x, addend, dx), spread_over_window(windows, at, dx, best, pool_x, pool_dx))
#else
#define FINISH_INPUT_GRADIENT(sum, at, x) finish_input_gradient(sum, at, x, addend, dx)
#endif

/* Weight gradient: element `at` of the weights' gradients, behind which the biases' follow. */
static inline void finish_weight_gradient(const real sum, const int at, const int weights, global real *dw,
                                          global real *db)
{
    if (at < weights)
        dw[at] = sum;
    else
        db[at - weights] = sum;
}

#endif
