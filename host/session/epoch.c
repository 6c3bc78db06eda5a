/* The steps of an epoch, and what is known of them when it ends. */
#include <inttypes.h>
#include <math.h>

#include "session/loss_scale.h"
#include "session/schedule.h"
#include "session/session.h"
#include "session/steps.h"

int64_t clt__session_steps(const clt_session *session)
{
    return clt__epoch_steps(&session->options, session->data->count);
}

/* ---- beginning */

clt_status clt__check_position(const clt_session *session, clt_error *error)
{
    const int64_t step = session->state.step, steps = clt__session_steps(session);
    const clt_options old = clt__resolve_options(&session->model->options), *fresh = &session->options;
    if (step && fresh->batch_size != old.batch_size)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the checkpoint stands in the middle of an epoch of batches of %d images: it "
                    "goes on with those, not with %d",
                    old.batch_size, fresh->batch_size);
    if (step && (fresh->seed != old.seed || fresh->shuffle != old.shuffle || fresh->val_split != old.val_split))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the checkpoint stands in the middle of an epoch whose order of images came from the seed %" PRIu64
                    ", %s shuffling and a held-out share of %g: it goes on with those",
                    old.seed, old.shuffle ? "with" : "without", old.val_split);
    if (step > steps)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the checkpoint stands at step %" PRId64 " of its epoch, %s has %" PRId64 " steps of %d images",
                    step, session->data->name, steps, fresh->batch_size);
    if (step && session->state.images && session->state.images != (int64_t)session->data->count)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the checkpoint stands in the middle of an epoch of %" PRId64 " images, %s has %zu",
                    session->state.images, session->data->name, session->data->count);
    return CLT_OK;
}

clt_status clt__session_commit(clt_session *session, clt_error *error)
{
    clt_model *model = session->trained;
    if (session->committed) return CLT_OK;
    TRY(clt__remember_options(model, session->given, error));
    if (!model->class_names.count) TRY(clt__names_copy(&session->data->class_names, &model->class_names, error));
    session->committed = true;
    return CLT_OK;
}

/* Only a session that trains on a data set has epochs. */
static clt_status check_epochs(const clt_session *session, clt_error *error)
{
    TRY(clt__session_stands(session, error));
    if (session->trained && !session->batch_data) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "only a session that trains on a data set has epochs");
}

clt_status clt_session_begin_epoch(clt_session *session, clt_error *error)
{
    TRY(check_epochs(session, error));
    TRY(clt__check_position(session, error));
    TRY(clt__session_commit(session, error));
    session->stage = CLT__NO_BATCH;
    TRY(clt__session_refreeze(session, error));
    TRY(clt__session_set_epoch_order(session, &session->options, session->state.epoch, error));
    session->in_epoch = true;
    return CLT_OK;
}

int64_t clt_session_epoch_steps(const clt_session *session)
{
    return session->trained && !session->batch_data ? clt__session_steps(session) : 0;
}

/* ---- running and reading */

static int step_images(const clt_session *session, int64_t step)
{
    return clt__step_images(&session->options, session->data->count, step);
}

static double rate_of(const clt_session *session, int64_t step)
{
    return clt__learning_rate(&session->options, &session->state, step, clt__session_steps(session));
}

static bool measures(const clt_session *session, int64_t step)
{
    const bool has_whole = !(session->gathering && session->options.local_steps);
    return session->net.norms >= 0 && has_whole && step % NORM_STEPS == 0;
}

bool clt__session_meets(const clt_session *session, int64_t step)
{
    const int every = session->options.local_steps;
    return !session->gathering || !every || (step + 1) % every == 0 || step + 1 == clt__session_steps(session);
}

clt_status clt__session_run_step(clt_session *session, int64_t step, clt__run_ops run, void *user, clt_error *error)
{
    session->stage = CLT__NO_BATCH;
    session->number = session->state.total_steps + session->pending + 1;
    session->rate = rate_of(session, step);
    session->measures = measures(session, step);
    session->meets = clt__session_meets(session, step);
    const clt_status status = clt__session_run_batch(session, (int)clt__first_image(&session->options, step),
                                                     step_images(session, step), session->pending, run, user, error);
    session->measures = false; /* what else runs is no step of an epoch */
    TRY(status);
    session->pending++;
    return CLT_OK;
}

