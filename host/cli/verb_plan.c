/* cltrain plan: what a net takes of a device's memory. */
#include <inttypes.h>

#include "cli/augment.h"
#include "cli/output.h"
#include "cli/verbs.h"

typedef struct plan_settings {
    const char *net, *json, *device, *schedule, *precision;
    clt_device_limits limits;
    clt_shape input;
    int64_t images;
    bool inference;
    clt_train_options train; /* those that matter for memory */
} plan_settings;

static const option_row option_rows[] = {
    NET_OPTION(plan_settings, ""),
    INPUT_OPTION(plan_settings),
    {.name = "batch-size",
     SETTING(plan_settings, train.batch_size),
     .value = "N",
     .least = 1,
     .help = "images of a step"},
    {.name = "micro-batch-size",
     SETTING(plan_settings, train.micro_batch_size),
     .value = "N",
     .help = "images computed at a time; 0: as many of the batch as the device has memory for"},
    {.name = "optimizer",
     SETTING(plan_settings, train.optimizer),
     .value = "NAME",
     .choices_at = clt_optimizer_names,
     .help = "how parameters are updated"},
    {.name = "ema",
     SETTING(plan_settings, train.ema),
     .value = "X",
     .most = 0.999999999,
     .help = "above 0: with a moving average of the parameters"},
    {.name = "accumulate",
     SETTING(plan_settings, train.accumulate),
     .value = "N",
     .least = 1,
     .help = "batches whose gradients are added up"},
    {.name = "clip-grad",
     SETTING(plan_settings, train.clip_grad),
     .value = "X",
     .help = "above 0: with clipping by norm"},
    {.name = "freeze",
     SETTING(plan_settings, train.freeze),
     .value = "PATTERN,...",
     .help = "parameters of such names are not trained"},
    AUGMENT_OPTION(plan_settings),
    {.name = "images",
     SETTING(plan_settings, images),
     .value = "N",
     .least = 1,
     .help = "images of the data set, a byte a value"},
    {.name = "inference", SETTING(plan_settings, inference), .help = "what eval and predict take, not training"},
    PRECISION_OPTION(plan_settings),
    JSON_OPTION(plan_settings),
    DEVICE_OPTIONS(plan_settings),
    {0}};

static void set_defaults(void *settings)
{
    *(plan_settings *)settings = (plan_settings){.net = "lenet5", .images = 60000, .train = clt_train_defaults()};
}

/* ---- text --------------------------------------------------------------------------------------------------- */

static void print_row(const clt_plan_row *row)
{
    char needed[48] = "always", place[32] = "its own";
    if (row->shared) (void)snprintf(needed, sizeof needed, "op %d to %d", row->first, row->last);
    if (row->shared) (void)snprintf(place, sizeof place, "%" PRIu64, row->offset);
    (void)printf("%-32s %-18s %-5s %14" PRIu64 "  %-14s %14s\n", row->tensor, row->shape, row->type, row->bytes, needed,
                 place);
}

static void print_sum(const char *what, uint64_t bytes)
{
    (void)printf("%-44s %14" PRIu64 "\n", what, bytes);
}

static void print_plan(const plan_settings *settings, const clt_device_info *device, const clt_plan *plan)
{
    (void)printf("%s, batches of %d, device %s (%s)\n\n%-32s %-18s %-5s %14s  %-14s %14s\n", settings->net,
                 plan->batch_size, device->id, device->name, "tensor", "shape", "type", "bytes", "needed", "at");
    for (size_t i = 0; i < plan->rows; i++) print_row(&plan->row[i]);
    (void)printf("\n%-44s %14s\n", "memory", "bytes");
    print_sum("parameters", plan->parameter_bytes);
    print_sum("gradients and the optimizer's state", plan->optimizer_bytes);
    print_sum("images on the device", plan->data_bytes);
    print_sum("activations and their gradients, shared", plan->shared_bytes);
    print_sum("    (each in memory of its own)", plan->unshared_bytes);
    print_sum("scratch memory of the ops", plan->scratch_bytes);
    print_sum("in all, with guards between tensors", plan->total_bytes);
    print_sum("free on the device", plan->free_bytes);
    if (plan->micro_batch_size < plan->batch_size)
        (void)printf("\nThe batch is split into micro-batches of %d images, whose gradients are added up.\n",
                     plan->micro_batch_size);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static json_t *json_of_row(const clt_plan_row *row)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:b}", "tensor", row->tensor, "shape", row->shape, "type", row->type,
                             "bytes", (json_int_t)row->bytes, "shared", row->shared);
    if (row->shared)
        (void)json_object_update_new(json, json_pack("{s:i, s:i, s:I}", "first_op", row->first, "last_op", row->last,
                                                     "offset", (json_int_t)row->offset));
    return json;
}

static json_t *json_of_plan(const plan_settings *settings, const clt_device_info *device, const clt_plan *plan)
{
    json_t *tensors = json_array();
    for (size_t i = 0; i < plan->rows; i++) (void)json_array_append_new(tensors, json_of_row(&plan->row[i]));
    return json_pack("{s:o, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "net",
                     json_of_text(settings->net), "device", device->id, "batch_size", plan->batch_size,
                     "micro_batch_size", plan->micro_batch_size, "ops", plan->ops, "parameter_bytes",
                     (json_int_t)plan->parameter_bytes, "optimizer_bytes", (json_int_t)plan->optimizer_bytes,
                     "data_bytes", (json_int_t)plan->data_bytes, "shared_bytes", (json_int_t)plan->shared_bytes,
                     "unshared_bytes", (json_int_t)plan->unshared_bytes, "scratch_bytes",
                     (json_int_t)plan->scratch_bytes, "total_bytes", (json_int_t)plan->total_bytes, "free_bytes",
                     (json_int_t)plan->free_bytes, "tensors", tensors);
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status plan_on(const plan_settings *settings, clt_device *device, clt_error *error)
{
    const clt_model_options options = {
        .net = settings->net, .input = settings->input, .precision = precision_named(settings->precision, CLT_F32)};
    clt_plan plan;
    TRY(clt_plan_memory(&options, device, &settings->train, (size_t)settings->images, !settings->inference, &plan,
                        error));
    const clt_device_info *info = clt_device_describe(device);
    clt_status status = CLT_OK;
    if (!is_stdout(settings->json)) print_plan(settings, info, &plan);
    if (settings->json) status = write_json(json_of_plan(settings, info, &plan), settings->json, error);
    clt_plan_free(&plan);
    return status;
}

static clt_status run(command_line *command, void *given, clt_error *error)
{
    (void)command;
    const plan_settings *settings = given;
    clt_device *device;
    TRY(open_device(settings->device, settings->schedule, &settings->limits, &device, error));
    const clt_status status = plan_on(settings, device, error);
    clt_device_close(device);
    return status;
}

const verb_row plan_verb = {
    .name = "plan",
    .summary = "Shows what a net takes of the device's memory, tensor by tensor.",
    .details =
        "Nothing is allocated on the device. Tensors that are never needed at the same time share memory; a batch "
        "that does not fit is split into micro-batches.",
    .options = option_rows,
    .settings_size = sizeof(plan_settings),
    .set_defaults = set_defaults,
    .run = run,
};
