/* Training from end to end: reproducible bits, resuming, both devices, and how a run ends. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "device/opencl.h"
#include "device/sources.h"
#include "session/session.h"
#include "training.h"

/* ---- the same bits ------------------------------------------------------------------------------------------- */

static void train_whole(const char *folder)
{
    const clt_options options = stateful_options(folder);
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
}

/* Where groups that run at the same time share what each should have alone, many steps show it. */
static void the_same_bits_come_of_groups_that_run_at_the_same_time(void **state)
{
    (void)state;
    static const char normalised[] =
        "input 1x8x8; conv out=12 kernel=3 padding=1; batchnorm; relu; conv out=12 groups=3; groupnorm "
        "groups=3; relu; globalavgpool; dense out=3";
    static const char *const folders[] = {"one", "two", "three"};
    const clt_schedule before = clt__device_limits(device, CLT_F32).schedule;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        const clt_options options = options_for(30, folders[i]);
        clt_model *model = make_model(normalised, NULL, CLT_F32, 3);
        train(model, device, &options);
        clt_model_close(model);
        assert_same_run(folders[0], folders[i]);
    }
    clt_device_set_schedule(device, before);
}

static void the_same_options_give_the_same_bits(void **state)
{
    (void)state;
    train_whole("once");
    train_whole("again");
    assert_same_run("once", "again");
    const clt_options options = stateful_options("other seed");
    clt_model *model = make_model(net, NULL, CLT_F32, 4);
    train(model, device, &options);
    clt_model *once = load("once", "last.safetensors");
    assert_true(distance(model, once) > 1e-3);
    clt_model_close(model);
    clt_model_close(once);
}

static void a_run_resumed_after_an_epoch_gives_the_same_bits(void **state)
{
    (void)state;
    train_whole("whole");
    stop_at("after epoch", 2, 0, "stopped after epoch 2");
    resume("after epoch");
    assert_same_run("whole", "after epoch");
}

static void a_run_resumed_within_an_epoch_gives_the_same_bits(void **state)
{
    (void)state;
    train_whole("whole");
    stop_at("within first", 1, 3, "stopped in epoch 1 after step 3 of 5");
    resume("within first");
    assert_same_run("whole", "within first");
    stop_at("within second", 2, 1, "stopped in epoch 2 after step 1 of 5"); /* step 6 of all, a multiple of 3 */
    resume("within second");
    assert_same_run("whole", "within second");
}

/* Two epochs in one go, and with a stop in the middle of the second. */
static void every_optimizer_resumes_to_the_same_bits(void **state)
{
    (void)state;
    clt_error error;
    for (const char *const *name = clt_optimizer_names(); *name; name++) {
        char whole[64], parts[64];
        (void)snprintf(whole, sizeof whole, "%s whole", *name);
        (void)snprintf(parts, sizeof parts, "%s parts", *name);
        clt_options options = options_for(2, whole);
        options.optimizer = *name;
        options.beta1 = 0.8;
        options.beta2 = 0.95;
        options.alpha = 0.9;
        options.eps = 1e-6;
        options.clip_value = 0.05;
        options.no_decay_bias_norm = true;
        options.weight_decay = 0.01;
        options.save_every = 1;
        clt_model *model = make_model(net, NULL, CLT_F32, 3);
        train(model, device, &options);
        clt_model_close(model);
        interruption stop = {.epoch = 2, .step = 2};
        char *path = strdup(path_in(parts));
        assert_non_null(path);
        options.output_dir = path;
        options.progress = interrupt;
        options.progress_user = &stop;
        model = make_model(net, NULL, CLT_F32, 3);
        assert_failed(clt_train(model, device, images, validation, &options, &error), CLT_STOPPED, &error, NULL,
                      "stopped in epoch 2 after step 2 of 5");
        clt_model_close(model);
        model = load(parts, "last.safetensors");
        options = *clt_model_options(model);
        assert_string_equal(options.optimizer, *name);
        options.output_dir = path;
        train(model, device, &options);
        clt_model_close(model);
        free(path);
        assert_same_run(whole, parts);
    }
}

