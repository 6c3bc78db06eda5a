/* Evaluating and predicting: the forward ops on the device, batch by batch; the loss by its own twin, in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/training.h"

static clt_status open_session(const clt_model *model, clt_device *device, const clt_dataset *data, int batch_size,
                               clt_session **session, clt_error *error)
{
    clt_train_options options = clt_train_defaults();
    if (batch_size < 1) return FAIL(error, CLT_BAD_ARGUMENT, "a batch size of %d: it should be 1 or more", batch_size);
    options.batch_size = data->count < (size_t)batch_size ? (int)data->count : batch_size;
    return clt__session_open(model, device, data, &options, (clt__session_mode){0}, session, error);
}

typedef clt_status (*take_batch)(void *user, const double *outputs, size_t first, size_t count, clt_error *error);

/* Runs all of the data set through the net in its own order; `take` gets [count, outputs], outside order. */
static clt_status run_batches(clt_session *session, double *outputs, take_batch take, void *user, clt_error *error)
{
    const clt__net *net = &session->net;
    const clt__tensor *tensor = &net->tape.tensor[net->output.tensor];
    const size_t count = session->data->count, batch = (size_t)session->micro_batch;
    for (size_t first = 0; first < count; first += batch) {
        const size_t valid = count - first < batch ? count - first : batch;
        TRY(clt__session_run_batch(session, (int)first, (int)valid, 0, clt__session_run_ops, NULL, error));
        TRY(clt_session_read(session, tensor->name, outputs, (size_t)tensor->count, error));
        TRY(take(user, outputs, first, valid, error));
    }
    return clt__feed_check(&session->feed, error);
}

static clt_status run(clt_session *session, take_batch take, void *user, clt_error *error)
{
    const clt__tensor *tensor = &session->net.tape.tensor[session->net.output.tensor];
    double *outputs;
    TRY(clt__session_set_own_order(session, error));
    TRY(clt__allocate((uint64_t)tensor->count, sizeof *outputs, "a batch of outputs", &outputs, error));
    const clt_status status = run_batches(session, outputs, take, user, error);
    free(outputs);
    return status;
}

/* ---- evaluating */

typedef struct tally {
    const clt_model *model;
    const clt_dataset *data;
    clt_evaluation *evaluation;
    double loss_sum, hits;
    double *gradient; /* [outputs]: the loss writes one, nobody reads it */
} tally;

static size_t largest(const double *values, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (values[i] > values[best]) best = i;
    return best;
}

/* How many classes come before this one: larger outputs, and equal ones of smaller classes. */
static size_t rank_of(const double *values, size_t count, size_t class)
{
    size_t before = 0;
    for (size_t i = 0; i < count; i++)
        before += i < class ? !(values[i] < values[class]) : i > class && !(values[i] <= values[class]);
    return before;
}

static clt_status add_to_tally(void *user, const double *outputs, size_t first, size_t count, clt_error *error)
{
    (void)error;
    tally *t = user;
    const size_t width = (size_t)t->model->outputs;
    double *row;
    TRY(clt__allocate(width, sizeof *row, "one image's outputs", &row, error));
    for (size_t i = 0; i < count; i++) {
        const size_t image = first + i;
        memcpy(row, outputs + i * width, width * sizeof *row);
        t->loss_sum += clt__image_loss(t->model->description.loss, row, t->model->outputs,
                                       t->data->labels ? &t->data->labels[image] : NULL,
                                       t->data->targets ? t->data->targets + image * width : NULL, t->gradient);
        if (!t->data->labels) continue;
        const size_t predicted = largest(row, width), label = (size_t)t->data->labels[first + i];
        t->hits += predicted == label;
        t->evaluation->confusion[label * width + predicted]++;
        t->evaluation->rank[rank_of(row, width, label)]++;
    }
    free(row);
    return CLT_OK;
}

