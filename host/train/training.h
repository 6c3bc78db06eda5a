/* What the files of training share. */
#ifndef CLT_TRAIN_TRAINING_H
#define CLT_TRAIN_TRAINING_H

#include "base/text.h"
#include "train/session.h"

/* initialize.c: gives every parameter its first value, by the rules of clt_model_options; NULL for the default. */
clt_status clt__initialize(clt_model *model, const char *init, clt_error *error);

/* model.c: CLT_OK where the pattern, which `option` gave, stands for a parameter. */
clt_status clt__check_pattern(const clt_model *model, const char *option, const char *pattern, clt_error *error);

/* options.c: "there is no optimizer "x": there is sgd, adam" */
clt_status clt__no_such(const char *kind, const char *name, const char *const *names, clt_error *error);
clt_status clt__check_options(const clt_train_options *options, int channels, clt_error *error);
/* Checked options without those that stand for others: accumulated batches are micro-batches of a larger one, and
 * overfitting a batch leaves out what would change it. */
clt_train_options clt__resolve_options(const clt_train_options *options);
/* Where the images of a step of an epoch begin in its order. */
int64_t clt__first_image(const clt_train_options *options, int64_t step);
/* How many images it has, of a data set of so many, and how many steps an epoch has. */
int clt__step_images(const clt_train_options *options, size_t images, int64_t step);
int64_t clt__epoch_steps(const clt_train_options *options, size_t images);
/* Of a step, both counted from 0, in an epoch of `steps` steps. */
double clt__learning_rate(const clt_train_options *options, const clt__plateau *plateau, int epoch,
                          int64_t step_in_epoch, int64_t steps);
/* An epoch has ended with this loss. */
void clt__plateau_follow(const clt_train_options *options, double loss, clt__plateau *plateau);

/* normalize.c: sets the model's mean and deviation as the options say. Once it has trained they stay: a resumed run
 * must see the same numbers. */
void clt__normalize(clt_model *model, const clt_dataset *data, const clt_train_options *options);

/* augment.c */
clt_status clt__check_augment(const clt_augment *augment, clt_error *error);
/* Sets what `step`, whose other fields are set, says of mixing: the same for all micro-batches of a batch. */
void clt__draw_mix(const clt_augment *augment, clt_shape image, uint64_t seed, int32_t step[STEP_LENGTH]);

/* metrics.c */

/* Appends to `text` the head, then the old file's rows whose first number is below `before`; a file that is missing, or
 * is not of this kind, has none. */
clt_status clt__csv_keep(const char *path, const char *head, int64_t before, clt__text *text, clt_error *error);

/* A row of metrics.csv. */
typedef struct clt__metrics_row {
    int epoch;                                                                  /* from 1 */
    double loss, accuracy, validation_loss, validation_accuracy, rate, seconds; /* NaN is written as nothing */
} clt__metrics_row;

/* Replaces the file: its rows of earlier epochs, then this one. */
clt_status clt__metrics_write(const char *path, const clt__metrics_row *row, clt_error *error);

/* verify.c: runs ops begin..end on both; CLT_MISMATCH, with the first mismatch in the sentence, if any was beyond its
 * bound. `report` may be NULL. */
clt_status clt__verify_ops(clt_session *session, size_t begin, size_t end, clt_verify_function report, void *user,
                           clt_error *error);

/* verify.c: random images with random labels, as the model takes them, for so many batches. */
clt_status clt__random_dataset(const clt_model *model, int batch_size, int batches, uint64_t seed, clt_dataset **data,
                               clt_error *error);

/* bench.c: seconds of one run of op `index`, the mean of `times` runs. Waits for the device. */
clt_status clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error);

/* evaluate.c: whether a data set has the labels or targets that the model's loss wants. */
clt_status clt__check_targets(const clt_model *model, const clt_dataset *data, clt_error *error);

/* evaluate.c: whether a data set has labels of the net's classes, or targets, to `purpose`. */
clt_status clt__check_answers(const clt_model *model, const clt_dataset *data, const char *purpose, clt_error *error);

/* evaluate.c: whether its real targets, if it has them, are numbers that the loss takes. */
clt_status clt__check_target_values(const clt__loss_row *loss, const clt_dataset *data, clt_error *error);

/* evaluate.c: on a session that was opened for inference on the data to evaluate. */
clt_status clt__evaluate(clt_session *session, clt_evaluation *evaluation, clt_error *error);

#endif
