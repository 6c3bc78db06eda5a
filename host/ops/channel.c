/* Ops that go channel by channel, for several layers. Formulas: kernels/channel.cl. */
#include <stdio.h>
#include <string.h>

#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/channel.h"
#include "ops/launch.h"

/* ---- reference twins */

/* y = f( x + b[c] ) */
static void bias_twin(const void *sizes, const clt__array *operand)
{
    const channel_sizes *z = sizes;
    const double *b = operand[1].real;
    const clt__array *y = &operand[2], *before = &operand[3];
    for (size_t i = 0; i < (size_t)z->rows * (size_t)z->c; i++) {
        const double sum = operand[0].real[i] + (b ? b[i % (size_t)z->c] : 0);
        y->real[i] = clt__activate(z->activation, clt__exactly(sum)).value;
        if (y->slack) y->slack[i] = clt__activate(z->activation, (clt__near){sum, fabs(sum)}).slack;
        if (before->real) before->real[i] = sum;
        if (before->slack) before->slack[i] = fabs(sum);
    }
}

/* sum[c] = sum of dy, or of dy min(x, 0) */
static void sum_twin(const void *sizes, const clt__array *operand)
{
    const channel_sizes *z = sizes;
    const double *dy = operand[0].real, *x = operand[1].real;
    const clt__array *sum = &operand[2];
    const size_t sums = z->shared ? 1 : (size_t)z->c;
    const double growth = clt__growth((double)z->rows * (z->shared ? z->c : 1));
    clt__clear(sum, sums);
    for (size_t i = 0; i < (size_t)z->rows * (size_t)z->c; i++) {
        const double term = x ? dy[i] * (x[i] > 0 ? 0 : x[i]) : dy[i];
        sum->real[i % sums] += term;
        if (sum->slack) sum->slack[i % sums] += growth * fabs(term);
    }
}

/* ---- launch rules */

static clt_status bias_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const channel_sizes *z = sizes;
    plan->file = "channel.cl";
    clt__plan_pixels("bias", limits, z->rows, z->c, plan);
    const size_t length = strlen(plan->defines);
    (void)snprintf(plan->defines + length, sizeof plan->defines - length, " -DACTIVATION=%s",
                   clt__activation_name(z->activation));
    return CLT_OK;
}

static clt_status sum_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    channel_sizes *z = sizes;
    plan->file = "channel.cl";
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d%s", limits->vector_width, clt__spread_define(limits));
    z->parts = clt__plan_channel_sums("channel_sum_parts", "channel_sum_add", limits, z->n, z->rows, z->c, 1, plan);
    return CLT_OK;
}

const clt__op_row clt__bias_op = {
    .name = "bias",
    .operand = {{"x", CLT__READ}, {"b", CLT__READ}, {"y", CLT__WRITE}, {"sums", CLT__WRITE}},
    .twin = bias_twin,
    .plan = bias_plan,
};

const clt__op_row clt__channel_sum_op = {
    .name = "channel_sum",
    .operand = {{"dy", CLT__READ}, {"x", CLT__READ}, {"sum", CLT__WRITE}},
    .twin = sum_twin,
    .plan = sum_plan,
};
