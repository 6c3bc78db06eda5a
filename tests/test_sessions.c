/* Sessions as programs that embed cltrain use them: batches in the caller's memory, steps in parts, epochs,
 * predictions, data sources, and calls that are stopped half-way. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "device/device.h"
#include "model/model.h"
#include "session/session.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { IMAGES = 50, CLASSES = 3, CHANNELS = 2, SIDE = 6, VALUES = CHANNELS * SIDE * SIDE, BATCH = 8 };

static const char net[] = "input 2x6x6; conv out=4 kernel=3; batchnorm; relu; flatten; dense out=3";
static const clt_shape shape = {CHANNELS, SIDE, SIDE};
static clt_device *device;
static uint8_t pixels[IMAGES * VALUES];
static int32_t labels[IMAGES];

static int open_all(void **state)
{
    device = open_called(NULL);
    for (size_t i = 0; i < IMAGES; i++) labels[i] = (int32_t)(i % CLASSES);
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 89 + i / VALUES % CLASSES * 60);
    return make_folder(state);
}

static int close_all(void **state)
{
    clt_device_close(device);
    return remove_folder(state);
}

static clt_options some_options(void)
{
    clt_options options = *batches_of(BATCH);
    options.epochs = 2;
    options.normalize.how = CLT__BY_NOTHING;
    return options;
}

static clt_dataset *in_memory(void)
{
    clt_error error;
    clt_dataset *data;
    assert_ok(clt_dataset_from_bytes(IMAGES, shape, pixels, labels, CLASSES, &data, &error), &error);
    return data;
}

static void assert_same_digest(const clt_model *a, const clt_model *b)
{
    char one[65], other[65];
    clt_model_sha256(a, one);
    clt_model_sha256(b, other);
    assert_string_equal(one, other);
}

/* ---- steps */

typedef enum way { BY_NUMBER, BY_PARTS, IN_BYTES, IN_FLOATS, IN_BYTES_AS_REALS } way;

static void take_batch(clt_session *session, way how, int first, int count)
{
    clt_error error;
    int32_t numbers[BATCH];
    float floats[BATCH * VALUES];
    const uint8_t *bytes = pixels + first * VALUES;
    for (int i = 0; i < count; i++) numbers[i] = first + i;
    for (int i = 0; i < count * VALUES; i++) floats[i] = (float)bytes[i] / 255;
    if (how == BY_NUMBER || how == BY_PARTS)
        assert_ok(clt_session_choose_batch(session, numbers, count, &error), &error);
    else if (how == IN_FLOATS)
        assert_ok(clt_session_set_batch(session, floats, labels + first, NULL, count, &error), &error);
    else
        assert_ok(clt_session_set_batch_bytes(session, bytes, labels + first, NULL, count, &error), &error);
}

/* Three steps, the last of them of fewer images. */
static clt_model *step(way how, double losses[3])
{
    clt_error error;
    clt_session *session;
    const clt_options options = some_options();
    clt_dataset *data = in_memory();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    if (how <= BY_PARTS)
        assert_ok(clt_session_open(model, device, data, &options, false, &session, &error), &error);
    else
        assert_ok(clt_session_open_batches(model, device, how == IN_BYTES ? CLT_BYTES : CLT_REALS, CLT_LABELS, &options,
                                           false, &session, &error),
                  &error);
    for (int i = 0; i < 3; i++) {
        double accuracy;
        take_batch(session, how, i * BATCH, i < 2 ? BATCH : 5);
        if (how == BY_PARTS) {
            assert_ok(clt_session_forward(session, &error), &error);
            assert_ok(clt_session_backward(session, &error), &error);
            assert_ok(clt_session_update(session, &error), &error);
        } else {
            assert_ok(clt_session_train_batch(session, &error), &error);
        }
        assert_ok(clt_session_loss(session, &losses[i], &accuracy, &error), &error);
        assert_true(accuracy >= 0 && accuracy <= 1);
    }
    assert_ok(clt_session_store(session, &error), &error);
    assert_int_equal(model->state.total_steps, 3);
    clt_session_close(session);
    clt_dataset_close(data);
    return model;
}

static void steps_are_the_same_however_they_are_taken(void **state)
{
    (void)state;
    double wanted[3];
    clt_model *model = step(BY_NUMBER, wanted);
    for (way how = BY_PARTS; how <= IN_BYTES_AS_REALS; how++) {
        double losses[3];
        clt_model *other = step(how, losses);
        if (how == BY_PARTS || how == IN_BYTES) assert_same_digest(model, other);
        for (int i = 0; i < 3; i++) assert_true(fabs(losses[i] - wanted[i]) <= 1e-5 * fabs(wanted[i]));
        clt_model_close(other);
    }
    clt_model_close(model);
}

