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
    int begin, end;          /* this rank's shards */
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

/* How many micro-batches a shard has. */
static int parts_of(const clt_session *session, const batch *b, int shard)
{
    const int images = clt__images_before(&session->options, shard + 1, b->images) -
                       clt__images_before(&session->options, shard, b->images);
    return (images + session->micro_batch - 1) / session->micro_batch;
}

/* The ops first <= op < end of the last micro-batch of a shard: what is finished is read at once. */
static clt_status run_and_read(clt_session *session, const batch *b, int shard, size_t first, size_t end,
                               clt_error *error)
{
    clt__gathering *gathering = session->gathering;
    size_t at = first;
    for (size_t i = 0; i < clt__gathering_buckets(gathering); i++) {
        const size_t op = clt__gathering_op(gathering, i);
        if (op <= first || op > end) continue; /* of the ops before, or behind */
        TRY(b->run(session, at, op, b->user, error));
        TRY(clt__gathering_read(gathering, shard - b->begin, i, error));
        at = op;
    }
    TRY(b->run(session, at, end, b->user, error));
    return end == session->net.gather ? clt__engine_flush(session->engine, error) : CLT_OK;
}

/* The ops first <= op < end of a shard's micro-batch number `part`. */
static clt_status run_part(clt_session *session, const batch *b, int shard, int part, size_t first, size_t end,
                           clt_error *error)
{
    const clt_options *o = &session->options;
    const int micro = session->micro_batch, done = clt__images_before(o, shard, b->images) + part * micro,
              left = clt__images_before(o, shard + 1, b->images) - done;
    const clt__placement p = {.first = position_of(session, b, done),
                              .valid = smaller(micro, left),
                              .slot = b->slot * o->shards + shard,
                              .whole = b->whole,
                              .part = part,
                              .before = done - b->skipped};
    TRY(clt__session_place(session, &p, error));
    return session->gathering && !o->local_steps && left <= micro ? run_and_read(session, b, shard, first, end, error)
                                                                  : b->run(session, first, end, b->user, error);
}

static clt_status run_shard(clt_session *session, const batch *b, int shard, clt_error *error)
{
    for (int part = 0; part < parts_of(session, b, shard); part++)
        TRY(run_part(session, b, shard, part, 0, session->net.gather, error));
    return CLT_OK;
}

/* Behind this rank's last shard that has images. */
static int filled_end(const clt_session *session, const batch *b)
{
    return smaller(b->end, clt__filled_shards(&session->options, b->images));
}

/* ---- shards that wait for each other */

/* What shards do of their micro-batches number `part`, from an op up to the next sync, which may be NULL. */
static clt_status run_to_sync(clt_session *session, const batch *b, int part, size_t first, const clt__sync *sync,
                              clt_error *error)
{
    for (int shard = b->begin; shard < b->end; shard++) {
        if (part >= parts_of(session, b, shard)) continue;
        clt__engine_use_bank(session->engine, shard - b->begin);
        TRY(run_part(session, b, shard, part, first, sync ? sync->op : session->net.gather, error));
        if (sync) TRY(clt__syncs_read(session->syncs, sync, shard - b->begin, error));
    }
    return sync ? clt__syncs_end(session->syncs, sync, error) : CLT_OK;
}

/* Of the shard that has most, on whichever rank. */
static int most_parts(const clt_session *session, const batch *b)
{
    int most = 0;
    for (int shard = 0; shard < session->options.shards; shard++) {
        const int parts = parts_of(session, b, shard);
        if (parts > most) most = parts;
    }
    return most;
}

/* All go side by side, micro-batch by micro-batch. */
static clt_status run_side_by_side(clt_session *session, const batch *b, clt_error *error)
{
    const clt__tape *tape = &session->net.tape;
    const int parts = most_parts(session, b);
    for (int part = 0; part < parts; part++) {
        size_t first = 0;
        for (size_t i = 0; i < tape->sync_count; i++) {
            TRY(run_to_sync(session, b, part, first, &tape->sync[i], error));
            first = tape->sync[i].op;
        }
        TRY(run_to_sync(session, b, part, first, NULL, error));
    }
    return CLT_OK;
}

/* ---- gathering */

/* What gathers shards, and what comes after it, takes the shard's number for the part. */
static clt_status place_gathering(clt_session *session, const batch *b, int shard, clt_error *error)
{
    const clt__placement p = {.slot = b->slot, .whole = b->whole, .part = shard, .gathers = true};
    return session->options.shards > 1 ? clt__session_place(session, &p, error) : CLT_OK;
}

/* This rank's shards are all that is gathered. */
static clt_status run_alone(clt_session *session, const batch *b, clt_error *error)
{
    if (session->syncs) TRY(run_side_by_side(session, b, error));
    for (int shard = b->begin; shard < filled_end(session, b); shard++) {
        if (session->syncs)
            clt__engine_use_bank(session->engine, shard - b->begin);
        else
            TRY(run_shard(session, b, shard, error));
        TRY(place_gathering(session, b, shard - b->begin, error));
        TRY(b->run(session, session->net.gather, session->net.unscale, b->user, error));
    }
    return CLT_OK;
}

/* Shard after shard: the next one's ops come after what is read of the one before. */
static clt_status run_in_turn(clt_session *session, const batch *b, clt_error *error)
{
    for (int shard = b->begin; shard < filled_end(session, b); shard++) {
        if (shard > b->begin) TRY(clt__gathering_join(session->gathering, shard - b->begin - 1, error));
        TRY(run_shard(session, b, shard, error));
    }
    return CLT_OK;
}

static clt_status run_with_others(clt_session *session, const batch *b, clt_error *error)
{
    const int filled = clt__filled_shards(&session->options, b->images);
    TRY(session->syncs ? run_side_by_side(session, b, error) : run_in_turn(session, b, error));
    TRY(clt__gathering_end(session->gathering, filled, error));
    return place_gathering(session, b, filled - 1, error);
}

/* This rank's images of the batch are a batch of their own. A rank without any in a short one leaves the step out. */
static clt_status run_by_itself(clt_session *session, batch *b, clt_error *error)
{
    const clt_options *o = &session->options;
    const int before = clt__images_before(o, b->begin, b->images);
    b->whole = clt__images_before(o, b->end, b->images) - before;
    b->skipped = clt__images_take_others(o) ? before : 0; /* others are this rank's */
    if (b->whole) {
        TRY(run_alone(session, b, error));
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
    clt__own_shards(&session->options, &b.begin, &b.end);
    if (session->gathering && session->options.local_steps) return run_by_itself(session, &b, error);
    const clt_status status = session->gathering ? run_with_others(session, &b, error) : run_alone(session, &b, error);
    clt__engine_use_bank(session->engine, 0); /* also where it failed: parameters are read there */
    if (status != CLT_OK) return status;
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
