/* Dense layer. Formulas and letters: kernels/dense.cl. */
#include "ops/dense.h"

#include "ops/activation.h"
#include "ops/products.h"

/* ---- reference twins */

/* y[n,o] = b[o] + sum over i of x[n,i] * w[i,o] + addend[n,o] */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const dense_sizes *z = sizes;
    const size_t inputs = (size_t)z->i, outputs = (size_t)z->o;
    const double *w = operand[FORWARD_W].real, *bias = operand[FORWARD_BIAS].real;
    for (size_t n = 0; n < (size_t)z->n; n++) {
        const double *x = operand[FORWARD_X].real + n * inputs;
        double *y = operand[FORWARD_Y].real + n * outputs;
        for (size_t o = 0; o < outputs; o++) y[o] = bias ? bias[o] : 0;
        for (size_t i = 0; i < inputs; i++) clt__add_row(x[i], w + i * outputs, outputs, y);
    }
    clt__add_addend(&operand[FORWARD_Y], &operand[FORWARD_ADDEND]);
}

/* dx[n,i] = sum over o of dy[n,o] * w[i,o] + addend[n,i] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const dense_sizes *z = sizes;
    const size_t inputs = (size_t)z->i, outputs = (size_t)z->o;
    const double *dy = operand[INPUT_GRADIENT_DY].real, *w = operand[INPUT_GRADIENT_W].real;
    for (size_t n = 0; n < (size_t)z->n; n++)
        for (size_t i = 0; i < inputs; i++)
            operand[INPUT_GRADIENT_DX].real[n * inputs + i] = clt__dot(dy + n * outputs, w + i * outputs, outputs);
    clt__add_addend(&operand[INPUT_GRADIENT_DX], &operand[INPUT_GRADIENT_ADDEND]);
}

/* dw[i,o] = sum over n of x[n,i] * dy[n,o],   db[o] = sum over n of dy[n,o] */
static void weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    const dense_sizes *z = sizes;
    const size_t inputs = (size_t)z->i, outputs = (size_t)z->o;
    clt__clear(&operand[WEIGHT_GRADIENT_DW]);
    for (size_t n = 0; n < (size_t)z->n; n++) {
        const double *x = operand[WEIGHT_GRADIENT_X].real + n * inputs;
        const double *dy = operand[WEIGHT_GRADIENT_DY].real + n * outputs;
        for (size_t i = 0; i < inputs; i++)
            clt__add_row(x[i], dy, outputs, operand[WEIGHT_GRADIENT_DW].real + i * outputs);
    }
    clt__sum_bias_gradient(&operand[WEIGHT_GRADIENT_DY], &operand[WEIGHT_GRADIENT_DB]);
}

CLT__GROWTH(static, forward_growth, dense_sizes, clt__growth((double)z->i + 1))
CLT__GROWTH(static, input_gradient_growth, dense_sizes, clt__growth(z->o))
CLT__GROWTH(static, weight_gradient_growth, dense_sizes, clt__growth(z->n))
CLT__ACTIVATES(static, finish_forward, dense_sizes, FORWARD_Y, FORWARD_SUMS)
CLT__DEACTIVATES(static, finish_input_gradient, dense_sizes, INPUT_GRADIENT_DX, INPUT_GRADIENT_X)

/* ---- the ops */

static const clt__op_row forward_op = {
    .name = "dense_forward",
    CLT__FORWARD_OPERANDS,
    .twin = forward_twin,
    .growth = forward_growth,
    .finish = finish_forward,
    .launch = clt__dense_forward_vector,
    .launch_tile = clt__dense_forward_tile,
};

static const clt__op_row input_gradient_op = {
    .name = "dense_input_gradient",
    CLT__INPUT_GRADIENT_OPERANDS,
    .twin = input_gradient_twin,
    .growth = input_gradient_growth,
    .finish = finish_input_gradient,
    .launch = clt__dense_input_gradient_vector,
    .launch_tile = clt__dense_input_gradient_tile,
    .merging = &clt__dense_input_gradient_merging,
};

static const clt__op_row weight_gradient_op = {
    .name = "dense_weight_gradient",
    CLT__WEIGHT_GRADIENT_OPERANDS,
    .twin = weight_gradient_twin,
    .growth = weight_gradient_growth,
    .launch = clt__dense_weight_gradient_vector,
    .launch_tile = clt__dense_weight_gradient_tile,
    .merging = &clt__dense_weight_gradient_merging,
};

const clt__weighted_ops clt__dense_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};
