/* The learning-rate range test: Smith, "Cyclical learning rates for training neural networks", 2015, section 3.3. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "train/training.h"

/* Of the smoothed loss a step keeps `keep`; the test ends where it is `too_high` times its lowest. The first steps,
 * which it smooths over few losses, suggest nothing; slopes are taken over 2 * REACH steps. */
static const double keep = 0.9, too_high = 4, rounding = 1e-6; /* what falls by less than this share does not fall */
enum { FIRST = 10, REACH = 2 };

typedef struct finder {
    clt_session *session;
    const clt_train_options *options;
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
    double slot[HISTORY_LENGTH];
    if (step == 0) TRY(clt__session_set_epoch_order(f->session, f->options, number / in_epoch, error));
    f->session->number = number + 1;
    TRY(clt__session_run_batch(f->session, first, valid, 0, clt__session_run_ops, NULL, error));
    TRY(clt__engine_read(f->session->engine, f->session->net.history, 0, HISTORY_LENGTH, slot, error));
    *loss = slot[HISTORY_LOSS] / valid;
    return CLT_OK;
}

static clt_status find(finder *f, double least, double most, int steps, clt_error *error)
{
    for (int i = 0; i < steps && !f->result->diverged; i++) {
        clt_lr_row *row = &f->result->row[i];
        row->rate = least * pow(most / least, (double)i / (steps - 1));
        TRY(clt_session_set_rate(f->session, row->rate, error));
        TRY(run_step(f, i, &row->loss, error));
        f->average = keep * f->average + (1 - keep) * row->loss;
        row->smoothed = f->average / (1 - pow(keep, i + 1));
        f->result->rows++;
        f->result->diverged = !(row->smoothed <= too_high * fabs(f->lowest));
        f->lowest = fmin(f->lowest, row->smoothed);
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

static clt_status check(const clt_model *model, const clt_train_options *options, double least, double most, int steps,
                        clt_error *error)
{
    TRY(clt__check_options(options, model->input.channels, error));
    if (!(least > 0 && least < most && most <= 1e6))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "learning rates from %g to %g: the first should be above 0 and below the last, that at most 1e+06",
                    least, most);
    if (steps < 2 || steps > 1000000)
        return FAIL(error, CLT_BAD_ARGUMENT, "%d learning rates: there should be 2 to 1000000", steps);
    return CLT_OK;
}

static clt_status find_in_session(clt_session *session, const clt_train_options *options, double least, double most,
                                  int steps, clt_lr_result *result, clt_error *error)
{
    finder f = {.session = session, .options = options, .result = result, .lowest = INFINITY};
    TRY(clt__allocate((uint64_t)steps, sizeof *result->row, "the learning rates", &result->row, error));
    TRY(find(&f, least, most, steps, error));
    result->suggested = suggest(result);
    return CLT_OK;
}

clt_status clt_lr_find(clt_model *model, clt_device *device, const clt_dataset *data, const clt_train_options *options,
                       double least, double most, int steps, clt_lr_result *result, clt_error *error)
{
    clt_session *session;
    *result = (clt_lr_result){.suggested = NAN};
    TRY(check(model, options, least, most, steps, error));
    clt_train_options resolved = clt__resolve_options(options);
    resolved.ema = 0; /* nothing is inferred */
    clt__normalize(model, data, &resolved);
    TRY(clt__model_freeze(model, resolved.freeze, error));
    TRY(clt__session_open(model, device, data, &resolved, (clt__session_mode){.training = true}, &session, error));
    const clt_status status = find_in_session(session, &resolved, least, most, steps, result, error);
    clt_session_close(session);
    if (status != CLT_OK) clt_lr_result_free(result);
    return status;
}

void clt_lr_result_free(clt_lr_result *result)
{
    free(result->row);
    *result = (clt_lr_result){.suggested = NAN};
}
