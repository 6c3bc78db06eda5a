/* Timing: whole training steps, inference, and each op alone. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/peak.h"
#include "device/profile.h"
#include "options/ticker.h"
#include "session/session.h"
#include "tools/random_data.h"
#include "tools/timing.h"

enum { ROUNDS = 15, WARM_UP = 3 };

struct clt_bench_result {
    clt_bench_sums sums;
    size_t rows;
    clt_bench_row *row; /* one an op of a training step, or those that are merged, in its order */
};

/* One measurement of a net. */
typedef struct bench {
    clt_bench_result *result;
    const clt_options *options;
    clt__ticker ticker; /* counts rounds and ops */
    int64_t done;
} bench;

/* ---- rates */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double clt__median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

static clt_status run_steps(clt_session *session, int steps, clt_error *error)
{
    const int batch = (int)session->data->count;
    for (int i = 0; i < steps; i++)
        TRY(clt__session_run_batch(session, 0, batch, 0, clt__session_run_ops, NULL, error));
    return clt__engine_finish(session->engine, error);
}

/* Rounds of as many steps as make each of them a fair share of the time. */
static clt_status measure_rate(bench *b, clt_session *session, clt_bench_rate *rate, clt_error *error)
{
    double round[ROUNDS];
    double begin = clt__seconds();
    TRY(run_steps(session, WARM_UP, error));
    begin = clt__seconds();
    TRY(run_steps(session, WARM_UP, error));
    const double step = (clt__seconds() - begin) / WARM_UP, wanted = b->options->seconds / ROUNDS / step;
    const int steps = wanted < 1 ? 1 : wanted > 100000 ? 100000 : (int)wanted;
    for (int i = 0; i < ROUNDS; i++) {
        begin = clt__seconds();
        TRY(run_steps(session, steps, error));
        round[i] = (double)session->data->count * steps / (clt__seconds() - begin);
        TRY(clt__ticker_tick(&b->ticker, ++b->done, error));
    }
    const double median = clt__median(round, ROUNDS);
    *rate = (clt_bench_rate){median, round[0], round[ROUNDS - 1], ROUNDS};
    return CLT_OK;
}

/* ---- ops */

static clt_status run_op(clt__engine *engine, size_t index, int times, clt_error *error)
{
    for (int i = 0; i < times; i++) TRY(clt__engine_run(engine, index, index + 1, error));
    return clt__engine_finish(engine, error);
}

/* For the reference, which has no clock of its own, and for a device whose clock stands still. */
static clt_status time_by_host(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error)
{
    const double begin = clt__seconds();
    TRY(run_op(engine, index, times, error));
    *seconds = (clt__seconds() - begin) / times;
    return CLT_OK;
}

clt_status clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error)
{
    clt_device *device = clt__engine_device(engine);
    double all;
    if (clt__device_is_reference(device)) return time_by_host(engine, index, times, seconds, error);
    TRY(clt__device_finish(device, error));
    TRY(clt__profile_begin(device, error));
    const clt_status status = run_op(engine, index, times, error), timed = clt__profile_end(device, &all, error);
    *seconds = all / times;
    if (status == CLT_OK && timed == CLT_OK && !(all > 0)) return time_by_host(engine, index, times, seconds, error);
    return status != CLT_OK ? status : timed;
}

clt_status clt__measure_op(clt__engine *engine, size_t index, double *seconds, clt_error *error)
{
    enum { OP_ROUNDS = 7 };
    double once, round[OP_ROUNDS];
    TRY(clt__time_op(engine, index, 1, &once, error));
    TRY(clt__time_op(engine, index, 1, &once, error));
    const int times = once > 3e-3 ? 1 : once > 3e-6 ? (int)(3e-3 / once) : 1000;
    for (int i = 0; i < OP_ROUNDS; i++) TRY(clt__time_op(engine, index, times, &round[i], error));
    *seconds = clt__median(round, OP_ROUNDS);
    return CLT_OK;
}

/* What is merged with an op before it is in that one's row. */
static clt_status measure_op(clt_session *session, size_t index, clt_bench_result *result, clt_error *error)
{
    const clt__op *op = &session->net.tape.op[index];
    const clt__work work = clt__engine_work(session->engine, index);
    double seconds;
    if (work.ops == 0) return CLT_OK;
    TRY(clt__measure_op(session->engine, index, &seconds, error));
    clt_bench_row *row = &result->row[result->rows++];
    *row = (clt_bench_row){
        .op = work.op, .launches = work.launches, .seconds = seconds, .flops = work.flops, .bytes = work.bytes};
    memcpy(row->layer, op->layer, sizeof row->layer);
    return CLT_OK;
}

