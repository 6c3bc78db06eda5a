/* layers.csv and activations.csv in a run's folder, for the page about it: what its layers were like as each epoch
 * ended. */
#ifndef CLT_TRAIN_LAYER_LOG_H
#define CLT_TRAIN_LAYER_LOG_H

#include "base/text.h"
#include "session/session.h"

/* The first lines of the two: how large each trained parameter and its gradient were; how large what each layer gives
 * is, and of those that may die, which share has. */
extern const char clt__layers_head[], clt__activations_head[];

enum { CLT__WEIGHT, CLT__GRADIENT };
enum { CLT__SIZE, CLT__DEAD };

typedef struct clt__layer_figures {
    int epoch;
    char name[64];   /* of the parameter or the layer */
    double value[2]; /* CLT__WEIGHT.. or CLT__SIZE..; root mean squares but for CLT__DEAD. NaN: not known, or no finite
                        number. A gradient is that of the epoch's last step */
} clt__layer_figures;

double clt__root_mean_square(const double *values, size_t count);

/* Appends a row. */
clt_status clt__layer_log_add(clt__text *text, const clt__layer_figures *row, clt_error *error);

/* Adds to layers.csv a row for each trained parameter, after the rows of earlier epochs. The model holds what the
 * session has, which is NULL where it has run no step. */
clt_status clt__layer_log_write(const char *path, clt_session *session, const clt_model *model, int epoch,
                                clt_error *error);

/* Reads a file that begins with `head`. *rows is freed with free(); none where there is no such file. */
clt_status clt__layer_log_read(const char *path, const char *head, clt__layer_figures **rows, size_t *count,
                               clt_error *error);

#endif
