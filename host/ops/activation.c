/* Activations: fused into the op before them where that is possible, else ops of their own (kernels/activation.cl). */
#include "ops/activation.h"

#include <stdio.h>

#include "ops/activation_rows.h"
#include "ops/launch.h"

/* A row, as the twins and the launch rules want it. */
typedef struct function {
    const char *kernel_name;
    bool of_output;
    clt__near (*value)(clt__near x, double a);
    clt__near (*gradient)(clt__near g, double at, double a);
} function;

#define FUNCTION(name, of_output, help, words, ...) {"ACTIVATION_" #name, of_output, name##_value, name##_gradient},

static const function functions[] = {FUNCTION(none, true, "", "", {0}) CLT__ACTIVATIONS(FUNCTION)};

bool clt__activation_is_of_output(int activation)
{
    return functions[activation].of_output;
}

clt__near clt__activate(int activation, clt__near sum)
{
    return functions[activation].value(sum, 0);
}

clt__near clt__deactivate(int activation, clt__near gradient, double y)
{
    return functions[activation].gradient(gradient, y, 0);
}

const char *clt__activation_name(int activation)
{
    return functions[activation].kernel_name;
}

/* ---- the ops:  y = f(x),  dx = dy f'(x) */

static double parameter_of(const element_sizes *z)
{
    return z->parameter_ppm * 1e-6;
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    const element_sizes *z = sizes;
    const function *f = &functions[z->activation];
    for (int i = 0; i < z->count; i++)
        clt__put(&operand[1], (size_t)i, f->value(clt__exactly(operand[0].real[i]), parameter_of(z)));
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const element_sizes *z = sizes;
    const function *f = &functions[z->activation];
    for (int i = 0; i < z->count; i++) {
        const clt__near dy = clt__exactly(operand[0].real[i]);
        clt__put(&operand[2], (size_t)i, f->gradient(dy, operand[1].real[i], parameter_of(z)));
    }
}

static clt_status plan(const void *sizes, const clt__limits *limits, const char *kernel, clt__launch_plan *plan)
{
    const element_sizes *z = sizes;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%s", limits->vector_width,
                   clt__activation_name(z->activation));
    plan->file = "activation.cl";
    plan->launch[0] = clt__flat_launch(kernel, limits, clt__divide_up(z->count, limits->vector_width), false);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan(sizes, limits, "activation_forward", launches);
}

static clt_status gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    return plan(sizes, limits, "activation_gradient", launches);
}

const clt__op_row clt__activation_forward_op = {
    .name = "activation_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__activation_gradient_op = {
    .name = "activation_gradient",
    .operand = {{"dy", CLT__READ}, {"at", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};
