/* cltrain verify: each op of a net, on the device against the reference. */
#include <string.h>

#include "cli/output.h"
#include "cli/verbs.h"

/* ---- the report --------------------------------------------------------------------------------------------- */

typedef struct verify_report {
    bool prints;
    int count, failed;
    char names[1024]; /* of the ops that failed */
    json_t *rows;     /* NULL without --json */
    bool no_memory;
} verify_report;

static void print_head(void)
{
    (void)printf("%-26s %-20s %-20s %11s %11s  %-18s %s\n", "op", "layer", "shape", "worst error", "bound", "at", "ok");
}

static void print_row(const clt_verify_row *row)
{
    char at[96];
    (void)snprintf(at, sizeof at, "%s%s", row->operand ? row->operand : "", row->index);
    (void)printf("%-26s %-20s %-20s %11.3g %11.3g  %-18s %s%s%s\n", row->op, *row->layer ? row->layer : "-", row->shape,
                 row->difference, row->bound, at, row->ok ? "ok" : "NOT OK", row->complaint ? ": " : "",
                 row->complaint ? row->complaint : "");
    (void)fflush(stdout); /* the reference takes its time for large nets */
}

static void name_failure(verify_report *report, const clt_verify_row *row)
{
    const size_t used = strlen(report->names);
    (void)snprintf(report->names + used, sizeof report->names - used, "%s%s%s%s", report->failed ? ", " : "", row->op,
                   *row->layer ? " of " : "", row->layer);
    report->failed++;
}

static json_t *json_of_row(const clt_verify_row *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o}", "op", row->op, "layer", row->layer,
                     "operand", row->operand ? row->operand : "", "shape", row->shape, "index", row->index, "device",
                     json_of_number(row->device), "reference", json_of_number(row->reference), "difference",
                     json_of_number(row->difference), "bound", json_of_number(row->bound), "ok", row->ok, "complaint",
                     row->complaint ? json_of_text(row->complaint) : json_null());
}

static void take_row(void *user, const clt_verify_row *row)
{
    verify_report *report = user;
    if (report->prints && report->count == 0) print_head();
    if (report->prints) print_row(row);
    report->count++;
    if (!row->ok) name_failure(report, row);
    if (report->rows && json_array_append_new(report->rows, json_of_row(row))) report->no_memory = true;
}

static json_t *json_of_report(const command_line *command, const verify_report *report, const clt_options *options,
                              const clt_model *model, const clt_device *device)
{
    const clt_device_info *info = clt_device_describe(device);
    if (report->no_memory) return NULL;
    return json_pack("{s:o, s:o, s:s, s:o, s:s, s:i, s:I, s:b, s:i, s:O}", "options", json_of_options(command, options),
                     "net", json_of_text(clt_model_net(model)), "device", info->id, "device_name",
                     json_of_text(info->name), "precision", clt_model_precision(model) == CLT_F64 ? "f64" : "f32",
                     "batch_size", options->batch_size, "seed", (json_int_t)options->seed, "ok", report->failed == 0,
                     "failed", report->failed, "ops", report->rows);
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status create_model(const clt_options *options, clt_model **model, clt_error *error)
{
    const bool *given = options->given;
    if (!options->model) return clt_model_create(options, model, error);
    if (given[CLT__OPTION_net] || given[CLT__OPTION_loss] || given[CLT__OPTION_precision] || given[CLT__OPTION_input])
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "--model: brings its own net, so --net, --input, --loss and --precision cannot be given with it");
    return clt_model_load(options->model, model, error);
}

static clt_status summarise(const verify_report *report, const clt_device *device, clt_error *error)
{
    const clt_device_info *info = clt_device_describe(device);
    if (report->failed)
        return FAIL(error, CLT_MISMATCH, "verify: %d of %d ops on device %s (%s) differ from the reference: %s",
                    report->failed, report->count, info->id, info->name, report->names);
    if (report->prints)
        (void)printf("\nall %d ops on device %s (%s) agree with the reference\n", report->count, info->id, info->name);
    return CLT_OK;
}

static clt_status verify(const command_line *command, const clt_options *options, const clt_model *model,
                         clt_device *device, verify_report *report, clt_error *error)
{
    const clt_status status = clt_verify(model, device, options, take_row, report, error);
    if (status != CLT_OK && status != CLT_MISMATCH) return status;
    if (options->json) TRY(write_json(json_of_report(command, report, options, model, device), options->json, error));
    /* The library names one op; the summary names all. Without rows there is only the library's sentence. */
    return status != CLT_OK && report->failed == 0 ? status : summarise(report, device, error);
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_model *model = NULL;
    clt_device *device = NULL;
    verify_report report = {.prints = !is_stdout(options->json), .rows = options->json ? json_array() : NULL};
    report.no_memory = options->json && !report.rows;
    clt_status status = create_model(options, &model, error);
    if (status == CLT_OK) status = clt_device_open_with(options, &device, error);
    if (status == CLT_OK) status = verify(command, options, model, device, &report, error);
    json_decref(report.rows);
    clt_device_close(device);
    clt_model_close(model);
    return status;
}

const verb_row verify_verb = {
    .name = "verify",
    .verb = CLT__VERIFY,
    .summary = "Runs each op of a net on the device and on the reference, and compares.",
    .details = "One training step on random data. Each op's worst error stands beside the bound that rounding allows "
               "at that place. Fails if any op is beyond its bound.",
    .run = run,
};
