/* A session: a model's net on a device, with a data set, ready to run steps. */
#ifndef CLT_TRAIN_SESSION_H
#define CLT_TRAIN_SESSION_H

#include "data/dataset.h"
#include "engine/engine.h"
#include "train/model.h"

typedef struct clt__session_mode {
    bool training, keep_sums, input_gradient;
} clt__session_mode;

struct clt_session {
    const clt_model *model;
    clt_model *trained; /* the same, where the session may write to it */
    const clt_dataset *data;
    clt__net net;
    clt__engine *engine;
    /* The order in which steps take images, and which part of it lies on the device: all of the data set where it
     * fits (then `window` is its size), else the images order[window_begin .. window_end). */
    int32_t *order;
    int order_count;
    bool resident;
    int window, window_begin, window_end;
    int64_t steps;         /* trained by clt_session_step and not yet stored */
    clt_tensor_info found; /* what clt_session_find gave last */
};

clt_status clt__session_open(const clt_model *model, clt_device *device, const clt_dataset *data,
                             const clt_train_options *options, clt__session_mode mode, clt_session **session,
                             clt_error *error);

/* The next steps take images in this order; `images` is copied. */
clt_status clt__session_set_order(clt_session *session, const int32_t *images, int count, clt_error *error);

/* The next steps take images in the data set's own order. */
clt_status clt__session_set_own_order(clt_session *session, clt_error *error);

/* Makes `valid` images from position `first` of the order the batch that the next ops work on; the step's loss goes to
 * `slot` of the history. */
clt_status clt__session_place(clt_session *session, int first, int valid, int slot, clt_error *error);

/* The model's parameters (and, training, the optimiser's state) go to the device, or come back into `model`. */
clt_status clt__session_upload(clt_session *session, clt_error *error);
clt_status clt__session_download(clt_session *session, clt_model *model, clt_error *error);

#endif
