/* How work that takes long is shown on stderr: on a terminal a line that is drawn over, elsewhere a line an epoch. */
#ifndef CLTRAIN_CLI_PROGRESS_H
#define CLTRAIN_CLI_PROGRESS_H

#include "cltrain.h"

enum { PROGRESS_SPARKS = 12 };

typedef struct progress_display {
    bool quiet, terminal, colours;
    int drawn;                    /* columns of the line that stands there unfinished */
    int batch_size;               /* images of a step, for images/s; 0 where there are none to count */
    double loss[PROGRESS_SPARKS]; /* of the steps between drawings, the newest last */
    int losses;                   /* how many there are */
    double sum;                   /* of the losses of the epoch's steps when it was drawn last, and how many */
    int step;
} progress_display;

/* Colours are for terminals that know them, unless the environment has NO_COLOR (no-color.org). */
progress_display progress_begin(bool quiet);
/* A training. */
void progress_show(progress_display *display, const clt_progress *progress);
/* A clt_progress_function for all else: what it is and how far, on a terminal; it goes when all is done. `display` is a
 * progress_display. */
bool progress_of_work(void *display, const clt_progress *progress);
/* Ends a line that stands there unfinished. */
void progress_end(progress_display *display);

#endif
