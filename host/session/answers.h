/* Whether a data set has the labels or targets that a model wants. */
#ifndef CLT_SESSION_ANSWERS_H
#define CLT_SESSION_ANSWERS_H

#include "model/model.h"

/* The data set with its labels alone or its targets alone, as the model's loss wants them, where whole numbers can be
 * both. It owns nothing. */
clt_dataset clt__choose_answers(const clt_model *model, const clt_dataset *data);

/* Tells the options' note function where such numbers are taken as labels. */
void clt__note_answers(const clt_model *model, const clt_dataset *data, const clt_options *options);

/* Labels of the net's classes, or targets, to `purpose`: "train on". */
clt_status clt__check_answers(const clt_model *model, const clt_dataset *data, const char *purpose, clt_error *error);

/* A real target that the loss takes: number `target` of an image of what is called `name`. */
clt_status clt__check_target_value(const clt__loss_row *loss, const char *name, int target, int image, double value,
                                   clt_error *error);

/* Real targets, if it has them, that are numbers which the loss takes. */
clt_status clt__check_target_values(const clt__loss_row *loss, const clt_dataset *data, clt_error *error);

/* All that evaluating asks for, the names of the classes too. */
clt_status clt__check_targets(const clt_model *model, const clt_dataset *data, clt_error *error);

#endif
