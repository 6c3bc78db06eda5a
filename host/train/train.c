/* The training loop. Steps are enqueued without waiting; the host reads the history of their losses only now and then:
 * when a tenth of a second's worth of steps is under way, at checkpoints, and at the end of an epoch. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "device/probe.h"
#include "formats/events.h"
#include "session/answers.h"
#include "session/steps.h"
#include "team/team.h"
#include "train/trainer.h"

/* Why something is not finite. All ranks see that it is not, and compute again; one that cannot does not wait for the
 * others, which may be anywhere in that. */
static clt_status explain(clt__trainer *t, int64_t bad, const char *happened, clt_error *error)
{
    const clt_status cause = clt__triage(t, bad, happened, error);
    if (cause != CLT_MISMATCH && cause != CLT_DIVERGED) return cause;
    return clt_collective_agree(t->options->collective, cause, error);
}

/* Brings the host's model up to date, if it can go on from there. */
static clt_status download(clt__trainer *t, clt_error *error)
{
    bool finite;
    TRY(clt__session_is_finite(t->session, &finite, error));
    TRY(clt__team_all(t->options->collective, &finite, error)); /* who looks for the cause takes all along */
    if (!finite) return explain(t, t->session->state.step - 1, "a parameter is no longer a finite number", error);
    return clt_session_store(t->session, error);
}

/* The model as it is now, on the host and as last.safetensors. */
static clt_status checkpoint(clt__trainer *t, clt_error *error)
{
    TRY(download(t, error));
    return clt__folder_save(t, error);
}

/* ---- reading what the device has done */

static clt_status take_step(void *trainer, const clt__step_figures *figures, clt_error *error)
{
    return clt__logs_step(trainer, figures, error);
}

/* Waits for the steps under way. Then finds how many to enqueue before the next reading, so that one comes about every
 * tenth of a second. */
