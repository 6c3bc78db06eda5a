/* A net as large as a device can hold: batches that are too large are split into micro-batches, data sets into windows.
 */
#ifndef CLT_SESSION_FIT_H
#define CLT_SESSION_FIT_H

#include "engine/engine.h"
#include "net/net.h"

typedef struct clt__session_mode {
    bool training, keep_tensors, input_gradient;
    bool as_inferred; /* training: on the net that inference has, without dropout */
    bool measures;    /* training: steps of an epoch, every so many, measure the gradient's norm */
    bool fold_norms;  /* inference: batch normalisations become part of the layers before them, model/fold_norms.h */
} clt__session_mode;

/* What is to fit where. */
typedef struct clt__fit {
    const clt__description *description;
    clt_device *device;
    clt_precision precision;
    clt_shape input;
    size_t images; /* of the data set */
    bool bytes;    /* they are bytes */
    bool streams;  /* they come when they are asked for, and all of them may be more than there is memory for */
    int targets;   /* real targets of an image, 0 for class labels */
    const clt_options *options;
    int epoch; /* which parameters are frozen: in this epoch, counted from 0 */
    clt__session_mode mode;
} clt__fit;

/* Builds the net for the largest micro-batch that the device has memory for (options->micro_batch_size at most); the
 * batch is cut into as few micro-batches of equal size as that allows. `needs` may be NULL. CLT_NO_MEMORY where not
 * even one image at a time fits. */
clt_status clt__fit_net(const clt__fit *fit, clt__net *net, clt__needs *needs, clt_error *error);

#endif
