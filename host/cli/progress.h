/* How a training that runs is shown on stderr: a bar on a terminal, one line an epoch elsewhere. */
#ifndef CLTRAIN_CLI_PROGRESS_H
#define CLTRAIN_CLI_PROGRESS_H

#include "cltrain.h"

typedef struct progress_display {
    bool quiet, terminal;
    int drawn; /* columns of the line that stands there unfinished */
} progress_display;

progress_display progress_begin(bool quiet);
void progress_show(progress_display *display, const clt_progress *progress);
/* A clt_progress_function for what is done with image files before anything else: a count on a terminal, which goes
 * when all is done. `display` is a progress_display. */
bool progress_of_beginning(void *display, const clt_progress *progress);
/* Ends a line that stands there unfinished. */
void progress_end(progress_display *display);

#endif