static void a_gradient_that_is_written_is_obeyed(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_options options = some_options();
    options.momentum = 0;
    double before[CLASSES], after[CLASSES];
    const double gradient[CLASSES] = {1, -2, 4};
    clt_dataset *data = in_memory();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_session_open(model, device, data, &options, false, &session, &error), &error);
    take_batch(session, BY_NUMBER, 0, BATCH);
    assert_ok(clt_session_forward(session, &error), &error);
    assert_ok(clt_session_backward(session, &error), &error);
    assert_ok(clt_session_read(session, "dense1.bias", before, CLASSES, &error), &error);
    assert_ok(clt_session_write(session, "dense1.bias.gradient", gradient, CLASSES, &error), &error);
    assert_ok(clt_session_set_rate(session, 0.5, &error), &error);
    assert_ok(clt_session_update(session, &error), &error);
    assert_ok(clt_session_read(session, "dense1.bias", after, CLASSES, &error), &error);
    for (int i = 0; i < CLASSES; i++) assert_true(fabs(after[i] - (before[i] - 0.5 * gradient[i])) <= 1e-6);
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(data);
}

#define REFUSED(call, part) assert_failed(call, CLT_BAD_ARGUMENT, &error, NULL, part)

static void batches_to_come_cannot_be_measured(void **state)
{
    (void)state;
    clt_error error;
    clt_session *batches;
    clt_options normalised = some_options(), balanced = some_options();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    normalised.normalize.how = CLT__BY_DATASET;
    REFUSED(clt_session_open_batches(model, device, CLT_BYTES, CLT_LABELS, &normalised, false, &batches, &error),
            "the batches to come cannot be measured");
    balanced.class_weights.how = CLT__BALANCED;
    REFUSED(clt_session_open_batches(model, device, CLT_BYTES, CLT_LABELS, &balanced, false, &batches, &error),
            "cannot be balanced");
    clt_model_close(model);
}

/* A session of each kind. */
typedef struct kinds {
    clt_model *model;
    clt_dataset *data;
    clt_session *training, *batches, *images, *inference;
} kinds;

static kinds open_kinds(void)
{
    clt_error error;
    const clt_options options = some_options();
    kinds k = {.model = make_model(net, NULL, CLT_F32, 3), .data = in_memory()};
    assert_ok(clt_session_open(k.model, device, k.data, &options, false, &k.training, &error), &error);
    assert_ok(clt_session_open_batches(k.model, device, CLT_BYTES, CLT_LABELS, &options, false, &k.batches, &error),
              &error);
    assert_ok(clt_session_open_images(k.model, device, CLT_BYTES, &options, &k.images, &error), &error);
    assert_ok(clt_session_open_inference(k.model, device, k.data, &options, &k.inference, &error), &error);
    return k;
}

static void close_kinds(const kinds *k)
{
    clt_session_close(k->training);
    clt_session_close(k->batches);
    clt_session_close(k->images);
    clt_session_close(k->inference);
    clt_dataset_close(k->data);
    clt_model_close(k->model);
}

static void parts_of_a_step_have_an_order(void **state)
{
    (void)state;
    clt_error error;
    double loss, accuracy;
    const kinds k = open_kinds();
    REFUSED(clt_session_train_batch(k.training, &error),
            "clt_session_set_batch or clt_session_choose_batch comes first");
    REFUSED(clt_session_backward(k.training, &error), "clt_session_forward comes first");
    REFUSED(clt_session_update(k.training, &error), "clt_session_backward comes first");
    REFUSED(clt_session_loss(k.batches, &loss, &accuracy, &error), "comes first");
    assert_ok(clt_session_set_batch_bytes(k.batches, pixels, labels, NULL, 2, &error), &error);
    REFUSED(clt_session_loss(k.batches, &loss, &accuracy, &error), "comes first");
    assert_ok(clt_session_forward(k.batches, &error), &error);
    REFUSED(clt_session_loss(k.batches, &loss, &accuracy, &error), "comes first");
    assert_ok(clt_session_backward(k.batches, &error), &error);
    assert_ok(clt_session_loss(k.batches, &loss, &accuracy, &error), &error);
    assert_ok(clt_session_train_batch(k.batches, &error), &error);
    REFUSED(clt_session_update(k.batches, &error), "clt_session_backward comes first");
    close_kinds(&k);
}

