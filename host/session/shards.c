/* A step: shard by shard, each in micro-batches, and what is gathered of them. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/loss_scale.h"
#include "session/session.h"
#include "session/steps.h"
#include "team/team.h"

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* ---- a batch */

typedef struct batch {
    int first, images, slot; /* its place in the order and in the history */
    int whole;               /* images whose losses' mean is made small */
    int skipped;             /* of those before an image: not counted */
    clt__run_ops run;
    void *user;
} batch;

/* Where image `at` of the batch is in the feed's order. */
static int position_of(const clt_session *session, const batch *b, int at)
{
    const clt__own_images own = clt__own_images_of(&session->options);
    if (!session->is_parted) return b->first + at;
    return b->first / session->options.batch_size * (own.end - own.begin) + at - own.begin;
}

/* The ops of a shard's last micro-batch, this rank's shard number `own`: what is finished is read at once. */
static clt_status run_and_read(clt_session *session, const batch *b, int own, clt_error *error)
{
    clt__gathering *gathering = session->gathering;
    size_t at = 0;
    for (size_t i = 0; i < clt__gathering_buckets(gathering); i++) {
        const size_t op = clt__gathering_op(gathering, i);
        TRY(b->run(session, at, op, b->user, error));
        TRY(clt__gathering_read(gathering, own, i, error));
        at = op;
    }
    TRY(b->run(session, at, session->net.gather, b->user, error));
    return clt__engine_flush(session->engine, error);
}

/* `own`: this rank's number for the shard. */
static clt_status run_shard(clt_session *session, const batch *b, int shard, int own, clt_error *error)
{
    const clt_options *o = &session->options;
    const int begin = clt__images_before(o, shard, b->images), end = clt__images_before(o, shard + 1, b->images),
              micro = session->micro_batch;
    clt__placement p = {.slot = b->slot * o->shards + shard, .whole = b->whole};
    for (int done = begin; done < end; done += micro, p.part++) {
        p.first = position_of(session, b, done);
        p.before = done - b->skipped;
        p.valid = smaller(micro, end - done);
        TRY(clt__session_place(session, &p, error));
        if (session->gathering && !o->local_steps && done + micro >= end)
            TRY(run_and_read(session, b, own, error));
        else
            TRY(b->run(session, 0, session->net.gather, b->user, error));
    }
    return CLT_OK;
}

/* What gathers shards, and what comes after it, takes the shard's number for the part. */
static clt_status place_gathering(clt_session *session, const batch *b, int shard, clt_error *error)
{
    const clt__placement p = {.slot = b->slot, .whole = b->whole, .part = shard, .gathers = true};
    return session->options.shards > 1 ? clt__session_place(session, &p, error) : CLT_OK;
}

/* Shards from `begin` to before `end` are all that is gathered. */
static clt_status run_alone(clt_session *session, const batch *b, int begin, int end, clt_error *error)
{
    for (int shard = begin; shard < smaller(end, clt__filled_shards(&session->options, b->images)); shard++) {
        TRY(run_shard(session, b, shard, shard - begin, error));
        TRY(place_gathering(session, b, shard - begin, error));
        TRY(b->run(session, session->net.gather, session->net.unscale, b->user, error));
    }
    return CLT_OK;
}

static clt_status run_with_others(clt_session *session, const batch *b, clt_error *error)
{
    const int filled = clt__filled_shards(&session->options, b->images);
    int begin, end;
    clt__own_shards(&session->options, &begin, &end);
    for (int shard = begin; shard < smaller(end, filled); shard++) {
        if (shard > begin) TRY(clt__gathering_join(session->gathering, shard - begin - 1, error));
        TRY(run_shard(session, b, shard, shard - begin, error));
    }
    TRY(clt__gathering_end(session->gathering, filled, error));
    return place_gathering(session, b, filled - 1, error);
}

