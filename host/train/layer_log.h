/* layers.csv in a run's folder, for the page about it: how large each trained parameter and its gradient were as each
 * epoch ended. */
#ifndef CLT_TRAIN_LAYER_LOG_H
#define CLT_TRAIN_LAYER_LOG_H

#include "session/session.h"

/* Adds a row for each trained parameter, after the rows of earlier epochs. The model holds what the session has, which
 * is NULL where it has run no step. */
clt_status clt__layer_log_write(const char *path, clt_session *session, const clt_model *model, int epoch,
                                clt_error *error);

typedef struct clt__layer_figures {
    int epoch;
    char parameter[64];
    double weight, gradient; /* root mean squares; the gradient is the last step's */
} clt__layer_figures;

/* *rows is freed with free(); none where there is no such file. */
clt_status clt__layer_log_read(const char *path, clt__layer_figures **rows, size_t *count, clt_error *error);

#endif
