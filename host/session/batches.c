/* Batches that the caller hands over, step by step or in parts, and predictions of images in the caller's memory. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "options/ticker.h"
#include "session/answers.h"
#include "session/loss_scale.h"
#include "session/session.h"
#include "session/steps.h"

/* ---- opening: the session's data are one batch, which the caller fills again and again */

static clt_status create_batch(const clt_model *model, clt_pixels pixels, int images, clt_dataset **data,
                               clt_error *error)
{
    const clt_shape shape = model->input;
    const clt__claim claim = {"the batch given", CLT_BAD_ARGUMENT, (uint64_t)images,
                              shape.channels,    shape.height,     shape.width};
    clt_dataset *fresh;
    TRY(clt__dataset_create(&claim, &fresh, error));
    fresh->blank = true;
    const clt_status status =
        pixels == CLT_BYTES ? clt__dataset_allocate_bytes(fresh, error) : clt__dataset_allocate_reals(fresh, error);
    return clt__dataset_finish(status, fresh, data);
}

static clt_status add_answers(clt_dataset *data, const clt_model *model, clt_answers answers, clt_error *error)
{
    const uint64_t outputs = (uint64_t)model->outputs;
    if (answers == CLT_LABELS) {
        data->classes = model->outputs;
        return clt__allocate(data->count, sizeof *data->labels, "the labels", &data->labels, error);
    }
    data->outputs = model->outputs;
    return clt__allocate(data->count * outputs, sizeof *data->targets, "the targets", &data->targets, error);
}

/* The session owns its batch from now on, also where it could not be opened. */
static clt_status adopt_batch(clt_status status, clt_dataset *data, clt_session *session)
{
    if (status == CLT_OK)
        session->batch_data = data;
    else
        clt_dataset_close(data);
    return status;
}

clt_status clt_session_open_batches(clt_model *model, clt_device *device, clt_pixels pixels, clt_answers answers,
                                    const clt_options *options, bool keep_tensors, clt_session **session,
                                    clt_error *error)
{
    clt_options none;
    clt_dataset *data;
    *session = NULL;
    options = clt__options_or_default(options, &none);
    TRY(clt__check_options(options, model->input.channels, error));
    if (!model->normalized && options->normalize.how == CLT__BY_DATASET)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the batches to come cannot be measured: set normalize to none, or to MEAN/STD");
    if (options->class_weights.how == CLT__BALANCED)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the classes of the batches to come cannot be balanced: give class_weights a number for each");
    if (options->augment.flip == CLT__FLIP_ALTERNATE)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "the images of the batches to come have no number and no epoch that flips could alternate by: augment "
            "them by flip");
    if (clt__freezes_later(options->freeze))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the batches to come have no epochs after which parameters could be frozen: give freeze without @");
    TRY(create_batch(model, pixels, clt__resolve_options(options).batch_size, &data, error));
    clt_status status = add_answers(data, model, answers, error);
    if (status == CLT_OK) status = clt_session_open(model, device, data, options, keep_tensors, session, error);
    return adopt_batch(status, data, *session);
}

clt_status clt_session_open_images(const clt_model *model, clt_device *device, clt_pixels pixels,
                                   const clt_options *options, clt_session **session, clt_error *error)
{
    clt_options none;
    clt_dataset *data;
    *session = NULL;
    options = clt__options_or_default(options, &none);
    TRY(clt__check_options(options, model->input.channels, error));
    TRY(create_batch(model, pixels, options->batch_size, &data, error));
    const clt_status status = clt_session_open_inference(model, device, data, options, session, error);
    return adopt_batch(status, data, *session);
}

/* ---- filling the batch */

static clt_status check_batch(const clt_session *session, int count, clt_error *error)
{
    if (!session->batch_data)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the session was opened on a data set: clt_session_open_batches and clt_session_open_images open "
                    "one for batches of the caller's");
    if (count < 1 || count > (int)session->batch_data->count)
        return FAIL(error, CLT_BAD_ARGUMENT, "a batch has 1 to %zu images, not %d", session->batch_data->count, count);
    return CLT_OK;
}

/* The value of each element of NCHW images, in NHWC order. */
static void copy_floats(const float *images, const clt_dataset *data, size_t count)
{
    const size_t size = clt__image_size(data->shape), channels = (size_t)data->shape.channels, pixels = size / channels;
    for (size_t n = 0; n < count; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < pixels; i++)
                data->reals[n * size + i * channels + c] = (double)images[n * size + c * pixels + i];
}

static void copy_bytes(const uint8_t *images, const clt_dataset *data, size_t count)
{
    const size_t size = clt__image_size(data->shape), channels = (size_t)data->shape.channels, pixels = size / channels;
    for (size_t n = 0; n < count; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < pixels; i++)
                if (data->bytes)
                    data->bytes[n * size + i * channels + c] = images[n * size + c * pixels + i];
                else
                    data->reals[n * size + i * channels + c] = images[n * size + c * pixels + i] / 255.0;
}

