/* A session's ops on the device and on the reference, compared. */
#include <stdio.h>

#include "session/session.h"

/* The outside position of an element of the inside order: "[3, 0, 17, 4]". */
static void index_text(const clt__tensor *tensor, int inside, char *text, size_t size)
{
    int outside = inside;
    if (tensor->order != CLT__PLAIN)
        for (int i = 0; i < tensor->count; i++)
            if (clt__inside_index(tensor, i) == inside) outside = i;
    int extent[4], position[4] = {0};
    const int shown = clt__shown_extents(tensor, extent);
    for (int i = shown - 1; i >= 0; i--) {
        position[i] = outside % extent[i];
        outside /= extent[i];
    }
    size_t length = 0;
    for (int i = 0; i < shown && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%d", i ? ", " : "[", position[i]);
    if (length < size) (void)snprintf(text + length, size - length, "]");
}

static clt_verify_row make_row(const clt__tape *tape, const clt__op *op, const clt__verdict *verdict)
{
    clt_verify_row row = {.op = op->row->name,
                          .layer = op->layer,
                          .operand = verdict->operand ? verdict->operand : "",
                          .device = verdict->device,
                          .reference = verdict->reference,
                          .difference = verdict->difference,
                          .bound = verdict->bound,
                          .ok = verdict->ok,
                          .complaint = verdict->complaint};
    if (verdict->tensor < 0) return row;
    const clt__tensor *tensor = &tape->tensor[verdict->tensor];
    clt__shape_text(tensor, row.shape, sizeof row.shape);
    index_text(tensor, verdict->index, row.index, sizeof row.index);
    return row;
}

clt_status clt__verify_ops(clt_session *session, size_t begin, size_t end, clt_verify_function report, void *user,
                           clt_error *error)
{
    const clt__tape *tape = &session->net.tape;
    clt_status worst = CLT_OK;
    TRY(clt__feed_settle(&session->feed, error)); /* an op must not seem to change images that are being written */
    for (size_t i = begin; i < end; i++) {
        clt__verdict verdict;
        TRY(clt__engine_verify(session->engine, i, &verdict, error));
        if (verdict.ok && !report) continue;
        const clt_verify_row row = make_row(tape, &tape->op[i], &verdict);
        if (report) report(user, &row);
        if (row.ok || worst != CLT_OK) continue;
        worst = FAIL(error, CLT_MISMATCH,
                     "%s%s%s: %s: %s %s at %s is %.9g on the device and %.9g on the reference, a difference of %.3g "
                     "where %.3g is right",
                     row.op, *row.layer ? " of " : "", row.layer, row.complaint, row.operand, row.shape, row.index,
                     row.device, row.reference, row.difference, row.bound);
    }
    return worst;
}
