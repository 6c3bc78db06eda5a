/* cltrain example: the worked 4x4 network, every number of one training step on the device beside the reference. */
#include <math.h>
#include <string.h>

#include "cli/digits.h"
#include "cli/output.h"
#include "cli/verbs.h"

/* ---- the network and its numbers ---------------------------------------------------------------------------- */

static const double image_x[] = {1, 0, 2, 3, 4, 6, 6, 8, 3, 1, 1, 0, 1, 2, 2, 4}, target[] = {5};
static const double kernel_k[] = {1, 0, -1, 1, -1, 0, 1, 0, -1}, weights_w[] = {0.4, 0.2, 0.3, 0.6}, bias_b[] = {0.1};

/* A tensor to show. The two forms of the network name their activation layer differently. */
typedef struct tensor_part {
    const char *title;
    const char *exact_name, *notebook_name; /* NULL: that form has no such tensor */
    bool flat;                              /* shown as a vector */
} tensor_part;

#define SAME_NAME(name) .exact_name = (name), .notebook_name = (name)

enum { PARAMETER_COUNT = 3, LARGEST_TENSOR = 16 };

static const tensor_part parameters[PARAMETER_COUNT] = {
    {.title = "kernel K", SAME_NAME("conv1.weight")},
    {.title = "weights W", SAME_NAME("dense1.weight")},
    {.title = "bias b", SAME_NAME("dense1.bias")},
};

static const tensor_part input_part = {.title = "input X", SAME_NAME("input")};
static const tensor_part prediction_part = {
    .title = "prediction: sigmoid of z", .exact_name = "sigmoid1", .notebook_name = "sigmoid_notebook1"};
static const tensor_part loss_part = {.title = "loss: (prediction - target)^2 / 2", SAME_NAME("loss")};

static const tensor_part forward_parts[] = {
    {.title = "convolution: X with K", SAME_NAME("conv1")},
    /* Flattening renumbers the values and moves none, so a session has no tensor of its own for it. */
    {.title = "flattened: the same as a vector", SAME_NAME("conv1"), .flat = true},
    {.title = "z: W times flattened, plus b", SAME_NAME("dense1")},
};