/* Of a whole batch: what comes before the update runs once for each micro-batch. */
static int count_launches(const clt_session *session)
{
    const int parts = (session->batch + session->micro_batch - 1) / session->micro_batch;
    int launches = 0;
    for (size_t i = 0; i < session->net.end; i++)
        launches += (i < session->net.update ? parts : 1) * clt__engine_work(session->engine, i).launches;
    return launches;
}

/* ---- all of it */

static clt_status time_training(bench *b, clt_session *session, clt_error *error)
{
    clt_bench_result *result = b->result;
    const double begin = clt__seconds();
    TRY(run_steps(session, 1, error));
    result->sums.first_step_seconds = clt__seconds() - begin;
    b->ticker.progress.total = 2 * ROUNDS + (int64_t)session->net.end;
    TRY(measure_rate(b, session, &result->sums.train, error));
    result->sums.train_launches = count_launches(session);
    TRY(clt__allocate(session->net.end, sizeof *result->row, "the ops' times", &result->row, error));
    for (size_t i = 0; i < session->net.end; i++) {
        TRY(measure_op(session, i, result, error));
        TRY(clt__ticker_tick(&b->ticker, ++b->done, error));
    }
    return CLT_OK;
}

static clt_status time_inference(bench *b, clt_session *session, clt_error *error)
{
    b->result->sums.infer_launches = count_launches(session);
    return measure_rate(b, session, &b->result->sums.infer, error);
}

static clt_status time_session(bench *b, const clt_model *model, clt_device *device, const clt_dataset *data,
                               bool training, clt_error *error)
{
    clt_session *session;
    clt_options options = clt__options_default();
    options.storage = b->options->storage;
    options.augment = b->options->augment;
    options.batch_size = (int)data->count;
    options.lr = 0; /* the same numbers at every step, however often it runs */
    const double begin = clt__seconds();
    TRY(clt__session_open(model, device, data, &options,
                          (clt__session_mode){.training = training, .fold_norms = !training}, &session, error));
    if (training) b->result->sums.open_seconds = clt__seconds() - begin;
    clt_status status = clt__session_set_own_order(session, error);
    if (status == CLT_OK) status = training ? time_training(b, session, error) : time_inference(b, session, error);
    clt_session_close(session);
    return status;
}

static clt_status time_all(bench *b, const clt_model *model, clt_device *device, const clt_dataset *data,
                           clt_error *error)
{
    clt_bench_sums *sums = &b->result->sums;
    TRY(time_session(b, model, device, data, true, error));
    TRY(time_session(b, model, device, data, false, error));
    if (clt__device_is_reference(device)) return CLT_OK;
    clt__peak peak;
    TRY(clt__device_peak(device, model->precision, &peak, error));
    sums->peak_flops = peak.flops;
    sums->peak_bytes = peak.bytes;
    sums->launch_seconds = peak.launch_seconds;
    return CLT_OK;
}

clt_status clt_bench(const clt_model *model, clt_device *device, const clt_options *options, clt_bench_result **result,
                     clt_error *error)
{
    clt_dataset *data;
    clt_options none;
    *result = NULL;
    options = clt__options_or_default(options, &none);
    if (options->augment.rrc.least > 0)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "augment: rrc is of image files, which are cropped before they come to the device: bench times what "
            "is done there");
    TRY(clt__random_dataset(model, options->batch_size, 1, 0, &data, error));
    bench b = {.options = options, .ticker = clt__ticker_start(options, "bench", 0)};
    clt_status status = clt__allocate(1, sizeof *b.result, "a measurement", &b.result, error);
    if (status == CLT_OK) status = time_all(&b, model, device, data, error);
    clt_dataset_close(data);
    if (status == CLT_OK)
        *result = b.result;
    else
        clt_bench_close(b.result);
    return status;
}

const clt_bench_sums *clt_bench_total(const clt_bench_result *result)
{
    return &result->sums;
}

size_t clt_bench_count(const clt_bench_result *result)
{
    return result->rows;
}

const clt_bench_row *clt_bench_at(const clt_bench_result *result, size_t index)
{
    return index < result->rows ? &result->row[index] : NULL;
}

void clt_bench_close(clt_bench_result *result)
{
    if (!result) return;
    free(result->row);
    free(result);
}
