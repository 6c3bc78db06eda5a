#include "train/layer_log.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "train/last_gradient.h"
#include "train/metrics.h"

const char clt__layers_head[] = "epoch,parameter,weight,gradient\n",
           clt__activations_head[] = "epoch,layer,size,dead\n";

double clt__root_mean_square(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i] * values[i];
    return sqrt(sum / (double)count);
}

static clt_status measure_gradient(clt_session *session, const clt_tensor_info *parameter, double *size,
                                   clt_error *error)
{
    double *values;
    TRY(clt__last_gradient(session, parameter, &values, error));
    *size = values ? clt__root_mean_square(values, parameter->count) : NAN;
    free(values);
    return CLT_OK;
}

static clt_status add_number(clt__text *text, double value, const char *end, clt_error *error)
{
    return isfinite(value) ? clt__text_print(text, error, "%.6g%s", value, end)
                           : clt__text_print(text, error, "%s", end);
}

clt_status clt__layer_log_add(clt__text *text, const clt__layer_figures *row, clt_error *error)
{
    TRY(clt__text_print(text, error, "%d,%s,", row->epoch, row->name));
    TRY(add_number(text, row->value[0], ",", error));
    return add_number(text, row->value[1], "\n", error);
}

static clt_status compose(const char *path, clt_session *session, const clt_model *model, int epoch, clt__text *text,
                          clt_error *error)
{
    TRY(clt__csv_keep(path, clt__layers_head, epoch, text, error));
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        clt__layer_figures row = {.epoch = epoch};
        if (!p->trained) continue;
        (void)snprintf(row.name, sizeof row.name, "%s", p->info.name);
        row.value[CLT__WEIGHT] = clt__root_mean_square(p->values, p->info.count);
        TRY(measure_gradient(session, &p->info, &row.value[CLT__GRADIENT], error));
        TRY(clt__layer_log_add(text, &row, error));
    }
    return CLT_OK;
}

clt_status clt__layer_log_write(const char *path, clt_session *session, const clt_model *model, int epoch,
                                clt_error *error)
{
    clt__text text = {0};
    clt_status status = compose(path, session, model, epoch, &text, error);
    if (status == CLT_OK) status = clt__file_write(path, text.start, text.length, error);
    free(text.start);
    return status;
}

/* ---- reading */

/* A number that ends at `mark`; an empty one is NaN. Moves *at behind the mark. */
static bool take_number(const char **at, char mark, double *value)
{
    char *end = NULL;
    *value = **at == mark ? NAN : clt__strtod(*at, &end);
    if (end == *at || (end && *end != mark)) return false;
    *at = (end ? end : *at) + 1;
    return true;
}

static bool take_row(const char **at, clt__layer_figures *row)
{
    double epoch;
    if (!take_number(at, ',', &epoch) || !(epoch >= 1 && epoch <= 1e9)) return false;
    const size_t length = strcspn(*at, ",\n");
    if ((*at)[length] != ',' || length == 0 || length >= sizeof row->name) return false;
    memcpy(row->name, *at, length);
    row->name[length] = 0;
    row->epoch = (int)epoch;
    *at += length + 1;
    return take_number(at, ',', &row->value[0]) && take_number(at, '\n', &row->value[1]);
}

static clt_status take_rows(const char *path, const char *head, const char *text, clt__layer_figures **rows,
                            size_t *count, clt_error *error)
{
    size_t capacity = 0;
    if (strncmp(text, head, strlen(head)) != 0)
        return FAIL(error, CLT_BAD_FILE, "%s:1: should be %.*s", path, (int)strlen(head) - 1, head);
    for (const char *at = text + strlen(head); *at; ++*count) {
        TRY(clt__grow(rows, &capacity, *count, sizeof **rows, error));
        if (!take_row(&at, &(*rows)[*count]))
            return FAIL(error, CLT_BAD_FILE, "%s:%zu: should be an epoch, a name and two numbers, with commas between",
                        path, *count + 2);
    }
    return CLT_OK;
}

clt_status clt__layer_log_read(const char *path, const char *head, clt__layer_figures **rows, size_t *count,
                               clt_error *error)
{
    char *text;
    size_t size;
    *rows = NULL;
    *count = 0;
    if (access(path, F_OK) != 0) return CLT_OK;
    TRY(clt__file_read(path, &text, &size, error));
    const clt_status status = take_rows(path, head, text, rows, count, error);
    free(text);
    if (status == CLT_OK) return CLT_OK;
    free(*rows);
    *rows = NULL;
    *count = 0;
    return status;
}
