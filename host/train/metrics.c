#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

const char clt__metrics_header[] =
    "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds,time,images_per_s,gradient_norm\n";

static int count_commas(const char *text, size_t length)
{
    int count = 0;
    for (size_t i = 0; i < length; i++) count += text[i] == ',';
    return count;
}

/* How many columns of the head a file lacks that begins so, if it has the head's first columns. */
static int count_missing(const char *start, const char *head)
{
    const size_t length = strcspn(start, "\n");
    if (strncmp(start, head, length) != 0 || head[length] != ',') return 0;
    return count_commas(head + length, strlen(head) - length);
}

/* The rows of a file's text, from their first line on, each with so many columns more. */
static clt_status keep_rows(const char *line, int missing, int64_t before, clt__text *text, clt_error *error)
{
    static const char more[] = ",,,,,,,,,,,,,,,,";
    for (long long number; (number = strtoll(line, NULL, 10)) > 0 && number < before;) {
        const size_t length = strcspn(line, "\n");
        TRY(clt__text_append(text, line, length, error));
        TRY(clt__text_append(text, more, (size_t)missing, error));
        if (line[length] == '\n') TRY(clt__text_append(text, "\n", 1, error));
        line += length + (line[length] == '\n');
    }
    return CLT_OK;
}

clt_status clt__csv_keep(const char *path, const char *head, int64_t before, clt__text *text, clt_error *error)
{
    char *old;
    size_t size;
    struct stat about;
    TRY(clt__text_append(text, head, strlen(head), error));
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return CLT_OK; /* none yet, or a terminal or pipe */
    TRY(clt__file_read(path, &old, &size, error));
    const int missing = count_missing(old, head);
    const size_t length = strcspn(old, "\n");
    const bool has_head = missing || strncmp(old, head, strlen(head)) == 0;
    const char *rows = has_head ? old + length + (old[length] == '\n') : old;
    const clt_status status = keep_rows(rows, missing, before, text, error);
    free(old);
    return status;
}

static clt_status write_number(clt__text *text, double value, const char *end, clt_error *error)
{
    if (isnan(value)) return clt__text_print(text, error, "%s", end);
    return clt__text_print(text, error, "%.6g%s", value, end);
}

static clt_status compose(const char *path, const clt__epoch_row *row, clt__text *text, clt_error *error)
{
    TRY(clt__csv_keep(path, clt__metrics_header, row->epoch, text, error));
    TRY(clt__text_print(text, error, "%d,", row->epoch));
    TRY(write_number(text, row->loss, ",", error));
    TRY(write_number(text, row->accuracy, ",", error));
    TRY(write_number(text, row->validation_loss, ",", error));
    TRY(write_number(text, row->validation_accuracy, ",", error));
    TRY(write_number(text, row->rate, ",", error));
    TRY(write_number(text, row->seconds, ",", error));
    TRY(clt__text_print(text, error, "%.3f,", row->time)); /* of more digits than others are worth */
    TRY(write_number(text, row->images_per_second, ",", error));
    return write_number(text, row->gradient_norm, "\n", error);
}

clt_status clt__metrics_write(const char *path, const clt__epoch_row *row, clt_error *error)
{
    clt__text text = {0};
    clt_status status = compose(path, row, &text, error);
    if (status == CLT_OK) status = clt__file_write(path, text.start, text.length, error);
    free(text.start);
    return status;
}
