/* Layers that join values: add and concat. Formulas: kernels/join.cl. */
#include <stdio.h>
#include <string.h>

#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/join.h"
#include "ops/launch.h"

enum { INPUTS = CLT__MAX_INPUTS };

#define INPUT_OPERANDS(access)                                                                               \
    {"a", access}, {"b", access}, {"c", access}, {"d", access}, {"e", access}, {"f", access}, {"g", access}, \
    {                                                                                                        \
        "h", access                                                                                          \
    }

/* ---- sum(a, b, ... -> y) */

/* y[i] = f( a[i] + b[i] + ... ) */
static void sum_twin(const void *sizes, const clt__array *operand)
{
    const join_sizes *z = sizes;
    const clt__array *y = &operand[INPUTS];
    const double growth = clt__growth(z->inputs);
    for (int i = 0; i < z->count; i++) {
        double sum = 0, magnitude = 0;
        for (int j = 0; j < z->inputs; j++) {
            sum += operand[j].real[i];
            magnitude += fabs(operand[j].real[i]);
        }
        y->real[i] = clt__activate(z->activation, clt__exactly(sum)).value;
        if (y->slack) y->slack[i] = clt__activate(z->activation, (clt__near){sum, growth * magnitude}).slack;
    }
}

static clt_status sum_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const join_sizes *z = sizes;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%s", limits->vector_width,
                   clt__activation_name(z->activation));
    plan->file = "join.cl";
    plan->launch[0] = clt__flat_launch("sum", limits, clt__divide_up(z->count, limits->vector_width), false);
    plan->launches = 1;
    return CLT_OK;
}

const clt__op_row clt__sum_op = {
    .name = "sum",
    .operand = {INPUT_OPERANDS(CLT__READ), {"y", CLT__WRITE}},
    .twin = sum_twin,
    .plan = sum_plan,
};

clt_status clt__add_sum(clt__tape *tape, const char *layer, const int *tensor, int count, int y, int activation,
                        clt_error *error)
{
    const join_sizes sizes = {.count = tape->tensor[y].count, .inputs = count, .activation = activation};
    int operand[INPUTS + 1];
    for (int i = 0; i < INPUTS; i++) operand[i] = i < count ? tensor[i] : -1;
    operand[INPUTS] = y;
    return clt__tape_add_op(tape, &clt__sum_op, layer, &sizes, sizeof sizes, operand, error);
}

/* ---- concat(a, b, ... -> y) and concat_gradient(dy -> a, b, ...) */

/* y[p, first_j + c] = x_j[p, c], or dx_j[p, c] = dy[p, first_j + c]: copies, which round nothing */
static void copy_channels(const join_sizes *z, const clt__array *joined, const clt__array *part, bool apart)
{
    const size_t pixels = (size_t)(z->count / z->all_channels);
    size_t first = 0;
    for (int j = 0; j < z->inputs; j++) {
        const size_t channels = (size_t)z->channels[j];
        for (size_t p = 0; p < pixels && part[j].real; p++) {
            double *whole = joined->real + p * (size_t)z->all_channels + first, *own = part[j].real + p * channels;
            memcpy(apart ? own : whole, apart ? whole : own, channels * sizeof *own);
        }
        first += channels;
    }
}

static void concat_twin(const void *sizes, const clt__array *operand)
{
    copy_channels(sizes, &operand[INPUTS], operand, false);
}

static void concat_gradient_twin(const void *sizes, const clt__array *operand)
{
    copy_channels(sizes, operand, operand + 1, true);
}

static clt_status plan_pixels(const char *kernel, const join_sizes *z, const clt__limits *limits,
                              clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=1");
    plan->file = "join.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, z->count / z->all_channels, false);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status concat_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_pixels("concat", sizes, limits, plan);
}

static clt_status concat_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    return plan_pixels("concat_gradient", sizes, limits, plan);
}

const clt__op_row clt__concat_op = {
    .name = "concat",
    .operand = {INPUT_OPERANDS(CLT__READ), {"y", CLT__WRITE}},
    .twin = concat_twin,
    .plan = concat_plan,
};

const clt__op_row clt__concat_gradient_op = {
    .name = "concat_gradient",
    .operand = {{"dy", CLT__READ}, INPUT_OPERANDS(CLT__WRITE)},
    .twin = concat_gradient_twin,
    .plan = concat_gradient_plan,
};
