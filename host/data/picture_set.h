/* Data sets of image files, each with its label. */
#ifndef CLT_DATA_PICTURE_SET_H
#define CLT_DATA_PICTURE_SET_H

#include "data/dataset.h"

/* A data set of these files, as the options say: decoded at once where all of it is to stay in memory, else when its
 * images are needed. `name` is the data set's; its classes remain to be set. The list is used up. */
clt_status clt__pictures_open(const char *name, clt__picture_list *list, const clt_options *options,
                              clt_dataset **dataset, clt_error *error);

/* The same without labels, and the data set knows what each image is called. */
clt_status clt__pictures_open_unlabelled(const char *name, clt__picture_list *list, const clt_options *options,
                                         clt_dataset **dataset, clt_error *error);

#endif