static clt_status read_history(clt__trainer *t, clt_error *error)
{
    clt_error wrong;
    const int pending = t->session->pending;
    const clt_status status = clt__session_read_steps(t->session, take_step, t, &wrong);
    if (status == CLT_DIVERGED) return explain(t, t->session->state.step, wrong.message, error);
    if (status != CLT_OK) return clt__pass_on(&wrong, error);
    if (!pending) return CLT_OK;
    TRY(clt__logs_flush(t, error));
    const double now = clt__seconds(), each = (now - t->last_reading) / pending;
    t->last_reading = now;
    const int most = clt__history_slots(t->session->options.shards);
    const double wanted = each > 0 ? 0.1 / each : most;
    t->wanted = wanted < 1 ? 1 : wanted > most ? most : (int)wanted;
    return CLT_OK;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static clt_progress progress_now(const clt__trainer *t)
{
    const clt__training_state *s = &t->session->state;
    return (clt_progress){.what = "train",
                          .done = s->step,
                          .total = t->steps,
                          .epoch = s->epoch + 1,
                          .epochs = t->options->epochs,
                          .step = (int)s->step,
                          .steps = (int)t->steps,
                          .loss = share(s->loss_sum, (double)s->seen),
                          .accuracy = t->session->data->labels ? share(s->hits, (double)s->seen) : NAN,
                          .learning_rate = t->session->rate,
                          .micro_batch_size = t->session->micro_batch,
                          .seconds = clt__seconds() - t->epoch_began,
                          .validation_loss = NAN,
                          .validation_accuracy = NAN};
}

/* Tells how far it is. Whether the training goes on, and whether a checkpoint is wanted. */
static clt_status ask(clt__trainer *t, clt_progress *progress, bool *on, bool *save, clt_error *error)
{
    *save = false;
    progress->save = save;
    *on = !t->options->progress || t->options->progress(t->options->progress_user, progress);
    return clt__agree_to_go_on(t, on, save, error);
}

/* ---- one step */

static bool is_due(int64_t number, int64_t every)
{
    return every && number % every == 0;
}

/* The first step on a driver that nobody has tried. */
static clt_status run_proving_step(clt__trainer *t, int64_t step, clt_error *error)
{
    const clt_device *device = clt__engine_device(t->session->engine);
    const clt_device_info *info = clt_device_describe(device);
    clt__options_note(
        t->options,
        "cltrain does not know the driver of device %s (%s %s): the first step is verified, as --check-every "
        "does, which --trust leaves out",
        info->id, info->platform, info->driver);
    TRY(clt__session_run_step(t->session, step, clt__check_ops, t, error));
    t->proves = false;
    if (t->options->on_mismatch != CLT__WARN) clt__driver_verified(device, t->model->precision);
    return CLT_OK;
}

/* A step, checked where it is due. */
static clt_status run_next_step(clt__trainer *t, int64_t step, clt_error *error)
{
    const clt_session *session = t->session;
    if (clt__device_is_reference(clt__engine_device(session->engine)))
        return clt__session_run_step(t->session, step, clt__session_run_ops, t, error);
    if (t->proves) return run_proving_step(t, step, error);
    const bool check = is_due(session->state.total_steps + session->pending + 1, t->options->check_every);
    return clt__session_run_step(t->session, step, check ? clt__check_ops : clt__session_run_ops, t, error);
}

/* ---- one epoch */

static clt_status stop_here(clt__trainer *t, clt_error *error)
{
    TRY(checkpoint(t, error));
    return FAIL(error, CLT_STOPPED, "stopped in epoch %d after step %" PRId64 " of %" PRId64,
                t->session->state.epoch + 1, t->session->state.step, t->steps);
}

static void note_saved(const clt__trainer *t)
{
    const clt__training_state *s = &t->session->state;
    clt__options_note(t->options, "%s after %" PRId64 " steps, in epoch %d",
                      t->options->output_dir ? "a checkpoint was written" : "there is no folder for a checkpoint",
                      s->total_steps, s->epoch + (s->step > 0));
}

/* Writes a checkpoint that the progress function asks for; ends the training where it says so. */
static clt_status tell(clt__trainer *t, clt_error *error)
{
    bool on, save;
    clt_progress progress = progress_now(t);
    TRY(ask(t, &progress, &on, &save, error));
    if (!on) return stop_here(t, error);
    if (!save) return CLT_OK;
    TRY(checkpoint(t, error));
    note_saved(t);
    return CLT_OK;
}

static clt_status run_steps(clt__trainer *t, clt_error *error)
{
    t->epoch_began = t->last_reading = clt__seconds();
    t->seen_before = t->session->state.seen;
    t->stepped = t->session->state.step < t->steps;
    bool saves = false;
    for (int64_t step = t->session->state.step; step < t->steps; step++) {
        TRY(run_next_step(t, step, error));
        saves = saves || is_due(t->session->state.total_steps + t->session->pending, t->options->save_every);
        const bool last = step + 1 == t->steps, meets = clt__session_meets(t->session, step);
        const bool full = t->session->pending == clt__history_slots(t->session->options.shards);
        if (!full && !last && !(meets && (saves || t->session->pending >= t->in_flight))) continue;
        TRY(read_history(t, error));
        if (last || !meets) continue;
        if (saves) TRY(checkpoint(t, error));
        saves = false;
        TRY(tell(t, error));
    }
    return CLT_OK;
}

/* Whether weights would help: it has fewer than half as many training images as classes have on average. */
static bool is_rare(const clt__trainer *t, int class)
{
    const clt_dataset *data = t->training_data;
    size_t images = 0;
    for (size_t i = 0; i < data->count; i++) images += data->labels[i] == class;
    return t->options->class_weights.how == CLT__EQUAL && 2 * images * (size_t)data->classes < data->count;
}

/* Of a net that has been trained to the end: classes that it does not take a single image for. */
static void note_unseen_classes(const clt__trainer *t, const clt_evaluation *evaluation)
{
    const int classes = clt_evaluation_classes(evaluation);
    int unseen = 0, first = -1;
    for (int said = 0; said < classes; said++) {
        uint64_t as_class = 0, of_class = 0;
        for (int other = 0; other < classes; other++) {
            as_class += clt_evaluation_confused(evaluation, other, said);
            of_class += clt_evaluation_confused(evaluation, said, other);
        }
        if (as_class || !of_class) continue;
        if (!unseen++) first = said;
    }
    if (!unseen) return;
    const char *name = clt_model_class_name(t->model, first);
    clt__options_note(t->options, "no validation image was taken for class %d%s%s%s%s, though there are some%s%s",
                      first, name ? " (" : "", name ? name : "", name ? ")" : "", unseen > 1 ? " and others" : "",
                      t->options->output_dir ? ": cltrain report shows what they were taken for" : "",
                      is_rare(t, first) ? "; --class-weights balanced helps rare classes" : "");
}

static clt_status validate(clt__trainer *t, clt_progress *progress, clt_error *error)
{
    clt_evaluation_close(t->evaluation);
    t->evaluation = NULL;
    if (!t->validation) return CLT_OK;
    TRY(clt_session_load(t->validation, error));
    const clt_status status = clt_session_evaluate(t->validation, t->options, &t->evaluation, error);
    if (status == CLT_STOPPED) return stop_here(t, error); /* a resumed run validates again */
    TRY(status);
    progress->validation_loss = clt_evaluation_loss(t->evaluation);
    progress->validation_accuracy = clt_evaluation_accuracy(t->evaluation);
    if (t->session->state.epoch + 1 == t->options->epochs) note_unseen_classes(t, t->evaluation);
    return CLT_OK;
}

/* What the epoch's steps came to; the rest follows when it is closed. */
static clt__epoch_row row_of_steps(const clt__trainer *t)
{
    const clt__training_state *s = &t->session->state;
    return (clt__epoch_row){.epoch = s->epoch + 1,
                            .step = s->total_steps,
                            .images_per_second =
                                share((double)(s->seen - t->seen_before), t->last_reading - t->epoch_began),
                            .gradient_norm = share(s->norm_sum, (double)s->norms)};
}

static void complete_row(const clt_progress *p, clt__epoch_row *row)
{
    row->loss = p->loss;
    row->accuracy = p->accuracy;
    row->validation_loss = p->validation_loss;
    row->validation_accuracy = p->validation_accuracy;
    row->rate = p->learning_rate;
    row->seconds = p->seconds;
    row->time = clt__time();
    row->best = p->best;
}

static void close_epoch(clt__trainer *t, clt_progress *progress)
{
    clt__session_close_epoch(t->session, t->validation ? progress->validation_loss : progress->loss, &progress->best);
    progress->epoch_ended = true;
    progress->seconds = clt__seconds() - t->epoch_began;
}

static clt_status run_epoch(clt__trainer *t, clt_error *error)
{
    TRY(clt_session_begin_epoch(t->session, error));
    TRY(run_steps(t, error));
    clt_progress progress = progress_now(t);
    clt__epoch_row row = row_of_steps(t);
    TRY(download(t, error));
    TRY(validate(t, &progress, error));
    close_epoch(t, &progress);
    complete_row(&progress, &row);
    TRY(clt__folder_epoch(t, &row, error)); /* with a checkpoint */
    bool on, save;
    TRY(ask(t, &progress, &on, &save, error));
    if (save) note_saved(t);
    if (on) return CLT_OK;
    return FAIL(error, CLT_STOPPED, "stopped after epoch %d", t->session->state.epoch);
}

/* ---- all of it */

static clt_status open_validation(clt__trainer *t, clt_device *device, clt_error *error)
{
    const clt_dataset *validation = t->validation_data;
    if (!validation) return CLT_OK;
    const clt_dataset chosen = clt__choose_answers(t->model, validation);
    if (!chosen.targets != !t->session->data->targets)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s and %s should both have labels, or both real targets",
                    t->session->data->name, validation->name);
    TRY(clt__check_targets(t->model, validation, error));
    return clt_session_open_inference(t->model, device, validation, t->options, &t->validation, error);
}

