/* Lists of image files, whatever text file has them: each a path with a label, or without one. */
#ifndef CLT_DATA_LISTING_H
#define CLT_DATA_LISTING_H

#include "data/dataset.h"
#include "data/text_labels.h"

typedef struct clt__listing {
    clt__names files;        /* as the list has them */
    clt__text_labels labels; /* one for each file */
} clt__listing;

/* One more; `label` becomes the listing's own, or is freed. */
clt_status clt__listing_add(clt__listing *listing, const char *file, size_t length, char *label, size_t line,
                            clt_error *error);
void clt__listing_free(clt__listing *listing);

/* Whether each file has a label. */
bool clt__listing_is_labelled(const clt__listing *listing);

/* A data set of these files. Its classes are the training list's, which may be the same one; labels of names that it
 * lacks are an error. */
clt_status clt__listing_open(const clt__listing *listing, const clt__listing *train, const clt_options *options,
                             clt_dataset **dataset, clt_error *error);

/* The files without their labels, whether they have some or not. */
clt_status clt__listing_open_images(const clt__listing *listing, const clt_options *options, clt_dataset **dataset,
                                    clt_error *error);

#endif
