/* CSV files that a resumed run goes on with: metrics.csv, a line an epoch, and --log-steps, a line a step. */
#ifndef CLT_TRAIN_METRICS_H
#define CLT_TRAIN_METRICS_H

#include "base/text.h"

/* Appends to `text` the head, then the old file's rows whose first number is below `before`; a file that is missing, or
 * is not of this kind, has none. */
clt_status clt__csv_keep(const char *path, const char *head, int64_t before, clt__text *text, clt_error *error);

/* The first line of metrics.csv. */
extern const char clt__metrics_header[];

/* A row of metrics.csv. */
typedef struct clt__metrics_row {
    int epoch;                                                                  /* from 1 */
    double loss, accuracy, validation_loss, validation_accuracy, rate, seconds; /* NaN is written as nothing */
} clt__metrics_row;

/* Replaces the file: its rows of earlier epochs, then this one. */
clt_status clt__metrics_write(const char *path, const clt__metrics_row *row, clt_error *error);

#endif
