/* cltrain devices: what there is to compute on. */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/output.h"
#include "cli/verbs.h"

/* Where nobody asks for another. */
static const char *schedule_of(const clt_device_info *device)
{
    if (device->schedule == CLT_SCHEDULE_AUTO) return "-";
    return device->schedule == CLT_SCHEDULE_TILE ? "tile" : "vector";
}

/* As it is once it is open, which tells what its driver gets wrong. */
static clt_device_info look_at(const clt_device_info *listed)
{
    clt_device_info info = *listed;
    clt_device *device;
    clt_error why = {0};
    if (!info.usable) return info;
    info.usable = clt_device_open(info.id, &device, &why) == CLT_OK;
    if (!info.usable) {
        (void)snprintf(info.reason, sizeof info.reason, "%.159s", why.message);
        return info;
    }
    info = *clt_device_describe(device);
    info.is_default = listed->is_default;
    clt_device_close(device);
    return info;
}

static clt_status print_devices(const clt_device_info *devices, size_t count, clt_error *error)
{
    text_table table = {.alignment = "lllllrrll"};
    for (size_t i = 0; i < count; i++) {
        const clt_device_info *device = &devices[i];
        table_add(&table, "%s %s", device->is_default ? "*" : " ", device->id);
        table_add(&table, "%s", device->name);
        table_add(&table, "%s", device->platform);
        table_add(&table, "%s", device->type);
        table_add(&table, "%s", schedule_of(device));
        table_add(&table, "%d unit%s", device->compute_units, device->compute_units == 1 ? "" : "s");
        if (device->memory_bytes)
            table_add(&table, "%.1f GiB", (double)device->memory_bytes / (1 << 30));
        else
            table_add(&table, "-");
        table_add(&table, "%s", device->fp64 ? "fp64" : "no fp64");
        if (device->usable)
            table_add(&table, "%s%s", *device->faults ? "its driver " : "", device->faults);
        else
            table_add(&table, "unusable: %s", device->reason);
    }
    return table_print(&table, error);
}

static json_t *json_of_device(const clt_device_info *device)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:i, s:i, s:I, s:I, s:b, s:b, s:b, s:o, s:o}", "id", device->id,
                     "name", json_of_text(device->name), "platform", json_of_text(device->platform), "driver",
                     json_of_text(device->driver), "type", device->type, "schedule", schedule_of(device),
                     "compute_units", device->compute_units, "vector_width", device->vector_width, "memory_bytes",
                     (json_int_t)device->memory_bytes, "local_memory_bytes", (json_int_t)device->local_memory_bytes,
                     "fp64", device->fp64, "default", device->is_default, "usable", device->usable, "reason",
                     device->usable ? json_null() : json_of_text(device->reason), "faults",
                     *device->faults ? json_of_text(device->faults) : json_null());
}

static json_t *json_of_devices(const clt_device_info *devices, size_t count)
{
    json_t *root = json_array();
    for (size_t i = 0; root && i < count; i++) {
        if (json_array_append_new(root, json_of_device(&devices[i])) == 0) continue;
        json_decref(root);
        root = NULL;
    }
    return root;
}

static clt_status show(const clt_device_info *devices, size_t count, const clt_options *options, clt_error *error)
{
    if (!is_stdout(options->json)) TRY(print_devices(devices, count, error));
    return options->json ? write_json(json_of_devices(devices, count), options->json, error) : CLT_OK;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    (void)command;
    clt_devices *devices;
    TRY(clt_devices_find(&devices, error));
    const size_t count = clt_devices_count(devices);
    clt_device_info *looked_at;
    clt_status status = clt__allocate(count, sizeof *looked_at, "the devices", &looked_at, error);
    for (size_t i = 0; i < count && status == CLT_OK; i++) looked_at[i] = look_at(clt_devices_at(devices, i));
    clt_devices_close(devices);
    if (status != CLT_OK) return status;
    status = show(looked_at, count, options, error);
    free(looked_at);
    return status;
}

const verb_row devices_verb = {
    .name = "devices",
    .verb = CLT__DEVICES,
    .summary = "Lists the devices there are, one a line.",
    .details = "Each line has the id that --device takes, the name, the platform, the type, the schedule, the compute "
               "units, the memory and "
               "whether the device computes in double precision. The default is marked with *; a device that cannot be "
               "used says why. What a driver gets wrong is found by a short probe when a device is first opened.",
    .run = run,
};
