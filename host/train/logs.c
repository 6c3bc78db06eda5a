/* What grows step by step, or epoch by epoch: --log-steps, --json-log and --tensorboard. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "train/trainer.h"

static clt_status fail(const char *path, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: %s", path, strerror(errno));
}

/* ---- JSON */

/* null where JSON has no such number. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_of_step(const clt__trainer *t, const clt__step_figures *f)
{
    const clt__training_state *s = &t->session->state;
    return json_pack("{s:s,s:I,s:i,s:o,s:o,s:o}", "event", "step", "step", (json_int_t)s->total_steps, "epoch",
                     s->epoch + 1, "loss", number(f->loss), "lr", number(f->rate), "gradient_norm", number(f->norm));
}

static json_t *json_of_epoch(const clt__epoch_row *r)
{
    return json_pack("{s:s,s:I,s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "event", "epoch", "step",
                     (json_int_t)r->step, "epoch", r->epoch, "loss", number(r->loss), "accuracy", number(r->accuracy),
                     "val_loss", number(r->validation_loss), "val_accuracy", number(r->validation_accuracy), "lr",
                     number(r->rate), "seconds", number(r->seconds), "time", number(r->time), "images_per_s",
                     number(r->images_per_second), "gradient_norm", number(r->gradient_norm), "best", r->best);
}

/* A line of the JSON log; releases it. */
static clt_status write_json(const clt__trainer *t, json_t *json, clt_error *error)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(json);
    if (!text) return FAIL(error, CLT_NO_MEMORY, "no host memory for a line of %s", t->options->json_log);
    const bool written = fputs(text, t->json) >= 0 && fputc('\n', t->json) >= 0;
    free(text);
    return written ? CLT_OK : fail(t->options->json_log, error);
}

/* Whether a line is one of a step or an epoch that the training does not run again. */
static bool is_past(const clt__trainer *t, const char *line, size_t length)
{
    const clt__training_state *s = &t->session->state;
    json_t *json = json_loadb(line, length, 0, NULL);
    const char *event = json_string_value(json_object_get(json, "event"));
    const bool of_epoch = event && strcmp(event, "epoch") == 0;
    const json_int_t at = json_integer_value(json_object_get(json, of_epoch ? "epoch" : "step"));
    const bool past = event && at > 0 && at <= (of_epoch ? s->epoch : s->total_steps);
    json_decref(json);
    return past;
}

/* Appends to `text` the lines of the old file up to where the training stands. What comes after the last whole line was
 * being written when a run was killed. */
static clt_status keep_json(const clt__trainer *t, clt__text *text, clt_error *error)
{
    char *old;
    size_t size;
    struct stat about;
    const char *path = t->options->json_log;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return CLT_OK;
    TRY(clt__file_read(path, &old, &size, error));
    clt_status status = CLT_OK;
    for (const char *line = old, *end; status == CLT_OK && (end = strchr(line, '\n')); line = end + 1)
        if (is_past(t, line, (size_t)(end - line)))
            status = clt__text_append(text, line, (size_t)(end - line) + 1, error);
    free(old);
    return status;
}

/* ---- opening */

/* Opens a log that begins with `kept`, what is kept of the old one where the run goes on, or its head. */
static clt_status open_log(const char *path, bool goes_on, const clt__text *kept, FILE **log, clt_error *error)
{
    if (goes_on) TRY(clt__file_write(path, kept->start ? kept->start : "", kept->length, error)); /* or as it was */
    *log = fopen(path, goes_on ? "a" : "w");
    if (!*log || (!goes_on && kept->start && fputs(kept->start, *log) < 0)) return fail(path, error);
    return CLT_OK;
}

static clt_status open_csv(clt__trainer *t, int64_t first, clt_error *error)
{
    clt__text kept = {0};
    const char *path = t->options->log_steps;
    clt_status status = clt__csv_keep(path, "step,loss,lr\n", first, &kept, error);
    if (status == CLT_OK) status = open_log(path, first > 1, &kept, &t->log, error);
    free(kept.start);
    return status;
}

static clt_status open_json(clt__trainer *t, bool goes_on, clt_error *error)
{
    clt__text kept = {0};
    clt_status status = goes_on ? keep_json(t, &kept, error) : CLT_OK;
    if (status == CLT_OK) status = open_log(t->options->json_log, goes_on, &kept, &t->json, error);
    free(kept.start);
    return status;
}

clt_status clt__logs_open(clt__trainer *t, clt_error *error)
{
    const int64_t first = t->session->state.total_steps + 1;
    if (t->options->log_steps) TRY(open_csv(t, first, error));
    if (t->options->json_log) TRY(open_json(t, first > 1, error));
    if (!t->options->tensorboard) return CLT_OK;
    return clt__board_open(t->options->tensorboard, t->model, t->given, first - 1, &t->board, error);
}

/* ---- writing */

static clt_status write_csv(const clt__trainer *t, const clt__step_figures *figures, clt_error *error)
{
    clt__text line = {0};
    clt_status status = clt__text_print(&line, error, "%" PRId64 ",%.9g,%.9g\n", t->session->state.total_steps,
                                        figures->loss, figures->rate);
    if (status == CLT_OK && fputs(line.start, t->log) < 0) status = fail(t->options->log_steps, error);
    free(line.start);
    return status;
}

clt_status clt__logs_step(const clt__trainer *t, const clt__step_figures *figures, clt_error *error)
{
    if (t->log) TRY(write_csv(t, figures, error));
    if (t->log && t->json) TRY(write_json(t, json_of_step(t, figures), error));
    return t->board ? clt__board_step(t->board, t->session->state.total_steps, figures, error) : CLT_OK;
}

clt_status clt__logs_epoch(const clt__trainer *t, const clt__epoch_row *row, clt_error *error)
{
    if (t->json) TRY(write_json(t, json_of_epoch(row), error));
    if (!t->board) return CLT_OK;
    TRY(clt__board_epoch(t->board, row, t->model, clt__stepped(t), error));
    return t->evaluation ? clt__board_validation(t->board, row->step, t->validation, t->evaluation, error) : CLT_OK;
}

clt_status clt__logs_end(const clt__trainer *t, clt_error *error)
{
    return t->board ? clt__board_end(t->board, t->session->state.total_steps, error) : CLT_OK;
}

clt_status clt__logs_flush(const clt__trainer *t, clt_error *error)
{
    if (t->log && fflush(t->log) != 0) return fail(t->options->log_steps, error);
    if (t->json && fflush(t->json) != 0) return fail(t->options->json_log, error);
    return t->board ? clt__board_flush(t->board, error) : CLT_OK;
}

/* ---- closing */

static clt_status close_log(FILE **log, const char *path, clt_error *error)
{
    FILE *stream = *log;
    *log = NULL;
    return !stream || fclose(stream) == 0 ? CLT_OK : fail(path, error);
}

clt_status clt__logs_close(clt__trainer *t, clt_error *error)
{
    clt__board *board = t->board;
    t->board = NULL;
    clt_status status = close_log(&t->log, t->options->log_steps, error);
    const clt_status json = close_log(&t->json, t->options->json_log, status == CLT_OK ? error : NULL);
    if (status == CLT_OK) status = json;
    const clt_status closed = clt__board_close(board, status == CLT_OK ? error : NULL);
    return status == CLT_OK ? closed : status;
}
