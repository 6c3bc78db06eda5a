/* The tensors of a session, by name, in the outside layout. */
#include <stdlib.h>

#include "base/memory.h"
#include "session/session.h"

/* ---- layouts: the outside order of files and of the public interface, the inside order of tensors */

static void to_inside(const clt__tensor *tensor, const double *outside, double *inside)
{
    for (int i = 0; i < tensor->count; i++) inside[clt__inside_index(tensor, i)] = outside[i];
}

static void to_outside(const clt__tensor *tensor, const double *inside, double *outside)
{
    for (int i = 0; i < tensor->count; i++) outside[i] = inside[clt__inside_index(tensor, i)];
}

clt_status clt__session_move(clt_session *session, const clt__tensor *parameter, int tensor, int first, double *values,
                             bool up, clt_error *error)
{
    double *inside;
    TRY(clt__allocate((uint64_t)parameter->count, sizeof *inside, parameter->name, &inside, error));
    clt_status status;
    if (up) {
        to_inside(parameter, values, inside);
        status = clt__engine_write(session->engine, tensor, first, parameter->count, inside, error);
    } else {
        status = clt__engine_read(session->engine, tensor, first, parameter->count, inside, error);
        if (status == CLT_OK) to_outside(parameter, inside, values);
    }
    free(inside);
    return status;
}

/* ---- by name */

static int find(const clt_session *session, const char *name)
{
    const int index = clt__tape_find(&session->net.tape, name);
    return index >= 0 && clt__is_real(session->net.tape.tensor[index].type) ? index : -1;
}

const clt_tensor_info *clt_session_find(clt_session *session, const char *name)
{
    const int index = find(session, name);
    if (index < 0) return NULL;
    clt__describe_tensor(&session->net.tape.tensor[index], &session->found);
    return &session->found;
}

/* A tensor that the caller may look at between steps. */
static clt_status find_to_move(const clt_session *session, const char *name, size_t count, int *index, clt_error *error)
{
    *index = find(session, name);
    if (*index < 0) return FAIL(error, CLT_BAD_ARGUMENT, "the net has no tensor \"%s\"", name);
    const clt__tensor *tensor = &session->net.tape.tensor[*index];
    if (count != (size_t)tensor->count)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d values, not %zu", name, tensor->count, count);
    if (tensor->shared)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s shares its memory with other tensors: open the session with keep_tensors to reach it", name);
    return CLT_OK;
}

/* Gradients of micro-batches are added up in another tensor: what is told is that of the whole batch. */
static clt_status move_named(clt_session *session, const char *name, double *values, size_t count, bool up,
                             clt_error *error)
{
    int index;
    TRY(find_to_move(session, name, count, &index, error));
    const clt__tensor *tensor = &session->net.tape.tensor[index];
    if (tensor->root == session->net.gradients && session->net.of_batch != session->net.gradients)
        return clt__session_move(session, tensor, session->net.of_batch, tensor->offset, values, up, error);
    return clt__session_move(session, tensor, index, 0, values, up, error);
}

clt_status clt_session_read(clt_session *session, const char *name, double *values, size_t count, clt_error *error)
{
    return move_named(session, name, values, count, false, error);
}

clt_status clt_session_write(clt_session *session, const char *name, const double *values, size_t count,
                             clt_error *error)
{
    double *copy;
    TRY(clt__allocate(count, sizeof *copy, name, &copy, error));
    for (size_t i = 0; i < count; i++) copy[i] = values[i];
    const clt_status status = move_named(session, name, copy, count, true, error);
    free(copy);
    return status;
}
