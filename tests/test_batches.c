/* What training makes batches of: the order of images, batches that are added up, and those that are not full. */
#include <math.h>
#include <string.h>

#include "session/session.h"
#include "training.h"

/* ---- the order of images ------------------------------------------------------------------------------------- */

static void shuffling_depends_on_the_seed_and_the_epoch_alone(void **state)
{
    (void)state;
    double one[MOST_STEPS], again[MOST_STEPS], other[MOST_STEPS];
    log_orders(true, 1, one);
    log_orders(true, 1, again);
    log_orders(true, 2, other);
    assert_memory_equal(one, again, 2 * STEPS * sizeof *one);
    for (int step = 0; step < STEPS; step++) {
        assert_true(one[step] != other[step]);
        assert_true(one[step] != one[STEPS + step]);
    }
}

static void without_shuffling_steps_take_images_as_they_lie(void **state)
{
    (void)state;
    clt_error error;
    double losses[MOST_STEPS];
    log_orders(false, 1, losses);
    assert_memory_equal(losses, losses + STEPS, STEPS * sizeof *losses);
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    clt_options options = options_for(1, NULL);
    options.lr = 0;
    train(model, reference, &options); /* only for its normalisation */
    for (int step = 0; step < STEPS; step++) {
        clt_dataset part = *images;
        clt_evaluation *evaluation;
        part.count = step < STEPS - 1 ? BATCH : IMAGES % BATCH;
        part.bytes += step * BATCH * 64;
        part.labels += step * BATCH;
        assert_ok(clt_evaluate(model, reference, &part, batches_of(5), &evaluation, &error), &error);
        assert_true(fabs(losses[step] - evaluation->loss) <= 1e-8);
        clt_evaluation_close(evaluation);
    }
    clt_model_close(model);
}

static void an_epoch_takes_every_image_once(void **state)
{
    (void)state;
    double losses[MOST_STEPS], shuffled[MOST_STEPS], sum = 0, shuffled_sum = 0;
    log_orders(false, 1, losses);
    log_orders(true, 9, shuffled);
    for (int step = 0; step < STEPS; step++) {
        const int count = step < STEPS - 1 ? BATCH : IMAGES % BATCH;
        sum += losses[step] * count;
        shuffled_sum += shuffled[step] * count;
    }
    assert_true(fabs(sum - shuffled_sum) <= 1e-6);
}

/* ---- accumulated batches, and one batch alone ----------------------------------------------------------------- */

static clt_model *train_batches(int batch, int micro, int accumulate, int epochs, const char *folder)
{
    clt_options options = options_for(epochs, folder);
    options.batch_size = batch;
    options.micro_batch_size = micro;
    options.accumulate = accumulate;
    options.optimizer = "adam";
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    return model;
}

static void accumulated_batches_are_one_large_batch(void **state)
{
    (void)state;
    clt_model *accumulated = train_batches(6, 0, 4, 2, NULL), *split = train_batches(24, 6, 1, 2, NULL);
    clt_model *whole = train_batches(24, 0, 1, 2, NULL), *smaller = train_batches(6, 3, 4, 2, NULL);
    assert_true(distance(accumulated, split) == 0);
    assert_true(distance(accumulated, whole) <= 1e-12 && distance(smaller, whole) <= 1e-12);
    clt_model_close(split);
    clt_model_close(whole);
    clt_model_close(smaller);
    clt_model_close(train_batches(6, 0, 4, 1, "accumulated"));
    clt_model *resumed = load("accumulated", "last.safetensors");
    clt_options options = *clt_model_options(resumed);
    assert_true(options.batch_size == 6 && options.accumulate == 4 && options.micro_batch_size == 0);
    options.epochs = 2;
    train(resumed, reference, &options);
    assert_true(distance(accumulated, resumed) == 0);
    clt_model_close(resumed);
    clt_model_close(accumulated);
}

/* ---- batches that are not full --------------------------------------------------------------------------------- */

/* The images of full batches alone. */
static clt_dataset *make_full(const clt_dataset *all, size_t count)
{
    clt_error error;
    clt_dataset *data;
    assert_ok(clt_dataset_from_bytes(count, all->shape, all->bytes, all->labels, all->classes, &data, &error), &error);
    return data;
}

static clt_options dropping_options(const char *folder)
{
    clt_options options = options_for(3, folder);
    options.drop_last = true;
    options.lr_scheduler = "cosine";
    options.lr_per_step = true;
    options.warmup_epochs = 0.5;
    return options;
}

static bool count_steps(void *user, const clt_progress *progress)
{
    if (strcmp(progress->what, "train") == 0) *(int *)user = progress->steps;
    return true;
}

/* In the order of the files, so that what is left out is known: as if those images were not there. */
static void a_dropped_batch_is_as_none(void **state)
{
    (void)state;
    clt_error error;
    double losses[MOST_STEPS];
    int steps = 0;
    clt_dataset *full = make_full(images, (STEPS - 1) * BATCH);
    clt_options options = dropping_options("dropped");
    options.shuffle = false;
    options.normalize.how = CLT__BY_NOTHING;
    options.log_steps = path_in("dropped.csv");
    options.progress = count_steps;
    options.progress_user = &steps;
    options.save_every = 1;
    clt_model *dropped = make_model(net, NULL, CLT_F32, 3), *whole = make_model(net, NULL, CLT_F32, 3);
    train(dropped, device, &options);
    assert_int_equal(read_log("dropped.csv", losses), 3 * (STEPS - 1));
    assert_int_equal(steps, STEPS - 1);
    options.drop_last = false;
    options.output_dir = path_in("full");
    options.log_steps = path_in("full.csv");
    assert_ok(clt_train(whole, device, full, validation, &options, &error), &error);
    assert_true(distance(dropped, whole) == 0);
    assert_same_metrics("dropped", "full");
    clt_model_close(dropped);
    clt_model_close(whole);
    clt_dataset_close(full);
}

