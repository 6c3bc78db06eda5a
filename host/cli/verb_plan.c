/* cltrain plan: what a net takes of a device's memory. */
#include <inttypes.h>

#include "cli/output.h"
#include "cli/verbs.h"

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

static void print_plan(const clt_options *options, const clt_device_info *device, const clt_plan *plan)
{
    const clt_plan_sums *sums = clt_plan_total(plan);
    (void)printf("%s, batches of %d, device %s (%s)\n\n%-32s %-18s %-5s %14s  %-14s %14s\n", options->net,
                 sums->batch_size, device->id, device->name, "tensor", "shape", "type", "bytes", "needed", "at");
    for (size_t i = 0; i < clt_plan_count(plan); i++) print_row(clt_plan_at(plan, i));
    (void)printf("\n%-44s %14s\n", "memory", "bytes");
    print_sum("parameters", sums->parameter_bytes);
    print_sum("gradients and the optimizer's state", sums->optimizer_bytes);
    print_sum("images on the device", sums->data_bytes);
    print_sum("activations and their gradients, shared", sums->shared_bytes);
    print_sum("    (each in memory of its own)", sums->unshared_bytes);
    print_sum("scratch memory of the ops", sums->scratch_bytes);
    print_sum("in all, with guards between tensors", sums->total_bytes);
    print_sum("free on the device", sums->free_bytes);
    const int shards = options->shards ? options->shards : 1, images = (sums->batch_size + shards - 1) / shards;
    if (shards > 1)
        (void)printf("\nThe batch is cut into %d shards of at most %d images, whose gradients are summed apart.\n",
                     shards, images);
    if (shards > 1 && options->sync_batchnorm)
        (void)printf("They normalise together: the activations of all shards of a device are there at once.\n");
    if (sums->micro_batch_size < images)
        (void)printf("\nThe batch is split into micro-batches of %d images, whose gradients are added up.\n",
                     sums->micro_batch_size);
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

static json_t *json_of_plan(const command_line *command, const clt_options *options, const clt_device_info *device,
                            const clt_plan *plan)
{
    const clt_plan_sums *sums = clt_plan_total(plan);
    json_t *tensors = json_array();
    for (size_t i = 0; i < clt_plan_count(plan); i++)
        (void)json_array_append_new(tensors, json_of_row(clt_plan_at(plan, i)));
    return json_pack("{s:o, s:o, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "options",
                     json_of_options(command, options), "net", json_of_text(options->net), "device", device->id,
                     "batch_size", sums->batch_size, "micro_batch_size", sums->micro_batch_size, "ops", sums->ops,
                     "parameter_bytes", (json_int_t)sums->parameter_bytes, "optimizer_bytes",
                     (json_int_t)sums->optimizer_bytes, "data_bytes", (json_int_t)sums->data_bytes, "shared_bytes",
                     (json_int_t)sums->shared_bytes, "unshared_bytes", (json_int_t)sums->unshared_bytes,
                     "scratch_bytes", (json_int_t)sums->scratch_bytes, "total_bytes", (json_int_t)sums->total_bytes,
                     "free_bytes", (json_int_t)sums->free_bytes, "tensors", tensors);
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status plan_on(const command_line *command, const clt_options *options, clt_device *device, clt_error *error)
{
    clt_plan *plan;
    TRY(clt_plan_memory(options, device, &plan, error));
    const clt_device_info *info = clt_device_describe(device);
    clt_status status = CLT_OK;
    if (!is_stdout(options->json)) print_plan(options, info, plan);
    if (options->json) status = write_json(json_of_plan(command, options, info, plan), options->json, error);
    clt_plan_close(plan);
    return status;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_device *device;
    TRY(clt_device_open_with(options, &device, error));
    const clt_status status = plan_on(command, options, device, error);
    clt_device_close(device);
    return status;
}

const verb_row plan_verb = {
    .name = "plan",
    .verb = CLT__PLAN,
    .summary = "Shows what a net takes of the device's memory, tensor by tensor.",
    .details =
        "Nothing is allocated on the device. Tensors that are never needed at the same time share memory; a batch "
        "that does not fit is split into micro-batches.",
    .run = run,
};
