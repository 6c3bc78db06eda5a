/* A leaky relu with learned slopes. Formulas: kernels/prelu.cl. */
#include "ops/prelu.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- prelu_forward(x, slope -> y) and prelu_gradient(dy, x, slope -> dx) */

/* to = x > 0 ? from : a[c] from */
static void bend(const channel_sizes *z, const double *x, const double *from, const double *slope, const clt__array *to)
{
    for (size_t i = 0; i < (size_t)z->rows * (size_t)z->c; i++) {
        const double a = slope[z->shared ? 0 : i % (size_t)z->c];
        to->real[i] = x[i] > 0 ? from[i] : a * from[i];
        if (to->slack) to->slack[i] = x[i] > 0 ? 0 : fabs(to->real[i]);
    }
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    bend(sizes, operand[0].real, operand[0].real, operand[1].real, &operand[2]);
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    bend(sizes, operand[1].real, operand[0].real, operand[2].real, &operand[3]);
}

static clt_status plan(const char *kernel, const channel_sizes *z, const clt__limits *limits, clt__launch_plan *plan)
{
    plan->file = "prelu.cl";
    clt__plan_pixels(kernel, limits, z->rows, z->c, plan);
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("prelu_forward", sizes, limits, launches);
}

static clt_status gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan("prelu_gradient", sizes, limits, launches);
}

const clt__op_row clt__prelu_forward_op = {
    .name = "prelu_forward",
    .operand = {{"x", CLT__READ}, {"slope", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__prelu_gradient_op = {
    .name = "prelu_gradient",
    .operand = {{"dy", CLT__READ}, {"x", CLT__READ}, {"slope", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};
