/* Dense layer. Formulas and letters: kernels/dense.cl. */
#include "ops/dense.h"
#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/products.h"

/* ---- reference twins */

/* y[n,o] = f( b[o] + sum over i of x[n,i] * w[i,o] ) */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const dense_sizes *z = sizes;
    const double *x = operand[0].real, *w = operand[1].real, *bias = operand[2].real;
    const clt__array *y = &operand[3], *before = &operand[4];
    const double growth = clt__growth((double)z->i + 1);
    const size_t inputs = (size_t)z->i, outputs = (size_t)z->o;
    for (size_t n = 0; n < (size_t)z->n; n++) {
        double *sum = y->real + n * outputs, *magnitude = y->slack ? y->slack + n * outputs : NULL;
        for (size_t o = 0; o < outputs; o++) sum[o] = bias ? bias[o] : 0;
        for (size_t o = 0; o < outputs && magnitude; o++) magnitude[o] = fabs(sum[o]);
        for (size_t i = 0; i < inputs; i++) clt__add_row(x[n * inputs + i], w + i * outputs, outputs, sum, magnitude);
    }
    for (size_t at = 0; at < (size_t)z->n * outputs; at++) {
        const double sum = y->real[at], slack = y->slack ? growth * y->slack[at] : 0;
        y->real[at] = clt__activate(z->activation, clt__exactly(sum)).value;
        if (y->slack) y->slack[at] = clt__activate(z->activation, (clt__near){sum, slack}).slack;
        if (before->real) before->real[at] = sum;
        if (before->slack) before->slack[at] = slack;
    }
}

/* dx[n,i] = g(x) * sum over o of dy[n,o] * w[i,o] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const dense_sizes *z = sizes;
    const double *dy = operand[0].real, *w = operand[1].real, *x = operand[2].real;
    double *dx = operand[3].real, *slack = operand[3].slack;
    const double growth = clt__growth(z->o);
    for (int n = 0; n < z->n; n++)
        for (int i = 0; i < z->i; i++) {
            double sum = 0, magnitude = 0;
            clt__add_dot(dy + (size_t)n * (size_t)z->o, w + (size_t)i * (size_t)z->o, (size_t)z->o, &sum, &magnitude);
            const size_t at = (size_t)n * (size_t)z->i + (size_t)i;
            const double y = x ? x[at] : 0;
            const int activation = x ? z->activation : CLT__NO_ACTIVATION;
            dx[at] = clt__deactivate(activation, clt__exactly(sum), y).value;
            if (slack) slack[at] = clt__deactivate(activation, (clt__near){sum, growth * magnitude}, y).slack;
        }
}

static void scale_slack(const clt__array *array, size_t count, double growth)
{
    for (size_t i = 0; i < count && array->slack; i++) array->slack[i] *= growth;
}

/* dw[i,o] = sum over n of x[n,i] * dy[n,o],   db[o] = sum over n of dy[n,o] */
static void weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    const dense_sizes *z = sizes;
    const clt__array *dw = &operand[2], *db = &operand[3];
    const size_t inputs = (size_t)z->i, outputs = (size_t)z->o, biases = z->bias ? outputs : 0;
    clt__clear(dw, inputs * outputs);
    clt__clear(db, biases);
    for (size_t n = 0; n < (size_t)z->n; n++) {
        const double *x = operand[0].real + n * inputs, *dy = operand[1].real + n * outputs;
        for (size_t i = 0, at = 0; i < inputs; i++, at += outputs)
            clt__add_row(x[i], dy, outputs, dw->real + at, dw->slack ? dw->slack + at : NULL);
        if (biases) clt__add_row(1, dy, outputs, db->real, db->slack);
    }
    scale_slack(dw, inputs * outputs, clt__growth(z->n));
    scale_slack(db, biases, clt__growth(z->n));
}

/* ---- the ops */

static const clt__op_row forward_op = {
    .name = "dense_forward",
    .operand = {{"x", CLT__READ}, {"w", CLT__READ}, {"bias", CLT__READ}, {"y", CLT__WRITE}, {"sums", CLT__WRITE}},
    .twin = forward_twin,
    .plan = clt__dense_forward_vector,
    .plan_tile = clt__dense_forward_tile,
};

static const clt__op_row input_gradient_op = {
    .name = "dense_input_gradient",
    .operand = {{"dy", CLT__READ}, {"w", CLT__READ}, {"x", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = input_gradient_twin,
    .plan = clt__dense_input_gradient_vector,
    .plan_tile = clt__dense_input_gradient_tile,
};

static const clt__op_row weight_gradient_op = {
    .name = "dense_weight_gradient",
    .operand = {{"x", CLT__READ}, {"dy", CLT__READ}, {"dw", CLT__WRITE}, {"db", CLT__WRITE}},
    .twin = weight_gradient_twin,
    .plan = clt__dense_weight_gradient_vector,
    .plan_tile = clt__dense_weight_gradient_tile,
};

const clt__weighted_ops clt__dense_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};
