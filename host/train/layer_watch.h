/* What each layer gives for a few images, epoch by epoch: a session of its own that keeps all tensors. */
#ifndef CLT_TRAIN_LAYER_WATCH_H
#define CLT_TRAIN_LAYER_WATCH_H

#include "session/session.h"

typedef struct clt__layer_watch clt__layer_watch;

/* The images are some of the data set's. CLT_NO_MEMORY where the device has no room beside what it holds. */
clt_status clt__layer_watch_open(const clt_model *model, clt_device *device, const clt_dataset *data, int workers,
                                 clt__layer_watch **watch, clt_error *error);
/* Adds to activations.csv a row for each layer, by the model as it is now, after the rows of earlier epochs. */
clt_status clt__layer_watch_write(clt__layer_watch *watch, const char *path, int epoch, clt_error *error);
/* Takes NULL. */
void clt__layer_watch_close(clt__layer_watch *watch);

/* Whether a layer of this kind ("relu6") may give 0 whatever it is given. */
bool clt__layer_may_die(const char *kind);
/* Channels that are 0 in all images, wherever one looks. */
size_t clt__count_dead(const double *values, const clt_tensor_info *info);

#endif
