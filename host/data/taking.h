/* Taking images out of a data set: at once, or by worker threads while the caller does something else. */
#ifndef CLT_DATA_TAKING_H
#define CLT_DATA_TAKING_H

#include "base/workers.h"
#include "data/dataset.h"

/* How many threads the options ask for. */
int clt__worker_count(const clt_options *options);

/* Images on their way. NULL: they have come. */
typedef struct clt__taking clt__taking;

/* Begins to copy images, of these numbers, as they lie in a data set ([height, width, channels], bytes or double), to
 * `to`; or where `crops` is not NULL random parts of them, resized. Images of a source of the caller's come before this
 * returns, for it is asked in the caller's thread. */
clt_status clt__taking_begin(const clt_dataset *dataset, const size_t *images, size_t count, const clt__crops *crops,
                             clt__workers *workers, void *to, clt__taking **taking, clt_error *error);
bool clt__taking_is_done(const clt__taking *taking);

/* Waits, and frees it: *taking becomes NULL. The error says what of it failed. Bad image files are an error only where
 * the data set does not skip them; else their images are black, clt_dataset_lacks tells, and so does a note to
 * `options` (NULL: nobody), once. */
clt_status clt__taking_end(clt__taking **taking, const clt_options *options, clt_error *error);

/* Shows all images, in order: a piece at a time where the data set streams, else all at once. Black ones in the place
 * of bad files are not shown. One of `bytes` and `reals` is NULL. Where bad files are not skipped, the error counts
 * all of them. `options`: how many threads, and who is told a note. */
typedef void (*clt__see_images)(void *user, const uint8_t *bytes, const double *reals, size_t count);
clt_status clt__dataset_see(const clt_dataset *dataset, const clt_options *options, clt__see_images see, void *user,
                            clt_error *error);

/* The same of `some` images (not more than there are), evenly spread over the data set: a piece at a time. */
clt_status clt__dataset_see_some(const clt_dataset *dataset, size_t some, const clt_options *options,
                                 clt__see_images see, void *user, clt_error *error);

/* The image itself, or for one that the data set lacks the next that it has; an error where it has none. */
clt_status clt__dataset_stand_in(const clt_dataset *dataset, size_t image, size_t *other, clt_error *error);

#endif