/* This rank's images of the batch are a batch of their own. A rank without any in a short one leaves the step out. */
static clt_status run_by_itself(clt_session *session, batch *b, clt_error *error)
{
    const clt_options *o = &session->options;
    int begin, end;
    clt__own_shards(o, &begin, &end);
    const int before = clt__images_before(o, begin, b->images);
    b->whole = clt__images_before(o, end, b->images) - before;
    b->skipped = clt__images_take_others(o) ? before : 0; /* others are this rank's */
    if (b->whole) {
        TRY(run_alone(session, b, begin, end, error));
        TRY(clt__loss_unscale(session, b->run, b->user, error));
        TRY(clt__session_run_update(session, b->run, b->user, error));
    }
    return session->meets ? clt__gathering_average(session->gathering, error) : CLT_OK;
}

clt_status clt__session_run_batch(clt_session *session, int first, int valid, int slot, clt__run_ops run, void *user,
                                  clt_error *error)
{
    batch b = {.first = first, .images = valid, .whole = valid, .slot = slot, .run = run, .user = user};
    session->images_of_slot[slot] = valid;
    if (session->gathering && session->options.local_steps) return run_by_itself(session, &b, error);
    TRY(session->gathering ? run_with_others(session, &b, error)
                           : run_alone(session, &b, 0, session->options.shards, error));
    TRY(clt__loss_unscale(session, run, user, error));
    if (session->measures) TRY(run(session, session->net.measure, session->net.update, user, error));
    return clt__session_run_update(session, run, user, error);
}

/* ---- what it came to */

/* [steps][shards]: of each shard the row that its own rank has. */
static void take_rows(const clt_options *o, int steps, const double *all, double *history)
{
    const size_t shards = (size_t)o->shards, slots = (size_t)steps;
    for (int r = 0; r < o->collective->size; r++) {
        const size_t begin = clt__team_begin_of(o->collective, shards, r),
                     own = clt__team_begin_of(o->collective, shards, r + 1) - begin;
        for (size_t i = 0; i < slots; i++) {
            const size_t at = (i * shards + begin) * HISTORY_LENGTH;
            memcpy(history + at, all + (size_t)r * slots * shards * HISTORY_LENGTH + at,
                   own * HISTORY_LENGTH * sizeof *history);
        }
    }
}

static clt_status gather_history(const clt_options *o, int steps, double *history, clt_error *error)
{
    const size_t bytes = (size_t)steps * (size_t)o->shards * HISTORY_LENGTH * sizeof *history;
    double *all;
    TRY(clt__allocate((uint64_t)o->collective->size, bytes, "losses of all ranks", &all, error));
    const clt_status status = clt__team_gather(o->collective, history, bytes, all, error);
    if (status == CLT_OK) take_rows(o, steps, all, history);
    free(all);
    return status;
}

static clt__tally tally_of(const clt_options *o, const double *rows, int images)
{
    clt__tally tally = {0};
    for (int s = 0; s < clt__filled_shards(o, images); s++) {
        tally.loss += rows[s * HISTORY_LENGTH + HISTORY_LOSS];
        tally.hits += rows[s * HISTORY_LENGTH + HISTORY_HITS];
    }
    return tally;
}

clt_status clt__session_read_tallies(clt_session *session, int steps, clt__tally *tally, clt_error *error)
{
    const clt_options *o = &session->options;
    const int count = steps * o->shards * HISTORY_LENGTH;
    double *history;
    TRY(clt__allocate((uint64_t)count, sizeof *history, "losses of shards", &history, error));
    clt_status status = clt__engine_read(session->engine, session->net.history, 0, count, history, error);
    if (status == CLT_OK && session->gathering) status = gather_history(o, steps, history, error);
    for (int i = 0; i < steps && status == CLT_OK; i++)
        tally[i] = tally_of(o, history + i * o->shards * HISTORY_LENGTH, session->images_of_slot[i]);
    free(history);
    return status;
}
