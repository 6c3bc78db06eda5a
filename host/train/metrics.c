#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

const char clt__metrics_header[] = "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds\n";

clt_status clt__csv_keep(const char *path, const char *head, int64_t before, clt__text *text, clt_error *error)
{
    char *old;
    size_t size;
    struct stat about;
    TRY(clt__text_append(text, head, strlen(head), error));
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return CLT_OK; /* none yet, or a terminal or pipe */
    TRY(clt__file_read(path, &old, &size, error));
    clt_status status = CLT_OK;
    const char *line = old;
    if (strncmp(line, head, strlen(head)) == 0) line += strlen(head);
    for (long long number; status == CLT_OK && (number = strtoll(line, NULL, 10)) > 0 && number < before;) {
        const size_t length = strcspn(line, "\n"), whole = length + (line[length] == '\n');
        status = clt__text_append(text, line, whole, error);
        line += whole;
    }
    free(old);
    return status;
}

static clt_status write_number(clt__text *text, double value, const char *end, clt_error *error)
{
    if (isnan(value)) return clt__text_print(text, error, "%s", end);
    return clt__text_print(text, error, "%.6g%s", value, end);
}

static clt_status compose(const char *path, const clt__metrics_row *row, clt__text *text, clt_error *error)
{
    TRY(clt__csv_keep(path, clt__metrics_header, row->epoch, text, error));
    TRY(clt__text_print(text, error, "%d,", row->epoch));
    TRY(write_number(text, row->loss, ",", error));
    TRY(write_number(text, row->accuracy, ",", error));
    TRY(write_number(text, row->validation_loss, ",", error));
    TRY(write_number(text, row->validation_accuracy, ",", error));
    TRY(write_number(text, row->rate, ",", error));
    return write_number(text, row->seconds, "\n", error);
}

clt_status clt__metrics_write(const char *path, const clt__metrics_row *row, clt_error *error)
{
    clt__text text = {0};
    clt_status status = compose(path, row, &text, error);
    if (status == CLT_OK) status = clt__file_write(path, text.start, text.length, error);
    free(text.start);
    return status;
}
