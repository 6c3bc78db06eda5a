/* Tuning: which limits to plan each op with, found by timing and held to the reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "options/ticker.h"
#include "session/session.h"
#include "tools/random_data.h"
#include "tools/timing.h"

enum { ROUNDS = 5, MOST_TRIED = 64 };
static const double round_seconds = 4e-3; /* of timing, at least */
static const double worth = 0.97;         /* what is not 3 % faster is as likely noise */

/* An op apart from its net: a tape that has nothing else. */
typedef struct subject {
    clt_session *session; /* where it comes from */
    size_t op;            /* its number there */
    clt__tape tape;
    clt__tuning_key key;
    /* The launches that have been timed: other limits often make the same. */
    struct {
        clt__sizes sizes;
        clt__launches launches;
    } * tried;
    int count;
} subject;

static const clt__op *op_of(const subject *s)
{
    return &s->session->net.tape.op[s->op];
}

/* ---- setting it up */

static clt_status copy_tensors(subject *s, clt_error *error)
{
    const clt__op *op = op_of(s);
    int tensor[CLT__MAX_OPERANDS];
    s->tape.stored = s->session->net.tape.stored;
    for (int i = 0; i < clt__operand_count(op->row); i++) {
        tensor[i] = -1;
        if (op->tensor[i] < 0) continue;
        const clt__tensor *from = &s->session->net.tape.tensor[op->tensor[i]];
        TRY(clt__tape_add(&s->tape, from->name, from->type, CLT__PLAIN, (const int[4]){from->count, 1, 1, 1}, 1, -1,
                          &tensor[i], error));
    }
    return clt__tape_add_op(&s->tape, op->row, op->layer, &op->sizes, op->sizes_bytes, tensor,
                            clt__operand_count(op->row), error);
}

/* Gives the op the operands that it has in its net. */
static clt_status copy_values(const subject *s, clt__engine *engine, clt_error *error)
{
    for (int i = 0; i < clt__operand_count(op_of(s)->row); i++) {
        const int from = op_of(s)->tensor[i], to = s->tape.op[0].tensor[i];
        if (to < 0 || op_of(s)->row->operand[i].access == CLT__WRITE) continue;
        const int count = s->tape.tensor[to].count;
        double *values;
        TRY(clt__allocate((uint64_t)count, sizeof *values, "an operand", &values, error));
        clt_status status = clt__engine_read(s->session->engine, from, 0, count, values, error);
        if (status == CLT_OK) status = clt__engine_write(engine, to, 0, count, values, error);
        free(values);
        TRY(status);
    }
    return CLT_OK;
}

/* The op with launches by these limits, ready to run. */
static clt_status open_with(const subject *s, const clt__limits *limits, clt__engine **engine, clt_error *error)
{
    clt_device *device = clt__engine_device(s->session->engine);
    TRY(clt__tuning_choose(device, &s->key, limits, error));
    TRY(clt__engine_open(device, &s->tape, s->key.precision, NULL, engine, error));
    const clt_status status = copy_values(s, *engine, error);
    if (status == CLT_OK) return CLT_OK;
    clt__engine_close(*engine);
    return status;
}

/* ---- timing */

/* The fastest round: what else the machine does only ever slows a round down. */
static clt_status time_engine(clt__engine *engine, double *seconds, clt_error *error)
{
    double once;
    TRY(clt__time_op(engine, 0, 1, &once, error));
    TRY(clt__time_op(engine, 0, 1, &once, error));
    const int times = once > round_seconds ? 1 : once > 1e-6 ? (int)(round_seconds / once) + 1 : 1000;
    for (int i = 0; i < ROUNDS; i++) {
        double round;
        TRY(clt__time_op(engine, 0, times, &round, error));
        if (i == 0 || round < *seconds) *seconds = round;
    }
    return CLT_OK;
}

