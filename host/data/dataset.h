/* A data set in host memory. Images are channels last (NHWC), as every tensor inside cltrain is; the public functions
 * take and give NCHW. */
#ifndef CLT_DATA_DATASET_H
#define CLT_DATA_DATASET_H

#include "base/error.h"
#include "data/names.h"
#include "data/picture_store.h"

/* A source of the caller's, which is asked for images when they are needed. */
typedef struct clt__image_source {
    clt_fill_function fill; /* NULL: the images are in memory */
    void *user;
    clt_pixels pixels;
} clt__image_source;

struct clt_dataset {
    size_t count;
    clt_shape shape;
    uint8_t *bytes; /* [count, height, width, channels], or NULL */
    double *reals;  /* the same as real values; exactly one of the two is set, or one of the next two */
    clt__image_source source;
    clt__picture_store *pictures;
    size_t *number;  /* [count] what the source or the store calls each image; NULL: by its place */
    int32_t *labels; /* [count] class labels, or NULL */
    int classes;     /* 1 + the largest label there may be; 0 without labels */
    double *targets; /* [count, outputs] real targets, or NULL. With labels too, they are the same whole numbers, and
                      * the loss says what they are */
    int outputs;
    clt__names class_names; /* [classes] or none */
    clt__names image_names; /* [count], of a data set without labels: the file that each image is; or none */
    size_t converted;       /* how many of them had another size or other colours */
    bool whole;             /* from what has no splits */
    bool blank;             /* its images come later: there is nothing to measure */
    clt_shape least, most;  /* sizes of the files that its images were made of; 0 where there are none */
    const char *format;     /* what it was read from, NULL: the caller's memory */
    char *name;             /* where it came from, for messages */
    char *answers_name;     /* where its labels or targets did, if from elsewhere, else NULL */
};

/* Whether its images are bytes. */
bool clt__dataset_is_bytes(const clt_dataset *dataset);

/* Whether its images come when they are asked for, so that all of them may be more than there is memory for. */
bool clt__dataset_streams(const clt_dataset *dataset);

/* Whether there are several images, in memory, and of the first `most` each is the same: nothing can be learned of
 * them. */
bool clt__dataset_is_monotonous(const clt_dataset *dataset, size_t most);

/* A data set of its own: `most` of the images, evenly from all over, or all of fewer. */
clt_status clt__dataset_spread(const clt_dataset *dataset, size_t most, clt_dataset **part, clt_error *error);

/* What the source or the store calls an image. */
size_t clt__dataset_number(const clt_dataset *dataset, size_t image);

/* Where its labels or targets came from, for messages. */
const char *clt__answers_name(const clt_dataset *dataset);

/* Values of one image: channels * height * width. */
size_t clt__image_size(clt_shape shape);

/* An image of that shape as a picture. */
clt__picture_info clt__info_of(clt_shape shape);

/* How many images of which extents a caller or a file claims, before anything is checked. */
typedef struct clt__claim {
    const char *name;  /* where the images come from */
    clt_status status; /* what it is called when they are wrong: a bad argument, or a bad file */
    uint64_t count;
    int64_t channels, height, width;
} clt__claim;

/* A data set of that size and name, with no content yet: a reader fills it. */
clt_status clt__dataset_create(const clt__claim *images, clt_dataset **dataset, clt_error *error);

/* Room for the images: bytes or reals. */
clt_status clt__dataset_allocate_bytes(clt_dataset *dataset, clt_error *error);
clt_status clt__dataset_allocate_reals(clt_dataset *dataset, clt_error *error);

/* Ends a function that built a data set: *dataset, or NULL where building it failed. */
clt_status clt__dataset_finish(clt_status status, clt_dataset *built, clt_dataset **dataset);

/* One image from planes (NCHW) to pixels (NHWC). */
void clt__to_pixels(const uint8_t *planes, clt_shape shape, uint8_t *pixels);

/* Resizes the images, and makes them grey or RGB, where they are not of this shape yet. Images of real values, and such
 * of other numbers of channels than 1 and 3, are as they are: the error says so. */
clt_status clt__dataset_convert(clt_dataset *dataset, const clt_options *options, clt_error *error);

/* Makes dark what is light. */
void clt__dataset_invert(clt_dataset *dataset);

/* Makes rows of the images' columns and columns of their rows. The images are in memory. */
clt_status clt__dataset_turn(clt_dataset *dataset, clt_error *error);

#endif
