/* A session: a model's net on a device, with a data set, ready to run steps. */
#ifndef CLT_SESSION_SESSION_H
#define CLT_SESSION_SESSION_H

#include "model/model.h"
#include "session/feed.h"
#include "session/fit.h"
#include "session/gathering.h"
#include "session/syncs.h"

/* What has been done with the batch that the caller has set, for steps in parts. */
typedef enum clt__batch_stage {
    CLT__NO_BATCH,
    CLT__BATCH_SET,
    CLT__FORWARD_DONE,
    CLT__BACKWARD_DONE, /* from here on its loss is known */
    CLT__STEP_DONE
} clt__batch_stage;

struct clt_session {
    const clt_model *model;
    clt_model *trained; /* the same, where the session may write to it */
    clt_model *folded;  /* inference: `model`, made of `unfolded`, where its batch normalisations are folded; or NULL */
    const clt_model *unfolded;
    const clt_dataset *data;
    clt_dataset chosen; /* clt__choose_answers of it, where it has both labels and targets: `data` is this, then */
    clt__net net;
    clt__engine *engine;
    clt__feed feed;
    clt__session_mode mode;
    int frozen_epoch;          /* whose parameters are trained, where `freeze` names epochs */
    int batch;                 /* images of a step, at most; without training, what the net takes at a time */
    int micro_batch;           /* images that the net takes at a time */
    clt_options *given;        /* a copy of those it was opened with; NULL without training */
    clt_options options;       /* the same, resolved: what they own is `given`'s */
    clt__training_state state; /* the model's, and what steps that were read have added since */
    int pending;               /* steps of the epoch that are enqueued and whose losses have not been read */
    int images_of_slot[CLT__HISTORY_SLOTS]; /* of the step whose losses it has */
    clt__gathering *gathering;              /* with other ranks, or NULL */
    clt__syncs *syncs;                      /* where shards wait for each other, or NULL */
    bool meets;              /* the step that is enqueued ends with the mean over ranks that train by themselves */
    bool is_parted;          /* the feed's order has only those images of an epoch's batches that are this rank's */
    bool measures;           /* the step that is enqueued measures the gradient's norm */
    int epoch;               /* that the images' order is of */
    bool in_epoch;           /* the order of images is that of the running epoch */
    bool committed;          /* the model counts as trained by the session's options */
    double batch_rate;       /* the learning rate of steps on the caller's batches; an epoch's have the schedule's */
    uint64_t seed;           /* of what steps draw at random */
    int64_t number;          /* of the next step since training began */
    int64_t updates;         /* that the optimiser's states have seen */
    clt_dataset *batch_data; /* holds the caller's batch, where the session has no other data */
    clt__batch_stage stage;  /* of the batch that the caller has set */
    int batch_images;        /* how many it has */
    int64_t told_skipped;    /* steps whose being skipped was told */
    bool overflown;          /* the gradients of the step are not finite: it is skipped */
    clt__augment augment;
    double rate, beta1, beta2, decay;                     /* what the hyper tensors' numbers of each step come from */
    double hyper[CLT__MAX_OPTIMIZERS][HYPER_STEP_LENGTH]; /* what the device has of them */
    clt_tensor_info found;                                /* what clt_session_find gave last */
};

/* CLT_OK where the data and the options are for the model. */
clt_status clt__session_check(const clt_model *model, const clt_dataset *data, const clt_options *options,
                              bool training, clt_error *error);

clt_status clt__session_open(const clt_model *model, clt_device *device, const clt_dataset *data,
                             const clt_options *options, clt__session_mode mode, clt_session **session,
                             clt_error *error);

/* Fails where clt__session_refreeze has failed: such a session can only be closed. */
clt_status clt__session_stands(const clt_session *session, clt_error *error);

/* The epoch that the session's state stands at begins: parameters that `freeze` names are trained no longer. Where that
 * changes something the session stores what it has trained and takes the device anew. */
clt_status clt__session_refreeze(clt_session *session, clt_error *error);

/* The next steps take images in the data set's own order. */
clt_status clt__session_set_own_order(clt_session *session, clt_error *error);

/* They take them in an epoch's order: a permutation that depends on the options' seed and the epoch alone, or the data
 * set's own order where the options do not shuffle. */
clt_status clt__session_set_epoch_order(clt_session *session, const clt_options *options, int epoch, clt_error *error);

/* ---- epoch.c: what the public functions of an epoch are made of */

/* Steps in an epoch. */
int64_t clt__session_steps(const clt_session *session);

/* Whether the options fit where the model's training stands: in the middle of an epoch the images that were taken are
 * counted in batches of its order. */
clt_status clt__check_position(const clt_session *session, clt_error *error);

/* From now on the model was trained with the session's options, on the session's classes. */
clt_status clt__session_commit(clt_session *session, clt_error *error);

/* As clt_session_open, of any mode that trains. */
clt_status clt__session_open_training(clt_model *model, clt_device *device, const clt_dataset *data,
                                      const clt_options *options, clt__session_mode mode, clt_session **session,
                                      clt_error *error);

/* What the ops work on: `valid` images, at most a micro-batch, from position `first` of the order. They are micro-batch
 * number `part` of a shard of a batch of `whole` images; the shard's losses go to `slot` of the history. What gathers
 * shards is told the shard's number as the part. */
