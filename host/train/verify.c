/* Verifying a net: one training step, each op on the device and on the reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/training.h"

/* The outside position of an element of the inside order: "[3, 0, 17, 4]". */
static void index_text(const clt__tensor *tensor, int inside, char *text, size_t size)
{
    int outside = inside;
    if (tensor->order != CLT__PLAIN)
        for (int i = 0; i < tensor->count; i++)
            if (clt__inside_index(tensor, i) == inside) outside = i;
    int extent[4] = {1, 1, 1, 1};
    memcpy(extent, tensor->extent, sizeof extent);
    for (int i = tensor->shown; i < 4; i++) extent[tensor->shown - 1] *= tensor->extent[i];
    int position[4];
    for (int i = tensor->shown - 1; i >= 0; i--) {
        position[i] = outside % extent[i];
        outside /= extent[i];
    }
    size_t length = 0;
    for (int i = 0; i < tensor->shown && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%d", i ? ", " : "[", position[i]);
    if (length < size) (void)snprintf(text + length, size - length, "]");
}

static clt_verify_row make_row(const clt__tape *tape, const clt__op *op, const clt__verdict *verdict)
{
    clt_verify_row row = {.op = op->row->name, .layer = op->layer, .operand = verdict->operand ? verdict->operand : "",
                          .device = verdict->device, .reference = verdict->reference,
                          .difference = verdict->difference, .bound = verdict->bound, .ok = verdict->ok,
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
    for (size_t i = begin; i < end; i++) {
        clt__verdict verdict;
        TRY(clt__engine_verify(session->engine, i, &verdict, error));
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

/* ---- on random data */

typedef struct samples {
    uint8_t *bytes;
    int32_t *labels;
} samples;

static clt_status make_samples(const clt_model *model, int count, uint64_t seed, samples *s, clt_error *error)
{
    const size_t values = clt__image_size(model->input) * (size_t)count, outputs = (size_t)model->outputs;
    clt__random stream = clt__random_seed(seed, "verify", 0);
    TRY(clt__allocate(values, 1, "random images", &s->bytes, error));
    TRY(clt__allocate((uint64_t)count, sizeof *s->labels, "random labels", &s->labels, error));
    for (size_t i = 0; i < values; i++) s->bytes[i] = (uint8_t)clt__random_below(&stream, 256);
    for (int i = 0; i < count; i++) s->labels[i] = (int32_t)clt__random_below(&stream, outputs);
    return CLT_OK;
}

static clt_status verify_samples(const clt_model *model, clt_device *device, int batch, const samples *s,
                                 clt_verify_function report, void *user, clt_error *error)
{
    clt_dataset *data;
    clt_session *session = NULL;
    int32_t *order;
    TRY(clt_dataset_from_bytes((size_t)batch, model->input, s->bytes, s->labels, model->outputs, &data, error));
    clt_train_options options = clt_train_defaults();
    options.batch_size = batch;
    options.label_smoothing = 0.1;
    options.clip_grad = 0.5;
    options.weight_decay = 1e-3;
    options.nesterov = true;
    clt_status status = clt__session_open(model, device, data, &options,
                                          (clt__session_mode){.training = true, .keep_sums = true, .input_gradient = true},
                                          &session, error);
    if (status == CLT_OK) status = clt__allocate((uint64_t)batch, sizeof *order, "an order", &order, error);
    if (status == CLT_OK) {
        for (int i = 0; i < batch; i++) order[i] = batch - 1 - i;
        status = clt__session_set_order(session, order, batch, error);
        free(order);
    }
    /* The last image is left out of the batch, so that a short batch is verified too. */
    if (status == CLT_OK) status = clt__session_place(session, 0, batch > 1 ? batch - 1 : 1, 3, error);
    if (status == CLT_OK) status = clt__verify_ops(session, 0, session->net.end, report, user, error);
    clt_session_close(session);
    clt_dataset_close(data);
    return status;
}

clt_status clt_verify(const clt_model *model, clt_device *device, int batch_size, uint64_t seed,
                      clt_verify_function report, void *user, clt_error *error)
{
    if (clt__device_is_reference(device))
        return FAIL(error, CLT_NO_DEVICE, "verify compares a device with the reference: choose an OpenCL device");
    if (batch_size < 1 || batch_size > 1000000)
        return FAIL(error, CLT_BAD_ARGUMENT, "a batch size of %d: it should be from 1 to 1000000", batch_size);
    samples s = {0};
    clt_status status = make_samples(model, batch_size, seed, &s, error);
    if (status == CLT_OK) status = verify_samples(model, device, batch_size, &s, report, user, error);
    free(s.bytes);
    free(s.labels);
    return status;
}
