/* cltrain bench: how fast a net trains and predicts, and where the time goes. */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/output.h"
#include "cli/verbs.h"

/* ---- text --------------------------------------------------------------------------------------------------- */

static double all_ops(const clt_bench_result *result)
{
    double seconds = 0;
    for (size_t i = 0; i < clt_bench_count(result); i++) seconds += clt_bench_at(result, i)->seconds;
    return seconds;
}

static void print_rate(const char *what, const clt_bench_rate *rate, int launches)
{
    (void)printf("%-10s %10.0f images/s (min %.0f, max %.0f, %d rounds), %d launches a step\n", what, rate->median,
                 rate->min, rate->max, rate->rounds, launches);
}

static void print_row(const clt_bench_row *row, double all)
{
    (void)printf("%-26s %-14s %8d %9.3f %8.1f %8.1f %6.1f %%\n", row->op, *row->layer ? row->layer : "-", row->launches,
                 1e3 * row->seconds, 1e-9 * row->flops / row->seconds, 1e-9 * row->bytes / row->seconds,
                 100 * row->seconds / all);
}

/* The most memory that this process has had, in bytes; Linux counts it in KiB. */
static double peak_memory(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * (double)usage.ru_maxrss : 0;
}

static void print_result(const clt_options *options, const clt_device_info *device, const clt_bench_result *result)
{
    const clt_bench_sums *sums = clt_bench_total(result);
    (void)printf("%s, batches of %d, device %s (%s)\n\n", options->net, options->batch_size, device->id, device->name);
    print_rate("training", &sums->train, sums->train_launches);
    print_rate("inference", &sums->infer, sums->infer_launches);
    (void)printf("%-10s %10.3f s to a ready session, %.3f s for the first step\n", "start", sums->open_seconds,
                 sums->first_step_seconds);
    (void)printf("%-10s %10.1f MB of host memory at the most\n", "memory", 1e-6 * peak_memory());
    (void)printf("%-10s %10.1f GFLOP/s on a fma kernel, %.1f GB/s on a copy kernel, %.1f us to launch one\n\n",
                 "device", 1e-9 * sums->peak_flops, 1e-9 * sums->peak_bytes, 1e6 * sums->launch_seconds);
    (void)printf("%-26s %-14s %8s %9s %8s %8s %8s\n", "op", "layer", "launches", "ms", "GFLOP/s", "GB/s", "share");
    for (size_t i = 0; i < clt_bench_count(result); i++) print_row(clt_bench_at(result, i), all_ops(result));
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static json_t *json_of_rate(const clt_bench_rate *rate)
{
    return json_pack("{s:f, s:f, s:f, s:i}", "median", rate->median, "min", rate->min, "max", rate->max, "rounds",
                     rate->rounds);
}

static json_t *json_of_row(const clt_bench_row *row)
{
    return json_pack("{s:s, s:s, s:i, s:f, s:f, s:f}", "op", row->op, "layer", row->layer, "launches", row->launches,
                     "seconds", row->seconds, "flops", row->flops, "bytes", row->bytes);
}

static json_t *json_of_result(const command_line *command, const clt_options *options, const clt_device_info *device,
                              const clt_bench_result *result)
{
    const clt_bench_sums *sums = clt_bench_total(result);
    json_t *ops = json_array();
    for (size_t i = 0; i < clt_bench_count(result); i++)
        (void)json_array_append_new(ops, json_of_row(clt_bench_at(result, i)));
    return json_pack("{s:o, s:o, s:i, s:s, s:o, s:o, s:o, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "options",
                     json_of_options(command, options), "net", json_of_text(options->net), "batch_size",
                     options->batch_size, "device", device->id, "device_name", json_of_text(device->name),
                     "train_images_per_s", json_of_rate(&sums->train), "infer_images_per_s", json_of_rate(&sums->infer),
                     "train_launches", sums->train_launches, "infer_launches", sums->infer_launches, "open_seconds",
                     sums->open_seconds, "first_step_seconds", sums->first_step_seconds, "peak_flops", sums->peak_flops,
                     "peak_bytes", sums->peak_bytes, "launch_seconds", sums->launch_seconds, "peak_memory_bytes",
                     peak_memory(), "ops", ops);
}

/* ---- launches that are only planned ------------------------------------------------------------------------- */

static clt_status print_plan(const clt_options *options, const clt_device_info *device, const clt_launch_plan *plan,
                             clt_error *error)
{
    const clt_launch_sums *sums = clt_launch_plan_total(plan);
    text_table table = {.alignment = "lllrrrrrrrr"};
    (void)printf("%s, batches of %d, device %s (%s), %d compute units\n\n", options->net, sums->micro_batch_size,
                 device->id, device->name, sums->compute_units);
    const char *const names[] = {"op",    "layer", "kernel", "groups", "items", "waves",
                                 "local", "MB",    "MFLOP",  "us",     "share"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) table_add(&table, "%s", names[i]);
    for (size_t i = 0; i < clt_launch_plan_count(plan); i++) {
        const clt_launch_row *row = clt_launch_plan_at(plan, i);
        table_add(&table, "%s", row->op);
        table_add(&table, "%s", *row->layer ? row->layer : "-");
        table_add(&table, "%s", row->kernel);
        table_add(&table, "%" PRIu64, row->groups);
        table_add(&table, "%d", row->group_items);
        table_add(&table, "%" PRIu64, row->waves);
        table_add(&table, "%" PRIu64, row->local_bytes);
        table_add(&table, "%.2f", 1e-6 * row->bytes);
        table_add(&table, "%.1f", 1e-6 * row->flops);
        table_add(&table, row->seconds > 0 ? "%.1f" : "-", 1e6 * row->seconds);
        table_add(&table, row->seconds > 0 ? "%.1f %%" : "-", 100 * row->seconds / sums->seconds);
    }
    TRY(table_print(&table, error));
    (void)printf("\n%zu launches, %zu programs, %.1f MB, %.1f MFLOP\n", clt_launch_plan_count(plan),
                 clt_launch_plan_programs(plan), 1e-6 * sums->bytes, 1e-6 * sums->flops);
    if (sums->seconds > 0)
        (void)printf("%.3f ms a step, %.0f images/s: by a model, not by a clock\n", 1e3 * sums->seconds,
                     sums->micro_batch_size / sums->seconds);
    return CLT_OK;
}

static json_t *json_of_launches(const clt_launch_plan *plan)
{
    json_t *launches = json_array();
    for (size_t i = 0; i < clt_launch_plan_count(plan); i++) {
        const clt_launch_row *row = clt_launch_plan_at(plan, i);
        (void)json_array_append_new(
            launches,
            json_pack("{s:s, s:s, s:s, s:I, s:i, s:I, s:I, s:f, s:f, s:o, s:I}", "op", row->op, "layer", row->layer,
                      "kernel", row->kernel, "groups", (json_int_t)row->groups, "group_items", row->group_items,
                      "waves", (json_int_t)row->waves, "local_bytes", (json_int_t)row->local_bytes, "bytes", row->bytes,
                      "flops", row->flops, "model_seconds", row->seconds > 0 ? json_real(row->seconds) : json_null(),
                      "program", (json_int_t)row->program));
    }
    return launches;
}

static json_t *json_of_programs(const clt_launch_plan *plan)
{
    json_t *programs = json_array();
    for (size_t i = 0; i < clt_launch_plan_programs(plan); i++) {
        const clt_launch_program *program = clt_launch_plan_program_at(plan, i);
        (void)json_array_append_new(programs, json_pack("{s:s, s:s, s:s}", "file", program->file, "options",
                                                        program->options, "source", program->source));
    }
    return programs;
}

static json_t *json_of_plan(const command_line *command, const clt_options *options, const clt_device_info *device,
                            const clt_launch_plan *plan)
{
    const clt_launch_sums *sums = clt_launch_plan_total(plan);
    return json_pack("{s:o, s:o, s:i, s:s, s:o, s:i, s:f, s:f, s:o, s:o, s:o}", "options",
                     json_of_options(command, options), "net", json_of_text(options->net), "batch_size",
                     sums->micro_batch_size, "device", device->id, "device_name", json_of_text(device->name),
                     "compute_units", sums->compute_units, "bytes", sums->bytes, "flops", sums->flops, "model_seconds",
                     sums->seconds > 0 ? json_real(sums->seconds) : json_null(), "launches", json_of_launches(plan),
                     "programs", json_of_programs(plan));
}

static clt_status plan(const command_line *command, const clt_options *options, clt_device *device, clt_error *error)
{
    clt_launch_plan *launches;
    TRY(clt_plan_launches(options, device, &launches, error));
    const clt_device_info *info = clt_device_describe(device);
    clt_status status = CLT_OK;
    if (!is_stdout(options->json)) status = print_plan(options, info, launches, error);
    if (status == CLT_OK && options->json)
        status = write_json(json_of_plan(command, options, info, launches), options->json, error);
    clt_launch_plan_close(launches);
    return status;
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status bench(const command_line *command, const clt_options *options, const clt_model *model,
                        clt_device *device, clt_error *error)
{
    clt_bench_result *result;
    TRY(clt_bench(model, device, options, &result, error));
    const clt_device_info *info = clt_device_describe(device);
    clt_status status = CLT_OK;
    if (!is_stdout(options->json)) print_result(options, info, result);
    if (options->json) status = write_json(json_of_result(command, options, info, result), options->json, error);
    clt_bench_close(result);
    return status;
}

static clt_status time_model(const command_line *command, const clt_options *options, clt_device *device,
                             clt_error *error)
{
    clt_model *model = NULL;
    clt_status status = clt_model_create(options, &model, error);
    if (status == CLT_OK) status = bench(command, options, model, device, error);
    clt_model_close(model);
    return status;
}

static clt_status run(const command_line *command, clt_options *options, clt_error *error)
{
    clt_device *device = NULL;
    if (options->pretend && !options->plan)
        return FAIL(error, CLT_BAD_ARGUMENT, "--pretend: a device that is not there cannot be timed: give --plan, too");
    TRY(clt_device_open_with(options, &device, error));
    const clt_status status =
        options->plan ? plan(command, options, device, error) : time_model(command, options, device, error);
    clt_device_close(device);
    return status;
}

const verb_row bench_verb = {
    .name = "bench",
    .verb = CLT__BENCH,
    .summary = "Times training steps, inference and each op of a net.",
    .details = "Whole training steps on random images that lie on the device: batch gathered, forward, loss, backward, "
               "update. Each op is also timed alone, by the device's clock, beside what the device reaches at most. "
               "With --plan "
               "nothing is timed: a step's launches are listed, for a device that is there or one that is pretended.",
    .run = run,
};