/* From the weights that sgd left, adam's first steps are those of a fresh adam. */
static void another_optimizer_begins_anew(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, "sgd first");
    options.shuffle = false;
    clt_model *model = make_model(net, NULL, CLT_F32, 3), *fresh = make_model(net, NULL, CLT_F32, 4);
    train(model, reference, &options);
    clt_model_close(model);
    assert_ok(clt_model_load_weights(fresh, file_in("sgd first", "last.safetensors"), &error), &error);
    model = load("sgd first", "last.safetensors");
    options.output_dir = NULL;
    options.optimizer = "adam";
    train(fresh, reference, &options);
    options.epochs = 2;
    options.output_dir = path_in("then adam");
    train(model, reference, &options);
    assert_true(distance(model, fresh) == 0);
    clt_model_close(model);
    clt_model_close(fresh);
    model = load("then adam", "last.safetensors");
    assert_int_equal(model->state.total_steps, 2 * STEPS);
    assert_int_equal(model->state.optimizer_began, STEPS);
    clt_model_close(model);
}

static void a_run_resumed_from_a_checkpoint_within_an_epoch_gives_the_same_bits(void **state)
{
    (void)state;
    interruption copy = {.epoch = 3, .step = 2, .copy_from = "copied", .copy_to = "copy"}; /* step 12 of all */
    clt_options options = stateful_options("copied");
    options.progress = interrupt;
    options.progress_user = &copy;
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    model = load("copy", "last.safetensors");
    assert_int_equal(model->state.epoch, 2);
    assert_int_equal(model->state.step, 2);
    assert_int_equal(model->state.total_steps, 12);
    clt_model_close(model);
    resume("copy");
    assert_same_run("copied", "copy");
}

static void more_epochs_go_on_where_a_finished_run_ended(void **state)
{
    (void)state;
    clt_options options = options_for(3, "three");
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    options = options_for(1, "one and two");
    model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    model = load("one and two", "last.safetensors");
    options.epochs = 3;
    train(model, device, &options);
    clt_model_close(model);
    assert_same_run("three", "one and two");
}

static void a_given_normalisation_survives_a_checkpoint(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, "given");
    options.normalize.how = CLT__BY_GIVEN;
    options.normalize.channels = 1;
    options.normalize.mean[0] = 0.5;
    options.normalize.deviation[0] = 0.25;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, reference, &options);
    clt_model_close(model);
    model = load("given", "last.safetensors");
    assert_true(model->mean[0] == 0.5 && model->deviation[0] == 0.25);
    options = *clt_model_options(model);
    options.epochs = 2;
    assert_ok(clt_train(model, reference, images, validation, &options, &error), &error);
    assert_true(model->mean[0] == 0.5 && model->deviation[0] == 0.25);
    clt_model_close(model);
}

static void the_data_sets_normalisation_is_its_mean_and_deviation(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *data;
    const uint8_t bytes[] = {0, 255, 51, 102, /* second image */ 102, 51, 0, 0}; /* [2, 2, 1, 2] */
    const int32_t labels[] = {0, 1};
    assert_ok(clt_dataset_from_bytes(2, (clt_shape){2, 1, 2}, bytes, labels, 2, &data, &error), &error);
    clt_model *model = make_model("input 2x1x2; flatten; dense out=2", NULL, CLT_F64, 1);
    const clt_options options = options_for(1, NULL);
    assert_ok(clt_train(model, reference, data, NULL, &options, &error), &error);
    const double first = (0 + 1 + 0.4 + 0.2) / 4, second = (0.2 + 0.4 + 0 + 0) / 4;
    const double first_square = (0 + 1 + 0.16 + 0.04) / 4, second_square = (0.04 + 0.16) / 4;
    assert_true(fabs(model->mean[0] - first) <= 1e-15 && fabs(model->mean[1] - second) <= 1e-15);
    assert_true(fabs(model->deviation[0] - sqrt(first_square - first * first)) <= 1e-15);
    assert_true(fabs(model->deviation[1] - sqrt(second_square - second * second)) <= 1e-15);
    clt_model_close(model);
    clt_dataset_close(data);
}

/* ---- the device beside the reference ------------------------------------------------------------------------- */

static void the_device_and_the_reference_train_alike(void **state)
{
    (void)state;
    if (!clt_device_describe(device)->fp64) skip();
    clt_options options = stateful_options(NULL);
    options.epochs = 2;
    options.clip_grad = 0.5;
    clt_model *one = make_model(net, NULL, CLT_F64, 3), *other = make_model(net, NULL, CLT_F64, 3);
    train(one, device, &options);
    train(other, reference, &options);
    const double apart = distance(one, other);
    clt_model *fresh = make_model(net, NULL, CLT_F64, 3);
    assert_true(distance(one, fresh) > 0.01);
    if (!(apart <= 1e-12)) print_error("device and reference are %g apart\n", apart);
    assert_true(apart <= 1e-12);
    clt_model_close(one);
    clt_model_close(other);
    clt_model_close(fresh);
}

