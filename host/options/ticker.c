#include "options/ticker.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"

static const double interval = 0.1; /* seconds */

clt__ticker clt__ticker_start(const clt_options *options, const char *what, int64_t total)
{
    const double now = clt__seconds();
    return (clt__ticker){.options = options,
                         .progress = {.what = what,
                                      .total = total,
                                      .loss = NAN,
                                      .accuracy = NAN,
                                      .validation_loss = NAN,
                                      .validation_accuracy = NAN},
                         .began = now,
                         .told = now};
}

clt_status clt__ticker_tick(clt__ticker *ticker, int64_t done, clt_error *error)
{
    clt_progress *p = &ticker->progress;
    const double now = clt__seconds();
    if (!ticker->options->progress || now - ticker->told < interval) return CLT_OK;
    ticker->told = now;
    p->done = done;
    p->seconds = now - ticker->began;
    if (ticker->options->progress(ticker->options->progress_user, p)) return CLT_OK;
    if (!p->total) return FAIL(error, CLT_STOPPED, "%s: stopped after %" PRId64, p->what, done);
    return FAIL(error, CLT_STOPPED, "%s: stopped after %" PRId64 " of %" PRId64, p->what, done, p->total);
}

void clt__ticker_end(clt__ticker *ticker)
{
    clt_progress *p = &ticker->progress;
    if (ticker->told == ticker->began) return;
    p->done = p->total;
    p->seconds = clt__seconds() - ticker->began;
    (void)ticker->options->progress(ticker->options->progress_user, p);
}