static void batches_that_a_session_does_not_take_are_refused(void **state)
{
    (void)state;
    clt_error error;
    const float floats[VALUES] = {0}, targets[CLASSES] = {0};
    const int32_t beyond[] = {CLASSES}, numbers[] = {0};
    const kinds k = open_kinds();
    REFUSED(clt_session_set_batch_bytes(k.batches, pixels, labels, targets, 1, &error), "labels or targets, not both");
    REFUSED(clt_session_set_batch_bytes(k.training, pixels, labels, NULL, 1, &error), "opened on a data set");
    REFUSED(clt_session_choose_batch(k.batches, numbers, 1, &error), "was not opened to train on a data set");
    REFUSED(clt_session_set_batch_bytes(k.batches, pixels, labels, NULL, BATCH + 1, &error),
            "a batch has 1 to 8 images");
    REFUSED(clt_session_set_batch_bytes(k.batches, pixels, labels, NULL, 0, &error),
            "a batch has 1 to 8 images, not 0");
    REFUSED(clt_session_set_batch_bytes(k.batches, pixels, beyond, NULL, 1, &error), "has the label 3, where 0 to 2");
    REFUSED(clt_session_set_batch_bytes(k.batches, pixels, NULL, targets, 1, &error), "for batches with labels");
    REFUSED(clt_session_set_batch(k.batches, floats, labels, NULL, 1, &error), "for images of bytes");
    REFUSED(clt_session_set_batch_bytes(k.images, pixels, labels, NULL, 1, &error), "opened for inference");
    close_kinds(&k);
}

static void what_a_kind_of_session_is_not_for_is_refused(void **state)
{
    (void)state;
    clt_error error;
    float outputs[CLASSES];
    const float floats[VALUES] = {0};
    clt_evaluation *evaluation;
    const kinds k = open_kinds();
    REFUSED(clt_session_predict(k.images, floats, 1, outputs, &error), "for images of bytes");
    REFUSED(clt_session_predict_bytes(k.training, pixels, 1, outputs, &error), "the session trains");
    REFUSED(clt_session_predict_bytes(k.inference, pixels, 1, outputs, &error), "opened on a data set");
    REFUSED(clt_session_evaluate(k.images, NULL, &evaluation, &error), "the session cannot evaluate");
    REFUSED(clt_session_evaluate(k.training, NULL, &evaluation, &error), "the session cannot evaluate");
    REFUSED(clt_session_begin_epoch(k.batches, &error), "only a session that trains on a data set has epochs");
    REFUSED(clt_session_next_step(k.inference, &error), "only a session that trains on a data set has epochs");
    REFUSED(clt_session_store(k.inference, &error), "opened for inference");
    close_kinds(&k);
}

static void steps_of_an_epoch_have_an_order(void **state)
{
    (void)state;
    clt_error error;
    bool best;
    const kinds k = open_kinds();
    REFUSED(clt_session_next_step(k.training, &error), "clt_session_begin_epoch comes first");
    assert_ok(clt_session_begin_epoch(k.training, &error), &error);
    assert_ok(clt_session_next_step(k.training, &error), &error);
    REFUSED(clt_session_end_epoch(k.training, NAN, &best, &error), "the epoch is not over: step 2 of 7 comes next");
    while (clt_session_has_step(k.training)) assert_ok(clt_session_next_step(k.training, &error), &error);
    REFUSED(clt_session_next_step(k.training, &error), "the epoch has no further step");
    assert_ok(clt_session_end_epoch(k.training, NAN, &best, &error), &error);
    assert_true(best && clt_model_epochs(k.model) == 1);
    REFUSED(clt_session_next_step(k.training, &error), "clt_session_begin_epoch comes first");
    take_batch(k.training, BY_NUMBER, 0, 1);
    assert_ok(clt_session_begin_epoch(k.training, &error), &error);
    REFUSED(clt_session_train_batch(k.training, &error), "comes first");
    close_kinds(&k);
}

static void parts_of_a_batch_in_micro_batches_are_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_options options = some_options();
    options.micro_batch_size = 3;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_session_open_batches(model, device, CLT_BYTES, CLT_LABELS, &options, false, &session, &error),
              &error);
    take_batch(session, IN_BYTES, 0, BATCH);
    REFUSED(clt_session_forward(session, &error), "micro-batches of 3");
    assert_ok(clt_session_train_batch(session, &error), &error);
    take_batch(session, IN_BYTES, 0, 3);
    assert_ok(clt_session_forward(session, &error), &error);
    clt_session_close(session);
    clt_model_close(model);
}

