/* The training loop. Steps are enqueued without waiting; the host reads the history of their losses only now and then:
 * when a tenth of a second's worth of steps is under way, at checkpoints, and at the end of an epoch. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "train/training.h"

typedef struct trainer {
    clt_model *model;
    clt__training_state state; /* the model's, and what has been read since the model was last brought up to date */
    const clt_train_options *options; /* resolved */
    const clt_train_options *given;
    clt_session *session;    /* on the training data */
    clt_session *validation; /* NULL without validation data */
    FILE *log;               /* of --log-steps, or NULL */
    int64_t steps;           /* in an epoch */
    int pending;             /* steps enqueued whose losses have not been read */
    int in_flight;           /* steps to enqueue before the next reading */
    double rate;             /* what the device has */
    double epoch_began, last_reading;
} trainer;

/* ---- files */

static clt_status path_in(const trainer *t, const char *name, char path[4096], clt_error *error)
{
    const int length = snprintf(path, 4096, "%s/%s", t->options->output_dir, name);
    if (length < 0 || length >= 4096)
        return FAIL(error, CLT_BAD_ARGUMENT, "the path of the output folder is longer than 4000 characters");
    return CLT_OK;
}

static clt_status save(const trainer *t, const char *name, clt_error *error)
{
    char path[4096];
    if (!t->options->output_dir) return CLT_OK;
    TRY(path_in(t, name, path, error));
    return clt_model_save(t->model, path, error);
}

/* Brings the host's model up to date. */
static clt_status download(const trainer *t, clt_error *error)
{
    TRY(clt__session_download(t->session, t->model, error));
    t->model->state = t->state;
    return CLT_OK;
}

/* The model as it is now, on the host and as last.safetensors. */
static clt_status checkpoint(const trainer *t, clt_error *error)
{
    TRY(download(t, error));
    return save(t, "last.safetensors", error);
}

static clt_status open_output(const trainer *t, clt_error *error)
{
    char path[4096];
    const char *folder = t->options->output_dir;
    if (!folder) return CLT_OK;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return FAIL(error, CLT_BAD_FILE, "%s: cannot make this folder: %s", folder, strerror(errno));
    TRY(path_in(t, "model.net", path, error));
    return clt__file_write(path, t->model->text, strlen(t->model->text), error);
}

static clt_status log_failure(const trainer *t, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: %s", t->options->log_steps, strerror(errno));
}

/* A resumed run keeps the rows of the steps before it. */
static clt_status open_log(trainer *t, clt_error *error)
{
    const char *path = t->options->log_steps;
    clt__text kept = {0};
    if (!path) return CLT_OK;
    const int64_t first = t->state.total_steps + 1;
    clt_status status = clt__csv_keep(path, "step,loss\n", first, &kept, error);
    if (status == CLT_OK) {
        t->log = fopen(path, "w");
        if (!t->log || fwrite(kept.start, 1, kept.length, t->log) != kept.length) status = log_failure(t, error);
    }
    free(kept.start);
    return status;
}

static clt_status close_log(trainer *t, clt_error *error)
{
    FILE *log = t->log;
    t->log = NULL;
    if (!log) return CLT_OK;
    return fclose(log) == 0 ? CLT_OK : log_failure(t, error);
}

/* ---- reading what the device has done */

static int batch_images(const trainer *t, int64_t step)
{
    const int64_t batch = t->options->batch_size, count = (int64_t)t->session->data->count,
                  first = clt__first_image(t->options, step);
    return (int)(count - first < batch ? count - first : batch);
}

static clt_status take_step(trainer *t, const double *slot, clt_error *error)
{
    clt__training_state *s = &t->state;
    const int images = batch_images(t, s->step);
    const double loss = slot[HISTORY_LOSS] / images;
    s->step++;
    s->total_steps++;
    if (!isfinite(loss))
        return FAIL(error, CLT_DIVERGED,
                    "the loss is %s at step %" PRId64 " (epoch %d, learning rate %g): try a lower learning rate",
                    isnan(loss) ? "not a number" : "infinite", s->total_steps, s->epoch + 1, t->rate);
    s->loss_sum += slot[HISTORY_LOSS];
    s->hits += slot[HISTORY_HITS];
    s->seen += images;
    if (t->log && fprintf(t->log, "%" PRId64 ",%.9g\n", s->total_steps, loss) < 0) return log_failure(t, error);
    return CLT_OK;
}

/* Waits for the steps under way and adds up their losses. Then sets how many to enqueue before the next reading, so
 * that one comes about every tenth of a second. */
