/* Timing: whole training steps, inference, and each op alone. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/peak.h"
#include "train/training.h"

enum { ROUNDS = 15, WARM_UP = 3 };

/* ---- rates */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static clt_status run_steps(clt_session *session, int steps, clt_error *error)
{
    const int batch = (int)session->data->count;
    for (int i = 0; i < steps; i++)
        TRY(clt__session_run_batch(session, 0, batch, 0, clt__session_run_ops, NULL, error));
    return clt__engine_finish(session->engine, error);
}

/* Rounds of as many steps as make each of them a fair share of `seconds`. */
static clt_status measure_rate(clt_session *session, double seconds, clt_bench_rate *rate, clt_error *error)
{
    double round[ROUNDS];
    double begin = clt__seconds();
    TRY(run_steps(session, WARM_UP, error));
    begin = clt__seconds();
    TRY(run_steps(session, WARM_UP, error));
    const double step = (clt__seconds() - begin) / WARM_UP, wanted = seconds / ROUNDS / step;
    const int steps = wanted < 1 ? 1 : wanted > 100000 ? 100000 : (int)wanted;
    for (int i = 0; i < ROUNDS; i++) {
        begin = clt__seconds();
        TRY(run_steps(session, steps, error));
        round[i] = (double)session->data->count * steps / (clt__seconds() - begin);
    }
    qsort(round, ROUNDS, sizeof *round, compare_doubles);
    *rate = (clt_bench_rate){round[ROUNDS / 2], round[0], round[ROUNDS - 1], ROUNDS};
    return CLT_OK;
}

/* ---- ops */

clt_status clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error)
{
    const double begin = clt__seconds();
    for (int i = 0; i < times; i++) TRY(clt__engine_run(engine, index, index + 1, error));
    TRY(clt__engine_finish(engine, error));
    *seconds = (clt__seconds() - begin) / times;
    return CLT_OK;
}

/* The median of a few rounds of some runs each, about 20 ms in all. */
static clt_status measure_op(clt_session *session, size_t index, clt_bench_row *row, clt_error *error)
{
    enum { OP_ROUNDS = 7 };
    const clt__op *op = &session->net.tape.op[index];
    const clt__work work = clt__engine_work(session->engine, index);
    double once, round[OP_ROUNDS];
    TRY(clt__time_op(session->engine, index, 1, &once, error));
    TRY(clt__time_op(session->engine, index, 1, &once, error));
    const int times = once > 3e-3 ? 1 : once > 3e-6 ? (int)(3e-3 / once) : 1000;
    for (int i = 0; i < OP_ROUNDS; i++) TRY(clt__time_op(session->engine, index, times, &round[i], error));
    qsort(round, OP_ROUNDS, sizeof *round, compare_doubles);
    *row = (clt_bench_row){.op = op->row->name,
                           .launches = work.launches,
                           .seconds = round[OP_ROUNDS / 2],
                           .flops = work.flops,
                           .bytes = work.bytes};
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

static clt_status time_training(clt_session *session, double seconds, clt_bench_result *result, clt_error *error)
{
    const double begin = clt__seconds();
    TRY(run_steps(session, 1, error));
    result->first_step_seconds = clt__seconds() - begin;
    TRY(measure_rate(session, seconds, &result->train, error));
    result->train_launches = count_launches(session);
    TRY(clt__allocate(session->net.end, sizeof *result->row, "the ops' times", &result->row, error));
    for (size_t i = 0; i < session->net.end; i++) {
        result->rows++;
        TRY(measure_op(session, i, &result->row[i], error));
    }
    return CLT_OK;
}

static clt_status time_inference(clt_session *session, double seconds, clt_bench_result *result, clt_error *error)
{
    result->infer_launches = count_launches(session);
    return measure_rate(session, seconds, &result->infer, error);
}

static clt_status time_session(const clt_model *model, clt_device *device, const clt_dataset *data, bool training,
                               double seconds, clt_bench_result *result, clt_error *error)
{
    clt_session *session;
    clt_train_options options = clt_train_defaults();
    options.batch_size = (int)data->count;
    options.lr = 0; /* the same numbers at every step, however often it runs */
    const double begin = clt__seconds();
    TRY(clt__session_open(model, device, data, &options, (clt__session_mode){.training = training}, &session, error));
    if (training) result->open_seconds = clt__seconds() - begin;
    clt_status status = clt__session_set_own_order(session, error);
    if (status == CLT_OK)
        status =
            training ? time_training(session, seconds, result, error) : time_inference(session, seconds, result, error);
    clt_session_close(session);
    return status;
}

clt_status clt_bench(const clt_model *model, clt_device *device, int batch_size, double seconds,
                     clt_bench_result *result, clt_error *error)
{
    clt_dataset *data;
    *result = (clt_bench_result){0};
    if (!(seconds > 0 && seconds <= 3600))
        return FAIL(error, CLT_BAD_ARGUMENT, "a measurement of %g seconds: it should be above 0 and at most 3600",
                    seconds);
    TRY(clt__random_dataset(model, batch_size, 1, 0, &data, error));
    clt_status status = time_session(model, device, data, true, seconds, result, error);
    if (status == CLT_OK) status = time_session(model, device, data, false, seconds, result, error);
    if (status == CLT_OK && !clt__device_is_reference(device))
        status = clt__device_peak(device, model->precision, &result->peak_flops, &result->peak_bytes, error);
    clt_dataset_close(data);
    if (status != CLT_OK) clt_bench_free(result);
    return status;
}

void clt_bench_free(clt_bench_result *result)
{
    free(result->row);
    *result = (clt_bench_result){0};
}