static void training_learns(void **state)
{
    (void)state;
    clt_error error;
    clt_evaluation *before, *after;
    const clt_options options = options_for(8, NULL);
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_evaluate(model, device, validation, batches_of(BATCH), &before, &error), &error);
    train(model, device, &options);
    assert_ok(clt_evaluate(model, device, validation, batches_of(BATCH), &after, &error), &error);
    assert_true(after->loss < before->loss / 4);
    assert_true(after->accuracy > 0.9);
    clt_evaluation_close(before);
    clt_evaluation_close(after);
    clt_model_close(model);
}

static void a_verified_step_changes_nothing(void **state)
{
    (void)state;
    clt_options options = options_for(1, NULL);
    clt_model *plain = make_model(net, NULL, CLT_F32, 3), *checked = make_model(net, NULL, CLT_F32, 3);
    train(plain, device, &options);
    options.check_every = 2;
    train(checked, device, &options);
    assert_true(distance(plain, checked) == 0);
    clt_model_close(plain);
    clt_model_close(checked);
}

static void a_wrong_step_ends_a_checked_training(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    const char *text = NULL, *old = "(w - rate *";
    for (const clt__source *source = clt__sources; source->name; source++)
        if (strcmp(source->name, "update.cl") == 0) text = source->text;
    assert_non_null(text);
    const char *at = strstr(text, old);
    assert_non_null(at);
    char *wrong = strdup(text);
    assert_non_null(wrong);
    wrong[at - text + 3] = '+';
    clt_device *broken = open_called(NULL);
    clt__device_replace_source(broken, "update.cl", wrong);
    clt_options options = options_for(1, NULL);
    options.check_every = 4;
    options.trust = true; /* of a driver that cltrain does not know the first step would be checked */
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, broken, images, NULL, &options, &error), CLT_MISMATCH, &error,
                  "step 4: sgd: ", "the device and the reference disagree: weights");
    clt_model_close(model);
    clt_device_close(broken);
    free(wrong);
}

/* ---- data that does not fit on the device -------------------------------------------------------------------- */

static void assert_resident(clt_device *on, const clt_dataset *data, bool wanted)
{
    clt_error error;
    clt_session *session;
    const clt_options options = options_for(1, NULL);
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_session_open(model, on, data, &options, false, &session, &error), &error);
    assert_int_equal(session->feed.resident, wanted);
    if (!wanted) assert_int_equal(session->feed.half % BATCH, 0);
    clt_session_close(session);
    clt_model_close(model);
}

static void data_that_streams_gives_the_same_bits_as_data_that_fits(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    clt_dataset *many = make_images(300, shape, CLASSES, 5);
    clt_device *small = open_called(NULL);
    small->allocation_bytes = 24000; /* tensors of up to 20 KiB fit, 300 images of 64 bytes in half of it do not */
    assert_resident(device, many, true);
    assert_resident(small, many, false);
    clt_model *models[2];
    double outputs[2][300 * CLASSES];
    clt_evaluation *evaluations[2];
    for (int i = 0; i < 2; i++) {
        clt_device *on = i ? small : device;
        clt_options options = options_for(2, i ? "streamed" : "resident");
        options.augment = (clt__augment){.crop = 1, .mixup = 1};
        options.class_weights.how = CLT__BALANCED;
        models[i] = make_model(net, NULL, CLT_F32, 3);
        assert_ok(clt_train(models[i], on, many, NULL, &options, &error), &error);
        assert_ok(clt_predict(models[i], on, many, batches_of(BATCH), outputs[i], &error), &error);
        assert_ok(clt_evaluate(models[i], on, many, batches_of(BATCH), &evaluations[i], &error), &error);
        options.output_dir = path_in(i ? "one streamed batch" : "one batch");
        options.overfit_batch = true;
        options.ema = 0.9;
        clt_model *one = make_model(net, NULL, CLT_F32, 3);
        assert_ok(clt_train(one, on, many, NULL, &options, &error), &error);
        clt_model_close(one);
    }
    assert_same_run("one batch", "one streamed batch");
    assert_same_run("resident", "streamed");
    assert_memory_equal(outputs[0], outputs[1], sizeof outputs[0]);
    assert_true(evaluations[0]->loss == evaluations[1]->loss);
    for (int i = 0; i < 2; i++) {
        clt_evaluation_close(evaluations[i]);
        clt_model_close(models[i]);
    }
    clt_device_close(small);
    clt_dataset_close(many);
}