static void targets_are_checked_before_they_are_taken(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    double loss, accuracy;
    float targets[BATCH * CLASSES] = {0};
    const clt_options options = some_options();
    clt_model *model = make_model(net, "bce", CLT_F32, 3);
    assert_ok(clt_session_open_batches(model, device, CLT_BYTES, CLT_TARGETS, &options, false, &session, &error),
              &error);
    targets[7 * CLASSES + 1] = 1.5f;
    REFUSED(clt_session_set_batch_bytes(session, pixels, NULL, targets, BATCH, &error),
            "target 1 of image 7 is 1.5: the loss bce takes numbers from 0 to 1");
    assert_ok(clt_session_set_batch_bytes(session, pixels, NULL, targets, 7, &error), &error);
    assert_ok(clt_session_train_batch(session, &error), &error);
    assert_ok(clt_session_loss(session, &loss, &accuracy, &error), &error);
    assert_true(loss > 0 && isnan(accuracy));
    REFUSED(clt_session_set_batch_bytes(session, pixels, labels, NULL, 1, &error), "for batches with targets");
    clt_session_close(session);
    clt_model_close(model);
}

/* ---- what a session and its model do to each other */

static void a_session_outlives_other_trainings_of_its_model(void **state)
{
    (void)state;
    clt_error error;
    clt_session *training, *inference;
    clt_evaluation *evaluation, *wanted;
    clt_options options = some_options(), other;
    clt_dataset *data = in_memory();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    options.optimizer = "adam";
    options.ema = 0.9;
    options.freeze = "conv*";
    assert_ok(clt_session_open_inference(model, device, data, &options, &inference, &error), &error);
    assert_ok(clt_session_open(model, device, data, &options, false, &training, &error), &error);
    take_batch(training, BY_NUMBER, 0, BATCH);
    assert_ok(clt_session_train_batch(training, &error), &error);
    other = options;
    other.freeze = NULL;
    other.normalize.how = CLT__BY_DATASET;
    assert_ok(clt_train(model, device, data, NULL, &other, &error), &error);
    assert_ok(clt_session_load(training, &error), &error);
    assert_ok(clt_session_store(training, &error), &error);
    assert_ok(clt_session_load(inference, &error), &error);
    assert_ok(clt_session_evaluate(inference, NULL, &evaluation, &error), &error);
    assert_ok(clt_evaluate(model, device, data, batches_of(BATCH), &wanted, &error), &error);
    assert_true(clt_evaluation_loss(evaluation) == clt_evaluation_loss(wanted));
    clt_evaluation_close(evaluation);
    clt_evaluation_close(wanted);
    clt_session_close(training);
    clt_session_close(inference);
    clt_model_close(model);
    clt_dataset_close(data);
}

static void batches_leave_a_models_normalisation(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_options options = some_options();
    clt_dataset *data = in_memory();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    options.normalize.how = CLT__BY_DATASET;
    options.epochs = 0;
    assert_ok(clt_train(model, device, data, NULL, &options, &error), &error);
    const double mean = model->mean[0];
    assert_ok(clt_session_open_batches(model, device, CLT_BYTES, CLT_LABELS, &options, false, &session, &error),
              &error);
    assert_true(model->mean[0] == mean && mean > 0);
    clt_session_close(session);
    clt_model_close(model);
    clt_dataset_close(data);
}

static void a_range_test_leaves_averages_and_states(void **state)
{
    (void)state;
    clt_error error;
    clt_lr_result *rates;
    clt_evaluation *before, *after;
    clt_options options = some_options();
    clt_dataset *data = in_memory();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    options.ema = 0.9;
    assert_ok(clt_train(model, device, data, NULL, &options, &error), &error);
    assert_ok(clt_evaluate(model, device, data, NULL, &before, &error), &error);
    options.freeze = "conv*";
    options.steps = 3;
    assert_ok(clt_lr_find(model, device, data, &options, &rates, &error), &error);
    assert_ok(clt_evaluate(model, device, data, NULL, &after, &error), &error);
    assert_true(clt_evaluation_loss(before) == clt_evaluation_loss(after) && !model->options.freeze);
    clt_evaluation_close(before);
    clt_evaluation_close(after);
    clt_lr_close(rates);
    clt_model_close(model);
    clt_dataset_close(data);
}