/* `norm`: of its gradient, NaN where that was not measured. */
static clt_status take_step(clt_session *session, const clt__tally *tally, double norm, clt__take_step take, void *user,
                            clt_error *error)
{
    clt__training_state *s = &session->state;
    const int images = step_images(session, s->step);
    const clt__step_figures figures = {.loss = tally->loss / images, .rate = rate_of(session, s->step), .norm = norm};
    if (isnan(figures.loss)) return FAIL(error, CLT_DIVERGED, "the loss is not a number");
    if (isinf(figures.loss)) return FAIL(error, CLT_DIVERGED, "the loss is infinite");
    s->step++;
    s->images = (int64_t)session->data->count;
    s->total_steps++;
    s->loss_sum += tally->loss;
    s->hits += tally->hits;
    s->seen += images;
    if (isfinite(figures.norm)) {
        s->norm_sum += figures.norm;
        s->norms++;
    }
    return take ? take(user, &figures, error) : CLT_OK;
}

clt_status clt__session_read_steps(clt_session *session, clt__take_step take, void *user, clt_error *error)
{
    clt__tally tally[CLT__HISTORY_SLOTS];
    double norms[CLT__HISTORY_SLOTS / NORM_STEPS];
    const int pending = session->pending;
    if (!pending) return CLT_OK;
    session->pending = 0;
    TRY(clt__session_read_tallies(session, pending, tally, error));
    if (session->net.norms >= 0)
        TRY(clt__engine_read(session->engine, session->net.norms, 0, (pending + NORM_STEPS - 1) / NORM_STEPS, norms,
                             error));
    for (int i = 0; i < pending; i++) {
        const double norm = measures(session, session->state.step) ? norms[i / NORM_STEPS] : NAN;
        TRY(take_step(session, &tally[i], norm, take, user, error));
    }
    return CLT_OK;
}

bool clt_session_has_step(const clt_session *session)
{
    return session->state.step + session->pending < clt_session_epoch_steps(session);
}

clt_status clt_session_next_step(clt_session *session, clt_error *error)
{
    TRY(check_epochs(session, error));
    if (!session->in_epoch) return FAIL(error, CLT_BAD_ARGUMENT, "clt_session_begin_epoch comes first");
    if (!clt_session_has_step(session))
        return FAIL(error, CLT_BAD_ARGUMENT, "the epoch has no further step: clt_session_end_epoch ends it");
    if (session->pending == clt__history_slots(session->options.shards))
        TRY(clt__session_read_steps(session, NULL, NULL, error));
    return clt__session_run_step(session, session->state.step + session->pending, clt__session_run_ops, NULL, error);
}

clt_status clt_session_figures(clt_session *session, double *loss, double *accuracy, clt_error *error)
{
    const clt__training_state *s = &session->state;
    TRY(check_epochs(session, error));
    TRY(clt__session_read_steps(session, NULL, NULL, error));
    *loss = s->seen ? s->loss_sum / (double)s->seen : NAN;
    *accuracy = s->seen && session->data->labels ? s->hits / (double)s->seen : NAN;
    return CLT_OK;
}

/* ---- ending */

void clt__session_close_epoch(clt_session *session, double loss, bool *best)
{
    clt__training_state *s = &session->state;
    *best = loss < s->validation.best;
    if (*best) s->validation.best = loss;
    s->validation.stale = *best ? 0 : s->validation.stale + 1;
    clt__schedule_follow(&session->options, loss, s);
    clt__loss_scale_tell(session);
    session->in_epoch = false;
    s->epoch++;
    s->step = s->seen = s->norms = 0;
    s->loss_sum = s->hits = s->norm_sum = 0;
    session->trained->state = *s;
}

clt_status clt_session_end_epoch(clt_session *session, double validation_loss, bool *best, clt_error *error)
{
    double loss, accuracy;
    bool unread;
    TRY(clt_session_figures(session, &loss, &accuracy, error));
    if (clt_session_has_step(session))
        return FAIL(error, CLT_BAD_ARGUMENT, "the epoch is not over: step %" PRId64 " of %" PRId64 " comes next",
                    session->state.step + 1, clt__session_steps(session));
    TRY(clt_session_store(session, error));
    clt__session_close_epoch(session, isnan(validation_loss) ? loss : validation_loss, best ? best : &unread);
    return CLT_OK;
}