static void shuffled_epochs_drop_other_images(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    bool dropped[2][IMAGES];
    const clt_options options = dropping_options(NULL);
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_session_open(model, reference, images, &options, false, &session, &error), &error);
    assert_int_equal(clt_session_epoch_steps(session), STEPS - 1);
    for (int epoch = 0; epoch < 2; epoch++) {
        assert_ok(clt__session_set_epoch_order(session, &session->options, epoch, &error), &error);
        assert_int_equal(session->feed.order_count, (STEPS - 1) * BATCH);
        for (int i = 0; i < IMAGES; i++) dropped[epoch][i] = true;
        for (int i = 0; i < session->feed.order_count; i++) dropped[epoch][session->feed.order[i]] = false;
    }
    assert_memory_not_equal(dropped[0], dropped[1], sizeof dropped[0]);
    clt_session_close(session);
    clt_model_close(model);
}

static void dropping_goes_with_accumulated_batches(void **state)
{
    (void)state;
    clt_model *model[3];
    const struct {
        int batch, micro, accumulate;
    } ways[] = {{24, 0, 1}, {24, 6, 1}, {6, 0, 4}};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        clt_options options = dropping_options(NULL);
        options.batch_size = ways[i].batch;
        options.micro_batch_size = ways[i].micro;
        options.accumulate = ways[i].accumulate;
        model[i] = make_model(net, NULL, CLT_F64, 3);
        train(model[i], reference, &options);
    }
    assert_int_equal(model[0]->state.total_steps, 3 * (IMAGES / 24));
    assert_true(distance(model[1], model[2]) == 0 && distance(model[0], model[1]) <= 1e-12);
    for (size_t i = 0; i < COUNT_OF(ways); i++) clt_model_close(model[i]);
}

static void a_dropping_run_resumes_to_the_same_bits(void **state)
{
    (void)state;
    clt_error error;
    interruption stop = {.epoch = 2, .step = 3};
    clt_options options = dropping_options("all dropped");
    options.save_every = 1;
    clt_model *whole = make_model(dropping_net, NULL, CLT_F32, 3), *part = make_model(dropping_net, NULL, CLT_F32, 3);
    train(whole, device, &options);
    options.output_dir = path_in("part dropped");
    options.progress = interrupt;
    options.progress_user = &stop;
    assert_failed(clt_train(part, device, images, validation, &options, &error), CLT_STOPPED, &error, NULL,
                  "stopped in epoch 2 after step 3 of 4");
    clt_model_close(part);
    part = load("part dropped", "last.safetensors");
    options = *clt_model_options(part);
    assert_true(options.drop_last);
    options.output_dir = path_in("part dropped");
    train(part, device, &options);
    assert_same_run("all dropped", "part dropped");
    clt_model_close(whole);
    clt_model_close(part);
}

static void less_than_a_batch_cannot_be_dropped(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = dropping_options(NULL);
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    options.accumulate = STEPS;
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "has 70 images, fewer than a batch of 80, and drop_last would leave out all of them: take smaller "
                  "batches or do without it");
    clt_model_close(model);
}

static void one_batch_is_learned_again_and_again(void **state)
{
    (void)state;
    clt_error error;
    double losses[MOST_STEPS], plain[MOST_STEPS];
    rate_notes noted = {0};
    clt_options options = options_for(3, NULL);
    options.overfit_batch = true;
    options.val_split = 0.5; /* holds nothing out */
    options.lr = 0;
    options.log_steps = path_in("overfit.csv");
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    assert_int_equal(read_log("overfit.csv", losses), 3 * STEPS);
    log_orders(false, 1, plain);
    for (int step = 0; step < 3 * STEPS; step++) assert_true(losses[step] == plain[0]);
    options.lr = 0.05;
    options.progress = note_rate;
    options.progress_user = &noted;
    options.save_every = 1;
    clt_model_close(model);
    model = make_model(net, NULL, CLT_F64, 3);
    assert_ok(clt_train(model, reference, images, validation, &options, &error), &error);
    assert_true(isnan(noted.validation_loss[2]) && noted.accuracy == 1);
    clt_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffling_depends_on_the_seed_and_the_epoch_alone),
        cmocka_unit_test(without_shuffling_steps_take_images_as_they_lie),
        cmocka_unit_test(an_epoch_takes_every_image_once),
        cmocka_unit_test(accumulated_batches_are_one_large_batch),
        cmocka_unit_test(a_dropped_batch_is_as_none),
        cmocka_unit_test(shuffled_epochs_drop_other_images),
        cmocka_unit_test(dropping_goes_with_accumulated_batches),
        cmocka_unit_test(a_dropping_run_resumes_to_the_same_bits),
        cmocka_unit_test(less_than_a_batch_cannot_be_dropped),
        cmocka_unit_test(one_batch_is_learned_again_and_again),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
