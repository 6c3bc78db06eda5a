/* What a model says of labelled images, image by image and class by class. */
#ifndef CLT_REPORT_PREDICTIONS_H
#define CLT_REPORT_PREDICTIONS_H

#include "cltrain.h"

typedef struct clt__answers {
    size_t count;
    int classes;
    int32_t *label, *said;     /* [count]; said: the most probable class */
    float *of_said, *of_label; /* [count]: their probabilities */
    uint64_t *confused;        /* [classes, classes]: a row for each true class */
    double accuracy;
} clt__answers;

/* Fails in a sentence where the model cannot be asked about these images: it does not classify, or they have other
 * classes or another shape. */
clt_status clt__answers_check(const clt_model *model, const clt_dataset *data, clt_error *error);

/* Of what clt__answers_check lets pass. */
clt_status clt__answers_find(const clt_model *model, clt_device *device, const clt_dataset *data,
                             const clt_options *options, clt__answers *answers, clt_error *error);
void clt__answers_free(clt__answers *answers);

/* A figure that would divide by 0 is NaN. */
typedef struct clt__class_figures {
    double precision, recall, f1;
    uint64_t count;
} clt__class_figures;

/* From images of the class that were taken for it, images of the class, and images that were taken for it. */
clt__class_figures clt__class_figures_of(uint64_t hits, uint64_t of_class, uint64_t as_class);
clt__class_figures clt__figures_of_class(const uint64_t *confused, int classes, int which);

/* Images by the probability of what was said, in bins of equal width. */
enum { CLT__BINS = 10 };
typedef struct clt__calibration {
    uint64_t images[CLT__BINS];
    double said[CLT__BINS],
        right[CLT__BINS]; /* the mean probability, and the share that was right; NaN for empty bins */
    double error;         /* expected calibration error: the mean distance of the two, weighted by images */
} clt__calibration;

clt__calibration clt__calibrate(const clt__answers *answers);

/* The `most` images that come first by `order`: positions in the data set. Returns how many there are. */
typedef enum clt__picked { CLT__SUREST_WRONG, CLT__LEAST_SURE_RIGHT } clt__picked;
size_t clt__pick_images(const clt__answers *answers, clt__picked order, int32_t *images, size_t most);

#endif