static const tensor_part gradient_parts[] = {
    {.title = "dloss/dz", .exact_name = "sigmoid1.gradient", .notebook_name = "sigmoid_notebook1.gradient"},
    {.title = "dloss/dconvolution", .exact_name = "conv1.gradient"},
    {.title = "dloss/dK", .exact_name = "conv1.weight.gradient"},
    {.title = "dloss/dW", SAME_NAME("dense1.weight.gradient")},
    {.title = "dloss/db", SAME_NAME("dense1.bias.gradient")},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- the two sides ------------------------------------------------------------------------------------------ */

typedef struct example_side {
    clt_model *model;
    clt_device *device;
    clt_session *session;
} example_side;

typedef struct example_run {
    const clt_options *options;
    bool notebook;
    clt_precision precision;
    clt_dataset *data;
    example_side device, reference;
    double bound; /* of a difference, relative to the tensor's largest value, after one step */
    double worst; /* the largest such difference so far, over its bound; NaN stays */
    char worst_name[64];
} example_run;

/* A tensor as both sides have it. */
typedef struct tensor_pair {
    clt_tensor_info info;
    double device[LARGEST_TENSOR], reference[LARGEST_TENSOR];
} tensor_pair;

static const char *name_of(const example_run *example, const tensor_part *part)
{
    return example->notebook ? part->notebook_name : part->exact_name;
}

/* The reference always computes in double: that is the yardstick. */
static clt_status create_model(const example_run *example, const clt_device *device, clt_model **model,
                               clt_error *error)
{
    const clt_options options = {.net = example->notebook ? "example_notebook" : "example",
                                 .precision = device == example->reference.device ? CLT_F64 : example->precision};
    TRY(clt_model_create(&options, model, error));
    TRY(clt_model_set(*model, "conv1.weight", kernel_k, COUNT_OF(kernel_k), error));
    TRY(clt_model_set(*model, "dense1.weight", weights_w, COUNT_OF(weights_w), error));
    return clt_model_set(*model, "dense1.bias", bias_b, COUNT_OF(bias_b), error);
}

static clt_status open_session(const example_run *example, example_side *side, clt_error *error)
{
    clt_options options = clt__options_default();
    options.batch_size = 1;
    options.optimizer = "sgd";
    options.lr = example->options->lr;
    options.momentum = options.weight_decay = 0;
    options.nesterov = false;
    options.normalize.how = CLT__BY_NOTHING;
    TRY(create_model(example, side->device, &side->model, error));
    return clt_session_open(side->model, side->device, example->data, &options, true, &side->session, error);
}

/* f64 is the better show, but not every device has it. */
static clt_precision choose_precision(const example_run *example)
{
    const clt_device_info *info = clt_device_describe(example->device.device);
    if (example->options->given[CLT__OPTION_precision]) return (clt_precision)example->options->precision;
    if (!info->fp64) print_note("%s: the device has no double precision, so this is f32", info->name);
    return info->fp64 ? CLT_F64 : CLT_F32;
}

static clt_status open_example(example_run *example, clt_error *error)
{
    TRY(clt_device_open_with(example->options, &example->device.device, error));
    TRY(clt_device_open("reference", &example->reference.device, error));
    TRY(clt_dataset_from_reals(1, (clt_shape){1, 4, 4}, image_x, target, 1, &example->data, error));
    example->precision = choose_precision(example);
    example->bound = example->precision == CLT_F64 ? 1e-12 : 1e-5;
    TRY(open_session(example, &example->device, error));
    return open_session(example, &example->reference, error);
}

static void close_side(example_side *side)
{
    clt_session_close(side->session);
    clt_model_close(side->model);
    clt_device_close(side->device);
}

static void close_example(example_run *example)
{
    close_side(&example->device);
    close_side(&example->reference);
    clt_dataset_close(example->data);
}

static clt_status step_both(example_run *example, clt_error *error)
{
    const int32_t image = 0;
    TRY(clt_session_step(example->device.session, &image, 1, error));
    return clt_session_step(example->reference.session, &image, 1, error);
}

static clt_status read_pair(example_run *example, const tensor_part *part, tensor_pair *pair, clt_error *error)
{
    const char *name = name_of(example, part);
    const clt_tensor_info *info = clt_session_find(example->device.session, name);
    if (!info || info->count > LARGEST_TENSOR)
        return FAIL(error, CLT_BAD_NET, "%s: the example's net should have a small tensor of this name", name);
    pair->info = *info;
    if (part->flat) {
        pair->info.dimensions = 1;
        pair->info.extent[0] = (int)info->count;
    }
    TRY(clt_session_read(example->device.session, name, pair->device, info->count, error));
    return clt_session_read(example->reference.session, name, pair->reference, info->count, error);
}

/* ---- comparing ---------------------------------------------------------------------------------------------- */

/* Remembers the largest difference. Every step may add its own rounding error, so the bound grows with the steps. */
static void compare(example_run *example, const tensor_pair *pair, int steps)
{
    double largest = 0;
    for (size_t i = 0; i < pair->info.count; i++) largest = fmax(largest, fabs(pair->reference[i]));
    for (size_t i = 0; i < pair->info.count; i++) {
        const double device = pair->device[i], reference = pair->reference[i];
        const double difference = device == reference ? 0 : fabs(device - reference);
        const double share = difference == 0 ? 0 : difference / (largest * example->bound * steps);
        if (share <= example->worst || isnan(example->worst)) continue;
        example->worst = share;
        (void)snprintf(example->worst_name, sizeof example->worst_name, "%s", pair->info.name);
    }
}

static clt_status judge(const example_run *example, clt_error *error)
{
    const char *id = clt_device_describe(example->device.device)->id;
    if (!(example->worst <= 1))
        return FAIL(error, CLT_MISMATCH,
                    "example: %s on device %s differs from the reference by %.3g times the most that is right, %g of "
                    "the tensor's largest value for each step",
                    example->worst_name, id, example->worst, example->bound);
    (void)printf("\ndevice %s agrees with the reference: no difference is above %g of its tensor's largest value%s\n",
                 id, example->bound, example->options->steps > 1 ? " for each step" : "");
    return CLT_OK;
}

/* ---- printing ----------------------------------------------------------------------------------------------- */

/* A column for a number of any sign and exponent. */
static int column_width(const example_run *example)
{
    return digits_of(example->precision) + 7;
}

/* "[1,2]": where element `index` is, leaving out leading dimensions of one. */
static void write_index(const clt_tensor_info *info, size_t index, char *text, size_t size)
{
    int first = 0;
    size_t used = 0, stride = info->count;
    while (first + 1 < info->dimensions && info->extent[first] == 1) first++;
    *text = '\0';
    if (info->count == 1) return;
    for (int i = first; i < info->dimensions && used < size; i++) {
        stride /= (size_t)info->extent[i];
        const int added = snprintf(text + used, size - used, "%s%zu%s", i == first ? "[" : ",", index / stride,
                                   i + 1 == info->dimensions ? "]" : "");
        used += added > 0 ? (size_t)added : 0;
        index %= stride;
    }
}

static void print_pair(const example_run *example, const char *title, const tensor_pair *pair)
{
    const int width = column_width(example), digits = digits_of(example->precision);
    (void)printf("\n%s (%s)\n", title, pair->info.name);
    for (size_t i = 0; i < pair->info.count; i++) {
        char index[48];
        const double device = pair->device[i], reference = pair->reference[i];
        write_index(&pair->info, i, index, sizeof index);
        (void)printf("  %-6s %*.*g  %*.*g  %10.3g\n", index, width, digits, device, width, digits, reference,
                     device == reference ? 0 : fabs(device - reference));
    }
}

static clt_status show(example_run *example, const char *before, const tensor_part *part, int steps, clt_error *error)
{
    char title[96];
    tensor_pair pair;
    (void)snprintf(title, sizeof title, "%s%s", before, part->title);
    if (!name_of(example, part)) {
        (void)printf("\n%s\n  not computed: K is not trained\n", title);
        return CLT_OK;
    }
    TRY(read_pair(example, part, &pair, error));
    print_pair(example, title, &pair);
    compare(example, &pair, steps);
    return CLT_OK;
}

static clt_status show_parameters(example_run *example, const char *before, int steps, clt_error *error)
{
    for (int i = 0; i < PARAMETER_COUNT; i++) TRY(show(example, before, &parameters[i], steps, error));
    return CLT_OK;
}

static void print_head(const example_run *example)
{
    const clt_device_info *info = clt_device_describe(example->device.device);
    const int width = column_width(example);
    (void)printf("device %s: %s (%s)\n", info->id, info->name, info->platform);
    (void)printf("%s, learning rate %g, target %g, sigmoid derivative: %s\n\n",
                 example->precision == CLT_F64 ? "f64" : "f32", example->options->lr, target[0],
                 example->notebook ? "notebook" : "exact");
    (void)printf("  %-6s %*s  %*s  %10s\n", "", width, "device", width, "reference", "difference");
}

/* The first step, with all there is to see of it. */
static clt_status show_first_step(example_run *example, clt_error *error)
{
    tensor_pair before[PARAMETER_COUNT];
    for (int i = 0; i < PARAMETER_COUNT; i++) TRY(read_pair(example, &parameters[i], &before[i], error));
    TRY(step_both(example, error));
    print_head(example);
    TRY(show(example, "", &input_part, 1, error));
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        print_pair(example, parameters[i].title, &before[i]);
        compare(example, &before[i], 1);
    }
    for (size_t i = 0; i < COUNT_OF(forward_parts); i++) TRY(show(example, "", &forward_parts[i], 1, error));
    TRY(show(example, "", &prediction_part, 1, error));
    TRY(show(example, "", &loss_part, 1, error));
    for (size_t i = 0; i < COUNT_OF(gradient_parts); i++) TRY(show(example, "gradient ", &gradient_parts[i], 1, error));
    return show_parameters(example, "updated ", 1, error);
}

