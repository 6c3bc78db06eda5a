/* cltrain summary: a net at a glance. */
#include <inttypes.h>

#include "cli/output.h"
#include "cli/verbs.h"

typedef struct summary_settings {
    const char *net, *json;
    clt_shape input;
} summary_settings;

static const option_row option_rows[] = {
    NET_OPTION(summary_settings, ""), INPUT_OPTION(summary_settings), JSON_OPTION(summary_settings), {0}};

static void set_defaults(void *settings)
{
    *(summary_settings *)settings = (summary_settings){.net = "lenet5"};
}

typedef struct totals {
    uint64_t trained, kept, bytes;
    double flops;
} totals;

static totals add_up(const clt_summary *summary)
{
    totals sum = {0};
    for (size_t i = 0; i < summary->rows; i++) {
        sum.trained += summary->row[i].trained;
        sum.kept += summary->row[i].kept;
        sum.flops += summary->row[i].flops;
        if (!summary->row[i].fused) sum.bytes += summary->row[i].bytes;
    }
    return sum;
}

static void print_summary(const summary_settings *settings, const clt_summary *summary)
{
    const totals sum = add_up(summary);
    (void)printf("%s\n\n%-16s %-16s %-24s %-14s %12s %12s\n", settings->net, "layer", "kind", "reads", "output",
                 "parameters", "MFLOP");
    for (size_t i = 0; i < summary->rows; i++) {
        const clt_summary_row *row = &summary->row[i];
        (void)printf("%-16s %-16s %-24s %-14s %12" PRIu64 " %12.3f%s\n", row->name, row->kind, row->from, row->output,
                     row->trained + row->kept, 1e-6 * row->flops, row->fused ? "  fused" : "");
    }
    (void)printf("\n%-40s %16" PRIu64 "\n%-40s %16" PRIu64 "\n%-40s %16.3f\n%-40s %16" PRIu64 "\n",
                 "trained parameters", sum.trained, "others: frozen, running statistics", sum.kept,
                 "MFLOP of a forward pass on an image", 1e-6 * sum.flops, "bytes of an image's outputs", sum.bytes);
}

static json_t *json_of_summary(const summary_settings *settings, const clt_summary *summary)
{
    const totals sum = add_up(summary);
    json_t *layers = json_array();
    for (size_t i = 0; i < summary->rows; i++) {
        const clt_summary_row *row = &summary->row[i];
        (void)json_array_append_new(layers, json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:f, s:I}", "name",
                                                      row->name, "kind", row->kind, "from", row->from, "output",
                                                      row->output, "fused", row->fused, "trained",
                                                      (json_int_t)row->trained, "kept", (json_int_t)row->kept, "flops",
                                                      row->flops, "bytes", (json_int_t)row->bytes));
    }
    return json_pack("{s:o, s:I, s:I, s:f, s:I, s:o}", "net", json_of_text(settings->net), "trained",
                     (json_int_t)sum.trained, "kept", (json_int_t)sum.kept, "flops", sum.flops, "bytes",
                     (json_int_t)sum.bytes, "layers", layers);
}

static clt_status run(command_line *command, void *given, clt_error *error)
{
    (void)command;
    const summary_settings *settings = given;
    const clt_model_options options = {.net = settings->net, .input = settings->input};
    clt_summary summary;
    TRY(clt_summarize(&options, &summary, error));
    clt_status status = CLT_OK;
    if (!is_stdout(settings->json)) print_summary(settings, &summary);
    if (settings->json) status = write_json(json_of_summary(settings, &summary), settings->json, error);
    clt_summary_free(&summary);
    return status;
}

const verb_row summary_verb = {
    .name = "summary",
    .summary = "Shows the layers of a net: shapes, parameters, arithmetic.",
    .options = option_rows,
    .settings_size = sizeof(summary_settings),
    .set_defaults = set_defaults,
    .run = run,
};
