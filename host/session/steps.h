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

/* ---- shards, of resolved options */

/* This rank's shards of a batch, from `begin` to below `end`; alone it has all. */
void clt__own_shards(const clt_options *options, int *begin, int *end);
/* How many of the first `images` images of a batch are in the shards before this one. */
int clt__images_before(const clt_options *options, int shard, int images);
/* The most images that one has. */
int clt__shard_images(const clt_options *options);
/* How many shards of a batch of so many images have any. */
int clt__filled_shards(const clt_options *options, int images);

/* Whether an image's loss takes other images of the batch: it is mixed with one, or weighed by all classes. */
bool clt__images_take_others(const clt_options *options);

/* The images of a full batch that this rank reads: those of its shards, or all where an image's loss takes others. */
typedef struct clt__own_images {
    int begin, end;
} clt__own_images;
clt__own_images clt__own_images_of(const clt_options *options);

#endif
