/* CSV files that a resumed run goes on with: metrics.csv, a line an epoch, and --log-steps, a line a step. */
#ifndef CLT_TRAIN_METRICS_H
#define CLT_TRAIN_METRICS_H

#include "base/text.h"

/* Appends to `text` the head, then the old file's rows whose first number is below `before`; a file that is missing, or
 * is not of this kind, has none. Rows of a file that an older version began, whose head has the first columns only, get
 * the others with nothing in them. */
clt_status clt__csv_keep(const char *path, const char *head, int64_t before, clt__text *text, clt_error *error);

/* The first line of metrics.csv. */
extern const char clt__metrics_header[];

/* What is told of an epoch, here and elsewhere. NaN: not known. */
typedef struct clt__epoch_row {
    int epoch;    /* from 1 */
    int64_t step; /* of the training, which ended it */
    double loss, accuracy, validation_loss, validation_accuracy, rate;
    double seconds; /* that it took, since its beginning or that of the run which went on with it */
    double time;    /* when it ended, in seconds since 1970 began, by UTC */
    double images_per_second;
    double gradient_norm; /* the mean of the steps that measured it */
    bool best;            /* so far */
} clt__epoch_row;

/* Replaces the file: its rows of earlier epochs, then this one. */
clt_status clt__metrics_write(const char *path, const clt__epoch_row *row, clt_error *error);

#endif
