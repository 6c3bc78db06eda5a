/* Data sets whose images and labels lie in arrays, NPY or IDX. */
#ifndef CLT_DATA_ARRAY_SET_H
#define CLT_DATA_ARRAY_SET_H

#include "data/array.h"
#include "data/array_list.h"
#include "data/dataset.h"

/* Reads one array, as the format's files hold it. */
typedef clt_status (*clt__load_array)(const clt__array_place *place, clt__array *array, clt_error *error);

typedef struct clt__array_kind {
    clt__load_array load;
    /* Changes labels before they are taken; NULL: as they are. */
    void (*arrange_labels)(clt__array *labels, const clt_options *options);
    /* How a sentence goes on after the path where a split's images or labels are not there: "holds no x_train.npy". */
    const char *missing[2][2]; /* [labels][split] */
} clt__array_kind;

/* Opens a split of the list's data set. */
clt_status clt__array_set_open(clt__array_list *list, const clt__array_kind *kind, clt_split split,
                               const clt_options *options, clt_dataset **dataset, clt_error *error);

#endif