/* Times the op with launches by these limits, unless those were timed before; *seconds is then left alone. */
static clt_status time_with(subject *s, const clt__limits *limits, double *seconds, clt_error *error)
{
    clt__sizes sizes = op_of(s)->sizes;
    clt__launches launches;
    clt__find_launches(op_of(s)->row, &sizes, limits, &launches);
    for (int i = 0; i < s->count; i++)
        if (memcmp(&s->tried[i].sizes, &sizes, s->tape.op[0].sizes_bytes) == 0 &&
            clt__same_launches(&s->tried[i].launches, &launches))
            return CLT_OK;
    if (s->count == MOST_TRIED) return CLT_OK;
    s->tried[s->count].sizes = sizes;
    s->tried[s->count++].launches = launches;
    clt__engine *engine;
    TRY(open_with(s, limits, &engine, error));
    double measured;
    const clt_status status = time_engine(engine, &measured, error);
    if (status == CLT_OK) *seconds = measured;
    clt__engine_close(engine);
    return status;
}

/* ---- choosing */

/* One tunable after another, each with the best values found so far of those before it. Launches that the device cannot
 * run are no candidate, and no error. */
static void search(subject *s, clt__limits *best, double *seconds)
{
    for (const clt__tunable *t = clt__tunables; t->name; t++) {
        const int before = clt__tunable_get(t, best);
        for (int i = 0; i < t->values; i++) {
            double measured = 1e30;
            clt__limits other = *best;
            if (t->value[i] == before) continue;
            clt__tunable_set(t, &other, t->value[i]);
            if (time_with(s, &other, &measured, NULL) != CLT_OK) continue;
            if (measured >= worth * *seconds) continue;
            *seconds = measured;
            *best = other;
        }
    }
}

/* Times the two in turn, for the machine's mood changes while others are timed; and the faster must be right. */
static clt_status judge(const subject *s, const clt__limits *own, const clt__limits *best, clt_tune_row *row,
                        clt_error *error)
{
    clt__engine *engine[2] = {NULL, NULL};
    clt__verdict verdict = {.ok = true};
    clt_status status = open_with(s, own, &engine[0], error);
    if (status == CLT_OK) status = open_with(s, best, &engine[1], error);
    for (int i = 0; i < 2 * ROUNDS && status == CLT_OK; i++) {
        double seconds = 0, *least = i % 2 ? &row->after : &row->before;
        status = time_engine(engine[i % 2], &seconds, error);
        if (i < 2 || seconds < *least) *least = seconds;
    }
    if (status == CLT_OK && row->after < worth * row->before)
        status = clt__engine_verify(engine[1], 0, &verdict, error);
    if (status == CLT_OK && !verdict.ok)
        (void)snprintf(row->complaint, sizeof row->complaint, "%s: %s is %.9g and %.9g on the reference",
                       verdict.complaint, verdict.operand, verdict.device, verdict.reference);
    clt__engine_close(engine[0]);
    clt__engine_close(engine[1]);
    return status;
}

static void describe(const clt__limits *own, const clt__limits *best, char *text, size_t size)
{
    size_t length = 0;
    for (const clt__tunable *t = clt__tunables; t->name && length < size; t++)
        if (clt__tunable_get(t, best) != clt__tunable_get(t, own))
            length += (size_t)snprintf(text + length, size - length, "%s%s=%d", length ? " " : "", t->name,
                                       clt__tunable_get(t, best));
}

static clt_status tune_subject(subject *s, clt_tune_row *row, clt_error *error)
{
    clt_device *device = clt__engine_device(s->session->engine);
    const clt__limits own = clt__device_limits(device, s->key.precision);
    clt__limits best = own;
    TRY(clt__allocate(MOST_TRIED, sizeof *s->tried, "the plans that were timed", &s->tried, error));
    TRY(copy_tensors(s, error));
    TRY(time_with(s, &own, &row->before, error));
    row->after = row->before;
    search(s, &best, &row->after);
    char chosen[sizeof row->chosen] = "";
    describe(&own, &best, chosen, sizeof chosen);
    if (*chosen) TRY(judge(s, &own, &best, row, error));
    if (!*chosen || *row->complaint || !(row->after < worth * row->before)) {
        best = own;
        row->after = row->before;
        *chosen = 0;
    }
    memcpy(row->chosen, chosen, sizeof row->chosen);
    row->tried = s->count;
    return clt__tuning_choose(device, &s->key, &best, error);
}

/* Whether one of the tape's first `count` ops is the same to a tuning, which of ops with the same storage goes by op
 * and sizes. */