typedef struct clt__placement {
    int first, valid, slot, whole, part, before; /* before: images of the batch before these */
    bool gathers;                                /* there are no images: shards are gathered */
    bool mirrored;                               /* left to right */
    int moved;                                   /* down and to the right, by so many pixels: STEP_MOVE */
} clt__placement;

clt_status clt__session_place(clt_session *session, const clt__placement *placement, clt_error *error);

/* How to run the ops begin <= op < end. */
typedef clt_status (*clt__run_ops)(clt_session *session, size_t begin, size_t end, void *user, clt_error *error);

/* shards.c: runs all ops on the `valid` images from position `first` of the order, at most a batch: shard by shard
 * those before the gathering once for each micro-batch, then this; the update once. The losses go to slots of the
 * history from `slot` times the number of shards on. `run` is clt__session_run_ops or another of its kind. */
clt_status clt__session_run_batch(clt_session *session, int first, int valid, int slot, clt__run_ops run, void *user,
                                  clt_error *error);

/* Runs the net on the `valid` images from position `first` of the order, at most a micro-batch, and reads its outputs,
 * [a micro-batch, outputs] in the outside order: as the options say, those of the images, or the mean of theirs and of
 * those of the images mirrored and moved. */
clt_status clt__session_infer(clt_session *session, int first, int valid, double *outputs, clt_error *error);

/* shards.c: what the images of a step came to, all shards together. */
typedef struct clt__tally {
    double loss, hits; /* sums */
} clt__tally;
/* Of the steps in the first `steps` slots of the history. Waits for the device, and for other ranks. */
clt_status clt__session_read_tallies(clt_session *session, int steps, clt__tally *tally, clt_error *error);

/* The update alone. */
clt_status clt__session_run_update(clt_session *session, clt__run_ops run, void *user, clt_error *error);

/* Whether after this step of the epoch all ranks have the same parameters: where they train by themselves for some
 * steps checkpoints wait for that. */
bool clt__session_meets(const clt_session *session, int64_t step);

/* Enqueues step `step` (from 0) of the epoch, its ops by `run`, with the learning rate that the schedule gives it. */
clt_status clt__session_run_step(clt_session *session, int64_t step, clt__run_ops run, void *user, clt_error *error);

/* What is known of a step that was run. */
typedef struct clt__step_figures {
    double loss; /* the mean of its images' */
    double rate; /* the learning rate */
    double norm; /* of the gradient of all that is trained, before it is clipped; NaN where it was not measured */
} clt__step_figures;

/* Waits for the steps under way and adds up their losses; `take` (or NULL) gets the figures of each, while the state
 * stands behind it. CLT_DIVERGED at the first whose loss is not finite, in a sentence that says only that; the state
 * then stands before that step. */
typedef clt_status (*clt__take_step)(void *user, const clt__step_figures *figures, clt_error *error);
clt_status clt__session_read_steps(clt_session *session, clt__take_step take, void *user, clt_error *error);

/* The epoch is over: what it reached decides on the best model, on patience and on the schedule. */
void clt__session_close_epoch(clt_session *session, double loss, bool *best);

/* Enqueues them. */
clt_status clt__session_run_ops(clt_session *session, size_t begin, size_t end, void *unused, clt_error *error);

/* Moves one parameter's worth of values, in the outside order, between the host and `tensor`, from its element `first`
 * on. tensors.c */
clt_status clt__session_move(clt_session *session, const clt__tensor *parameter, int tensor, int first, double *values,
                             bool up, clt_error *error);

/* The model's parameters (and, training, the optimiser's state) go to the device, or come back into `model`. */
clt_status clt__session_upload(clt_session *session, clt_error *error);
clt_status clt__session_download(clt_session *session, clt_model *model, clt_error *error);

/* Makes the device's parameters and the count of updates those of the model again, and forgets the losses of steps. */
clt_status clt__session_rewind(clt_session *session, clt_error *error);

/* Images of an evaluation whose outputs are kept, to be shown: evenly from all over the data set. */
enum { CLT__SHOWN = 8 };

struct clt_evaluation {
    size_t shown; /* how many these are */
    size_t shown_number[CLT__SHOWN];
    double *shown_output; /* [shown, outputs] */
    size_t count;
    double loss, accuracy;
    int classes;
    uint64_t *confusion; /* [classes, classes]: row the true class, column the predicted one; NULL for real targets */
    uint64_t *rank;      /* [classes] */
};

/* evaluate.c: what the net gets of images of the data set, but for the normalisation: [count, height, width, channels],
 * from 0 to 1 where they were bytes. Of an inference session, which has another order of images then. */
clt_status clt__session_read_images(clt_session *session, const size_t *images, size_t count, double *values,
                                    clt_error *error);

/* evaluate.c: makes each of `count` rows of outputs probabilities. */
void clt__softmax_rows(double *rows, size_t count, size_t width);

/* Runs ops begin..end on both the device and the reference; CLT_MISMATCH, with the first mismatch in the sentence, if
 * any was beyond its bound. `report` may be NULL. */
clt_status clt__verify_ops(clt_session *session, size_t begin, size_t end, clt_verify_function report, void *user,
                           clt_error *error);

/* Whether all parameters, and the statistics that layers keep, are finite numbers. Waits for the device. */
clt_status clt__session_is_finite(clt_session *session, bool *finite, clt_error *error);

#endif
