/* Learning-rate schedules, each with PyTorch's formula. */
#ifndef CLT_SESSION_SCHEDULE_H
#define CLT_SESSION_SCHEDULE_H

#include "model/model.h"

/* Of step `step` (from 0) of the running epoch, which has `steps` of them. */
double clt__learning_rate(const clt_options *options, const clt__training_state *state, int64_t step, int64_t steps);

/* An epoch has ended with this loss, which the schedule `plateau` follows. */
void clt__schedule_follow(const clt_options *options, double loss, clt__training_state *state);

#endif
