/* cltrain tune: finds faster ways to run a net's ops on this device, and keeps them. */

#include "cli/output.h"
#include "cli/verbs.h"

/* ---- the report --------------------------------------------------------------------------------------------- */

typedef struct tune_report {
    bool prints;
    json_t *rows; /* NULL without --json */
    int count, faster;
    double before, after;
} tune_report;

static void print_row(const clt_tune_row *row)
{
    (void)printf("%-26s %-14s %6d %10.3f %10.3f  %s%s\n", row->op, *row->layer ? row->layer : "-", row->tried,
                 1e3 * row->before, 1e3 * row->after,
                 *row->complaint ? "refused: "
                 : *row->chosen  ? row->chosen
                                 : "-",
                 row->complaint);
    (void)fflush(stdout);
}

static void take_row(void *user, const clt_tune_row *row)
{
    tune_report *report = user;
    report->count++;
    report->faster += *row->chosen != 0;
    report->before += row->before;
    report->after += row->after;
    if (report->prints && report->count == 1)
        (void)printf("%-26s %-14s %6s %10s %10s  %s\n", "op", "layer", "tried", "ms before", "ms after", "chosen");
    if (report->prints) print_row(row);
    if (report->rows)
        (void)json_array_append_new(report->rows,
                                    json_pack("{s:s, s:s, s:i, s:f, s:f, s:s, s:s}", "op", row->op, "layer", row->layer,
                                              "tried", row->tried, "seconds_before", row->before, "seconds_after",
                                              row->after, "chosen", row->chosen, "complaint", row->complaint));
}

static clt_status finish(const command_line *command, const clt_options *options, const tune_report *report,
                         const clt_device *device, clt_error *error)
{
    const clt_device_info *info = clt_device_describe(device);
    char *file = clt_tune_file(device);
    if (report->prints)
        (void)printf("\n%d of %d kinds of op run faster: %.3f ms in all, %.3f before. Kept for device %s (%s) in %s\n",
                     report->faster, report->count, 1e3 * report->after, 1e3 * report->before, info->id, info->name,
                     file);
    clt_status status = CLT_OK;
    if (options->json)
        status = write_json(json_pack("{s:o, s:o, s:i, s:s, s:o, s:O}", "options", json_of_options(command, options),
                                      "net", json_of_text(options->net), "batch_size", options->batch_size, "device",
                                      info->id, "file", json_of_text(file), "ops", report->rows),
                            options->json, error);
    clt_free(file);
    return status;
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status tune(const command_line *command, const clt_options *options, clt_device *device, clt_error *error)
{
    tune_report report = {.prints = !is_stdout(options->json), .rows = options->json ? json_array() : NULL};
    clt_model *model;
    clt_status status = clt_model_create(options, &model, error);
    if (status == CLT_OK) status = clt_tune(model, device, options, take_row, &report, error);
    if (status == CLT_OK) status = finish(command, options, &report, device, error);
    json_decref(report.rows);
    clt_model_close(model);
    return status;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_device *device;
    TRY(clt_device_open_with(options, &device, error));
    const clt_status status = options->forget ? clt_tune_forget(device, error) : tune(command, options, device, error);
    clt_device_close(device);
    return status;
}

const verb_row tune_verb = {
    .name = "tune",
    .verb = CLT__TUNE,
    .summary = "Finds faster ways to run a net's ops on this device, and keeps them.",
    .details =
        "Times other tiles for each op of training and inference. What is faster and agrees with the reference is kept "
        "in the cache folder for this device and driver, and every later run with the same --storage uses it: the last "
        "bits of a training's numbers change once, and then stay the same from run to run.",
    .run = run,
};
