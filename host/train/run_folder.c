/* What training writes to the output folder: checkpoints, metrics.csv and the net. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "train/layer_log.h"
#include "train/trainer.h"

static clt_status path_in(const clt__trainer *t, const char *name, char path[4096], clt_error *error)
{
    const int length = snprintf(path, 4096, "%s/%s", t->options->output_dir, name);
    if (length < 0 || length >= 4096)
        return FAIL(error, CLT_BAD_ARGUMENT, "the path of the output folder is longer than 4000 characters");
    return CLT_OK;
}

/* What a training that was killed has left half written. */
static clt_status clean_up(const clt__trainer *t, clt_error *error)
{
    static const char *const files[] = {"last.safetensors", "best.safetensors", "metrics.csv",    "model.net",
                                        "run.json",         "layers.csv",       "activations.csv"};
    char path[4096];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        TRY(path_in(t, files[i], path, error));
        clt__replace_clean(path);
    }
    return CLT_OK;
}

/* ---- what the run is */

static clt_status write_record(const clt__trainer *t, clt_error *error)
{
    char path[4096];
    TRY(path_in(t, "run.json", path, error));
    return clt__run_record_write(path, &t->record, error);
}

/* Left out where there is no room for it. */
static clt_status record_reading(const clt_options *options, clt__run_record *r, clt_error *error)
{
    static const clt__option reading[] = {CLT__OPTION_layout, CLT__OPTION_label_column, CLT__OPTION_size,
                                          CLT__OPTION_skip_bad, CLT__OPTION_weights_by_order};
    clt__text text = {0};
    clt_status status = CLT_OK;
    for (size_t i = 0; i < sizeof reading / sizeof *reading && status == CLT_OK; i++)
        status = clt__option_print_argument(options, reading[i], &text, error);
    if (text.length && text.length < sizeof r->reading) memcpy(r->reading, text.start, text.length + 1);
    free(text.start);
    return status;
}

/* A training that begins does not take away what another left in the folder until it has its own in its place; a run
 * that goes on has made it. */
static clt_status begin_record(clt__trainer *t, clt_error *error)
{
    const bool goes_on = t->session->state.total_steps > 0;
    const clt_device_info *device = clt_device_describe(clt__engine_device(t->session->engine));
    clt__run_record *r = &t->record;
    *r = (clt__run_record){.images = (int64_t)t->training_data->count,
                           .validation_images = t->validation_data ? (int64_t)t->validation_data->count : 0,
                           .epochs = t->session->state.epoch,
                           .best = goes_on,
                           .last = goes_on,
                           .layers = goes_on || t->options->report};
    (void)snprintf(r->version, sizeof r->version, "%s", clt_version());
    (void)snprintf(r->device, sizeof r->device, "%s", device->id);
    (void)snprintf(r->name, sizeof r->name, "%s", device->name);
    (void)snprintf(r->platform, sizeof r->platform, "%s", device->platform);
    (void)snprintf(r->driver, sizeof r->driver, "%s", device->driver);
    char *absolute = t->options->data ? clt__absolute_path(t->options->data) : NULL;
    const char *data = absolute ? absolute : t->options->data;
    if (data && strlen(data) < sizeof r->data) memcpy(r->data, data, strlen(data) + 1);
    free(absolute);
    return record_reading(t->given, r, error);
}

clt_status clt__folder_end(clt__trainer *t, clt_status status, const clt_error *why, clt_error *error)
{
    if (!t->options->output_dir || t->lock < 0) return CLT_OK;
    t->record.diverged = status == CLT_DIVERGED;
    const char *how = status == CLT_OK ? "finished" : why ? why->message : clt_status_name(status);
    (void)snprintf(t->record.ended, sizeof t->record.ended, "%.*s", CLT__RECORD_WORDS - 1, how);
    clt__make_utf8(t->record.ended); /* it may name a path, and may be cut */
    return write_record(t, error);
}

clt_status clt__folder_open(clt__trainer *t, clt_error *error)
{
    char path[4096];
    const char *folder = t->options->output_dir;
    if (!folder) return CLT_OK;
    TRY(clt__make_folders(folder, error));
    TRY(clt__folder_lock(folder, &t->lock, error));
    TRY(clean_up(t, error));
    TRY(path_in(t, "model.net", path, error));
    TRY(clt__file_write(path, t->model->text, strlen(t->model->text), error));
    TRY(begin_record(t, error));
    return write_record(t, error);
}

/* Writes a checkpoint; *own: whether the run has written one of this name before. */
static clt_status save(const clt__trainer *t, const char *name, bool *own, clt_error *error)
{
    char path[4096];
    TRY(clt__logs_flush(t, error)); /* a checkpoint is not ahead of its logs */
    if (!t->options->output_dir) return CLT_OK;
    TRY(path_in(t, name, path, error));
    TRY(clt_model_save(t->model, path, error));
    if (*own) return CLT_OK;
    *own = true;
    return write_record(t, error);
}

clt_status clt__folder_save(clt__trainer *t, clt_error *error)
{
    return save(t, "last.safetensors", &t->record.last, error);
}

clt_status clt__folder_epoch(clt__trainer *t, const clt__epoch_row *row, clt_error *error)
{
    char path[4096];
    /* The last checkpoint comes last, for it says that the epoch is done: a run that is killed before it does all
     * again. */
    if (row->best) TRY(save(t, "best.safetensors", &t->record.best, error));
    if (t->options->output_dir) {
        TRY(path_in(t, "metrics.csv", path, error));
        TRY(clt__metrics_write(path, row, error));
        t->record.epochs = row->epoch;
        TRY(write_record(t, error));
    }
    if (t->options->output_dir && t->options->report) {
        TRY(path_in(t, "layers.csv", path, error));
        TRY(clt__layer_log_write(path, clt__stepped(t), t->model, row->epoch, error));
        TRY(path_in(t, "activations.csv", path, error));
        if (t->watch) TRY(clt__layer_watch_write(t->watch, path, row->epoch, error));
    }
    TRY(clt__logs_epoch(t, row, error));
    return clt__folder_save(t, error);
}

void clt__folder_close(clt__trainer *t)
{
    clt__folder_unlock(t->lock);
    t->lock = -1;
}