static clt_status read_history(trainer *t, clt_error *error)
{
    double history[CLT__HISTORY_SLOTS * HISTORY_LENGTH];
    if (!t->pending) return CLT_OK;
    const int pending = t->pending;
    t->pending = 0;
    TRY(clt__engine_read(t->session->engine, t->session->net.history, 0, pending * HISTORY_LENGTH, history, error));
    for (int i = 0; i < pending; i++) TRY(take_step(t, history + i * HISTORY_LENGTH, error));
    const double now = clt__seconds(), each = (now - t->last_reading) / pending;
    t->last_reading = now;
    const double wanted = each > 0 ? 0.1 / each : CLT__HISTORY_SLOTS;
    t->in_flight = wanted < 1 ? 1 : wanted > CLT__HISTORY_SLOTS ? CLT__HISTORY_SLOTS : (int)wanted;
    return CLT_OK;
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static clt_progress progress_now(const trainer *t)
{
    const clt__training_state *s = &t->state;
    return (clt_progress){.epoch = s->epoch + 1,
                          .epochs = t->options->epochs,
                          .step = (int)s->step,
                          .steps = (int)t->steps,
                          .loss = share(s->loss_sum, (double)s->seen),
                          .accuracy = t->session->data->labels ? share(s->hits, (double)s->seen) : NAN,
                          .learning_rate = t->rate,
                          .micro_batch_size = t->session->micro_batch,
                          .seconds = clt__seconds() - t->epoch_began,
                          .validation_loss = NAN,
                          .validation_accuracy = NAN};
}

static bool goes_on(const trainer *t, const clt_progress *progress)
{
    return !t->options->progress || t->options->progress(t->options->user, progress);
}

/* ---- one step */

static clt_status set_rate(trainer *t, int64_t step, clt_error *error)
{
    const double rate = clt__learning_rate(t->options, &t->state.plateau, t->state.epoch, step, t->steps);
    if (rate == t->rate) return CLT_OK;
    t->rate = rate;
    return clt_session_set_rate(t->session, rate, error);
}

static bool is_due(int64_t number, int64_t every)
{
    return every && number % every == 0;
}

static clt_status check_ops(clt_session *session, size_t begin, size_t end, clt_error *error)
{
    return clt__verify_ops(session, begin, end, NULL, NULL, error);
}

static clt_status run_step(trainer *t, int64_t step, clt_error *error)
{
    const int64_t number = t->state.total_steps + t->pending + 1;
    const bool check =
        is_due(number, t->options->check_every) && !clt__device_is_reference(clt__engine_device(t->session->engine));
    t->session->number = number;
    TRY(set_rate(t, step, error));
    TRY(clt__session_run_batch(t->session, (int)clt__first_image(t->options, step), batch_images(t, step), t->pending,
                               check ? check_ops : clt__session_run_ops, error));
    t->pending++;
    return CLT_OK;
}

/* ---- one epoch */

static clt_status stop_here(const trainer *t, clt_error *error)
{
    TRY(checkpoint(t, error));
    return FAIL(error, CLT_STOPPED, "stopped in epoch %d after step %" PRId64 " of %" PRId64, t->state.epoch + 1,
                t->state.step, t->steps);
}

static clt_status run_steps(trainer *t, clt_error *error)
{
    t->epoch_began = t->last_reading = clt__seconds();
    for (int64_t step = t->state.step; step < t->steps; step++) {
        TRY(run_step(t, step, error));
        const bool save_now = is_due(t->state.total_steps + t->pending, t->options->save_every);
        const bool last = step + 1 == t->steps;
        if (t->pending < t->in_flight && !save_now && !last) continue;
        TRY(read_history(t, error));
        if (save_now && !last) TRY(checkpoint(t, error));
        const clt_progress progress = progress_now(t);
        if (!last && !goes_on(t, &progress)) return stop_here(t, error);
    }
    return CLT_OK;
}

static clt_status validate(trainer *t, clt_progress *progress, clt_error *error)
{
    clt_evaluation evaluation;
    if (!t->validation) return CLT_OK;
    TRY(clt__session_upload(t->validation, error));
    TRY(clt__evaluate(t->validation, &evaluation, error));
    progress->validation_loss = evaluation.loss;
    progress->validation_accuracy = evaluation.accuracy;
    clt_evaluation_free(&evaluation);
    return CLT_OK;
}

/* The epoch is over: what it reached decides on the best model and on patience. */
static void close_epoch(trainer *t, clt_progress *progress)
{
    clt__training_state *s = &t->state;
    const double loss = t->validation ? progress->validation_loss : progress->loss;
    progress->best = loss < s->best_loss;
    progress->epoch_ended = true;
    progress->seconds = clt__seconds() - t->epoch_began;
    if (progress->best) s->best_loss = loss;
    s->stale = progress->best ? 0 : s->stale + 1;
    clt__plateau_follow(t->options, loss, &s->plateau);
    s->epoch++;
    s->step = s->seen = 0;
    s->loss_sum = s->hits = 0;
}

static clt_status write_epoch(const trainer *t, const clt_progress *p, clt_error *error)
{
    char path[4096];
    const clt__metrics_row row = {p->epoch,         p->loss,   p->accuracy, p->validation_loss, p->validation_accuracy,
                                  p->learning_rate, p->seconds};
    TRY(save(t, "last.safetensors", error));
    if (p->best) TRY(save(t, "best.safetensors", error));
    if (!t->options->output_dir) return CLT_OK;
    TRY(path_in(t, "metrics.csv", path, error));
    return clt__metrics_write(path, &row, error);
}

static clt_status run_epoch(trainer *t, clt_error *error)
{
    TRY(clt__session_set_epoch_order(t->session, t->options, t->state.epoch, error));
    TRY(run_steps(t, error));
    clt_progress progress = progress_now(t);
    TRY(download(t, error));
    TRY(validate(t, &progress, error));
    close_epoch(t, &progress);
    t->model->state = t->state;
    TRY(write_epoch(t, &progress, error));
    if (goes_on(t, &progress)) return CLT_OK;
    return FAIL(error, CLT_STOPPED, "stopped after epoch %d", t->state.epoch);
}

static clt_status run_epochs(trainer *t, clt_error *error)
{
    if (t->state.epoch >= t->options->epochs) return save(t, "last.safetensors", error); /* --epochs 0, for one */
    const int patience = t->options->patience;
    while (t->state.epoch < t->options->epochs && !(patience && t->state.stale >= patience)) TRY(run_epoch(t, error));
    return CLT_OK;
}

/* ---- all of it */

/* The options that a checkpoint keeps: those that end with the run are left out, and texts are the library's own. */
static void remember_options(clt_model *model, const clt_train_options *options)
{
    model->options = *options;
    model->options.freeze = model->freeze;
    model->options.optimizer = clt__find_optimizer(options->optimizer)->name;
    model->options.lr_scheduler = clt__find_scheduler(options->lr_scheduler);
    model->options.output_dir = model->options.log_steps = NULL;
    model->options.progress = NULL;
    model->options.user = NULL;
}

static clt_status open_validation(trainer *t, clt_device *device, const clt_dataset *validation, clt_error *error)
{
    if (!validation) return CLT_OK;
    if (!validation->targets != !t->session->data->targets)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s and %s should both have labels, or both real targets",
                    t->session->data->name, validation->name);
    TRY(clt__check_targets(t->model, validation, error));
    return clt__session_open(t->model, device, validation, t->options, (clt__session_mode){0}, &t->validation, error);
}