/* A loop of one's own leaves a checkpoint that its own options resume. */
static void steps_by_hand_are_resumed_by_their_options(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_options *options;
    clt_model *model, *loaded;
    static const char *const all[][2] = {
        {"net", net}, {"init", "kaiming_normal"}, {"normalize", "none"}, {"ema", "0.9"}, {"batch_size", "8"}};
    assert_ok(clt_options_create(&options, &error), &error);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_ok(clt_options_set(options, all[i][0], all[i][1], &error), &error);
    assert_ok(clt_model_create(options, &model, &error), &error);
    assert_ok(clt_session_open_batches(model, device, CLT_BYTES, CLT_LABELS, options, false, &session, &error), &error);
    take_batch(session, IN_BYTES, 0, BATCH);
    assert_ok(clt_session_train_batch(session, &error), &error);
    assert_ok(clt_session_store(session, &error), &error);
    assert_ok(clt_model_save(model, path_in("by hand.safetensors"), &error), &error);
    assert_ok(clt_model_load(path_in("by hand.safetensors"), &loaded, &error), &error);
    assert_ok(clt_options_resume(options, loaded, &error), &error);
    assert_true(options->ema == 0.9 && loaded->averaged);
    assert_ok(clt_options_set(options, "lr", "0.5", &error), &error);
    assert_ok(clt_options_set(options, "precision", "f64", &error), &error);
    options->momentum = 0.25;
    assert_failed(clt_options_resume(options, loaded, &error), CLT_BAD_ARGUMENT, &error, "precision",
                  "where the checkpoint has \"f32\"");
    assert_true(options->momentum == 0.25);
    clt_session_close(session);
    clt_model_close(model);
    clt_model_close(loaded);
    clt_options_close(options);
}

/* ---- predicting */

static void a_session_predicts_any_number_of_images(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    double wanted[IMAGES * CLASSES];
    float outputs[IMAGES * CLASSES];
    clt_dataset *data = in_memory();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_predict(model, device, data, batches_of(BATCH), wanted, &error), &error);
    assert_ok(clt_session_open_images(model, device, CLT_BYTES, batches_of(BATCH), &session, &error), &error);
    static const size_t counts[] = {IMAGES, 1, BATCH, BATCH + 1, 0, IMAGES};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        memset(outputs, 0, sizeof outputs);
        assert_ok(clt_session_predict_bytes(session, pixels, counts[i], outputs, &error), &error);
        for (size_t k = 0; k < counts[i] * CLASSES; k++) assert_true(outputs[k] == (float)wanted[k]);
        for (size_t k = counts[i] * CLASSES; k < COUNT_OF(outputs); k++) assert_true(outputs[k] == 0);
    }
    clt_session_close(session);
    clt_dataset_close(data);
    clt_model_close(model);
}

/* ---- a source of one's own */

typedef struct counting {
    const uint8_t *images;
    size_t asked, largest, fails_at;
} counting;

static bool fill(void *user, const size_t *images, size_t count, void *to)
{
    counting *c = user;
    for (size_t i = 0; i < count; i++) {
        if (++c->asked == c->fails_at) return false;
        memcpy((uint8_t *)to + i * VALUES, c->images + images[i] * VALUES, VALUES);
    }
    if (count > c->largest) c->largest = count;
    return true;
}

static bool fill_floats(void *user, const size_t *images, size_t count, void *to)
{
    const counting *c = user;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < VALUES; k++)
            ((float *)to)[i * VALUES + k] = (float)c->images[images[i] * VALUES + k] / 255;
    return true;
}

static clt_dataset *from_source(counting *c, clt_pixels kind)
{
    clt_error error;
    clt_dataset *data;
    assert_ok(clt_dataset_from_source(IMAGES, shape, kind, kind == CLT_BYTES ? fill : fill_floats, c, labels, CLASSES,
                                      NULL, 0, &data, &error),
              &error);
    return data;
}

static void a_source_is_what_memory_is(void **state)
{
    (void)state;
    clt_error error;
    counting c = {.images = pixels};
    clt_dataset *data[] = {in_memory(), from_source(&c, CLT_BYTES), from_source(&c, CLT_REALS)};
    clt_model *model[COUNT_OF(data)];
    double outputs[COUNT_OF(data)][IMAGES * CLASSES], loss[COUNT_OF(data)];
    for (size_t i = 0; i < COUNT_OF(data); i++) {
        clt_options options = some_options();
        clt_evaluation *evaluation;
        clt_dataset *joined;
        options.normalize.how = CLT__BY_DATASET;
        options.val_split = 0.2;
        options.augment.flip = true;
        model[i] = make_model(net, NULL, CLT_F32, 3);
        assert_ok(clt_train(model[i], device, data[i], NULL, &options, &error), &error);
        assert_ok(clt_evaluate(model[i], device, data[i], &options, &evaluation, &error), &error);
        loss[i] = clt_evaluation_loss(evaluation);
        assert_ok(clt_dataset_join((const clt_dataset *const *)&data[i], 1, &joined, &error), &error);
        assert_ok(clt_predict(model[i], device, joined, &options, outputs[i], &error), &error);
        clt_dataset_close(joined);
        clt_evaluation_close(evaluation);
    }
    assert_same_digest(model[0], model[1]);
    assert_memory_equal(outputs[0], outputs[1], sizeof outputs[0]);
    assert_true(loss[0] == loss[1] && fabs(loss[2] - loss[0]) <= 1e-4 * loss[0]);
    for (size_t i = 0; i < COUNT_OF(data); i++) {
        clt_model_close(model[i]);
        clt_dataset_close(data[i]);
    }
}

