/* cltrain summary: a net at a glance. */
#include <inttypes.h>

#include "cli/output.h"
#include "cli/verbs.h"

typedef struct totals {
    uint64_t trained, kept, bytes;
    double flops;
} totals;

static totals add_up(const clt_summary *summary)
{
    totals sum = {0};
    for (size_t i = 0; i < clt_summary_count(summary); i++) {
        const clt_summary_row *row = clt_summary_at(summary, i);
        sum.trained += row->trained;
        sum.kept += row->kept;
        sum.flops += row->flops;
        if (!row->fused) sum.bytes += row->bytes;
    }
    return sum;
}

static void print_summary(const clt_options *options, const clt_summary *summary)
{
    const totals sum = add_up(summary);
    (void)printf("%s\n\n%-16s %-16s %-24s %-14s %12s %12s\n", options->net, "layer", "kind", "reads", "output",
                 "parameters", "MFLOP");
    for (size_t i = 0; i < clt_summary_count(summary); i++) {
        const clt_summary_row *row = clt_summary_at(summary, i);
        (void)printf("%-16s %-16s %-24s %-14s %12" PRIu64 " %12.3f%s\n", row->name, row->kind, row->from, row->output,
                     row->trained + row->kept, 1e-6 * row->flops, row->fused ? "  fused" : "");
    }
    (void)printf("\n%-40s %16" PRIu64 "\n%-40s %16" PRIu64 "\n%-40s %16.3f\n%-40s %16" PRIu64 "\n",
                 "trained parameters", sum.trained, "others: frozen, running statistics", sum.kept,
                 "MFLOP of a forward pass on an image", 1e-6 * sum.flops, "bytes of an image's outputs", sum.bytes);
}

static json_t *json_of_summary(const command_line *command, const clt_options *options, const clt_summary *summary)
{
    const totals sum = add_up(summary);
    json_t *layers = json_array();
    for (size_t i = 0; i < clt_summary_count(summary); i++) {
        const clt_summary_row *row = clt_summary_at(summary, i);
        (void)json_array_append_new(layers, json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:f, s:I}", "name",
                                                      row->name, "kind", row->kind, "from", row->from, "output",
                                                      row->output, "fused", row->fused, "trained",
                                                      (json_int_t)row->trained, "kept", (json_int_t)row->kept, "flops",
                                                      row->flops, "bytes", (json_int_t)row->bytes));
    }
    return json_pack("{s:o, s:o, s:I, s:I, s:f, s:I, s:o}", "options", json_of_options(command, options), "net",
                     json_of_text(options->net), "trained", (json_int_t)sum.trained, "kept", (json_int_t)sum.kept,
                     "flops", sum.flops, "bytes", (json_int_t)sum.bytes, "layers", layers);
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_summary *summary;
    TRY(clt_summarize(options, &summary, error));
    clt_status status = CLT_OK;
    if (!is_stdout(options->json)) print_summary(options, summary);
    if (options->json) status = write_json(json_of_summary(command, options, summary), options->json, error);
    clt_summary_close(summary);
    return status;
}

const verb_row summary_verb = {
    .name = "summary",
    .verb = CLT__SUMMARY,
    .summary = "Shows the layers of a net: shapes, parameters, arithmetic.",
    .run = run,
};
