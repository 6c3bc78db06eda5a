/* cltrain scale: what many devices would make of training a net, by a model. */
#include <inttypes.h>
#include <math.h>

#include "cli/output.h"
#include "cli/verbs.h"

static const char *const titles[] = {[CLT_STRONG_SCALING] = "Strong scaling: a batch of %d, shared out.\n",
                                     [CLT_WEAK_SCALING] = "\nWeak scaling: %d images on each device.\n"};
static const char *const names[] = {[CLT_STRONG_SCALING] = "strong", [CLT_WEAK_SCALING] = "weak"};

/* ---- text --------------------------------------------------------------------------------------------------- */

static void add_row(text_table *table, const clt_scale_row *row)
{
    const bool is_there = row->device_images;
    table_add(table, "%d", row->devices);
    table_add(table, "%" PRId64, row->batch_size);
    table_add(table, is_there ? "%.3f" : "-", 1e3 * row->step_seconds);
    table_add(table, is_there ? "%.3f" : "-", 1e3 * row->compute_seconds);
    table_add(table, is_there ? "%.3f" : "-", 1e3 * row->exchange_seconds);
    table_add(table, isnan(row->hidden) ? "-" : "%.0f %%", 100 * row->hidden);
    table_add(table, is_there ? "%.0f" : "-", row->images_per_second);
    table_add(table, is_there ? "%.3f" : "-", row->efficiency);
}

static clt_status print_scaling(const clt_scale_result *result, clt_scaling scaling, clt_error *error)
{
    static const char *const heads[] = {"devices",     "batch",  "step ms",  "compute ms",
                                        "exchange ms", "hidden", "images/s", "efficiency"};
    text_table table = {.alignment = "rrrrrrrr"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) table_add(&table, "%s", heads[i]);
    for (size_t i = 0; i < clt_scale_count(result); i++) add_row(&table, clt_scale_at(result, scaling, i));
    return table_print(&table, error);
}

static void print_hiding(const clt_scale_sums *sums)
{
    const int strong = sums->exposed_from[CLT_STRONG_SCALING], weak = sums->exposed_from[CLT_WEAK_SCALING];
    if (sums->buckets == 1)
        (void)printf("All gradients are one bucket: no computation is left to hide its exchange behind.\n");
    else if (weak)
        (void)printf("The exchange is no longer hidden behind the backward ops from %d devices on", weak);
    else
        (void)printf("The exchange stays hidden behind the backward ops, up to %d devices", CLT_SCALE_MOST);
    if (sums->buckets > 1 && strong)
        (void)printf(" (weak scaling); strong scaling: of those above, from %d on.\n", strong);
    else if (sums->buckets > 1)
        (void)printf(" (weak scaling); strong scaling: with none of those above.\n");
}

static void print_others(const clt_scale_sums *sums)
{
    if (sums->tree_from)
        (void)printf("A binary tree would exchange in less time from %d devices on; ", sums->tree_from);
    else
        (void)printf("A binary tree would never exchange in less time; ");
    if (sums->servers_from)
        (void)printf("parameter servers from %d on, %d of them.\n", sums->servers_from, sums->servers);
    else
        (void)printf("nor would parameter servers, but with as many as devices, which is what is done.\n");
}