/* In the middle of an epoch the images that were taken are counted in batches. */
static clt_status check_position(const trainer *t, clt_error *error)
{
    const int64_t step = t->state.step;
    const int batch = t->options->batch_size, before = clt__resolve_options(&t->model->options).batch_size;
    if (step && batch != before)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the checkpoint stands in the middle of an epoch of batches of %d images: it "
                    "goes on with those, not with %d",
                    before, batch);
    if (step > t->steps)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the checkpoint stands at step %" PRId64 " of its epoch, %s has %" PRId64 " steps of %d images",
                    step, t->session->data->name, t->steps, batch);
    return CLT_OK;
}

static clt_status train(trainer *t, clt_device *device, const clt_dataset *training, const clt_dataset *validation,
                        clt_error *error)
{
    TRY(clt__check_class_names(t->model, training, error));
    TRY(clt_session_open(t->model, device, training, t->options, false, &t->session, error));
    t->state = t->model->state;
    TRY(open_validation(t, device, validation, error));
    t->steps = ((int64_t)training->count + t->options->batch_size - 1) / t->options->batch_size;
    TRY(check_position(t, error));
    TRY(open_output(t, error));
    TRY(open_log(t, error));
    remember_options(t->model, t->given);
    if (!t->model->class_names.count) TRY(clt__names_copy(&training->class_names, &t->model->class_names, error));
    return run_epochs(t, error);
}

clt_status clt_train(clt_model *model, clt_device *device, const clt_dataset *training, const clt_dataset *validation,
                     const clt_train_options *options, clt_error *error)
{
    TRY(clt__check_options(options, model->input.channels, error)); /* val_split, before it is obeyed */
    const clt_train_options resolved = clt__resolve_options(options);
    trainer t = {.model = model, .options = &resolved, .given = options, .in_flight = 1, .rate = NAN};
    clt_dataset *kept = NULL, *held_out = NULL;
    const bool hold_out = !validation && resolved.val_split > 0;
    if (resolved.overfit_batch) validation = NULL;
    clt_status status =
        hold_out ? clt_dataset_hold_out(training, options->val_split, options->seed, &kept, &held_out, error) : CLT_OK;
    if (status == CLT_OK)
        status = train(&t, device, hold_out ? kept : training, hold_out ? held_out : validation, error);
    const clt_status closed = close_log(&t, status == CLT_OK ? error : NULL);
    clt_session_close(t.session);
    clt_session_close(t.validation);
    clt_dataset_close(kept);
    clt_dataset_close(held_out);
    return status == CLT_OK ? closed : status;
}
