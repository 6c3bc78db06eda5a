/* What the run ran on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/model.h"
#include "report/chart.h"
#include "report/sections.h"

/* ---- time */

static int compare_seconds(const void *a, const void *b)
{
    const double one = (*(const clt_bench_row *const *)a)->seconds, other = (*(const clt_bench_row *const *)b)->seconds;
    return one > other ? -1 : one < other;
}

static void write_op(clt__html *to, const clt_bench_row *row, const clt_bench_sums *sums, double all)
{
    clt__html_print(to, "<tr><th scope=\"row\">%s</th><td class=\"left\">", row->op);
    clt__html_text(to, row->layer);
    clt__html_print(to, "</td><td>%.3f</td><td>%.1f&nbsp;%%", 1e3 * row->seconds, 100 * row->seconds / all);
    clt__chart_bar(to, row->seconds / all, 0);
    const double peak =
        fmax(row->flops / row->seconds / sums->peak_flops, row->bytes / row->seconds / sums->peak_bytes);
    clt__html_print(to, "</td><td>%.0f&nbsp;%%</td></tr>", 100 * peak);
}

static clt_status write_times(clt__html *to, const clt_bench_result *result, clt_error *error)
{
    enum { SHOWN = 15 };
    const clt_bench_sums *sums = clt_bench_total(result);
    const size_t count = clt_bench_count(result);
    const clt_bench_row **order;
    double all = 0;
    TRY(clt__allocate(count, sizeof(clt_bench_row *), "ops", &order, error));
    for (size_t i = 0; i < count; i++) {
        order[i] = clt_bench_at(result, i);
        all += order[i]->seconds;
    }
    qsort(order, count, sizeof(clt_bench_row *), compare_seconds);
    clt__html_print(to,
                    "<p>Training goes over <strong>%.0f</strong> images a second, inference over %.0f. The ops of a "
                    "step that take longest, each "
                    "timed alone, with what it reaches of this device's arithmetic (%.4g GFLOP/s) or memory (%.4g "
                    "GB/s), whichever is more:</p>",
                    sums->train.median, sums->infer.median, sums->peak_flops / 1e9, sums->peak_bytes / 1e9);
    clt__html_print(to, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">op</th><th scope=\"col\" "
                        "class=\"left\">layer</th><th scope=\"col\">ms</th>"
                        "<th scope=\"col\">of the step</th><th scope=\"col\">of the peak</th></tr></thead><tbody>");
    for (size_t i = 0; i < count && i < SHOWN; i++) write_op(to, order[i], sums, all);
    clt__html_print(to, "</tbody></table></div>");
    if (count > SHOWN) clt__html_print(to, "<p class=\"soft\">%zu shorter ones are left out.</p>", count - SHOWN);
    free(order);
    return CLT_OK;
}

clt_status clt__times(clt__html *to, const clt__run *run, clt_device *device, const clt_options *options,
                      clt_error *error)
{
    const clt_options *trained = clt_model_options(run->model);
    clt_options timing = *options;
    clt_bench_result *result;
    clt__html_print(to, "<h2>Where the time goes</h2>");
    timing.seconds = 0.5;
    timing.batch_size = trained->batch_size;
    timing.storage = trained->storage;
    timing.augment = trained->augment;
    timing.augment.rrc = (clt__range){0, 0}; /* is done before images come to the device */
    TRY(clt_bench(run->model, device, &timing, &result, error));
    const clt_status status = write_times(to, result, error);
    clt_bench_close(result);
    return status;
}

/* ---- verification */

typedef struct tally {
    size_t ops, wrong;
    double worst; /* the largest share of a bound that was used */
} tally;

static void count_row(void *user, const clt_verify_row *row)
{
    tally *t = user;
    t->ops++;
    t->wrong += !row->ok;
    if (row->bound > 0 && row->difference / row->bound > t->worst) t->worst = row->difference / row->bound;
}

clt_status clt__verification(clt__html *to, const clt__run *run, clt_device *device, const clt_options *options,
                             clt_error *error)
{
    clt_options verifying = *options;
    tally t = {0};
    clt_error mismatch;
    clt__html_print(to, "<h2>Whether the device computes rightly</h2>");
    verifying.batch_size = 2;
    verifying.report = NULL;
    const clt_status status = clt_verify(run->model, device, &verifying, count_row, &t, &mismatch);
    if (status == CLT_OK) {
        clt__html_print(to,
                        "<p class=\"good\">All %zu ops of this net agree with the plain C reference; the one that was "
                        "furthest off used %.0f&nbsp;%% of "
                        "its error bound, which is derived, not guessed.</p>",
                        t.ops, 100 * t.worst);
        return CLT_OK;
    }
    if (status != CLT_MISMATCH) return clt__pass_on(&mismatch, error);
    clt__html_print(to, "<p class=\"bad\">%zu of %zu ops do not agree with the reference: ", t.wrong, t.ops);
    clt__html_text(to, mismatch.message);
    clt__html_print(to, "</p>");
    return CLT_OK;
}

/* ---- again */

/* The command that trains the same again. Its options are those of the checkpoint, and of the record those that say
 * what was read. */
static clt_status print_command(const clt__run *run, clt__text *text, clt_error *error)
{
    const clt__run_record *r = &run->record;
    const clt_options *options = clt_model_options(run->model);
    char net[CLT__RECORD_PATH];
    (void)snprintf(net, sizeof net, "%.4000s/model.net", run->folder);
    TRY(clt__text_print(text, error, "cltrain train --data "));
    TRY(clt__text_word(text, *r->data ? r->data : "PATH", error));
    TRY(clt__text_print(text, error, "%s --net ", r->reading));
    TRY(clt__text_word(text, run->is_folder ? net : clt_model_net(run->model), error));
    if (clt_model_precision(run->model) == CLT_F64) TRY(clt__text_print(text, error, " --precision f64"));
    for (clt__option option = 0; option < CLT__OPTIONS; option++)
        if (clt__option_is_kept(option)) TRY(clt__option_print_argument(options, option, text, error));
    return clt__text_print(text, error, " --output-dir again");
}

static void write_fact(clt__html *to, const char *name, const char *value)
{
    if (!*value) return;
    clt__html_print(to, "<tr><th scope=\"row\">%s</th><td class=\"words\">", name);
    clt__html_text(to, value);
    clt__html_print(to, "</td></tr>");
}

clt_status clt__again(clt__html *to, const clt__run *run, clt_error *error)
{
    const clt__run_record *r = &run->record;
    clt__text command = {0};
    char digest[65];
    clt_model_sha256(run->model, digest);
    clt__html_print(to, "<h2>To do it again</h2><pre>");
    const clt_status status = print_command(run, &command, error);
    if (status == CLT_OK) clt__html_text(to, command.start);
    free(command.start);
    TRY(status);
    clt__html_print(to, "</pre><div class=\"wide\"><table><tbody>");
    if (run->is_folder)
        write_fact(to, "cltrain", *r->version ? r->version : "an earlier version, which kept no run.json");
    write_fact(to, "device", r->name);
    write_fact(to, "platform", r->platform);
    write_fact(to, "driver", r->driver);
    write_fact(to,
               !run->is_folder ? "SHA-256 of its parameters"
               : run->is_best  ? "SHA-256 of best.safetensors' parameters"
                               : "SHA-256 of last.safetensors' parameters",
               digest);
    clt__html_print(to, "</tbody></table></div><p class=\"soft\">The same data, device and driver give the same "
                        "digest, bit for bit.</p>");
    return CLT_OK;
}
