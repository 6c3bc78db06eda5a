/* Activations: fused into the op before them where that is possible, else ops of their own (kernels/activation.cl). */
#include "ops/activation.h"

#include "base/number.h"
#include "ops/activation_rows.h"
#include "ops/launch.h"

/* A row, as the twins and the launch rules want it. */
typedef struct function {
    const char *kernel_name;
    bool of_output;
    clt__near (*value)(clt__near x, double a, double b);
    clt__near (*gradient)(clt__near g, double at, double a, double b);
} function;

#define FUNCTION(name, of_output, ...) {"ACTIVATION_" #name, of_output, name##_value, name##_gradient},

static const function functions[] = {FUNCTION(none, true, "") CLT__ACTIVATIONS(FUNCTION)};

bool clt__activation_is_of_output(int activation)
{
    return functions[activation].of_output;
}

clt__near clt__activate(int activation, clt__near sum)
{
    return functions[activation].value(sum, 0, 0);
}

clt__near clt__deactivate(int activation, clt__near gradient, double y)
{
    return functions[activation].gradient(gradient, y, 0, 0);
}

const char *clt__activation_name(int activation)
{
    return functions[activation].kernel_name;
}

static clt__near near_of(const clt__array *array, size_t at)
{
    return (clt__near){array->real[at], array->slack ? array->slack[at] : 0};
}

void clt__activate_sums(const clt__array *y, const clt__array *sums, int activation)
{
    for (size_t i = 0; i < y->count; i++) {
        const clt__near sum = near_of(y, i);
        if (sums->real) clt__put(sums, i, sum);
        clt__put(y, i, clt__activate(activation, sum));
    }
}

void clt__deactivate_sums(const clt__array *dx, const clt__array *x, int activation)
{
    for (size_t i = 0; i < dx->count && x->real; i++)
        clt__put(dx, i, clt__deactivate(activation, near_of(dx, i), x->real[i]));
}

/* ---- the ops:  y = f(x),  dx = dy f'(x) */

static double parameter_of(const element_sizes *z, int kept)
{
    return z->numbers ? clt__number_of(kept) : clt__real_of(kept);
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    const element_sizes *z = sizes;
    const function *f = &functions[z->activation];
    const double *x = operand[ACTIVATION_X].real, a = parameter_of(z, z->a), b = parameter_of(z, z->b);
    for (size_t i = 0; i < (size_t)z->count; i++)
        clt__put(&operand[ACTIVATION_Y], i, f->value(clt__exactly(x[i]), a, b));
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const element_sizes *z = sizes;
    const function *f = &functions[z->activation];
    const double *dy = operand[ACTIVATION_GRADIENT_DY].real, *at = operand[ACTIVATION_GRADIENT_AT].real;
    const double a = parameter_of(z, z->a), b = parameter_of(z, z->b);
    for (size_t i = 0; i < (size_t)z->count; i++)
        clt__put(&operand[ACTIVATION_GRADIENT_DX], i, f->gradient(clt__exactly(dy[i]), at[i], a, b));
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const element_sizes *z = sizes;
    clt__define_activation(to, z->activation);
    clt__launch_elements("activation.cl", limits, z->count, to);
}

const clt__op_row clt__activation_forward_op = {
    .name = "activation_forward",
    .operand = {[ACTIVATION_X] = {"x", CLT__READ}, [ACTIVATION_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(ACTIVATION_X) | CLT__STORED(ACTIVATION_Y),
    .twin = forward_twin,
    .launch = launch,
};

const clt__op_row clt__activation_gradient_op = {
    .name = "activation_gradient",
    .operand = {[ACTIVATION_GRADIENT_DY] = {"dy", CLT__READ},
                [ACTIVATION_GRADIENT_AT] = {"at", CLT__READ},
                [ACTIVATION_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored =
        CLT__STORED(ACTIVATION_GRADIENT_DY) | CLT__STORED(ACTIVATION_GRADIENT_AT) | CLT__STORED(ACTIVATION_GRADIENT_DX),
    .twin = gradient_twin,
    .launch = launch,
};
