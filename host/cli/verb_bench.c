/* cltrain bench: how fast a net trains and predicts, and where the time goes. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/output.h"
#include "cli/verbs.h"

typedef struct bench_settings {
    const char *net, *json, *device, *schedule, *precision;
    clt_device_limits limits;
    clt_shape input;
    int batch_size;
    double seconds;
} bench_settings;

static const option_row option_rows[] = {NET_OPTION(bench_settings, ""),
                                         INPUT_OPTION(bench_settings),
                                         BATCH_SIZE_OPTION(bench_settings),
                                         {.name = "seconds",
                                          SETTING(bench_settings, seconds),
                                          .value = "S",
                                          .most = 3600,
                                          .exclusive = true,
                                          .help = "how long training and inference are each measured"},
                                         PRECISION_OPTION(bench_settings),
                                         JSON_OPTION(bench_settings),
                                         DEVICE_OPTIONS(bench_settings),
                                         {0}};

static void set_defaults(void *settings)
{
    *(bench_settings *)settings = (bench_settings){.net = "lenet5", .batch_size = 64, .seconds = 3};
}

/* ---- text --------------------------------------------------------------------------------------------------- */

static double all_ops(const clt_bench_result *result)
{
    double seconds = 0;
    for (size_t i = 0; i < result->rows; i++) seconds += result->row[i].seconds;
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

static void print_result(const bench_settings *settings, const clt_device_info *device, const clt_bench_result *result)
{
    (void)printf("%s, batches of %d, device %s (%s)\n\n", settings->net, settings->batch_size, device->id,
                 device->name);
    print_rate("training", &result->train, result->train_launches);
    print_rate("inference", &result->infer, result->infer_launches);
    (void)printf("%-10s %10.3f s to a ready session, %.3f s for the first step\n", "start", result->open_seconds,
                 result->first_step_seconds);
    (void)printf("%-10s %10.1f MB of host memory at the most\n", "memory", 1e-6 * peak_memory());
    (void)printf("%-10s %10.1f GFLOP/s on a fma kernel, %.1f GB/s on a copy kernel\n\n", "device",
                 1e-9 * result->peak_flops, 1e-9 * result->peak_bytes);
    (void)printf("%-26s %-14s %8s %9s %8s %8s %8s\n", "op", "layer", "launches", "ms", "GFLOP/s", "GB/s", "share");
    for (size_t i = 0; i < result->rows; i++) print_row(&result->row[i], all_ops(result));
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

static json_t *json_of_result(const bench_settings *settings, const clt_device_info *device,
                              const clt_bench_result *result)
{
    json_t *ops = json_array();
    for (size_t i = 0; i < result->rows; i++) (void)json_array_append_new(ops, json_of_row(&result->row[i]));
    return json_pack("{s:o, s:i, s:s, s:o, s:o, s:o, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:o}", "net",
                     json_of_text(settings->net), "batch_size", settings->batch_size, "device", device->id,
                     "device_name", json_of_text(device->name), "train_images_per_s", json_of_rate(&result->train),
                     "infer_images_per_s", json_of_rate(&result->infer), "train_launches", result->train_launches,
                     "infer_launches", result->infer_launches, "open_seconds", result->open_seconds,
                     "first_step_seconds", result->first_step_seconds, "peak_flops", result->peak_flops, "peak_bytes",
                     result->peak_bytes, "peak_memory_bytes", peak_memory(), "ops", ops);
}

/* ---- the verb ----------------------------------------------------------------------------------------------- */

static clt_status bench(const bench_settings *settings, const clt_model *model, clt_device *device, clt_error *error)
{
    clt_bench_result result;
    TRY(clt_bench(model, device, settings->batch_size, settings->seconds, &result, error));
    const clt_device_info *info = clt_device_describe(device);
    clt_status status = CLT_OK;
    if (!is_stdout(settings->json)) print_result(settings, info, &result);
    if (settings->json) status = write_json(json_of_result(settings, info, &result), settings->json, error);
    clt_bench_free(&result);
    return status;
}

static clt_status run(command_line *command, void *given, clt_error *error)
{
    (void)command;
    const bench_settings *settings = given;
    const clt_model_options options = {
        .net = settings->net, .input = settings->input, .precision = precision_named(settings->precision, CLT_F32)};
    clt_model *model = NULL;
    clt_device *device = NULL;
    clt_status status = clt_model_create(&options, &model, error);
    if (status == CLT_OK) status = open_device(settings->device, settings->schedule, &settings->limits, &device, error);
    if (status == CLT_OK) status = bench(settings, model, device, error);
    clt_device_close(device);
    clt_model_close(model);
    return status;
}

const verb_row bench_verb = {
    .name = "bench",
    .summary = "Times training steps, inference and each op of a net.",
    .details = "Whole training steps on random images that lie on the device: batch gathered, forward, loss, backward, "
               "update. Each op is also timed alone, beside what the device reaches at most.",
    .options = option_rows,
    .settings_size = sizeof(bench_settings),
    .set_defaults = set_defaults,
    .run = run,
};