static void a_source_that_fails_ends_the_training(void **state)
{
    (void)state;
    clt_error error;
    for (size_t at = 1; at <= 3 * IMAGES; at += 17) {
        counting c = {.images = pixels, .fails_at = at};
        clt_options options = some_options();
        options.normalize.how = CLT__BY_DATASET;
        clt_dataset *data = from_source(&c, CLT_BYTES);
        clt_model *model = make_model(net, NULL, CLT_F32, 3);
        const clt_status status = clt_train(model, device, data, NULL, &options, &error);
        if (status == CLT_OK)
            assert_true(c.asked < at);
        else
            assert_failed(status, CLT_BAD_FILE, &error, NULL, "the data source: could not fill ");
        clt_model_close(model);
        clt_dataset_close(data);
    }
}

/* ---- stopping */

static bool stop(void *user, const clt_progress *progress)
{
    (void)snprintf(user, 32, "%s", progress->what);
    return false;
}

/* Each call that takes long asks about every tenth of a second; the linker puts this clock in the true one's place. */
double __wrap_clt__seconds(void);
double __wrap_clt__seconds(void)
{
    static double now;
    return now += 0.06;
}

static void ignore_verified(void *user, const clt_verify_row *row)
{
    (void)user;
    (void)row;
}

static void every_long_call_can_be_stopped(void **state)
{
    (void)state;
    clt_error error;
    char what[32];
    double outputs[IMAGES * CLASSES];
    clt_options options = some_options();
    clt_evaluation *evaluation;
    clt_lr_result *rates;
    clt_bench_result *times;
    clt_scale_result *scaled;
    clt_dataset *data = in_memory();
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    clt_options_set_progress(&options, stop, what);
#define STOPPED(call, name)                                               \
    do {                                                                  \
        *what = '\0';                                                     \
        assert_failed(call, CLT_STOPPED, &error, NULL, "stopped after "); \
        assert_string_equal(what, name);                                  \
    } while (0)
    STOPPED(clt_evaluate(model, device, data, &options, &evaluation, &error), "evaluate");
    assert_null(evaluation);
    STOPPED(clt_predict(model, device, data, &options, outputs, &error), "predict");
    STOPPED(clt_lr_find(model, device, data, &options, &rates, &error), "lr_find");
    assert_null(rates);
    options.seconds = 1e-3;
    STOPPED(clt_bench(model, device, &options, &times, &error), "bench");
    assert_null(times);
    options.net = net;
    options.input = shape;
    STOPPED(clt_scale(&options, device, &scaled, &error), "scale");
    assert_null(scaled);
    if (!clt__device_is_reference(device)) {
        STOPPED(clt_verify(model, device, &options, ignore_verified, NULL, &error), "verify");
        (void)setenv("CLTRAIN_CACHE_DIR", path_in("tuned"), 1);
        clt_device *fresh = open_called(NULL);
        STOPPED(clt_tune(model, fresh, &options, NULL, NULL, &error), "tune");
        clt_device_close(fresh);
        (void)setenv("CLTRAIN_CACHE_DIR", "", 1);
    }
    *what = '\0';
    assert_int_equal(clt_train(model, device, data, NULL, &options, &error), CLT_STOPPED);
    assert_string_equal(what, "train");
    clt_model_close(model);
    clt_dataset_close(data);
}

static bool stop_validation(void *user, const clt_progress *progress)
{
    int *validations = user;
    return strcmp(progress->what, "evaluate") != 0 || ++*validations != 2;
}

/* The training stands at the epoch's end then, and goes on with validating. */
static void a_training_that_is_stopped_while_it_validates_goes_on(void **state)
{
    (void)state;
    clt_error error;
    int validations = 0;
    clt_options options = some_options();
    clt_dataset *data = in_memory();
    clt_model *whole = make_model(net, NULL, CLT_F32, 3), *stopped = make_model(net, NULL, CLT_F32, 3), *loaded;
    options.patience = 5;
    assert_ok(clt_train(whole, device, data, data, &options, &error), &error);
    options.output_dir = path_in("stopped");
    clt_options_set_progress(&options, stop_validation, &validations);
    assert_failed(clt_train(stopped, device, data, data, &options, &error), CLT_STOPPED, &error,
                  "stopped in epoch 1 after step 7 of 7", "");
    char file[512];
    (void)snprintf(file, sizeof file, "%s/last.safetensors", options.output_dir);
    assert_ok(clt_model_load(file, &loaded, &error), &error);
    options.progress = NULL;
    assert_ok(clt_train(loaded, device, data, data, &options, &error), &error);
    assert_same_digest(whole, loaded);
    assert_true(whole->state.validation.best == loaded->state.validation.best && clt_model_epochs(loaded) == 2);
    clt_model_close(loaded);
    clt_model_close(stopped);
    clt_model_close(whole);
    clt_dataset_close(data);
}