/* Exactly one of the two is given. */
static clt_status copy_images(const clt_session *session, const uint8_t *bytes, const float *floats, int count,
                              clt_error *error)
{
    const clt_dataset *data = session->batch_data;
    TRY(check_batch(session, count, error));
    if (floats && data->bytes)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the session was opened for images of bytes: open one for CLT_REALS, which takes both");
    if (floats)
        copy_floats(floats, data, (size_t)count);
    else
        copy_bytes(bytes, data, (size_t)count);
    return CLT_OK;
}

static clt_status copy_labels(const clt_session *session, const int32_t *labels, int count, clt_error *error)
{
    if (!labels || !session->batch_data->labels)
        return FAIL(error, CLT_BAD_ARGUMENT, "the session was opened for batches with %s",
                    session->batch_data->labels ? "labels" : "targets");
    for (int i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= session->model->outputs)
            return FAIL(error, CLT_BAD_ARGUMENT, "image %d of the batch has the label %d, where 0 to %d are possible",
                        i, labels[i], session->model->outputs - 1);
    memcpy(session->batch_data->labels, labels, (size_t)count * sizeof *labels);
    return CLT_OK;
}

static clt_status copy_targets(const clt_session *session, const float *targets, int count, clt_error *error)
{
    const int outputs = session->model->outputs;
    double *to = session->batch_data->targets;
    if (!targets || !to) return copy_labels(session, NULL, count, error);
    const size_t values = (size_t)count * (size_t)outputs;
    for (size_t i = 0; i < values; i++)
        TRY(clt__check_target_value(session->model->description.loss, "the batch given", (int)(i % (size_t)outputs),
                                    (int)(i / (size_t)outputs), (double)targets[i], error));
    for (size_t i = 0; i < values; i++) to[i] = (double)targets[i];
    return CLT_OK;
}

/* The device gets what was copied, as images 0 to count of the order. */
static clt_status send_batch(clt_session *session, int count, clt_error *error)
{
    TRY(clt__feed_refresh(&session->feed, count, error));
    session->batch_images = count;
    session->stage = CLT__BATCH_SET;
    return CLT_OK;
}

static clt_status set_batch(clt_session *session, const uint8_t *bytes, const float *floats, const int32_t *labels,
                            const float *targets, int count, clt_error *error)
{
    if (!session->trained)
        return FAIL(error, CLT_BAD_ARGUMENT, "the session was opened for inference: clt_session_predict takes images");
    TRY(clt__session_stands(session, error));
    if (labels && targets) return FAIL(error, CLT_BAD_ARGUMENT, "a batch has labels or targets, not both");
    session->stage = CLT__NO_BATCH;
    TRY(copy_images(session, bytes, floats, count, error));
    TRY(targets ? copy_targets(session, targets, count, error) : copy_labels(session, labels, count, error));
    return send_batch(session, count, error);
}

clt_status clt_session_set_batch(clt_session *session, const float *images, const int32_t *labels, const float *targets,
                                 int count, clt_error *error)
{
    return set_batch(session, NULL, images, labels, targets, count, error);
}

clt_status clt_session_set_batch_bytes(clt_session *session, const uint8_t *images, const int32_t *labels,
                                       const float *targets, int count, clt_error *error)
{
    return set_batch(session, images, NULL, labels, targets, count, error);
}

clt_status clt_session_choose_batch(clt_session *session, const int32_t *images, int count, clt_error *error)
{
    if (!session->trained || session->batch_data)
        return FAIL(error, CLT_BAD_ARGUMENT, "the session was not opened to train on a data set");
    TRY(clt__session_stands(session, error));
    if (count < 1 || count > session->batch)
        return FAIL(error, CLT_BAD_ARGUMENT, "a step takes 1 to %d images, not %d", session->batch, count);
    if ((size_t)count > session->data->count)
        return FAIL(error, CLT_BAD_ARGUMENT, "%d images were asked for, the data set has %zu", count,
                    session->data->count);
    TRY(clt__session_read_steps(session, NULL, NULL, error)); /* of an epoch, whose order this one replaces */
    session->in_epoch = false;
    session->stage = CLT__NO_BATCH;
    session->epoch = session->state.epoch;
    session->is_parted = false;
    TRY(clt__feed_set_order(&session->feed, images, count, (int)session->state.total_steps, error));
    session->batch_images = count;
    session->stage = CLT__BATCH_SET;
    return CLT_OK;
}

/* ---- a step, whole or in parts */

static clt_status need_first(const char *first, clt_error *error)
{
    return FAIL(error, CLT_BAD_ARGUMENT, "%s comes first", first);
}

/* From its first step on the model counts as trained by the session's options. */
static clt_status begin_step(clt_session *session, clt_error *error)
{
    if (session->stage == CLT__NO_BATCH) return need_first("clt_session_set_batch or clt_session_choose_batch", error);
    TRY(clt__session_commit(session, error));
    session->number = session->state.total_steps + 1;
    return CLT_OK;
}

clt_status clt_session_train_batch(clt_session *session, clt_error *error)
{
    TRY(begin_step(session, error));
    session->rate = session->batch_rate;
    session->meets = !session->options.local_steps || session->number % session->options.local_steps == 0;
    TRY(clt__session_run_batch(session, 0, session->batch_images, 0, clt__session_run_ops, NULL, error));
    session->state.total_steps++;
    session->stage = CLT__STEP_DONE;
    return CLT_OK;
}

