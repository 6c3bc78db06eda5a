#include "report/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "train/metrics.h"

static clt_status path_in(const clt__run *run, const char *name, char path[CLT__RECORD_PATH], clt_error *error)
{
    const int length = snprintf(path, CLT__RECORD_PATH, "%s/%s", run->folder, name);
    if (length > 0 && length < CLT__RECORD_PATH) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "%.200s...: the path is longer than %d characters", run->folder,
                CLT__RECORD_PATH - 8);
}

/* ---- metrics.csv */

enum { MOST_COLUMNS = 32 };

/* Which metric each column holds, by the names in the first line; CLT__METRICS for one that a report does not show. */
typedef struct csv_columns {
    clt__metric of[MOST_COLUMNS];
    int count;
} csv_columns;

static clt__metric metric_called(const char *name, size_t length)
{
    static const char *const names[] = {"epoch", "loss",    "accuracy",     "val_loss",     "val_accuracy",
                                        "lr",    "seconds", "images_per_s", "gradient_norm"};
    for (int i = 0; i < CLT__METRICS; i++)
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0) return (clt__metric)i;
    return CLT__METRICS;
}

/* Moves *at behind the line. False where it is no head: it has no epoch, or no end. */
static bool take_head(const char **at, csv_columns *columns)
{
    bool counts_epochs = false;
    for (*columns = (csv_columns){.count = 0}; columns->count < MOST_COLUMNS;) {
        const size_t length = strcspn(*at, ",\n");
        const clt__metric metric = metric_called(*at, length);
        columns->of[columns->count++] = metric;
        counts_epochs = counts_epochs || metric == CLT__EPOCH;
        *at += length;
        if (!**at) return false;
        if (*(*at)++ == '\n') return counts_epochs;
    }
    return false;
}

/* A cell's number; an empty cell is NaN. False where it is neither. */
static bool take_cell(const char **at, double *value)
{
    const size_t length = strcspn(*at, ",\n");
    char *end;
    *value = length ? clt__strtod(*at, &end) : NAN;
    const bool good = !length || end == *at + length;
    *at += length;
    return good;
}

static bool take_row(const char **at, const csv_columns *columns, double row[CLT__METRICS])
{
    for (int i = 0; i < CLT__METRICS; i++) row[i] = NAN;
    for (int i = 0; i < columns->count; i++) {
        double value;
        if (!take_cell(at, &value) || **at != (i + 1 < columns->count ? ',' : '\n')) return false;
        if (columns->of[i] < CLT__METRICS) row[columns->of[i]] = value;
        ++*at;
    }
    return true;
}

static clt_status add_row(clt__run *run, size_t capacity[CLT__METRICS], const double row[CLT__METRICS],
                          clt_error *error)
{
    for (int i = 0; i < CLT__METRICS; i++) {
        TRY(clt__grow(&run->metric[i], &capacity[i], run->epochs, sizeof *run->metric[i], error));
        run->metric[i][run->epochs] = row[i];
    }
    run->epochs++;
    return CLT_OK;
}

static clt_status take_metrics(clt__run *run, const char *path, const char *text, clt_error *error)
{
    size_t capacity[CLT__METRICS] = {0};
    csv_columns columns;
    const char *at = text;
    if (!take_head(&at, &columns))
        return FAIL(error, CLT_BAD_FILE, "%s:1: should be names with commas between, epoch one of them, as in %.*s",
                    path, (int)strlen(clt__metrics_header) - 1, clt__metrics_header);
    for (size_t line = 2; *at; line++) {
        double row[CLT__METRICS];
        if (!take_row(&at, &columns, row))
            return FAIL(error, CLT_BAD_FILE, "%s:%zu: should be %d numbers or empty cells with commas between", path,
                        line, columns.count);
        if (!(row[CLT__EPOCH] > run->record.epochs)) TRY(add_row(run, capacity, row, error));
    }
    return CLT_OK;
}

/* A run that ended in its first epoch has none. */
static clt_status read_metrics(clt__run *run, clt_error *error)
{
    char path[CLT__RECORD_PATH], *text;
    size_t size;
    TRY(path_in(run, "metrics.csv", path, error));
    if (access(path, F_OK) != 0) return CLT_OK;
    TRY(clt__file_read(path, &text, &size, error));
    const clt_status status = take_metrics(run, path, text, error);
    free(text);
    return status;
}

