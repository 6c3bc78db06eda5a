/* Steps that are checked against the reference: every Nth, and those after which something is not finite. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/trainer.h"

clt_status clt__check_ops(clt_session *session, size_t begin, size_t end, void *trainer, clt_error *error)
{
    const clt__trainer *t = trainer;
    clt_error wrong;
    const clt_status status = clt__verify_ops(session, begin, end, NULL, NULL, &wrong);
    if (status == CLT_OK) return CLT_OK;
    if (status != CLT_MISMATCH) return clt__pass_on(&wrong, error);
    if (t->options->on_mismatch != CLT__WARN)
        return FAIL(error, CLT_MISMATCH, "step %" PRId64 ": %.3800s", session->number, wrong.message);
    char note[sizeof wrong.message];
    (void)snprintf(note, sizeof note, "step %" PRId64 ": %.3800s; training goes on with the reference's values",
                   session->number, wrong.message);
    clt__device_note(clt__engine_device(session->engine), note);
    return CLT_OK;
}

/* ---- what is not finite */

/* What is seen while the steps in question are computed again. */
typedef struct watch {
    clt_error wrong;      /* the first mismatch; CLT_OK without one */
    char not_finite[160]; /* "y of conv_forward of conv1 in step 8", "" where all is finite */
    char largest_at[96];  /* the op that wrote the largest activation, as above */
    double largest;
} watch;

static void name_operand(const clt__op *op, int operand, char *text, size_t size)
{
    (void)snprintf(text, size, "%s of %s%s%s", op->row->operand[operand].name, op->row->name, *op->layer ? " of " : "",
                   op->layer);
}

/* Activations are what forward ops write. */
static void look_at(const clt_session *session, size_t index, int operand, const double *values, int count, watch *w)
{
    const clt__op *op = &session->net.tape.op[index];
    const bool activation = index >= session->net.forward && index < session->net.backward;
    char name[96];
    name_operand(op, operand, name, sizeof name);
    for (int i = 0; i < count; i++)
        if (!isfinite(values[i])) {
            if (!*w->not_finite)
                (void)snprintf(w->not_finite, sizeof w->not_finite, "%s in step %" PRId64, name, session->number);
        } else if (activation && fabs(values[i]) > w->largest) {
            w->largest = fabs(values[i]);
            memcpy(w->largest_at, name, sizeof name);
        }
}

static clt_status look_at_outputs(const clt_session *session, size_t index, watch *w, clt_error *error)
{
    const clt__op *op = &session->net.tape.op[index];
    for (int i = 0; i < clt__operand_count(op->row); i++) {
        const clt__tensor *tensor = op->tensor[i] < 0 ? NULL : &session->net.tape.tensor[op->tensor[i]];
        if (!tensor || !clt__is_real(tensor->type) || op->row->operand[i].access == CLT__READ) continue;
        double *values;
        TRY(clt__engine_read_reals(session->engine, op->tensor[i], &values, error));
        look_at(session, index, i, values, tensor->count, w);
        free(values);
    }
    return CLT_OK;
}

/* A clt__run_ops on a watch. */
static clt_status watch_ops(clt_session *session, size_t begin, size_t end, void *user, clt_error *error)
{
    const bool device = !clt__device_is_reference(clt__engine_device(session->engine));
    watch *w = user;
    for (size_t i = begin; i < end; i++) {
        clt_error wrong;
        const clt_status status = device ? clt__verify_ops(session, i, i + 1, NULL, NULL, &wrong)
                                         : clt__engine_run(session->engine, i, i + 1, &wrong);
        if (status != CLT_OK && status != CLT_MISMATCH) return clt__pass_on(&wrong, error);
        if (status == CLT_MISMATCH && w->wrong.status == CLT_OK) w->wrong = wrong;
        TRY(look_at_outputs(session, i, w, error));
    }
    return CLT_OK;
}

/* Back to where the host's model stands, then forward again: the same steps have the same bits. */
static clt_status compute_again(clt__trainer *t, int64_t bad, watch *w, clt_error *error)
{
    t->session->state = t->model->state;
    t->session->pending = 0;
    TRY(clt__session_rewind(t->session, error));
    TRY(clt__session_set_epoch_order(t->session, t->options, t->session->state.epoch, error));
    for (int64_t step = t->session->state.step; step <= bad; step++) {
        const bool watched = step + 1 >= bad;
        TRY(clt__session_run_step(t->session, step, watched ? watch_ops : clt__session_run_ops, w, error));
        t->session->state.step++;
        t->session->state.total_steps++;
        t->session->pending = 0;
        if (t->session->state.step % t->in_flight == 0) TRY(clt__engine_finish(t->session->engine, error));
    }
    return CLT_OK;
}

clt_status clt__triage(clt__trainer *t, int64_t bad, const char *happened, clt_error *error)
{
    const bool reference = clt__device_is_reference(clt__engine_device(t->session->engine));
    watch *w;
    TRY(clt__allocate(1, sizeof *w, "a look at what is not finite", &w, error));
    char what[256];
    const clt_status status = compute_again(t, bad, w, error);
    (void)snprintf(what, sizeof what, "%s at step %" PRId64 " (epoch %d, learning rate %g)", happened,
                   t->session->state.total_steps, t->session->state.epoch + 1, t->session->rate);
    clt_status verdict = status;
    if (status == CLT_OK && w->wrong.status != CLT_OK)
        verdict = FAIL(error, CLT_MISMATCH, "%s: the device computed wrongly: %.3500s", what, w->wrong.message);
    else if (status == CLT_OK && !*w->not_finite)
        verdict = FAIL(error, CLT_MISMATCH,
                       "%s, and all is finite when it is computed again: the device made a passing mistake", what);
    else if (status == CLT_OK)
        verdict =
            FAIL(error, CLT_DIVERGED,
                 "%s: try a lower learning rate, for %s training diverged; the first number that is not finite is "
                 "in %s, the largest activation is %.3g in %s",
                 what, reference ? "by the reference itself" : "the reference agrees that", w->not_finite, w->largest,
                 *w->largest_at ? w->largest_at : "none");
    free(w);
    return verdict;
}