/* ---- a moving average of the parameters ----------------------------------------------------------------------- */

static void the_average_follows_the_parameters(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    double average[CLASSES * 64], weights[CLASSES * 64];
    const int32_t order[] = {0, 1, 2, 3};
    clt_options options = options_for(1, NULL);
    options.ema = 0.75;
    options.lr = 0.5;
    clt_model *model = make_model("input 1x8x8; flatten; dense out=3", NULL, CLT_F64, 1);
    assert_ok(clt_model_get(model, "dense1.weight", average, COUNT_OF(average), &error), &error);
    assert_failed(clt_model_get(model, "ema.dense1.weight", weights, COUNT_OF(weights), &error), CLT_BAD_ARGUMENT,
                  &error, NULL, "the model has no parameter \"ema.dense1.weight\"");
    assert_ok(clt_session_open(model, reference, images, &options, false, &session, &error), &error);
    for (int step = 0; step < 3; step++) {
        assert_ok(clt_session_step(session, order, 4, &error), &error);
        assert_ok(clt_session_read(session, "dense1.weight", weights, COUNT_OF(weights), &error), &error);
        for (size_t i = 0; i < COUNT_OF(average); i++) average[i] = 0.75 * average[i] + 0.25 * weights[i];
    }
    assert_ok(clt_session_store(session, &error), &error);
    assert_ok(clt_model_get(model, "ema.dense1.weight", weights, COUNT_OF(weights), &error), &error);
    for (size_t i = 0; i < COUNT_OF(average); i++) assert_true(fabs(average[i] - weights[i]) <= 1e-15);
    clt_session_close(session);
    clt_model_close(model);
}

/* The parameters become their averages, and are no longer averaged. */
static void put_averages_in_place(clt_model *model)
{
    for (size_t i = 0; i < model->parameters; i++)
        if (model->parameter[i].trained)
            memcpy(model->parameter[i].values, model->parameter[i].average,
                   model->parameter[i].info.count * sizeof(double));
    model->averaged = false;
}

static double loss_of(const clt_model *model)
{
    clt_error error;
    clt_evaluation *evaluation;
    assert_ok(clt_evaluate(model, reference, validation, batches_of(BATCH), &evaluation, &error), &error);
    const double loss = evaluation->loss;
    clt_evaluation_close(evaluation);
    return loss;
}

static void validation_and_checkpoints_infer_with_the_average(void **state)
{
    (void)state;
    rate_notes noted = {0};
    clt_options options = options_for(2, "averaged");
    options.ema = 0.9;
    options.progress = note_rate;
    options.progress_user = &noted;
    options.save_every = 1;
    clt_model *model = make_model("input 1x8x8; flatten; batchnorm; dense out=3", NULL, CLT_F64, 3);
    train(model, reference, &options);
    clt_model *loaded = load("averaged", "last.safetensors");
    assert_true(loaded->averaged && loss_of(model) == noted.validation_loss[1]);
    assert_true(loss_of(loaded) == noted.validation_loss[1]);
    put_averages_in_place(loaded);
    assert_true(loss_of(loaded) == noted.validation_loss[1]);
    loaded->averaged = model->averaged = false;
    assert_true(fabs(loss_of(model) - noted.validation_loss[1]) > 1e-3);
    clt_model_close(loaded);
    loaded = load("averaged", "last.safetensors");
    options = *clt_model_options(loaded);
    assert_true(options.ema == 0.9);
    options.epochs = 3;
    options.ema = 0; /* from now on */
    train(loaded, reference, &options);
    assert_false(loaded->averaged);
    clt_model_close(loaded);
    clt_model_close(model);
}

/* ---- means, the end of training ------------------------------------------------------------------------------ */