/* ---- the folder */

/* The path of a file of the run, and whether it is there. */
static clt_status look_for(const clt__run *run, const char *name, char path[CLT__RECORD_PATH], bool *there,
                           clt_error *error)
{
    TRY(path_in(run, name, path, error));
    *there = access(path, F_OK) == 0;
    return CLT_OK;
}

static clt_status load_model(clt__run *run, clt_error *error)
{
    char path[CLT__RECORD_PATH];
    bool there = false;
    if (run->record.best) TRY(look_for(run, "best.safetensors", path, &run->is_best, error));
    if (!run->is_best && run->record.last) TRY(look_for(run, "last.safetensors", path, &there, error));
    if (run->is_best || there) {
        TRY(clt__copy_text(path, &run->checkpoint, error));
        return clt_model_load(path, &run->model, error);
    }
    TRY(look_for(run, "model.net", path, &run->untrained, error));
    if (!run->untrained)
        return FAIL(error, CLT_NO_FILE,
                    "%s: is no folder that cltrain train --output-dir has written: it has neither best.safetensors nor "
                    "last.safetensors nor model.net",
                    run->folder);
    clt_options options = clt__options_default();
    options.net = path;
    return clt_model_create(&options, &run->model, error);
}

/* The run's own rows of a file that begins with `head`. */
static clt_status read_log(const clt__run *run, const char *name, const char *head, clt__layer_figures **rows,
                           size_t *count, clt_error *error)
{
    char path[CLT__RECORD_PATH];
    size_t own = 0;
    TRY(path_in(run, name, path, error));
    TRY(clt__layer_log_read(path, head, rows, count, error));
    while (own < *count && (*rows)[own].epoch <= run->record.epochs) own++;
    *count = own;
    return CLT_OK;
}

static clt_status read_logs(clt__run *run, clt_error *error)
{
    TRY(read_log(run, "layers.csv", clt__layers_head, &run->layer, &run->layers, error));
    return read_log(run, "activations.csv", clt__activations_head, &run->activation, &run->activations, error);
}

static clt_status open_folder(clt__run *run, clt_error *error)
{
    char path[CLT__RECORD_PATH];
    TRY(path_in(run, "run.json", path, error));
    TRY(clt__run_record_read(path, &run->record, error));
    TRY(load_model(run, error));
    TRY(read_metrics(run, error));
    return run->record.layers ? read_logs(run, error) : CLT_OK;
}

static clt_status open_checkpoint(clt__run *run, clt_error *error)
{
    TRY(clt__copy_text(run->folder, &run->checkpoint, error));
    return clt_model_load(run->checkpoint, &run->model, error);
}

clt_status clt__run_open(const char *path, clt__run *run, clt_error *error)
{
    struct stat about;
    const bool is_file = stat(path, &about) == 0 && S_ISREG(about.st_mode);
    *run = (clt__run){.is_folder = !is_file};
    clt_status status = clt__copy_text(path, &run->folder, error);
    if (status == CLT_OK) status = is_file ? open_checkpoint(run, error) : open_folder(run, error);
    if (status != CLT_OK) clt__run_close(run);
    return status;
}

clt_status clt__run_option(const clt__run *run, clt__option option, char **value, clt_error *error)
{
    clt__text text = {0};
    *value = NULL;
    clt_status status = clt__option_print(clt_model_options(run->model), option, &text, error);
    if (status == CLT_OK && !text.start) status = clt__copy_text("", &text.start, error);
    if (status == CLT_OK)
        *value = text.start;
    else
        free(text.start);
    return status;
}

void clt__run_close(clt__run *run)
{
    for (int i = 0; i < CLT__METRICS; i++) free(run->metric[i]);
    clt_model_close(run->model);
    free(run->layer);
    free(run->activation);
    free(run->checkpoint);
    free(run->folder);
    *run = (clt__run){.epochs = 0};
}

size_t clt__run_best(const clt__run *run)
{
    size_t best = run->epochs;
    for (size_t i = 0; i < run->epochs; i++) {
        const clt__metric which = isnan(run->metric[CLT__VAL_LOSS][i]) ? CLT__LOSS : CLT__VAL_LOSS;
        if (!isfinite(run->metric[which][i])) continue;
        if (best == run->epochs || run->metric[which][i] < run->metric[which][best]) best = i;
    }
    return best;
}