/* ---- options and names */

static void options_are_set_read_and_copied(void **state)
{
    (void)state;
    clt_error error;
    clt_options *options, *copy;
    char *value;
    assert_ok(clt_options_create(&options, &error), &error);
    assert_ok(clt_options_set(options, "batch-size", "12", &error), &error);
    assert_ok(clt_options_set_real(options, "lr", 0.1, &error), &error);
    assert_ok(clt_options_set_integer(options, "seed", 7, &error), &error);
    assert_ok(clt_options_set_flag(options, "shuffle", false, &error), &error);
    assert_ok(clt_options_set(options, "freeze", "conv*", &error), &error);
    assert_failed(clt_options_set(options, "lr", "-1", &error), CLT_BAD_ARGUMENT, &error, "lr",
                  "\"-1\" is given, where a number from 0 to 1e+06 is needed");
    assert_failed(clt_options_set_integer(options, "batch_size", 0, &error), CLT_BAD_ARGUMENT, &error, "batch_size",
                  "a whole number from 1 to 1000000");
    assert_failed(clt_options_set_flag(options, "lr", true, &error), CLT_BAD_ARGUMENT, &error, "lr", "\"yes\"");
    assert_failed(clt_options_set(options, "learning_rate", "1", &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "there is no option \"learning_rate\"");
    assert_ok(clt_options_copy(options, &copy, &error), &error);
    clt_options_close(options);
    static const char *const wanted[][2] = {{"batch_size", "12"}, {"lr", "0.1"},       {"seed", "7"}, {"shuffle", "no"},
                                            {"freeze", "conv*"},  {"augment", "none"}, {"size", ""}};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_ok(clt_options_get(copy, wanted[i][0], &value, &error), &error);
        assert_string_equal(value, wanted[i][1]);
        clt_free(value);
    }
    clt_options_close(copy);
    clt_options_close(NULL);
}

/* In a locale with a decimal comma numbers are read and written with a point all the same. */
static void options_know_no_locale(void **state)
{
    (void)state;
    clt_error error;
    clt_options *options;
    char *value;
    const char *name = setlocale(LC_ALL, "de_DE.UTF-8");
    if (!name) name = setlocale(LC_ALL, "de_DE.utf8");
    if (!name) skip();
    assert_ok(clt_options_create(&options, &error), &error);
    assert_true(options->lr == 0.01 && options->beta2 == 0.999);
    assert_ok(clt_options_set(options, "augment", "shift=0.25", &error), &error);
    assert_ok(clt_options_set_real(options, "lr", 0.125, &error), &error);
    assert_ok(clt_options_get(options, "lr", &value, &error), &error);
    assert_string_equal(value, "0.125");
    (void)setlocale(LC_ALL, "C");
    clt_free(value);
    clt_options_close(options);
}