static void assert_means(clt_device *on, clt_precision precision, double bound)
{
    clt_error error;
    clt_evaluation *evaluation;
    clt_options options = options_for(1, NULL);
    options.lr = 0;
    const rate_notes noted = train_noting(options, precision, on);
    clt_model *model = make_model(net, NULL, precision, 3);
    train(model, on, &options); /* for its normalisation */
    assert_ok(clt_evaluate(model, on, images, batches_of(64), &evaluation, &error), &error);
    assert_int_equal(evaluation->count, IMAGES);
    assert_true(fabs(noted.loss - evaluation->loss) <= bound);
    assert_true(fabs(noted.accuracy - evaluation->accuracy) <= 1e-12);
    clt_evaluation_close(evaluation);
    clt_model_close(model);
}

static void a_short_last_batch_counts_only_its_images(void **state)
{
    (void)state;
    assert_means(reference, CLT_F64, 1e-13);
    assert_means(device, CLT_F32, 1e-6);
}

static void patience_ends_a_run_that_gets_no_better(void **state)
{
    (void)state;
    clt_options options = options_for(10, "patient");
    options.lr = 0;
    options.patience = 2;
    const rate_notes noted = train_noting(options, CLT_F64, reference);
    assert_int_equal(noted.epochs, 3);
    assert_true(noted.best[0] && !noted.best[1] && !noted.best[2]);
    assert_true(exists(file_in("patient", "best.safetensors")));
    clt_model *best = load("patient", "best.safetensors"), *last = load("patient", "last.safetensors");
    assert_int_equal(best->state.epoch, 1);
    assert_int_equal(last->state.epoch, 3);
    clt_model_close(best);
    clt_model_close(last);
}

static void no_epochs_write_the_first_checkpoint(void **state)
{
    (void)state;
    const clt_options options = options_for(0, "initial");
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, reference, &options);
    clt_model *loaded = load("initial", "last.safetensors"), *fresh = make_model(net, NULL, CLT_F32, 3);
    assert_true(distance(loaded, fresh) == 0);
    assert_string_equal(clt_model_net(loaded), clt_model_net(fresh));
    assert_int_equal(loaded->state.total_steps, 0);
    assert_false(exists(file_in("initial", "best.safetensors")));
    assert_false(exists(file_in("initial", "metrics.csv")));
    assert_true(exists(file_in("initial", "model.net")));
    clt_model_close(model);
    clt_model_close(loaded);
    clt_model_close(fresh);
}

static void a_diverging_run_leaves_the_last_checkpoint(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, "diverging");
    clt_model *model = make_model(net, "mse", CLT_F32, 3);
    train(model, device, &options);
    assert_int_equal(mkdir(path_in("kept"), 0777), 0);
    copy_file("diverging", "kept", "last.safetensors");
    options.epochs = 2;
    options.batch_size = 2; /* many steps before the next checkpoint */
    options.lr = 1e6;
    options.momentum = 0;
    assert_failed(clt_train(model, device, images, NULL, &options, &error), CLT_DIVERGED, &error, "the loss is ",
                  "try a lower learning rate");
    assert_same_file("diverging", "kept", "last.safetensors");
    clt_model_close(model);
}

static void a_share_of_the_images_can_be_held_out(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *kept, *held_out;
    rate_notes noted = {0};
    clt_options options = options_for(1, NULL);
    options.seed = 6;
    clt_model *one = make_model(net, NULL, CLT_F64, 3), *other = make_model(net, NULL, CLT_F64, 3);
    assert_ok(clt_dataset_hold_out(images, 0.2, 6, &kept, &held_out, &error), &error);
    assert_int_equal(clt_dataset_count(kept), 56);
    assert_int_equal(clt_dataset_count(held_out), 14);
    assert_ok(clt_train(one, reference, kept, held_out, &options, &error), &error);
    options.val_split = 0.2;
    options.progress = note_rate;
    options.progress_user = &noted;
    options.save_every = 1;
    assert_ok(clt_train(other, reference, images, NULL, &options, &error), &error);
    assert_int_equal(noted.steps_in_epoch, 4);
    assert_true(isfinite(noted.validation_loss[0]));
    assert_true(distance(one, other) == 0);
    clt_dataset_close(kept);
    clt_dataset_close(held_out);
    clt_model_close(one);
    clt_model_close(other);
}

