/* Layers that join values: add and concat. Formulas: kernels/join.cl. */
#include <stdio.h>
#include <string.h>

#include "layers/bounds.h"
#include "layers/launch.h"
#include "layers/layer.h"

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
        y->real[i] = clt__activate(z->activation, sum);
        if (y->slack) y->slack[i] = clt__activate_slack(z->activation, sum, growth * magnitude);
    }
}

static clt_status sum_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const join_sizes *z = sizes;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%d", limits->vector_width,
                   z->activation);
    plan->file = "join.cl";
    plan->launch[0] = clt__flat_launch("sum", limits, clt__divide_up(z->count, limits->vector_width), false);
    plan->launches = 1;
    return CLT_OK;
}

static const clt__op_row sum_op = {
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
    return clt__tape_add_op(tape, &sum_op, layer, &sizes, sizeof sizes, operand, error);
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

static const clt__op_row concat_op = {
    .name = "concat",
    .operand = {INPUT_OPERANDS(CLT__READ), {"y", CLT__WRITE}},
    .twin = concat_twin,
    .plan = concat_plan,
};

static const clt__op_row concat_gradient_op = {
    .name = "concat_gradient",
    .operand = {{"dy", CLT__READ}, INPUT_OPERANDS(CLT__WRITE)},
    .twin = concat_gradient_twin,
    .plan = concat_gradient_plan,
};

/* ---- the layers */

/* `channels`: whether they must be the same too. */
static clt_status check_inputs(const clt__layer *layer, bool channels, clt_error *error)
{
    const clt__value *first = &layer->in[0];
    for (int i = 1; i < layer->inputs; i++) {
        const clt__value *other = &layer->in[i];
        if (first->flat == other->flat && first->shape.height == other->shape.height &&
            first->shape.width == other->shape.width && (!channels || first->shape.channels == other->shape.channels))
            continue;
        return FAIL(error, CLT_BAD_NET, "%s: its inputs 1 and %d are %s of %dx%dx%d and %s of %dx%dx%d: %s",
                    layer->name, i + 1, first->flat ? "a vector" : "an image", first->shape.channels,
                    first->shape.height, first->shape.width, other->flat ? "a vector" : "an image",
                    other->shape.channels, other->shape.height, other->shape.width,
                    channels ? "they should be alike" : "only the channels may differ");
    }
    return CLT_OK;
}

static clt_status add_shape(clt__layer *layer, clt_error *error)
{
    TRY(check_inputs(layer, true, error));
    layer->out.shape = layer->in[0].shape;
    layer->out.flat = layer->in[0].flat;
    return CLT_OK;
}

static clt_status add_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    int tensor[INPUTS];
    for (int i = 0; i < layer->inputs; i++) tensor[i] = layer->in[i].tensor;
    return clt__add_sum(tape, layer->name, tensor, layer->inputs, layer->out.tensor, layer->out.activation, error);
}

static clt_status concat_shape(clt__layer *layer, clt_error *error)
{
    int64_t channels = 0;
    TRY(check_inputs(layer, false, error));
    for (int i = 0; i < layer->inputs; i++) channels += layer->in[i].shape.channels;
    if (channels > INT32_MAX) return FAIL(error, CLT_BAD_NET, "%s: too many channels", layer->name);
    layer->out.shape = layer->in[0].shape;
    layer->out.shape.channels = (int)channels;
    layer->out.flat = layer->in[0].flat;
    return CLT_OK;
}

static join_sizes concat_sizes(const clt__layer *layer)
{
    const clt_shape out = layer->out.shape;
    join_sizes sizes = {.count = layer->batch * out.channels * out.height * out.width,
                        .inputs = layer->inputs,
                        .all_channels = out.channels};
    for (int i = 0; i < layer->inputs; i++) sizes.channels[i] = layer->in[i].shape.channels;
    return sizes;
}

static clt_status concat_forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const join_sizes sizes = concat_sizes(layer);
    int tensor[INPUTS + 1];
    for (int i = 0; i < INPUTS; i++) tensor[i] = i < layer->inputs ? layer->in[i].tensor : -1;
    tensor[INPUTS] = layer->out.tensor;
    return clt__tape_add_op(tape, &concat_op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static clt_status concat_backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const join_sizes sizes = concat_sizes(layer);
    int tensor[INPUTS + 1] = {layer->out.gradient};
    bool any = false;
    for (int i = 0; i < INPUTS; i++) {
        tensor[i + 1] = i < layer->inputs ? layer->in[i].gradient : -1;
        any = any || tensor[i + 1] >= 0;
    }
    return any ? clt__tape_add_op(tape, &concat_gradient_op, layer->name, &sizes, sizeof sizes, tensor, error) : CLT_OK;
}

static const clt__case add_cases[] = {
    {1, "input 1x1x1; conv out=1; add from=conv1,input"},
    {3,
     "input 3x5x7; conv out=3 kernel=3 padding=1; relu; conv out=3; add from=conv2,relu1; relu; flatten; dense out=3"},
    {3, "input 2x5x5; conv out=4; tanh; maxpool kernel=1; conv out=4 from=tanh1; add from=tanh1,maxpool1,conv2,tanh1; "
        "sigmoid; conv out=2"},
    {64, "input 5x1x1; dense out=17; relu as=a; dense out=17 as=b; dense out=17 from=a as=c; add from=a,b,c,b; tanh"},
    {0, NULL},
};

static const clt__case concat_cases[] = {
    {1, "input 1x1x1; conv out=1; concat from=conv1,input; conv out=2"},
    {3,
     "input 3x5x7; conv out=2; relu; conv out=5 from=input; concat from=relu1,conv2,input,relu1; conv out=3 kernel=3"},
    {3, "input 2x4x3; conv out=17; tanh; maxpool kernel=1; concat from=tanh1,maxpool1; relu; flatten; dense out=3"},
    {64, "input 7x1x1; dense out=3; relu; dense out=33 from=input; concat from=relu1,dense2; dense out=4"},
    {0, NULL},
};

const clt__layer_row clt__add = {
    .name = "add",
    .help = "the sum of two to eight layers of the same shape",
    .shape = add_shape,
    .forward = add_forward,
    .joins = true,
    .passes_gradient = true,
    .fuses = true,
    .cases = add_cases,
};

const clt__layer_row clt__concat = {
    .name = "concat",
    .help = "the channels of two to eight layers, one layer's after the other's",
    .shape = concat_shape,
    .forward = concat_forward,
    .backward = concat_backward,
    .joins = true,
    .cases = concat_cases,
};