static clt_status show_further_steps(example_run *example, clt_error *error)
{
    const int width = column_width(example), digits = digits_of(example->precision);
    (void)printf("\nfurther steps\n  %6s %*s  %*s  %*s  %*s\n", "step", width, "prediction, device", width, "reference",
                 width, "loss, device", width, "reference");
    for (int step = 2; step <= example->options->steps; step++) {
        tensor_pair prediction, loss;
        TRY(step_both(example, error));
        TRY(read_pair(example, &prediction_part, &prediction, error));
        TRY(read_pair(example, &loss_part, &loss, error));
        /* The loss holds the prediction, which alone may be too small for f32. */
        compare(example, &loss, step);
        (void)printf("  %6d %*.*g  %*.*g  %*.*g  %*.*g\n", step, width, digits, prediction.device[0], width, digits,
                     prediction.reference[0], width, digits, loss.device[0], width, digits, loss.reference[0]);
    }
    char before[48];
    (void)snprintf(before, sizeof before, "after %d steps: ", example->options->steps);
    return show_parameters(example, before, example->options->steps, error);
}

/* What the published notebook prints, in its own form. */
static clt_status show_as_notebook(example_run *example, clt_error *error)
{
    char number[DIGITS_ROOM];
    tensor_pair prediction, weights, bias;
    TRY(read_pair(example, &prediction_part, &prediction, error));
    TRY(read_pair(example, &parameters[1], &weights, error));
    TRY(read_pair(example, &parameters[2], &bias, error));
    repr_number(prediction.device[0], example->precision, number);
    (void)printf("\nas the notebook prints them\n  prediction %s\n  updated W ", number);
    print_numpy_array(weights.device, weights.info.count, example->precision, stdout);
    repr_number(bias.device[0], example->precision, number);
    (void)printf("\n  updated b %s\n", number);
    return CLT_OK;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    (void)command;
    if (options->named[CLT__OPTION_lr])
        return FAIL(error, CLT_BAD_ARGUMENT, "lr: the example has one learning rate for all of its parameters");
    example_run example = {.options = options, .notebook = options->sigmoid_derivative == CLT__NOTEBOOK};
    clt_status status = open_example(&example, error);
    if (status == CLT_OK) status = show_first_step(&example, error);
    if (status == CLT_OK && example.options->steps > 1) status = show_further_steps(&example, error);
    if (status == CLT_OK && example.notebook) status = show_as_notebook(&example, error);
    if (status == CLT_OK) status = judge(&example, error);
    close_example(&example);
    return status;
}

const verb_row example_verb = {
    .name = "example",
    .verb = CLT__EXAMPLE,
    .summary = "Shows one training step of a worked 4x4 network, device beside reference.",
    .details =
        "Every number is printed as the device and as the plain C reference compute it, with all its digits. Fails "
        "where the two differ by more than 1e-12 (f64) or 1e-5 (f32) of a tensor's largest value.",
    .defaults = {{CLT__OPTION_steps, "1"}},
    .run = run,
};
