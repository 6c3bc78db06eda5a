/* A session: a model's net on a device, with a data set, ready to run steps. */
#ifndef CLT_SESSION_SESSION_H
#define CLT_SESSION_SESSION_H

#include "model/model.h"
#include "session/feed.h"
#include "session/fit.h"

struct clt_session {
    const clt_model *model;
    clt_model *trained; /* the same, where the session may write to it */
    const clt_dataset *data;
    clt__net net;
    clt__engine *engine;
    clt__feed feed;
    int batch;       /* images of a step, at most; without training, what the net takes at a time */
    int micro_batch; /* images that the net takes at a time */
    uint64_t seed;   /* of what steps draw at random */
    int64_t number;  /* of the next step since training began */
    int64_t steps;   /* trained by clt_session_step and not yet stored */
    int64_t updates; /* that the optimiser's states have seen */
    clt__augment augment;
    const clt__optimizer_row *optimizer;
    double rate, beta1, beta2, decay; /* what the hyper tensor's numbers of each step come from */
    double hyper[HYPER_STEP_LENGTH];  /* what the device has of them */
    clt_tensor_info found;            /* what clt_session_find gave last */
};

clt_status clt__session_open(const clt_model *model, clt_device *device, const clt_dataset *data,
                             const clt_options *options, clt__session_mode mode, clt_session **session,
                             clt_error *error);

/* The next steps take images in the data set's own order. */
clt_status clt__session_set_own_order(clt_session *session, clt_error *error);

/* They take them in an epoch's order: a permutation that depends on the options' seed and the epoch alone, or the data
 * set's own order where the options do not shuffle. */
clt_status clt__session_set_epoch_order(clt_session *session, const clt_options *options, int epoch, clt_error *error);

/* What the ops work on: `valid` images, at most a micro-batch, from position `first` of the order. They are micro-batch
 * number `part` of a batch of `whole` images, whose losses go to `slot` of the history. */
typedef struct clt__placement {
    int first, valid, slot, whole, part, before; /* before: images of the batch in the micro-batches before */
} clt__placement;

clt_status clt__session_place(clt_session *session, const clt__placement *placement, clt_error *error);

/* How to run the ops begin <= op < end. */
typedef clt_status (*clt__run_ops)(clt_session *session, size_t begin, size_t end, void *user, clt_error *error);

/* Runs all ops on the `valid` images from position `first` of the order, at most a batch: those before the update once
 * for each micro-batch, the update once. `run` is clt__session_run_ops or another of its kind. */
clt_status clt__session_run_batch(clt_session *session, int first, int valid, int slot, clt__run_ops run, void *user,
                                  clt_error *error);

/* Enqueues them. */
clt_status clt__session_run_ops(clt_session *session, size_t begin, size_t end, void *unused, clt_error *error);

/* The model's parameters (and, training, the optimiser's state) go to the device, or come back into `model`. */
clt_status clt__session_upload(clt_session *session, clt_error *error);
clt_status clt__session_download(clt_session *session, clt_model *model, clt_error *error);

/* Makes the device's parameters and the count of updates those of the model again, and forgets the losses of steps. */
clt_status clt__session_rewind(clt_session *session, clt_error *error);

struct clt_evaluation {
    size_t count;
    double loss, accuracy;
    int classes;
    uint64_t *confusion; /* [classes, classes]: row the true class, column the predicted one; NULL for real targets */
    uint64_t *rank;      /* [classes] */
};

/* On a session that was opened for inference on the data to evaluate. */
clt_status clt__evaluate(clt_session *session, const clt_options *options, clt_evaluation **evaluation,
                         clt_error *error);

/* Runs ops begin..end on both the device and the reference; CLT_MISMATCH, with the first mismatch in the sentence, if
 * any was beyond its bound. `report` may be NULL. */
clt_status clt__verify_ops(clt_session *session, size_t begin, size_t end, clt_verify_function report, void *user,
                           clt_error *error);

/* Whether all parameters, and the statistics that layers keep, are finite numbers. Waits for the device. */
clt_status clt__session_is_finite(clt_session *session, bool *finite, clt_error *error);

#endif
