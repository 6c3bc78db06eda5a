#include "session/loss_scale.h"

#include <inttypes.h>

#define FIRST_SCALE 0x1p16
#define LEAST_SCALE 0x1p-14
#define MOST_SCALE 0x1p24
enum { STEPS_TO_GROW = 2000 };

static double factor_of(const clt__loss_scaling *s)
{
    return s->factor > 0 ? s->factor : FIRST_SCALE;
}

clt_status clt__loss_scale_write(clt_session *session, clt_error *error)
{
    const double factor = factor_of(&session->state.scaling);
    const double scale[SCALE_LENGTH] = {[SCALE_FACTOR] = factor, [SCALE_INVERSE] = 1 / factor};
    if (session->net.loss_scale < 0) return CLT_OK;
    return clt__engine_write(session->engine, session->net.loss_scale, 0, SCALE_LENGTH, scale, error);
}

static clt_status back_off(clt_session *session, clt_error *error)
{
    clt__loss_scaling *s = &session->state.scaling;
    s->steps = 0;
    if (s->factor <= LEAST_SCALE)
        return FAIL(
            error, CLT_DIVERGED,
            "the gradients are not finite, though the loss is scaled by %g only: halves do not hold them, or training "
            "diverged; try a lower learning rate, or storage f32",
            s->factor);
    s->factor /= 2;
    return clt__loss_scale_write(session, error);
}

static clt_status go_on(clt_session *session, clt_error *error)
{
    clt__loss_scaling *s = &session->state.scaling;
    if (++s->steps < STEPS_TO_GROW) return CLT_OK;
    s->steps = 0;
    if (s->factor >= MOST_SCALE) return CLT_OK;
    s->factor *= 2;
    return clt__loss_scale_write(session, error);
}

clt_status clt__loss_unscale(clt_session *session, clt__run_ops run, void *user, clt_error *error)
{
    double overflown;
    session->overflown = false;
    TRY(run(session, session->net.unscale, session->net.measure, user, error));
    if (session->net.overflown < 0) return CLT_OK;
    TRY(clt__engine_read(session->engine, session->net.overflown, 0, 1, &overflown, error));
    session->overflown = overflown != 0;
    session->state.scaling.factor = factor_of(&session->state.scaling);
    return session->overflown ? back_off(session, error) : go_on(session, error);
}

void clt__loss_scale_tell(clt_session *session)
{
    const clt__loss_scaling *s = &session->state.scaling;
    const int64_t skipped = s->skipped - session->told_skipped;
    session->told_skipped = s->skipped;
    if (skipped < 1) return;
    clt__options_note(&session->options,
                      "%" PRId64
                      " %s skipped in epoch %d, for halves do not hold all gradients: the loss is scaled by %g now",
                      skipped, skipped == 1 ? "step was" : "steps were", session->state.epoch + 1, s->factor);
}
