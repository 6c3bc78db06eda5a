/* What training would reach on many devices, from what one shows. */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "device/pretend.h"
#include "options/ticker.h"
#include "session/buckets.h"
#include "session/session.h"
#include "team/adding.h"
#include "tools/exchange_model.h"
#include "tools/planned_net.h"
#include "tools/random_data.h"
#include "tools/timing.h"

/* A rank's net is that of a batch in shards, with one shard of its own: batches are of two. */
enum { SHARDS = 2, ROUNDS = 7, MOST_IMAGES = 1000000 / SHARDS };

/* Of a GPU that is pretended: what copies between a card's memory and ordinary memory of the host reach over 16 lanes
 * of PCI Express 4, whose 31.5 GB/s only memory that the driver has pinned sees. */
static const double PRETENDED_TRANSFER = 10e9;

struct clt_scale_result {
    clt_scale_sums sums;
    size_t rows;
    clt_scale_row *row[CLT_SCALINGS];
};

/* A rank's part of a step: some images. */
typedef struct rank_part {
    int images;
    clt__rank_step step;
    clt__departure *bucket; /* the step's */
} rank_part;

typedef struct estimate {
    const clt_options *options;
    clt_device *device;
    const clt_model *model; /* NULL where the device is pretended */
    clt_scale_result *result;
    clt__exchange_rates rates;
    rank_part *part; /* the first is of `batch_size` images */
    size_t parts;
    clt__ticker ticker;
    int64_t done;
} estimate;

/* ---- from times of ops to a rank's step */

/* Only the last of several micro-batches makes gradients that can travel. */
static clt_status fill_step(estimate *s, const clt__net *net, size_t real_bytes, const double *seconds, int passes,
                            rank_part *p, clt_error *error)
{
    clt__buckets cut;
    size_t op = 0;
    double once = 0, ready;
    for (size_t i = 0; i < net->gather; i++) once += seconds[i];
    for (size_t i = net->update; i < net->end; i++) p->step.update += seconds[i];
    p->step.compute = once * passes;
    TRY(clt__cut_gradients(net, s->options, real_bytes, &cut, error));
    const clt_status status = clt__allocate(cut.count, sizeof *p->bucket, "buckets of gradients", &p->bucket, error);
    ready = once * (passes - 1);
    for (size_t i = 0; i < cut.count && status == CLT_OK; i++) {
        for (; op < cut.bucket[i].op; op++) ready += seconds[op];
        p->bucket[i] = (clt__departure){.bytes = (double)cut.bucket[i].count * (double)real_bytes, .ready = ready};
    }
    p->step.bucket = p->bucket;
    p->step.buckets = cut.count;
    free(cut.bucket);
    return status;
}

static int passes_of(int images, int micro_batch)
{
    return (images + micro_batch - 1) / micro_batch;
}

/* ---- times by a model */

static clt_status take_launches(const clt_options *options, clt_device *device, const clt__net *net, double *seconds,
                                clt_error *error)
{
    clt_launch_plan *plan;
    TRY(clt_plan_launches(options, device, &plan, error));
    for (size_t i = 0; i < clt_launch_plan_count(plan); i++) {
        const clt_launch_row *row = clt_launch_plan_at(plan, i);
        if (row->number < net->end) seconds[row->number] += row->seconds;
    }
    clt_launch_plan_close(plan);
    return CLT_OK;
}

static clt_status model_part(estimate *s, rank_part *p, clt_error *error)
{
    const clt_precision precision = (clt_precision)s->options->precision;
    clt_options options = *s->options;
    clt__net net;
    clt__needs needs;
    double *seconds;
    options.batch_size = SHARDS * p->images;
    options.accumulate = 1;
    options.shards = SHARDS;
    TRY(clt__check_precision(s->device, precision, error));
    TRY(clt__planned_net(&options, s->device, options.batch_size, &net, &needs, NULL, error));
    clt_status status = clt__allocate(net.end, sizeof *seconds, "the ops' times", &seconds, error);
    if (status == CLT_OK) status = take_launches(&options, s->device, &net, seconds, error);
    if (status == CLT_OK)
        status = fill_step(s, &net, clt__element_bytes(CLT__REALS, precision), seconds,
                           passes_of(p->images, net.tape.tensor[net.label].count), p, error);
    free(seconds);
    clt__net_free(&net);
    return status;
}

/* ---- times by the clock */

/* What a rank's device does in a step. */
static clt_status run_steps(const clt_session *session, int passes, int steps, clt_error *error)
{
    const clt__net *net = &session->net;
    for (int i = 0; i < steps; i++) {
        for (int j = 0; j < passes; j++) TRY(clt__engine_run(session->engine, 0, net->gather, error));
        TRY(clt__engine_run(session->engine, net->update, net->end, error));
    }
    return clt__engine_finish(session->engine, error);
}

