/* Telling how far a call is that takes long, and hearing whether it should go on. */
#ifndef CLT_OPTIONS_TICKER_H
#define CLT_OPTIONS_TICKER_H

#include "options/options.h"

typedef struct clt__ticker {
    const clt_options *options;
    clt_progress progress; /* `what` and `total` are set */
    double began, told;    /* by the clock, in seconds */
} clt__ticker;

/* `what` is clt_progress's, and lasts. */
clt__ticker clt__ticker_start(const clt_options *options, const char *what, int64_t total);

/* So much is done: tells it, if the last time is a tenth of a second ago. CLT_STOPPED where the call should end. */
clt_status clt__ticker_tick(clt__ticker *ticker, int64_t done, clt_error *error);

/* Tells that all is done, where anything was told before. */
void clt__ticker_end(clt__ticker *ticker);

#endif