/* A program's own loop leaves a model that a later training goes on with, the optimiser's state included. */
static void stored_steps_keep_the_optimisers_state(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt__safetensors file;
    const clt_options options = options_for(1, NULL);
    const int32_t first[] = {0, 1, 2};
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_session_open(model, reference, images, &options, false, &session, &error), &error);
    assert_ok(clt_session_step(session, first, 3, &error), &error);
    assert_ok(clt_session_store(session, &error), &error);
    assert_ok(clt_model_save(model, path_in("stored"), &error), &error);
    assert_ok(clt__safetensors_read(path_in("stored"), &file, &error), &error);
    assert_non_null(clt__safetensors_find(&file, "optimizer.velocity.dense1.weight"));
    clt__safetensors_free(&file);
    clt_session_close(session);
    clt_model_close(model);
}

/* ---- what layers were like ------------------------------------------------------------------------------------ */

static clt_options reporting_options(const char *folder)
{
    clt_options options = stateful_options(folder);
    options.report = "none.html"; /* who trains writes it */
    return options;
}

/* It changes no bit, and a resumed run goes on with it. */
static void layers_are_watched_for_a_report(void **state)
{
    (void)state;
    clt_options options = reporting_options("watched"), plain = stateful_options("unwatched");
    clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3), *other = make_model(dropping_net, NULL, CLT_F32, 3);
    train(model, device, &options);
    train(other, device, &plain);
    assert_same_run("watched", "unwatched");
    assert_false(exists(file_in("unwatched", "activations.csv")));
    clt_model_close(model);
    clt_model_close(other);

    size_t size;
    char *text = (char *)read_bytes(file_in("watched", "activations.csv"), &size);
    int lines = 0;
    text[size] = 0; /* there is room for it */
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    assert_int_equal(lines,
                     1 + 4 * 4); /* conv1, relu1, maxpool1, dense1 in 4 epochs; no dropout where nothing is trained */
    assert_true(strncmp(text, "epoch,layer,size,dead\n1,conv1,", 30) == 0);
    const char *second = strstr(text, "\n2,conv1,");
    assert_non_null(second);
    assert_true(strncmp(text + 30, second + 9, 6) != 0); /* it is the model as it is then */
    free(text);

    stop_run(reporting_options("half"), 2, 1, "stopped in epoch 2 after step 1 of 5");
    model = load("half", "last.safetensors");
    clt_options again = *clt_model_options(model);
    again.output_dir = path_in("half");
    again.report = "none.html";
    train(model, device, &again);
    clt_model_close(model);
    assert_same_run("watched", "half");
    assert_same_file("watched", "half", "activations.csv");
    assert_same_file("watched", "half", "layers.csv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_options_give_the_same_bits),
        cmocka_unit_test(the_same_bits_come_of_groups_that_run_at_the_same_time),
        cmocka_unit_test(a_run_resumed_after_an_epoch_gives_the_same_bits),
        cmocka_unit_test(a_run_resumed_within_an_epoch_gives_the_same_bits),
        cmocka_unit_test(a_run_resumed_from_a_checkpoint_within_an_epoch_gives_the_same_bits),
        cmocka_unit_test(more_epochs_go_on_where_a_finished_run_ended),
        cmocka_unit_test(a_given_normalisation_survives_a_checkpoint),
        cmocka_unit_test(the_data_sets_normalisation_is_its_mean_and_deviation),
        cmocka_unit_test(the_device_and_the_reference_train_alike),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(layers_are_watched_for_a_report),
        cmocka_unit_test(a_verified_step_changes_nothing),
        cmocka_unit_test(a_wrong_step_ends_a_checked_training),
        cmocka_unit_test(data_that_streams_gives_the_same_bits_as_data_that_fits),
        cmocka_unit_test(the_average_follows_the_parameters),
        cmocka_unit_test(validation_and_checkpoints_infer_with_the_average),
        cmocka_unit_test(every_optimizer_resumes_to_the_same_bits),
        cmocka_unit_test(another_optimizer_begins_anew),
        cmocka_unit_test(a_short_last_batch_counts_only_its_images),
        cmocka_unit_test(patience_ends_a_run_that_gets_no_better),
        cmocka_unit_test(no_epochs_write_the_first_checkpoint),
        cmocka_unit_test(a_diverging_run_leaves_the_last_checkpoint),
        cmocka_unit_test(a_share_of_the_images_can_be_held_out),
        cmocka_unit_test(stored_steps_keep_the_optimisers_state),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
