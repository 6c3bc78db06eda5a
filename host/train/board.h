/* What a training tells TensorBoard. */
#ifndef CLT_TRAIN_BOARD_H
#define CLT_TRAIN_BOARD_H

#include "session/session.h"
#include "train/metrics.h"

typedef struct clt__board clt__board;

/* Begins an event file in the folder: of a training that stands behind step `done`, by these options. */
clt_status clt__board_open(const char *folder, const clt_model *model, const clt_options *options, int64_t done,
                           clt__board **board, clt_error *error);

clt_status clt__board_step(clt__board *board, int64_t step, const clt__step_figures *figures, clt_error *error);

/* Figures, and how the parameters and their gradients in the session's last step are spread. The session is NULL where
 * it has run no step. */
clt_status clt__board_epoch(clt__board *board, const clt__epoch_row *row, const clt_model *model, clt_session *session,
                            clt_error *error);

/* What came of validating a classifier: the confusion matrix, and some images with what the net takes them for. The
 * first time the images are read by the session. */
clt_status clt__board_validation(clt__board *board, int64_t step, clt_session *validation,
                                 const clt_evaluation *evaluation, clt_error *error);

/* The training has come to its end. */
clt_status clt__board_end(clt__board *board, int64_t step, clt_error *error);

clt_status clt__board_flush(clt__board *board, clt_error *error);
/* Takes NULL. */
clt_status clt__board_close(clt__board *board, clt_error *error);

#endif