static clt_status time_steps(const clt_session *session, int passes, double *seconds, clt_error *error)
{
    double round[ROUNDS], begin = clt__seconds();
    TRY(run_steps(session, passes, 1, error));
    const double wanted = 0.1 / (clt__seconds() - begin);
    const int steps = wanted < 1 ? 1 : wanted > 1000 ? 1000 : (int)wanted;
    for (int i = 0; i < ROUNDS; i++) {
        begin = clt__seconds();
        TRY(run_steps(session, passes, steps, error));
        round[i] = (clt__seconds() - begin) / steps;
    }
    *seconds = clt__median(round, ROUNDS);
    return CLT_OK;
}

/* An op alone is timed by the device's clock, which knows nothing of launches: each gets its share of the whole step's
 * time. */
static clt_status time_ops(estimate *s, const clt_session *session, int passes, double *seconds, clt_error *error)
{
    const clt__net *net = &session->net;
    double all = 0, step;
    for (size_t i = 0; i < net->end; i++) {
        const bool timed = (i < net->gather || i >= net->update) && clt__engine_work(session->engine, i).ops > 0;
        if (timed) TRY(clt__measure_op(session->engine, i, &seconds[i], error));
        all += seconds[i] * (i < net->gather ? passes : 1);
        TRY(clt__ticker_tick(&s->ticker, ++s->done, error));
    }
    TRY(time_steps(session, passes, &step, error));
    for (size_t i = 0; i < net->end && all > 0; i++) seconds[i] *= step / all;
    return CLT_OK;
}

/* As a gathering reads them, but for what runs beside. All that was begun is waited for: it writes to `to`. */
static clt_status read_buckets(clt__engine *engine, const clt__bucket *bucket, size_t count, char *to,
                               clt__upload **read, clt_error *error)
{
    const size_t size = clt__engine_real_bytes(engine);
    clt_status status = CLT_OK;
    for (size_t i = 0; i < count && status == CLT_OK; i++)
        status = clt__engine_begin_read(engine, bucket[i].tensor, bucket[i].first, bucket[i].count,
                                        to + bucket[i].at * size, &read[i], error);
    if (status == CLT_OK) status = clt__engine_flush(engine, error);
    for (size_t i = 0; i < count; i++) {
        const clt_status ended = clt__engine_end_read(&read[i], status == CLT_OK ? error : NULL);
        if (status == CLT_OK) status = ended;
    }
    return status;
}

typedef struct transfers {
    const clt_session *session;
    clt__bucket *bucket;
    size_t buckets;
    char *numbers;
    clt__upload **read;
} transfers;

static clt_status time_transfers(const transfers *t, size_t bytes, clt__exchange_rates *rates, clt_error *error)
{
    const clt__net *net = &t->session->net;
    clt__engine *engine = t->session->engine;
    const int gradients = net->tape.tensor[net->of_shard].count;
    double read[ROUNDS], written[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        const double begin = clt__seconds();
        TRY(read_buckets(engine, t->bucket, t->buckets, t->numbers, t->read, error));
        const double between = clt__seconds();
        TRY(clt__engine_write_kept(engine, net->of_batch, 0, gradients, t->numbers, error));
        read[i] = between - begin;
        written[i] = clt__seconds() - between;
    }
    rates->read = (double)bytes / clt__median(read, ROUNDS);
    rates->write = (double)gradients * (double)clt__engine_real_bytes(engine) / clt__median(written, ROUNDS);
    return CLT_OK;
}

static clt_status measure_transfers(estimate *s, const clt_session *session, clt_error *error)
{
    const size_t size = clt__engine_real_bytes(session->engine);
    transfers t = {.session = session};
    size_t numbers = 0;
    clt__buckets cut;
    TRY(clt__cut_gradients(&session->net, s->options, size, &cut, error));
    t.bucket = cut.bucket;
    t.buckets = cut.count;
    for (size_t i = 0; i < t.buckets; i++) numbers += (size_t)t.bucket[i].count;
    clt_status status = clt__allocate(numbers, size, "gradients", &t.numbers, error);
    if (status == CLT_OK) status = clt__allocate(t.buckets, sizeof *t.read, "reads of gradients", &t.read, error);
    if (status == CLT_OK && t.buckets) status = time_transfers(&t, numbers * size, &s->rates, error);
    free(t.read);
    free(t.numbers);
    free(t.bucket);
    return status;
}

