/* What beginners meet while they train, and what to try: a sentence each, told once. */
#ifndef CLTRAIN_CLI_ADVICE_H
#define CLTRAIN_CLI_ADVICE_H

#include "cltrain.h"

typedef struct advice {
    double largest_share;         /* of the training images, of the class that has most; 0 where there are no classes */
    int epochs;                   /* that have ended since the run began */
    int worse;                    /* in a row, with a rising validation loss and a falling training loss */
    double loss, validation_loss; /* of the epoch before */
    double first_loss;            /* of the first that the run ended */
    bool told_overfitting, told_guessing, told_labels;
} advice;

advice advice_for(const clt_dataset *training);

/* Looks at an epoch that has ended; notes go to stderr. */
void advise(advice *advice, const clt_progress *progress);

#endif
