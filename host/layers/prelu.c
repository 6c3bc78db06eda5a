/* A leaky relu with learned slopes. Formulas: kernels/prelu.cl. */
#include "layers/bounds.h"
#include "layers/channel.h"
#include "layers/launch.h"

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

static const clt__op_row forward_op = {
    .name = "prelu_forward",
    .operand = {{"x", CLT__READ}, {"slope", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

static const clt__op_row gradient_op = {
    .name = "prelu_gradient",
    .operand = {{"dy", CLT__READ}, {"x", CLT__READ}, {"slope", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};

/* ---- the layer */

enum { SHARED };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    static const clt__value one = {.shape = {1, 1, 1}};
    const bool shared = layer->value[SHARED][0];
    layer->parameter[0] = clt__channel_parameter("weight", shared ? &one : &layer->in[0], 0.25);
    layer->parameters = 1;
    return clt__same_shape(layer, error);
}

static channel_sizes sizes_of(const clt__layer *layer)
{
    channel_sizes sizes = clt__channel_sizes_of(layer, &layer->out);
    sizes.shared = layer->value[SHARED][0];
    return sizes;
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const channel_sizes sizes = sizes_of(layer);
    const int tensor[] = {layer->in[0].tensor, layer->parameter[0].tensor, layer->out.tensor};
    return clt__tape_add_op(tape, &forward_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const channel_sizes sizes = sizes_of(layer);
    const clt__parameter *slope = &layer->parameter[0];
    if (slope->gradient >= 0) {
        const int tensor[] = {layer->out.gradient, layer->in[0].tensor, slope->gradient};
        TRY(clt__tape_add_op(tape, &clt__channel_sum_op, layer->name, &sizes, sizeof sizes, tensor, error));
    }
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int tensor[] = {layer->out.gradient, layer->in[0].tensor, slope->tensor, layer->in[0].gradient};
    return clt__tape_add_op(tape, &gradient_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static const clt__case cases[] = {
    {3, "input 17x7x5; prelu; flatten; prelu shared=yes"},
    {64, "input 33x3x3; batchnorm; tanh; prelu shared=yes; flatten; prelu"},
    {0, NULL},
};

const clt__layer_row clt__prelu = {
    .name = "prelu",
    .help = "x where it is positive, else a learned slope times x",
    .option = {{"shared", CLT__FLAG, 0, 0, "one slope for all channels"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .cases = cases,
};