static clt_status measure_session(estimate *s, clt_session *session, rank_part *p, clt_error *error)
{
    const int passes = passes_of(p->images, session->micro_batch);
    double *seconds;
    s->ticker.progress.total = (int64_t)(s->parts * session->net.end);
    TRY(clt__session_set_own_order(session, error));
    TRY(clt__session_run_batch(session, 0, SHARDS * p->images, 0, clt__session_run_ops, NULL, error));
    TRY(clt__engine_finish(session->engine, error));
    TRY(clt__allocate(session->net.end, sizeof *seconds, "the ops' times", &seconds, error));
    clt_status status = time_ops(s, session, passes, seconds, error);
    if (status == CLT_OK && p == s->part) status = measure_transfers(s, session, error);
    if (status == CLT_OK)
        status = fill_step(s, &session->net, clt__engine_real_bytes(session->engine), seconds, passes, p, error);
    free(seconds);
    return status;
}

static clt_status measure_part(estimate *s, rank_part *p, clt_error *error)
{
    clt_options options = clt__options_default();
    clt_dataset *data;
    clt_session *session;
    options.batch_size = SHARDS * p->images;
    options.shards = SHARDS;
    options.lr = 0; /* the same numbers at every step */
    TRY(clt__random_dataset(s->model, options.batch_size, 1, 0, &data, error));
    clt_status status =
        clt__session_open(s->model, s->device, data, &options, (clt__session_mode){.training = true}, &session, error);
    if (status == CLT_OK) {
        status = measure_session(s, session, p, error);
        clt_session_close(session);
    }
    clt_dataset_close(data);
    return status;
}

/* ---- how fast the host adds */

/* A slice of a bucket for two ranks, part after part as they would come. */
static clt_status measure_adding(size_t real_bytes, double bucket_bytes, double *rate, clt_error *error)
{
    enum { PARTS = 64 };
    const size_t count = (size_t)(bucket_bytes / 2 / (double)real_bytes) + 1;
    const clt__numbers of = {.size = real_bytes};
    double round[ROUNDS];
    char *memory;
    TRY(clt__allocate((PARTS + 1) * (uint64_t)count, real_bytes, "gradients to add", &memory, error));
    for (int i = 0; i < ROUNDS; i++) {
        const double begin = clt__seconds();
        for (size_t j = 1; j <= PARTS; j++) clt__add_numbers(of, memory, memory + j * count * real_bytes, count);
        round[i] = (clt__seconds() - begin) / PARTS;
    }
    free(memory);
    *rate = (double)count * (double)real_bytes / clt__median(round, ROUNDS);
    return CLT_OK;
}

/* ---- what is to be expected */

static int images_of(const clt_options *options, clt_scaling scaling, int devices)
{
    const int batch = options->batch_size;
    if (scaling == CLT_WEAK_SCALING) return batch;
    return devices > batch ? 0 : (batch + devices - 1) / devices;
}

static rank_part *part_of(const estimate *s, int images)
{
    for (size_t i = 0; i < s->parts; i++)
        if (s->part[i].images == images) return &s->part[i];
    return NULL;
}

static clt_scale_row row_of(const estimate *s, clt_scaling scaling, int devices, bool *hides)
{
    const int batch = s->options->batch_size, images = images_of(s->options, scaling, devices);
    clt_scale_row row = {.devices = devices,
                         .batch_size = scaling == CLT_WEAK_SCALING ? (int64_t)batch * devices : batch,
                         .device_images = images,
                         .hidden = NAN};
    *hides = true;
    if (!images) return row;
    const rank_part *p = part_of(s, images);
    const clt__expected_step expected = clt__expect_step(&p->step, &s->rates, devices),
                             alone = clt__expect_step(&s->part->step, &s->rates, 1);
    *hides = devices == 1 || expected.hides;
    row.compute_seconds = p->step.compute + p->step.update;
    row.exchange_seconds = expected.exchange;
    row.hidden = expected.hidden;
    row.sent_bytes = 2 * (double)s->result->sums.bytes * (devices - 1) / devices;
    row.step_seconds = expected.seconds;
    row.images_per_second = (double)row.batch_size / expected.seconds;
    row.efficiency = row.images_per_second / (devices * (batch / alone.seconds));
    return row;
}

static void fill_sums(estimate *s)
{
    clt_scale_sums *sums = &s->result->sums;
    const clt__rank_step *step = &s->part->step;
    double bytes = 0;
    for (size_t i = 0; i < step->buckets; i++) bytes += step->bucket[i].bytes;
    const double buckets = (double)step->buckets;
    *sums = (clt_scale_sums){.bytes = (uint64_t)bytes,
                             .buckets = (int)step->buckets,
                             .read_rate = s->rates.read,
                             .write_rate = s->rates.write,
                             .add_rate = s->rates.add};
    if (!step->buckets) return;
    sums->exposed_from[CLT_WEAK_SCALING] = clt__ranks_beyond_hiding(step, &s->rates, CLT_SCALE_MOST);
    sums->tree_from = clt__ranks_for_tree(bytes, buckets, &s->rates, CLT_SCALE_MOST);
    sums->servers_from = clt__ranks_for_servers(bytes, buckets, &s->rates, CLT_SCALE_MOST);
    if (sums->servers_from) sums->servers = clt__best_servers(bytes, buckets, &s->rates, sums->servers_from);
}

