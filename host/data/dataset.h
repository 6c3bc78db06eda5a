/* A data set in host memory. Images are channels last (NHWC), as every tensor inside cltrain is; the public functions
 * take and give NCHW. */
#ifndef CLT_DATA_DATASET_H
#define CLT_DATA_DATASET_H

#include "base/error.h"

struct clt_dataset {
    size_t count;
    clt_shape shape;
    uint8_t *bytes;  /* [count, height, width, channels], or NULL */
    double *reals;   /* the same as real values; exactly one of the two is set */
    int32_t *labels; /* [count] class labels, or NULL */
    int classes;     /* 1 + the largest label there may be; 0 without labels */
    double *targets; /* [count, outputs] real targets, or NULL */
    int outputs;
    char *name; /* where it came from, for messages */
};

/* Values of one image: channels * height * width. */
size_t clt__image_size(clt_shape shape);

#endif