/* The words of choices stand in the order of their enumerators. */
static void choices_are_their_enumerators(void **state)
{
    (void)state;
    clt_error error;
    clt_options *options;
    assert_ok(clt_options_create(&options, &error), &error);
#define CHOICE(member, word, value)                                     \
    assert_ok(clt_options_set(options, #member, word, &error), &error); \
    assert_int_equal(options->member, value)
    CHOICE(layout, "nhwc", CLT__NHWC);
    CHOICE(on_mismatch, "reference", CLT__REFERENCE);
    CHOICE(on_mismatch, "warn", CLT__WARN);
    CHOICE(format, "csv", CLT__FORMAT_CSV);
    CHOICE(format, "json", CLT__FORMAT_JSON);
    CHOICE(format, "npy", CLT__FORMAT_NPY);
    CHOICE(sigmoid_derivative, "notebook", CLT__NOTEBOOK);
    CHOICE(precision, "f64", CLT_F64);
    CHOICE(schedule, "vector", CLT_SCHEDULE_VECTOR);
    CHOICE(schedule, "tile", CLT_SCHEDULE_TILE);
    clt_options_close(options);
}

/* What an option prints is what it takes: each of them, as it is where nothing is given. */
static void options_take_what_they_print(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = clt__options_default();
    for (clt__option i = 0; i < CLT__OPTIONS; i++) {
        clt__text text = {0};
        bool right = false;
        assert_ok(clt__option_print(&options, i, &text, &error), &error);
        if (clt__option_info_of(i)->fallback) {
            assert_ok(clt__option_set(&options, i, text.start, &right, &error), &error);
            assert_true(right && options.given[i]);
        }
        free(text.start);
    }
    clt__options_forget(&options);
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(clt_status_name(CLT_OK), "CLT_OK");
    assert_string_equal(clt_status_name(CLT_STOPPED), "CLT_STOPPED");
    assert_string_equal(clt_status_name((clt_status)99), "unknown");
    for (int i = CLT_OK; i <= CLT_STOPPED; i++) assert_string_not_equal(clt_status_name((clt_status)i), "unknown");
}

/* The loss of a session that folds batch normalisations, and of one that does not. */
static void losses_folded_and_not(clt_session *const session[2], double loss[2])
{
    clt_error error;
    for (int i = 0; i < 2; i++) {
        clt_evaluation *evaluation;
        assert_ok(clt_session_load(session[i], &error), &error);
        assert_ok(clt_session_evaluate(session[i], NULL, &evaluation, &error), &error);
        loss[i] = clt_evaluation_loss(evaluation);
        clt_evaluation_close(evaluation);
    }
}

static void inference_folds_batch_normalisations(void **state)
{
    (void)state;
    clt_error error;
    clt_device *reference;
    clt_options options = some_options();
    clt_session *session[2];
    double loss[2], factors[3] = {0.5, 2, 3}, before;
    clt_dataset *data = in_memory();
    clt_model *model =
        make_model("input 2x6x6; conv out=3 kernel=3 padding=1 bias=no; batchnorm; relu; conv out=3; add "
                   "from=conv2,relu1; batchnorm; flatten; dense out=6; batchnorm; relu; dense out=3",
                   NULL, CLT_F64, 3);
    assert_ok(clt_device_open("reference", &reference, &error), &error);
    assert_ok(clt_train(model, reference, data, NULL, &options, &error), &error);
    assert_ok(clt_session_open_inference(model, reference, data, &options, &session[0], &error), &error);
    assert_ok(clt__session_open(model, reference, data, &options, (clt__session_mode){0}, &session[1], &error), &error);
    assert_int_equal(session[1]->net.tape.op_count - session[0]->net.tape.op_count, 2); /* one is not of an add */
    losses_folded_and_not(session, loss);
    assert_true(fabs(loss[0] - loss[1]) <= 1e-12);
    before = loss[0];
    assert_ok(clt_model_set(model, "batchnorm1.weight", factors, 3, &error), &error);
    losses_folded_and_not(session, loss);
    assert_true(fabs(loss[0] - loss[1]) <= 1e-12);
    assert_true(fabs(loss[0] - before) > 1e-3);
    clt_session_close(session[0]);
    clt_session_close(session[1]);
    clt_device_close(reference);
    clt_model_close(model);
    clt_dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inference_folds_batch_normalisations),
        cmocka_unit_test(steps_are_the_same_however_they_are_taken),
        cmocka_unit_test(a_gradient_that_is_written_is_obeyed),
        cmocka_unit_test(batches_to_come_cannot_be_measured),
        cmocka_unit_test(parts_of_a_step_have_an_order),
        cmocka_unit_test(batches_that_a_session_does_not_take_are_refused),
        cmocka_unit_test(what_a_kind_of_session_is_not_for_is_refused),
        cmocka_unit_test(steps_of_an_epoch_have_an_order),
        cmocka_unit_test(parts_of_a_batch_in_micro_batches_are_refused),
        cmocka_unit_test(targets_are_checked_before_they_are_taken),
        cmocka_unit_test(a_session_outlives_other_trainings_of_its_model),
        cmocka_unit_test(batches_leave_a_models_normalisation),
        cmocka_unit_test(a_range_test_leaves_averages_and_states),
        cmocka_unit_test(steps_by_hand_are_resumed_by_their_options),
        cmocka_unit_test(a_session_predicts_any_number_of_images),
        cmocka_unit_test(a_source_is_what_memory_is),
        cmocka_unit_test(a_source_that_fails_ends_the_training),
        cmocka_unit_test(every_long_call_can_be_stopped),
        cmocka_unit_test(a_training_that_is_stopped_while_it_validates_goes_on),
        cmocka_unit_test(options_are_set_read_and_copied),
        cmocka_unit_test(options_know_no_locale),
        cmocka_unit_test(choices_are_their_enumerators),
        cmocka_unit_test(options_take_what_they_print),
        cmocka_unit_test(every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