static clt_status fill_rows(const estimate *s, clt_error *error)
{
    const clt__milestones *devices = &s->options->devices;
    clt_scale_result *result = s->result;
    for (clt_scaling k = 0; k < CLT_SCALINGS; k++)
        TRY(clt__allocate((uint64_t)devices->count, sizeof *result->row[k], "rows", &result->row[k], error));
    for (size_t i = 0; i < (size_t)devices->count; i++) {
        int *from = &result->sums.exposed_from[CLT_STRONG_SCALING];
        bool hides;
        result->row[CLT_WEAK_SCALING][i] = row_of(s, CLT_WEAK_SCALING, devices->at[i], &hides);
        result->row[CLT_STRONG_SCALING][i] = row_of(s, CLT_STRONG_SCALING, devices->at[i], &hides);
        if (!hides && s->part->step.buckets && !*from) *from = devices->at[i];
    }
    result->rows = (size_t)devices->count;
    return CLT_OK;
}

/* ---- all of it */

static void list_parts(estimate *s)
{
    const clt__milestones *devices = &s->options->devices;
    s->part[s->parts++].images = s->options->batch_size;
    for (int i = 0; i < devices->count; i++) {
        const int images = images_of(s->options, CLT_STRONG_SCALING, devices->at[i]);
        if (images && !part_of(s, images)) s->part[s->parts++].images = images;
    }
}

static clt_status scale(estimate *s, clt_error *error)
{
    list_parts(s);
    for (size_t i = 0; i < s->parts; i++)
        TRY(s->model ? measure_part(s, &s->part[i], error) : model_part(s, &s->part[i], error));
    const clt__rank_step *step = &s->part->step;
    const bool doubles = s->options->precision == CLT_F64 || clt__device_is_reference(s->device);
    TRY(measure_adding(doubles ? sizeof(double) : sizeof(float), step->buckets ? step->bucket->bytes : 0, &s->rates.add,
                       error));
    fill_sums(s);
    return fill_rows(s, error);
}

static clt_status check(const clt_options *options, clt_error *error)
{
    const clt__milestones *devices = &options->devices;
    if (options->batch_size < 1 || options->batch_size > MOST_IMAGES)
        return FAIL(error, CLT_BAD_ARGUMENT, "batch_size is %d: it should be from 1 to %d here", options->batch_size,
                    MOST_IMAGES);
    for (int i = 0; i < devices->count; i++)
        if (devices->at[i] < 1 || devices->at[i] > CLT_SCALE_MOST)
            return FAIL(error, CLT_BAD_ARGUMENT, "%d devices: there should be 1 to %d", devices->at[i], CLT_SCALE_MOST);
    return CLT_OK;
}

clt_status clt_scale(const clt_options *options, clt_device *device, clt_scale_result **result, clt_error *error)
{
    clt_options none;
    clt_model *model = NULL;
    *result = NULL;
    options = clt__options_or_default(options, &none);
    TRY(check(options, error));
    estimate s = {.options = options,
                  .device = device,
                  .rates = {.bandwidth = options->bandwidth * 1e9,
                            .latency = options->latency * 1e-6,
                            .read = options->pretend ? PRETENDED_TRANSFER : 0,
                            .write = options->pretend ? PRETENDED_TRANSFER : 0},
                  .ticker = clt__ticker_start(options, "scale", 0)};
    clt_status status = clt__allocate(1, sizeof *s.result, "what is expected", &s.result, error);
    if (status == CLT_OK)
        status = clt__allocate((uint64_t)options->devices.count + 1, sizeof *s.part, "parts", &s.part, error);
    if (status == CLT_OK && !clt__device_speed(device)) status = clt_model_create(options, &model, error);
    s.model = model;
    if (status == CLT_OK) status = scale(&s, error);
    for (size_t i = 0; i < s.parts; i++) free(s.part[i].bucket);
    free(s.part);
    clt_model_close(model);
    if (status == CLT_OK)
        *result = s.result;
    else
        clt_scale_close(s.result);
    return status;
}

const clt_scale_sums *clt_scale_total(const clt_scale_result *result)
{
    return &result->sums;
}

size_t clt_scale_count(const clt_scale_result *result)
{
    return result->rows;
}

const clt_scale_row *clt_scale_at(const clt_scale_result *result, clt_scaling scaling, size_t index)
{
    return scaling < CLT_SCALINGS && index < result->rows ? &result->row[scaling][index] : NULL;
}

void clt_scale_close(clt_scale_result *result)
{
    if (!result) return;
    for (clt_scaling k = 0; k < CLT_SCALINGS; k++) free(result->row[k]);
    free(result);
}
