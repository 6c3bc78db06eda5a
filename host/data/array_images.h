/* Images and answers of data sets that lie in arrays. */
#ifndef CLT_DATA_ARRAY_IMAGES_H
#define CLT_DATA_ARRAY_IMAGES_H

#include "data/array.h"
#include "data/dataset.h"
#include "options/options.h"

/* Whether what the values mean depends on the other split's images too. */
bool clt__array_images_need_other(const clt__array *x);

/* A data set of these images: [h, w], [n, h, w], or of four dimensions as the layout says. `other` are the other
 * split's, where they are needed, else without data. Both may be freed, or taken over, as soon as they are not needed.
 */
clt_status clt__array_to_images(clt__array *x, clt__array *other, const clt_options *options, clt_dataset **dataset,
                                clt_error *error);

/* Whether each row of [n, classes] has one 1 and else 0. */
bool clt__array_is_one_hot(const clt__array *y);

/* The same as for images. */
bool clt__array_answers_need_other(const clt__array *y);

/* Gives the data set the labels or targets that `y` holds: [n], [n, 1] or [n, outputs]. */
clt_status clt__array_to_answers(const clt__array *y, const clt__array *other, const clt_options *options,
                                 clt_dataset *dataset, clt_error *error);

#endif