static clt_status print_result(const clt_options *options, const clt_device_info *device,
                               const clt_scale_result *result, clt_error *error)
{
    const clt_scale_sums *sums = clt_scale_total(result);
    (void)printf("%s, device %s (%s)%s\n", options->net, device->id, device->name,
                 options->pretend ? ", ops' times by a model too" : "");
    if (sums->buckets)
        (void)printf(
            "%.2f MB of gradients in %d bucket%s; network: %g GB/s each way, %g us a message; host: reads device "
            "memory at %.1f GB/s, writes at %.1f GB/s, adds %.1f GB/s\n",
            1e-6 * (double)sums->bytes, sums->buckets, sums->buckets == 1 ? "" : "s", options->bandwidth,
            options->latency, 1e-9 * sums->read_rate, 1e-9 * sums->write_rate, 1e-9 * sums->add_rate);
    (void)printf("\n");
    for (clt_scaling k = 0; k < CLT_SCALINGS; k++) {
        (void)printf(titles[k], options->batch_size);
        TRY(print_scaling(result, k, error));
    }
    (void)printf("\nAll of it is what a model expects, and nothing that was seen.\n");
    if (!sums->buckets) {
        (void)printf("Nothing is trained: nothing is exchanged.\n");
        return CLT_OK;
    }
    print_hiding(sums);
    print_others(sums);
    return CLT_OK;
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static json_t *json_of_row(const clt_scale_row *row)
{
    json_t *json = json_pack("{s:i, s:I, s:i}", "devices", row->devices, "batch_size", (json_int_t)row->batch_size,
                             "device_images", row->device_images);
    if (row->device_images)
        (void)json_object_update_new(
            json, json_pack("{s:f, s:f, s:f, s:o, s:f, s:f, s:f}", "step_seconds", row->step_seconds, "compute_seconds",
                            row->compute_seconds, "exchange_seconds", row->exchange_seconds, "hidden",
                            json_of_number(row->hidden), "sent_bytes", row->sent_bytes, "images_per_s",
                            row->images_per_second, "efficiency", row->efficiency));
    return json;
}

static json_t *json_of_rows(const clt_scale_result *result, clt_scaling scaling)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < clt_scale_count(result); i++)
        (void)json_array_append_new(rows, json_of_row(clt_scale_at(result, scaling, i)));
    return rows;
}

/* null where there is no such number. */
static json_t *json_of_devices(int devices)
{
    return devices ? json_integer(devices) : json_null();
}

static json_t *json_of_result(const command_line *command, const clt_options *options, const clt_device_info *device,
                              const clt_scale_result *result)
{
    const clt_scale_sums *sums = clt_scale_total(result);
    json_t *json = json_pack("{s:o, s:o, s:i, s:s, s:o, s:I, s:i, s:f, s:f, s:f, s:o, s:o, s:o}", "options",
                             json_of_options(command, options), "net", json_of_text(options->net), "batch_size",
                             options->batch_size, "device", device->id, "device_name", json_of_text(device->name),
                             "bytes", (json_int_t)sums->bytes, "buckets", sums->buckets, "read_bytes_per_s",
                             sums->read_rate, "write_bytes_per_s", sums->write_rate, "add_bytes_per_s", sums->add_rate,
                             "tree_from", json_of_devices(sums->tree_from), "servers_from",
                             json_of_devices(sums->servers_from), "servers", json_of_devices(sums->servers));
    for (clt_scaling k = 0; k < CLT_SCALINGS; k++)
        (void)json_object_set_new(json, names[k],
                                  json_pack("{s:o, s:o}", "exposed_from", json_of_devices(sums->exposed_from[k]),
                                            "rows", json_of_rows(result, k)));
    return json;
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status scale_on(const command_line *command, const clt_options *options, clt_device *device,
                           clt_error *error)
{
    clt_scale_result *result;
    TRY(clt_scale(options, device, &result, error));
    const clt_device_info *info = clt_device_describe(device);
    clt_status status = CLT_OK;
    if (!is_stdout(options->json)) status = print_result(options, info, result, error);
    if (status == CLT_OK && options->json)
        status = write_json(json_of_result(command, options, info, result), options->json, error);
    clt_scale_close(result);
    return status;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_device *device;
    TRY(clt_device_open_with(options, &device, error));
    const clt_status status = scale_on(command, options, device, error);
    clt_device_close(device);
    return status;
}

const verb_row scale_verb = {
    .name = "scale",
    .verb = CLT__SCALE,
    .summary = "Tells what many devices would make of training a net, by a model.",
    .details = "The net's ops are timed on one device (--pretend: by a model, too), for each number of images that one "
               "of the devices would have. From that, from the buckets that gradients travel in and from what the "
               "network does, a model tells how long a step takes where devices share a batch, and where each has its "
               "own.",
    .run = run,
};