clt_status clt_session_step(clt_session *session, const int32_t *images, int count, clt_error *error)
{
    TRY(clt_session_choose_batch(session, images, count, error));
    return clt_session_train_batch(session, error);
}

clt_status clt_session_forward(clt_session *session, clt_error *error)
{
    if (session->micro_batch < session->batch_images)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "the batch of %d images is computed in micro-batches of %d, forward and backward in turn: "
                    "clt_session_train_batch does that, or set batches of at most %d",
                    session->batch_images, session->micro_batch, session->micro_batch);
    if (session->gathering)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "several ranks do not take a step in parts: clt_session_train_batch takes it whole");
    if (session->syncs)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "shards that normalise together (sync_batchnorm) do not take a step in parts: "
                    "clt_session_train_batch takes it whole");
    TRY(begin_step(session, error));
    session->images_of_slot[0] = session->batch_images;
    const clt__placement whole = {.valid = session->batch_images, .whole = session->batch_images};
    TRY(clt__session_place(session, &whole, error));
    TRY(clt__session_run_ops(session, 0, session->net.backward, NULL, error));
    session->stage = CLT__FORWARD_DONE;
    return CLT_OK;
}

clt_status clt_session_backward(clt_session *session, clt_error *error)
{
    if (session->stage != CLT__FORWARD_DONE) return need_first("clt_session_forward", error);
    TRY(clt__session_run_ops(session, session->net.backward, session->net.unscale, NULL, error));
    TRY(clt__loss_unscale(session, clt__session_run_ops, NULL, error));
    session->stage = CLT__BACKWARD_DONE;
    return CLT_OK;
}

clt_status clt_session_update(clt_session *session, clt_error *error)
{
    if (session->stage != CLT__BACKWARD_DONE) return need_first("clt_session_backward", error);
    session->rate = session->batch_rate;
    TRY(clt__session_run_update(session, clt__session_run_ops, NULL, error));
    session->state.total_steps++;
    session->stage = CLT__STEP_DONE;
    return CLT_OK;
}

clt_status clt_session_loss(clt_session *session, double *loss, double *accuracy, clt_error *error)
{
    clt__tally tally;
    if (session->stage < CLT__BACKWARD_DONE)
        return need_first("clt_session_train_batch, or clt_session_backward,", error);
    TRY(clt__session_read_tallies(session, 1, &tally, error));
    *loss = tally.loss / session->batch_images;
    *accuracy = session->data->labels ? tally.hits / session->batch_images : NAN;
    return CLT_OK;
}

/* ---- predicting */

/* The outputs of the images that are on the device. */
static clt_status read_outputs(clt_session *session, int count, double *room, float *outputs, clt_error *error)
{
    const size_t width = (size_t)session->model->outputs;
    TRY(clt__session_infer(session, 0, count, room, error));
    if (clt_model_classifies(session->model)) clt__softmax_rows(room, (size_t)count, width);
    for (size_t i = 0; i < (size_t)count * width; i++) outputs[i] = (float)room[i];
    return CLT_OK;
}

/* Exactly one of `bytes` and `floats` is given. */
static clt_status predict(clt_session *session, const uint8_t *bytes, const float *floats, size_t count, double *room,
                          float *outputs, clt_error *error)
{
    const size_t image = clt__image_size(session->model->input), width = (size_t)session->model->outputs;
    const size_t most = (size_t)session->micro_batch;
    clt__ticker ticker = clt__ticker_start(&session->options, "predict", (int64_t)count);
    for (size_t first = 0; first < count; first += most) {
        const int some = (int)(count - first < most ? count - first : most);
        TRY(copy_images(session, bytes ? bytes + first * image : NULL, floats ? floats + first * image : NULL, some,
                        error));
        TRY(clt__feed_refresh(&session->feed, some, error));
        TRY(read_outputs(session, some, room, outputs + first * width, error));
        TRY(clt__ticker_tick(&ticker, (int64_t)first + some, error));
    }
    return CLT_OK;
}

static clt_status predict_any(clt_session *session, const uint8_t *bytes, const float *floats, size_t count,
                              float *outputs, clt_error *error)
{
    double *room;
    const int values = session->net.tape.tensor[session->net.output.tensor].count;
    if (session->trained)
        return FAIL(error, CLT_BAD_ARGUMENT, "the session trains: clt_session_open_images opens one that predicts");
    TRY(clt__allocate((uint64_t)values, sizeof *room, "a batch of outputs", &room, error));
    const clt_status status = predict(session, bytes, floats, count, room, outputs, error);
    free(room);
    return status;
}

clt_status clt_session_predict(clt_session *session, const float *images, size_t count, float *outputs,
                               clt_error *error)
{
    return predict_any(session, NULL, images, count, outputs, error);
}

clt_status clt_session_predict_bytes(clt_session *session, const uint8_t *images, size_t count, float *outputs,
                                     clt_error *error)
{
    return predict_any(session, images, NULL, count, outputs, error);
}