/* A training does not fail for want of it. */
static clt_status open_watch(clt__trainer *t, clt_device *device, clt_error *error)
{
    const clt_dataset *data = t->validation_data ? t->validation_data : t->training_data;
    clt_error why;
    const clt_status status = clt__layer_watch_open(t->model, device, data, t->options->workers, &t->watch, &why);
    if (status != CLT_NO_MEMORY) return status == CLT_OK ? CLT_OK : clt__pass_on(&why, error);
    clt__options_note(t->options, "the report will not tell what layers gave over time: %s", why.message);
    return CLT_OK;
}

static clt_status open_sessions(clt__trainer *t, clt_device *device, clt_error *error)
{
    /* Who tells the gradient's norm. */
    const bool measures = t->options->output_dir || t->options->json_log || t->options->tensorboard;
    const clt__session_mode mode = {.training = true, .measures = measures};
    TRY(clt__session_open_training(t->model, device, t->training_data, t->given, mode, &t->session, error));
    TRY(open_validation(t, device, error));
    return t->options->report && t->options->output_dir ? open_watch(t, device, error) : CLT_OK;
}

static void close_sessions(clt__trainer *t)
{
    clt_session_close(t->session);
    clt_session_close(t->validation);
    clt__layer_watch_close(t->watch);
    t->watch = NULL;
    t->session = t->validation = NULL;
}

/* The device was found to be wrong: the reference goes on from the last checkpoint, on disk or (at the beginning and
 * after each epoch) in memory alone. */
static clt_status fall_back(clt__trainer *t, const clt_error *why, clt_error *error)
{
    const clt__training_state *from = &t->model->state;
    char note[sizeof why->message];
    (void)snprintf(note, sizeof note, "%.3800s; the reference goes on after step %" PRId64 " of epoch %d", why->message,
                   from->step, from->epoch + 1);
    clt__device_note(clt__engine_device(t->session->engine), note);
    close_sessions(t);
    TRY(clt_device_open("reference", &t->fallback, error));
    TRY(open_sessions(t, t->fallback, error));
    t->in_flight = 1;
    TRY(clt__logs_close(t, error));
    return clt__logs_open(t, error);
}

