/* Which images the steps of an epoch take. */
#ifndef CLT_SESSION_STEPS_H
#define CLT_SESSION_STEPS_H

#include "options/options.h"

/* Checked options without those that stand for others: accumulated batches are micro-batches of a larger one, and
 * overfitting a batch leaves out what would change it. What is returned owns nothing. */
clt_options clt__resolve_options(const clt_options *options);

/* Of resolved options. Where the images of a step begin in the epoch's order. */
int64_t clt__first_image(const clt_options *options, int64_t step);
/* How many images it has, of a data set of so many, and how many steps an epoch has. */
int clt__step_images(const clt_options *options, size_t images, int64_t step);
int64_t clt__epoch_steps(const clt_options *options, size_t images);

#endif
