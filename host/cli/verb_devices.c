/* cltrain devices: what there is to compute on. */
#include "cli/output.h"
#include "cli/verbs.h"

typedef struct devices_settings {
    const char *json;
} devices_settings;

static const option_row option_rows[] = {JSON_OPTION(devices_settings), {0}};

/* Where nobody asks for another. */
static const char *schedule_of(const clt_device_info *device)
{
    return device->schedule == CLT_SCHEDULE_AUTO ? "-" : schedule_names[device->schedule == CLT_SCHEDULE_TILE];
}

static clt_status print_devices(const clt_device_info *list, size_t count, clt_error *error)
{
    text_table table = {.alignment = "lllllrrll"};
    for (size_t i = 0; i < count; i++) {
        const clt_device_info *device = &list[i];
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
        table_add(&table, "%s%s", device->usable ? "" : "unusable: ", device->usable ? "" : device->reason);
    }
    return table_print(&table, error);
}

static json_t *json_of_device(const clt_device_info *device)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:i, s:i, s:I, s:I, s:b, s:b, s:b, s:o}", "id", device->id, "name",
                     json_of_text(device->name), "platform", json_of_text(device->platform), "driver",
                     json_of_text(device->driver), "type", device->type, "schedule", schedule_of(device),
                     "compute_units", device->compute_units, "vector_width", device->vector_width, "memory_bytes",
                     (json_int_t)device->memory_bytes, "local_memory_bytes", (json_int_t)device->local_memory_bytes,
                     "fp64", device->fp64, "default", device->is_default, "usable", device->usable, "reason",
                     device->usable ? json_null() : json_of_text(device->reason));
}

static json_t *json_of_devices(const clt_device_info *list, size_t count)
{
    json_t *root = json_array();
    for (size_t i = 0; root && i < count; i++) {
        if (json_array_append_new(root, json_of_device(&list[i])) == 0) continue;
        json_decref(root);
        root = NULL;
    }
    return root;
}

static clt_status run(command_line *command, void *given, clt_error *error)
{
    (void)command;
    const devices_settings *settings = given;
    clt_device_info *list;
    size_t count;
    TRY(clt_device_list(&list, &count, error));
    clt_status status = CLT_OK;
    if (!is_stdout(settings->json)) status = print_devices(list, count, error);
    if (status == CLT_OK && settings->json) status = write_json(json_of_devices(list, count), settings->json, error);
    clt_free(list);
    return status;
}

const verb_row devices_verb = {
    .name = "devices",
    .summary = "Lists the devices there are, one a line.",
    .details = "Each line has the id that --device takes, the name, the platform, the type, the schedule, the compute "
               "units, the memory and "
               "whether the device computes in double precision. The default is marked with *; a device that cannot be "
               "used says why.",
    .options = option_rows,
    .settings_size = sizeof(devices_settings),
    .run = run,
};
