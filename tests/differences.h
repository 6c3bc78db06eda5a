/* Gradients against central finite differences of the loss, in double on the reference. */
#ifndef CLT_TESTS_DIFFERENCES_H
#define CLT_TESTS_DIFFERENCES_H

#include "include/cltrain.h"

typedef struct setting {
    const char *net, *loss;
    int batch;
    double label_smoothing;
    bool real_targets;
} setting;

typedef struct tally {
    int compared, skipped;
    double worst; /* the largest share of a bound that was used */
} tally;

/* Of the loss of one batch by the input and by every parameter, on `device`, the reference. False, and nothing
 * compared, where the net is too heavy for it or the loss no finite number. The batch is one image short. */
bool check_gradients(clt_device *device, clt_model *model, const setting *s, tally *total);

/* Skipped: at kinks of relu or maxpool, which differences cannot tell. */
void assert_few_were_skipped(const tally *total);

#endif
