/* A training as its loop (train.c), what it writes (run_folder.c, logs.c) and what checks it (checked_steps.c) see it.
 */
#ifndef CLT_TRAIN_TRAINER_H
#define CLT_TRAIN_TRAINER_H

#include <stdio.h>

#include "train/board.h"
#include "train/layer_watch.h"
#include "train/run_record.h"

typedef struct clt__trainer {
    clt_model *model;
    const clt_options *options; /* resolved */
    const clt_options *given;
    const clt_dataset *training_data, *validation_data; /* the latter may be NULL */
    clt_session *session;                               /* on the training data */
    clt_session *validation;                            /* NULL without validation data */
    clt__layer_watch *watch;                            /* NULL where no report is wanted, or there is no room */
    bool proves;                                        /* the next step is verified, for the driver is not known */
    clt_device *fallback;       /* the reference, once the device was found to be wrong, else NULL */
    FILE *log, *json;           /* of log_steps and json_log, or NULL */
    clt__board *board;          /* of tensorboard, or NULL */
    clt_evaluation *evaluation; /* of the epoch that is ending; NULL where nothing is validated */
    int lock;                   /* on the output folder, -1 without one */
    clt__run_record record;
    int64_t steps; /* in an epoch */
    int in_flight; /* steps to enqueue before the next reading: the same on all ranks */
    int wanted;    /* so many of them, by this rank's clock; ranks agree when they meet */
    double epoch_began, last_reading;
    bool stepped;        /* in this epoch: one that goes on behind its last step is not */
    int64_t seen_before; /* images of the epoch that were seen when it began, or the run that goes on with it */
} clt__trainer;

/* The session, where its last step was one of the epoch that is ending; else NULL. */
static inline clt_session *clt__stepped(const clt__trainer *t)
{
    return t->stepped ? t->session : NULL;
}

/* ---- checked_steps.c */

/* A clt__run_ops on a trainer: verifies the ops, and on a mismatch does as the options say. */
clt_status clt__check_ops(clt_session *session, size_t begin, size_t end, void *trainer, clt_error *error);

/* What happened in step `bad` of the epoch, counted from 0, is not finite. Computes the epoch's steps again from where
 * the host's model stands, checks the one before and that one op by op, and fails: with CLT_MISMATCH where the device
 * was wrong, with CLT_DIVERGED where it was right. */
clt_status clt__triage(clt__trainer *t, int64_t bad, const char *happened, clt_error *error);

/* ---- together.c: nothing, where no ranks train together */

/* What a run writes is the first rank's. */
void clt__leave_to_first(clt_options *options);
/* Fails on all ranks where one trains something else: the first tells why, others are CLT_STOPPED. */
clt_status clt__check_alike(const clt__trainer *t, clt_error *error);
/* *on if all ranks want to go on, *save if one wants a checkpoint; and the ranks read the history at the same steps. */
clt_status clt__agree_to_go_on(clt__trainer *t, bool *on, bool *save, clt_error *error);

/* ---- run_folder.c: nothing, where there is no output folder */

/* Makes the folder, and keeps other trainings out of it. */
clt_status clt__folder_open(clt__trainer *t, clt_error *error);
clt_status clt__folder_save(clt__trainer *t, clt_error *error); /* last.safetensors */
/* Checkpoints, metrics and logs of an epoch that has ended. */
clt_status clt__folder_epoch(clt__trainer *t, const clt__epoch_row *row, clt_error *error);
/* The run has ended so, `why` (which may be NULL) in a sentence: run.json says it. */
clt_status clt__folder_end(clt__trainer *t, clt_status status, const clt_error *why, clt_error *error);
void clt__folder_close(clt__trainer *t);

/* ---- logs.c: what grows step by step, or epoch by epoch; a run that goes on keeps what they have of the steps before
 */

clt_status clt__logs_open(clt__trainer *t, clt_error *error);
/* Of the step that the session's state stands behind. */
clt_status clt__logs_step(const clt__trainer *t, const clt__step_figures *figures, clt_error *error);
clt_status clt__logs_epoch(const clt__trainer *t, const clt__epoch_row *row, clt_error *error);
/* The training has come to its end. */
clt_status clt__logs_end(const clt__trainer *t, clt_error *error);
clt_status clt__logs_flush(const clt__trainer *t, clt_error *error);
clt_status clt__logs_close(clt__trainer *t, clt_error *error);

#endif