static clt_status run_epochs(clt__trainer *t, clt_error *error)
{
    clt_error wrong;
    if (t->session->state.epoch >= t->options->epochs) return clt__folder_save(t, error); /* --epochs 0 */
    const int patience = t->options->patience;
    while (t->session->state.epoch < t->options->epochs &&
           !(patience && t->session->state.validation.stale >= patience)) {
        const bool falls_back = t->options->on_mismatch == CLT__REFERENCE && !t->fallback;
        const clt_status status = run_epoch(t, falls_back ? &wrong : error);
        if (falls_back && status == CLT_MISMATCH)
            TRY(fall_back(t, &wrong, error));
        else if (status != CLT_OK)
            return falls_back ? clt__pass_on(&wrong, error) : status;
    }
    return CLT_OK;
}

static void note_monotony(const clt__trainer *t)
{
    enum { LOOKED_AT = 256 };
    const clt_dataset *data = t->training_data;
    if (clt__dataset_is_monotonous(data, LOOKED_AT))
        clt__options_note(t->options, "the first %zu training images are all the same: nothing can be learned of them",
                          data->count < LOOKED_AT ? data->count : (size_t)LOOKED_AT);
}

static void note_lone_norms(const clt__trainer *t)
{
    if (t->options->sync_batchnorm && !t->session->syncs)
        clt__options_note(t->options, "sync_batchnorm changes nothing: %s",
                          t->session->options.shards > 1 ? "the net has no batch normalisation that is trained"
                                                         : "the batch is not cut into shards");
}

/* What may fail before the first step. */
static clt_status open(clt__trainer *t, clt_device *device, clt_error *error)
{
    note_monotony(t);
    if (t->options->tensorboard) TRY(clt__events_check(t->options->tensorboard, error));
    TRY(clt__check_class_names(t->model, t->training_data, error));
    TRY(open_sessions(t, device, error));
    note_lone_norms(t);
    t->steps = clt__session_steps(t->session);
    t->proves =
        !t->options->trust && !clt__device_is_reference(device) && !clt__driver_is_trusted(device, t->model->precision);
    TRY(clt__check_position(t->session, error));
    TRY(clt__folder_open(t, error));
    TRY(clt__logs_open(t, error));
    return clt__session_commit(t->session, error);
}

static clt_status train(clt__trainer *t, clt_device *device, clt_error *error)
{
    TRY(clt_collective_agree(t->options->collective, open(t, device, error), error));
    TRY(clt__check_alike(t, error));
    TRY(run_epochs(t, error));
    return clt__logs_end(t, error);
}

/* What is trained on, and what is held out of it; each is the caller's then, or NULL. */
static clt_status divide(const clt_model *model, const clt_dataset *training, const clt_options *options, bool hold_out,
                         clt_dataset **kept, clt_dataset **held_out, clt_error *error)
{
    TRY(clt__check_options(options, model->input.channels, error)); /* val_split, before it is obeyed */
    if (!hold_out) return CLT_OK;
    return clt_dataset_hold_out(training, options->val_split, options->seed, kept, held_out, error);
}

clt_status clt_train(clt_model *model, clt_device *device, const clt_dataset *training, const clt_dataset *validation,
                     const clt_options *options, clt_error *error)
{
    clt_options none;
    options = clt__options_or_default(options, &none);
    clt_options resolved = clt__resolve_options(options);
    clt__leave_to_first(&resolved);
    clt__trainer t = {.model = model, .options = &resolved, .given = options, .in_flight = 1, .wanted = 1, .lock = -1};
    clt_dataset *kept = NULL, *held_out = NULL;
    const bool hold_out = !validation && resolved.val_split > 0;
    clt_status status = divide(model, training, options, hold_out, &kept, &held_out, error);
    status = clt_collective_agree(options->collective, status, error);
    t.training_data = hold_out ? kept : training;
    t.validation_data = hold_out ? held_out : resolved.overfit_batch ? NULL : validation;
    if (status == CLT_OK) status = train(&t, device, error);
    const clt_status told =
        clt__folder_end(&t, status, status == CLT_OK ? NULL : error, status == CLT_OK ? error : NULL);
    const clt_status closed = clt__logs_close(&t, status == CLT_OK && told == CLT_OK ? error : NULL);
    clt__folder_close(&t);
    clt_evaluation_close(t.evaluation);
    close_sessions(&t);
    clt_device_close(t.fallback);
    clt_dataset_close(kept);
    clt_dataset_close(held_out);
    return status != CLT_OK ? status : told != CLT_OK ? told : closed;
}