clt_status clt__evaluate(clt_session *session, clt_evaluation *evaluation, clt_error *error)
{
    const clt_model *model = session->model;
    const clt_dataset *data = session->data;
    const size_t outputs = (size_t)model->outputs;
    tally t = {.model = model, .data = data, .evaluation = evaluation};
    *evaluation = (clt_evaluation){.count = data->count, .accuracy = NAN};
    clt_status status = clt__allocate(outputs, sizeof *t.gradient, "an output's gradient", &t.gradient, error);
    if (status == CLT_OK && data->labels) {
        evaluation->classes = model->outputs;
        status = clt__allocate(outputs * outputs, sizeof *evaluation->confusion, "the confusion matrix",
                               &evaluation->confusion, error);
        if (status == CLT_OK)
            status = clt__allocate(outputs, sizeof *evaluation->rank, "the ranks", &evaluation->rank, error);
    }
    if (status == CLT_OK) status = run(session, add_to_tally, &t, error);
    free(t.gradient);
    evaluation->loss = t.loss_sum / (double)data->count;
    if (data->labels) evaluation->accuracy = t.hits / (double)data->count;
    if (status != CLT_OK) clt_evaluation_free(evaluation);
    return status;
}

clt_status clt__check_target_values(const clt__loss_row *loss, const clt_dataset *data, clt_error *error)
{
    const size_t outputs = (size_t)data->outputs, count = data->targets ? data->count * outputs : 0;
    for (size_t i = 0; i < count; i++) {
        const double value = data->targets[i];
        if (!isfinite(value) || (loss->probabilities && !(value >= 0 && value <= 1)))
            return FAIL(error, CLT_BAD_ARGUMENT, "%s: target %zu of image %zu is %g: the loss %s takes %s", data->name,
                        i % outputs, i / outputs, value, loss->name,
                        loss->probabilities ? "numbers from 0 to 1" : "finite numbers");
    }
    return CLT_OK;
}

clt_status clt__check_answers(const clt_model *model, const clt_dataset *data, const char *purpose, clt_error *error)
{
    if (!data->labels && !data->targets)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has neither labels nor targets to %s", data->name, purpose);
    if (data->labels && data->classes > model->outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d classes, the net has %d outputs", data->name, data->classes,
                    model->outputs);
    return CLT_OK;
}

clt_status clt__check_targets(const clt_model *model, const clt_dataset *data, clt_error *error)
{
    TRY(clt__check_answers(model, data, "evaluate against", error));
    if (data->targets && data->outputs != model->outputs)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %d targets an image, the net has %d outputs", data->name,
                    data->outputs, model->outputs);
    TRY(clt__check_target_values(model->description.loss, data, error));
    return clt__check_class_names(model, data, error);
}

clt_status clt_evaluate(const clt_model *model, clt_device *device, const clt_dataset *data, int batch_size,
                        clt_evaluation *evaluation, clt_error *error)
{
    clt_session *session;
    *evaluation = (clt_evaluation){0};
    TRY(clt__check_targets(model, data, error));
    TRY(open_session(model, device, data, batch_size, &session, error));
    const clt_status status = clt__evaluate(session, evaluation, error);
    clt_session_close(session);
    return status;
}

void clt_evaluation_free(clt_evaluation *evaluation)
{
    free(evaluation->confusion);
    free(evaluation->rank);
    *evaluation = (clt_evaluation){0};
}

/* ---- predicting */

typedef struct prediction {
    double *outputs;
    size_t width;
    bool softmax;
} prediction;

static void softmax(double *values, size_t count)
{
    const double most = values[largest(values, count)];
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += values[i] = exp(values[i] - most);
    for (size_t i = 0; i < count; i++) values[i] /= sum;
}

static clt_status keep_outputs(void *user, const double *outputs, size_t first, size_t count, clt_error *error)
{
    (void)error;
    const prediction *p = user;
    double *to = p->outputs + first * p->width;
    memcpy(to, outputs, count * p->width * sizeof *to);
    for (size_t i = 0; i < count && p->softmax; i++) softmax(to + i * p->width, p->width);
    return CLT_OK;
}

clt_status clt_predict(const clt_model *model, clt_device *device, const clt_dataset *data, int batch_size,
                       double *outputs, clt_error *error)
{
    clt_session *session;
    prediction p = {outputs, (size_t)model->outputs, strcmp(clt_model_loss(model), "cross_entropy") == 0};
    TRY(open_session(model, device, data, batch_size, &session, error));
    const clt_status status = run(session, keep_outputs, &p, error);
    clt_session_close(session);
    return status;
}