static bool is_among(const clt__op *op, const clt__tape *tape, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tape->op[i].row == op->row && memcmp(&tape->op[i].sizes, &op->sizes, op->sizes_bytes) == 0) return true;
    return false;
}

/* Whom the results are told. */
typedef struct audience {
    clt_tune_function report; /* may be NULL */
    void *user;
    clt__ticker ticker; /* counts ops of training and of inference */
    int64_t done;
} audience;

static clt_status tune_op(clt_session *session, size_t op, const audience *to, clt_error *error)
{
    subject s = {.session = session,
                 .op = op,
                 .key = clt__tuning_key_of(&session->net.tape, &session->net.tape.op[op], session->model->precision)};
    clt_tune_row row = {.op = s.key.op};
    memcpy(row.layer, session->net.tape.op[op].layer, sizeof row.layer);
    const clt_status status = tune_subject(&s, &row, error);
    if (status == CLT_OK && to->report && row.tried > 1) to->report(to->user, &row);
    free(s.tried);
    clt__tape_free(&s.tape);
    return status;
}

/* `before`: a session whose ops have been tuned already, or NULL. */
static clt_status tune_session(clt_session *session, const clt_session *before, audience *to, clt_error *error)
{
    const clt__tape *tape = &session->net.tape;
    TRY(clt__session_set_own_order(session, error));
    TRY(clt__session_run_batch(session, 0, session->batch, 0, clt__session_run_ops, NULL, error));
    for (size_t i = 0; i < session->net.end; i++) {
        const clt__op *op = &tape->op[i];
        if (is_among(op, tape, i) || (before && is_among(op, &before->net.tape, before->net.end))) continue;
        if (clt__engine_work(session->engine, i).ops != 1) continue; /* merged: alone it would be slower */
        TRY(tune_op(session, i, to, error));
        TRY(clt__ticker_tick(&to->ticker, ++to->done, error));
    }
    return CLT_OK;
}

/* Every tensor stays, so that each op finds its operands. */
static clt_status tune_on(const clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *given,
                          audience *to, clt_error *error)
{
    clt_options options = clt__options_default();
    options.batch_size = (int)data->count;
    options.storage = given->storage;
    clt_session *training, *inference = NULL;
    TRY(clt__session_open(model, device, data, &options, (clt__session_mode){.training = true, .keep_tensors = true},
                          &training, error));
    clt_status status = tune_session(training, NULL, to, error);
    if (status == CLT_OK)
        status = clt__session_open(model, device, data, &options,
                                   (clt__session_mode){.keep_tensors = true, .fold_norms = true}, &inference, error);
    if (status == CLT_OK) status = tune_session(inference, training, to, error);
    clt_session_close(training);
    clt_session_close(inference);
    return status;
}

static clt_status check_device(const clt_device *device, clt_error *error)
{
    char *path = clt__tuning_path(device);
    const bool is_kept = path;
    free(path);
    if (clt__device_is_reference(device))
        return FAIL(error, CLT_NO_DEVICE, "the reference has nothing to tune: choose an OpenCL device");
    if (!is_kept)
        return FAIL(error, CLT_BAD_FILE,
                    "there is no folder to keep what is tuned in: set CLTRAIN_CACHE_DIR to one that may be written");
    return CLT_OK;
}

clt_status clt_tune(const clt_model *model, clt_device *device, const clt_options *options, clt_tune_function report,
                    void *user, clt_error *error)
{
    clt_dataset *data;
    clt_options none;
    options = clt__options_or_default(options, &none);
    TRY(check_device(device, error));
    TRY(clt__random_dataset(model, options->batch_size, 1, 0, &data, error));
    audience to = {report, user, clt__ticker_start(options, "tune", 0), 0};
    clt_status status = tune_on(model, device, data, options, &to, error);
    clt__device_drop_programs(device);
    if (status == CLT_OK) status = clt__tuning_store(device, error);
    clt_dataset_close(data);
    return status;
}

clt_status clt_tune_forget(clt_device *device, clt_error *error)
{
    TRY(check_device(device, error));
    return clt__tuning_forget(device, error);
}

char *clt_tune_file(const clt_device *device)
{
    return clt__device_is_reference(device) ? NULL : clt__tuning_path(device);
}
