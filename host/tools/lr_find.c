/* The learning-rate range test: Smith, "Cyclical learning rates for training neural networks", 2015, section 3.3. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "options/ticker.h"
#include "session/session.h"
#include "session/steps.h"

/* Of the smoothed loss a step keeps `keep`; the test ends where it is `too_high` times its lowest. The first steps,
 * which it smooths over few losses, suggest nothing; slopes are taken over 2 * REACH steps. */
static const double keep = 0.9, too_high = 4, rounding = 1e-6; /* what falls by less than this share does not fall */
enum { FIRST = 10, REACH = 2 };

struct clt_lr_result {
    size_t rows;
    clt_lr_row *row; /* a step each */
    bool diverged;
    double suggested;
};

typedef struct finder {
    clt_session *session;
    const clt_options *options;
    clt_lr_result *result;
    double average, lowest; /* the smoothed loss before it is corrected for having begun at 0, and its lowest since */
} finder;

/* ---- running */

/* The loss of step `number`, counted from 0. Steps go through the data as training does. */
static clt_status run_step(const finder *f, int number, double *loss, clt_error *error)
{
    const size_t count = f->session->data->count;
    const int in_epoch = (int)clt__epoch_steps(f->options, count), step = number % in_epoch;
    const int first = (int)clt__first_image(f->options, step), valid = clt__step_images(f->options, count, step);
    clt__tally tally;
    if (step == 0) TRY(clt__session_set_epoch_order(f->session, f->options, number / in_epoch, error));
    f->session->number = number + 1;
    TRY(clt__session_run_batch(f->session, first, valid, 0, clt__session_run_ops, NULL, error));
    TRY(clt__session_read_tallies(f->session, 1, &tally, error));
    *loss = tally.loss / valid;
    return CLT_OK;
}

static clt_status find(finder *f, clt_error *error)
{
    const double least = f->options->lr_min, most = f->options->lr_max;
    const int steps = f->options->steps;
    clt__ticker ticker = clt__ticker_start(f->options, "lr_find", steps);
    for (int i = 0; i < steps && !f->result->diverged; i++) {
        clt_lr_row *row = &f->result->row[i];
        row->rate = least * pow(most / least, (double)i / (steps - 1));
        f->session->rate = row->rate;
        TRY(run_step(f, i, &row->loss, error));
        f->average = keep * f->average + (1 - keep) * row->loss;
        row->smoothed = f->average / (1 - pow(keep, i + 1));
        f->result->rows++;
        f->result->diverged = !(row->smoothed <= too_high * fabs(f->lowest));
        f->lowest = fmin(f->lowest, row->smoothed);
        TRY(clt__ticker_tick(&ticker, i + 1, error));
    }
    return CLT_OK;
}

/* The rate at which the smoothed loss falls most steeply over the rate's logarithm, before it is lowest: NaN where it
 * does not fall. */
static double suggest(const clt_lr_result *result)
{
    size_t lowest = 0;
    double steepest = result->rows ? -rounding * result->row[0].smoothed : 0, rate = NAN;
    for (size_t i = 0; i < result->rows; i++)
        if (result->row[i].smoothed < result->row[lowest].smoothed) lowest = i;
    for (size_t i = FIRST; i < lowest && i + REACH < result->rows; i++) {
        const double slope = result->row[i + REACH].smoothed - result->row[i - REACH].smoothed;
        if (!(slope < steepest)) continue;
        steepest = slope;
        rate = result->row[i].rate;
    }
    return rate;
}

/* ---- all of it */

static clt_status check(const clt_model *model, const clt_options *options, clt_error *error)
{
    TRY(clt__check_options(options, model->input.channels, error));
    if (!(options->lr_min > 0 && options->lr_min < options->lr_max))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "learning rates from %g to %g: the first should be above 0 and below the last", options->lr_min,
                    options->lr_max);
    if (options->steps < 2)
        return FAIL(error, CLT_BAD_ARGUMENT, "%d learning rates: there should be 2 to 1000000", options->steps);
    return CLT_OK;
}

static clt_status find_in_session(clt_session *session, const clt_options *options, clt_lr_result **result,
                                  clt_error *error)
{
    finder f = {.session = session, .options = options, .lowest = INFINITY};
    TRY(clt__allocate(1, sizeof *f.result, "a range test", &f.result, error));
    clt_status status =
        clt__allocate((uint64_t)options->steps, sizeof *f.result->row, "the learning rates", &f.result->row, error);
    if (status == CLT_OK) status = find(&f, error);
    f.result->suggested = suggest(f.result);
    if (status == CLT_OK)
        *result = f.result;
    else
        clt_lr_close(f.result);
    return status;
}

/* With what the options freeze; the model is as it was afterwards. */
static clt_status find_frozen(clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                              clt_lr_result **result, clt_error *error)
{
    clt_session *session;
    bool *trained;
    TRY(clt__freeze_for_now(model, options->freeze, &trained, error));
    clt_status status =
        clt__session_open(model, device, data, options, (clt__session_mode){.training = true}, &session, error);
    if (status == CLT_OK) {
        status = find_in_session(session, options, result, error);
        clt_session_close(session);
    }
    clt__freeze_no_longer(model, trained);
    return status;
}

clt_status clt_lr_find(clt_model *model, clt_device *device, const clt_dataset *data, const clt_options *options,
                       clt_lr_result **result, clt_error *error)
{
    clt_options none;
    *result = NULL;
    options = clt__options_or_default(options, &none);
    TRY(check(model, options, error));
    clt_options resolved = clt__resolve_options(options);
    resolved.ema = 0; /* nothing is inferred */
    TRY(clt__session_check(model, data, &resolved, true, error));
    TRY(clt__normalize(model, data, &resolved, error));
    TRY(clt__whiten(model, data, &resolved, error));
    return find_frozen(model, device, data, &resolved, result, error);
}

size_t clt_lr_count(const clt_lr_result *result)
{
    return result->rows;
}

const clt_lr_row *clt_lr_at(const clt_lr_result *result, size_t index)
{
    return index < result->rows ? &result->row[index] : NULL;
}

bool clt_lr_diverged(const clt_lr_result *result)
{
    return result->diverged;
}

double clt_lr_suggested(const clt_lr_result *result)
{
    return result->suggested;
}

void clt_lr_close(clt_lr_result *result)
{
    if (!result) return;
    free(result->row);
    free(result);
}
