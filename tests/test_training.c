/* Training from end to end: reproducible bits, resuming, schedules, and all that is refused. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "device/opencl.h"
#include "device/sources.h"
#include "formats/safetensors.h"
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

static void stop_at(const char *folder, int epoch, int step, const char *sentence)
{
    stop_run(stateful_options(folder), epoch, step, sentence);
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

/* ---- the order of images ------------------------------------------------------------------------------------- */

/* The losses of a --log-steps file. */
static int read_log(const char *name, double losses[MOST_STEPS])
{
    size_t size;
    char *text = (char *)read_bytes(path_in(name), &size), *line = text;
    text[size] = 0;
    assert_true(strncmp(text, "step,loss,lr\n", 13) == 0);
    int steps = 0;
    for (line += 13; *line; line = strchr(line, '\n') + 1) {
        assert_true(steps < MOST_STEPS);
        assert_int_equal(strtol(line, &line, 10), steps + 1);
        assert_int_equal(*line++, ',');
        losses[steps++] = strtod(line, &line);
        assert_int_equal(*line++, ',');
        assert_true(strtod(line, &line) >= 0);
        assert_int_equal(*line, '\n');
    }
    free(text);
    return steps;
}

/* Step losses of a net that does not learn: they tell which images each step took. */
static void log_orders(bool shuffle, uint64_t seed, double losses[MOST_STEPS])
{
    clt_options options = options_for(2, NULL);
    options.lr = 0;
    options.shuffle = shuffle;
    options.seed = seed;
    options.log_steps = path_in("orders.csv");
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    clt_model_close(model);
    assert_int_equal(read_log("orders.csv", losses), 2 * STEPS);
}

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

/* ---- learning rates ------------------------------------------------------------------------------------------ */

typedef struct rates {
    double rate[MOST_STEPS];
    int steps, epochs;
    double loss, accuracy; /* at the end of the last epoch */
    bool best[MOST_STEPS]; /* of each epoch */
    double validation_loss[MOST_STEPS];
    int steps_in_epoch;
} rates;

static bool note_rate(void *user, const clt_progress *progress)
{
    rates *r = user;
    if (strcmp(progress->what, "train") != 0) return true;
    r->steps_in_epoch = progress->steps;
    const int step = (progress->epoch - 1) * progress->steps + progress->step;
    if (step > r->steps && r->steps < MOST_STEPS) r->rate[r->steps++] = progress->learning_rate;
    assert_int_equal(step, r->steps); /* save_every = 1 calls at every step */
    if (!progress->epoch_ended) return true;
    r->loss = progress->loss;
    r->accuracy = progress->accuracy;
    r->validation_loss[r->epochs] = progress->validation_loss;
    r->best[r->epochs++] = progress->best;
    return true;
}

static rates train_noting(clt_options options, clt_precision precision, clt_device *on)
{
    rates noted = {0};
    options.progress = note_rate;
    options.progress_user = &noted;
    options.save_every = 1;
    clt_model *model = make_model(net, NULL, precision, 3);
    train(model, on, &options);
    clt_model_close(model);
    return noted;
}

static void assert_rates(const char *scheduler, double warmup, const double factor[4])
{
    clt_options options = options_for(4, NULL);
    options.lr = 0.2;
    options.lr_scheduler = scheduler;
    options.gamma = 0.5;
    options.step_size = 2;
    options.warmup_epochs = warmup;
    const rates noted = train_noting(options, CLT_F64, reference);
    assert_int_equal(noted.steps, 4 * STEPS);
    for (int step = 0; step < noted.steps; step++) {
        const double done = (step + 1) / (double)STEPS, wanted = 0.2 * factor[step / STEPS] * fmin(1, done / warmup);
        if (!(fabs(noted.rate[step] - wanted) <= 1e-15))
            print_error("%s, step %d: %.17g, not %.17g\n", scheduler, step, noted.rate[step], wanted);
        assert_true(fabs(noted.rate[step] - wanted) <= 1e-15);
    }
}

static void learning_rates_follow_their_schedule(void **state)
{
    (void)state;
    const double constant[] = {1, 1, 1, 1}, step[] = {1, 1, 0.5, 0.5}, exponential[] = {1, 0.5, 0.25, 0.125};
    const double cosine[] = {1, (1 + sqrt(0.5)) / 2, 0.5, (1 - sqrt(0.5)) / 2};
    const double none = 1e-9;
    assert_rates("const", none, constant);
    assert_rates("step", none, step);
    assert_rates("exponential", none, exponential);
    assert_rates("cosine", none, cosine);
    assert_rates("const", 1.5, constant);
    assert_rates("cosine", 2, cosine);
}

/* At this rate nothing gets better after the first epoch: each that follows halves it, also in a resumed run. */
static void a_plateau_lowers_the_rate_and_survives_a_checkpoint(void **state)
{
    (void)state;
    clt_options options = options_for(4, "plateau");
    options.lr = 1e-9;
    options.lr_scheduler = "plateau";
    options.factor = 0.5;
    options.patience_lr = 0;
    const rates noted = train_noting(options, CLT_F32, device);
    const double wanted[] = {1e-9, 1e-9, 5e-10, 2.5e-10};
    for (int step = 0; step < noted.steps; step++)
        assert_true(fabs(noted.rate[step] / wanted[step / STEPS] - 1) < 1e-14);
    options.output_dir = path_in("plateau in parts");
    options.epochs = 3;
    (void)train_noting(options, CLT_F32, device);
    clt_model *model = load("plateau in parts", "last.safetensors");
    assert_true(model->state.rate_factor == 0.25);
    assert_string_equal(model->options.lr_scheduler, "plateau");
    options = *clt_model_options(model);
    assert_true(options.factor == 0.5 && options.patience_lr == 0);
    options.epochs = 4;
    options.output_dir = path_in("plateau in parts");
    train(model, device, &options);
    clt_model_close(model);
    assert_same_file("plateau", "plateau in parts", "last.safetensors"); /* the best may be of the first part */
}

static void the_options_of_schedules_survive_a_checkpoint(void **state)
{
    (void)state;
    clt_options options = options_for(1, "milestones");
    options.lr_scheduler = "multistep";
    options.milestones = (clt__milestones){2, {3, 6}};
    options.power = 3;
    options.lr_per_step = true;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, reference, &options);
    clt_model_close(model);
    model = load("milestones", "last.safetensors");
    options = *clt_model_options(model);
    assert_int_equal(options.milestones.count, 2);
    assert_true(options.milestones.at[0] == 3 && options.milestones.at[1] == 6);
    assert_true(options.power == 3 && options.lr_per_step);
    clt_model_close(model);
}

/* A factor of 0 in the second epoch: nothing may change then. */
static void the_rate_of_the_schedule_is_the_one_that_trains(void **state)
{
    (void)state;
    clt_options options = options_for(1, NULL);
    clt_model *one = make_model(net, NULL, CLT_F64, 3), *two = make_model(net, NULL, CLT_F64, 3);
    train(one, reference, &options);
    options.epochs = 2;
    options.lr_scheduler = "step";
    options.gamma = 0;
    train(two, reference, &options);
    assert_true(distance(one, two) == 0);
    clt_model_close(one);
    clt_model_close(two);
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
    rates noted = {0};
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

/* ---- the learning-rate range test ----------------------------------------------------------------------------- */

static void assert_rates_grow(const clt_lr_result *result, double least, double most, int steps)
{
    double average = 0;
    for (size_t i = 0; i < clt_lr_count(result); i++) {
        const double wanted = least * pow(most / least, (double)i / (steps - 1));
        assert_true(fabs(clt_lr_at(result, i)->rate / wanted - 1) <= 1e-12);
        average = 0.9 * average + 0.1 * clt_lr_at(result, i)->loss;
        assert_true(fabs(clt_lr_at(result, i)->smoothed - average / (1 - pow(0.9, (double)i + 1))) <= 1e-12);
    }
}

static clt_status find_rate(clt_model *model, const clt_dataset *data, clt_options options, double least, double most,
                            int steps, clt_lr_result **result, clt_error *error)
{
    options.lr_min = least;
    options.lr_max = most;
    options.steps = steps;
    return clt_lr_find(model, reference, data, &options, result, error);
}

static void a_range_test_finds_where_the_loss_falls(void **state)
{
    (void)state;
    clt_error error;
    clt_lr_result *result;
    const clt_options options = options_for(1, NULL);
    clt_model *model = make_model(net, NULL, CLT_F64, 3), *fresh = make_model(net, NULL, CLT_F64, 3);
    assert_ok(find_rate(model, images, options, 1e-5, 100, 60, &result, &error), &error);
    assert_true(distance(model, fresh) == 0);
    assert_rates_grow(result, 1e-5, 100, 60);
    assert_true(clt_lr_suggested(result) > 1e-3 && clt_lr_suggested(result) < 1);
    assert_true(clt_lr_diverged(result) && clt_lr_count(result) < 60);
    const double before = clt_lr_at(result, clt_lr_count(result) - 2)->smoothed,
                 after = clt_lr_at(result, clt_lr_count(result) - 1)->smoothed;
    assert_true(!(after <= before));
    clt_lr_close(result);
    clt_model_close(model);
    clt_model_close(fresh);
}

/* Its steps are those that training takes, until the rates matter. */
static void a_range_test_steps_as_training_does(void **state)
{
    (void)state;
    clt_error error;
    clt_lr_result *result;
    double losses[MOST_STEPS];
    log_orders(true, 4, losses);
    clt_options options = options_for(1, NULL);
    options.seed = 4;
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    assert_ok(find_rate(model, images, options, 1e-18, 1e-17, 2 * STEPS, &result, &error), &error);
    assert_int_equal(clt_lr_count(result), 2 * STEPS);
    assert_false(clt_lr_diverged(result));
    for (int i = 0; i < 2 * STEPS; i++) assert_true(fabs(clt_lr_at(result, (size_t)i)->loss - losses[i]) <= 1e-8);
    clt_lr_close(result);
    options.overfit_batch = true; /* nothing falls */
    assert_ok(find_rate(model, images, options, 1e-18, 1e-17, 40, &result, &error), &error);
    assert_true(isnan(clt_lr_suggested(result)) &&
                fabs(clt_lr_at(result, 39)->loss - clt_lr_at(result, 0)->loss) <= 1e-12);
    clt_lr_close(result);
    assert_failed(find_rate(model, images, options, 1, 1, 40, &result, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "learning rates from 1 to 1: the first should be above 0 and below the last");
    assert_failed(find_rate(model, images, options, 0, 1, 40, &result, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "learning rates from 0 to 1");
    assert_failed(find_rate(model, images, options, 0.1, 1, 1, &result, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "1 learning rates: there should be 2 to 1000000");
    clt_model_close(model);
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
    rates noted = {0};
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
    const rates noted = train_noting(options, precision, on);
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
    const rates noted = train_noting(options, CLT_F64, reference);
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
    rates noted = {0};
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

static void a_log_goes_on_when_a_run_is_resumed(void **state)
{
    (void)state;
    double whole[MOST_STEPS], resumed[MOST_STEPS];
    clt_options options = options_for(2, "logged");
    options.log_steps = path_in("whole.csv");
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    clt_model_close(model);
    options.log_steps = path_in("resumed.csv");
    options.epochs = 1;
    model = make_model(net, NULL, CLT_F64, 3);
    train(model, reference, &options);
    clt_model_close(model);
    model = load("logged", "last.safetensors");
    options.epochs = 2;
    train(model, reference, &options);
    clt_model_close(model);
    assert_int_equal(read_log("whole.csv", whole), 2 * STEPS);
    assert_int_equal(read_log("resumed.csv", resumed), 2 * STEPS);
    assert_memory_equal(whole, resumed, 2 * STEPS * sizeof *whole);
}

/* ---- what is told of steps and epochs -------------------------------------------------------------------------- */

/* The JSON lines of a file: an array, released by the caller. */
static json_t *read_lines(const char *name)
{
    size_t size;
    char *text = (char *)read_bytes(path_in(name), &size), *line = text, *end;
    json_t *lines = json_array();
    for (; (end = memchr(line, '\n', size - (size_t)(line - text))); line = end + 1) {
        json_t *json = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_true(json_is_object(json));
        assert_int_equal(json_array_append_new(lines, json), 0);
    }
    assert_int_equal(line - text, size);
    free(text);
    return lines;
}

static double number_in(const json_t *line, const char *name)
{
    const json_t *value = json_object_get(line, name);
    assert_true(json_is_number(value) || json_is_null(value));
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool is_of_epoch(const json_t *line)
{
    return strcmp(json_string_value(json_object_get(line, "event")), "epoch") == 0;
}

/* By plain sgd the parameters move by the rate times the gradient. */
static double distance_moved(const clt_model *before, const clt_model *after)
{
    double sum = 0;
    for (size_t i = 0; i < clt_model_parameter_count(before); i++) {
        clt_error error;
        double a[1024], b[1024];
        const clt_tensor_info *info = clt_model_parameter(before, i);
        assert_true(info->count <= COUNT_OF(a));
        assert_ok(clt_model_get(before, info->name, a, info->count, &error), &error);
        assert_ok(clt_model_get(after, info->name, b, info->count, &error), &error);
        for (size_t j = 0; j < info->count; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
    }
    return sqrt(sum);
}

static double norm_of_one_step(clt_device *on, double clip, double *moved)
{
    clt_options options = options_for(1, NULL);
    options.momentum = 0;
    options.batch_size = IMAGES;
    options.micro_batch_size = 30;
    options.clip_grad = clip;
    options.json_log = path_in("one.jsonl");
    clt_model *before = make_model(net, NULL, CLT_F64, 3), *after = make_model(net, NULL, CLT_F64, 3);
    train(after, on, &options);
    *moved = distance_moved(before, after) / options.lr;
    clt_model_close(before);
    clt_model_close(after);
    json_t *lines = read_lines("one.jsonl");
    assert_int_equal(json_array_size(lines), 1);
    const double norm = number_in(json_array_get(lines, 0), "gradient_norm");
    json_decref(lines);
    return norm;
}

static void the_norm_told_is_that_of_the_gradient_before_it_is_clipped(void **state)
{
    (void)state;
    clt_device *const on[] = {reference, device};
    for (size_t i = 0; i < COUNT_OF(on); i++) {
        double moved, clipped;
        const double norm = norm_of_one_step(on[i], 0, &moved);
        assert_true(norm > 0.01 && fabs(norm / moved - 1) < 1e-9);
        assert_true(norm_of_one_step(on[i], 1e-3, &clipped) == norm);
        assert_true(fabs(clipped - 1e-3) < 1e-6);
    }
}

static void to_measure_the_norm_changes_no_bit(void **state)
{
    (void)state;
    char plain[65], measured[65];
    clt_options options = stateful_options(NULL);
    options.micro_batch_size = 7;
    options.clip_grad = 0.1;
    for (int i = 0; i < 2; i++) {
        options.json_log = i ? path_in("measured.jsonl") : NULL;
        clt_model *model = make_model(dropping_net, NULL, CLT_F32, 3);
        train(model, device, &options);
        clt_model_sha256(model, i ? measured : plain);
        clt_model_close(model);
    }
    assert_string_equal(plain, measured);
}

enum { MANY = IMAGES / 2 }; /* steps of an epoch of batches of 2 */

static clt_options logged_options(const char *name)
{
    char folder[64], csv[64], json[64];
    (void)snprintf(folder, sizeof folder, "%s", name);
    (void)snprintf(csv, sizeof csv, "%s.csv", name);
    (void)snprintf(json, sizeof json, "%s.jsonl", name);
    clt_options options = options_for(2, folder);
    options.batch_size = 2;
    options.lr_scheduler = "cosine";
    options.save_every = 4;
    options.log_steps = path_in(csv);
    options.json_log = path_in(json);
    return options;
}

/* The steps that measure the norm are 1, 17 and 33 of an epoch; what is told of it is their mean. */
static void the_json_log_has_a_line_a_step_and_an_epoch(void **state)
{
    (void)state;
    double losses[MOST_STEPS], sum = 0;
    const clt_options options = logged_options("lines");
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    assert_int_equal(read_log("lines.csv", losses), 2 * MANY);
    json_t *lines = read_lines("lines.jsonl"), *line;
    size_t i;
    assert_int_equal(json_array_size(lines), 2 * MANY + 2);
    json_array_foreach(lines, i, line)
    {
        const int epoch = (int)i / (MANY + 1), step = (int)i % (MANY + 1);
        assert_int_equal(number_in(line, "epoch"), epoch + 1);
        assert_int_equal(is_of_epoch(line), step == MANY);
        const double norm = number_in(line, "gradient_norm");
        if (step == MANY) {
            assert_int_equal(number_in(line, "step"), MANY * (epoch + 1));
            assert_true(fabs(norm - sum / 3) < 1e-12 * norm);
            assert_true(number_in(line, "time") > 1.5e9 && number_in(line, "images_per_s") > 0);
            assert_true(number_in(line, "seconds") > 0 && number_in(line, "val_accuracy") >= 0);
            sum = 0;
            continue;
        }
        assert_int_equal(number_in(line, "step"), MANY * epoch + step + 1);
        assert_true(fabs(number_in(line, "loss") - losses[MANY * epoch + step]) <= 1e-8);
        assert_true(fabs(number_in(line, "lr") - (epoch ? 0.025 : 0.05)) < 1e-12);
        assert_int_equal(!isnan(norm), step % 16 == 0);
        if (!isnan(norm)) sum += norm;
    }
    json_decref(lines);
}

/* The lines without what tells of time. */
static json_t *read_timeless(const char *name)
{
    json_t *lines = read_lines(name), *line;
    size_t i;
    json_array_foreach(lines, i, line)
    {
        (void)json_object_del(line, "seconds");
        (void)json_object_del(line, "time");
        (void)json_object_del(line, "images_per_s");
    }
    return lines;
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_json_log_goes_on_when_a_run_is_resumed(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = logged_options("all at once");
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);

    interruption stop = {.epoch = 2, .step = 21};
    options = logged_options("in parts");
    options.progress = interrupt;
    options.progress_user = &stop;
    model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, device, images, validation, &options, &error), CLT_STOPPED, &error, NULL,
                  "stopped in epoch 2 after step 21");
    clt_model_close(model);
    /* Of a run that went on and was killed: a step that is run again, and part of a line. */
    append(options.json_log, "{\"event\":\"step\",\"step\":57,\"epoch\":2}\n{\"event\":\"st");
    append(options.log_steps, "57,1.5,0.1\n58,1.");
    model = load("in parts", "last.safetensors");
    options.progress = NULL;
    train(model, device, &options);
    clt_model_close(model);
    assert_same_run("all at once", "in parts");
    double whole[MOST_STEPS], parts[MOST_STEPS];
    assert_int_equal(read_log("all at once.csv", whole), 2 * MANY);
    assert_int_equal(read_log("in parts.csv", parts), 2 * MANY);
    assert_memory_equal(whole, parts, 2 * MANY * sizeof *whole);
    json_t *one = read_timeless("all at once.jsonl"), *other = read_timeless("in parts.jsonl");
    assert_true(json_equal(one, other));
    json_decref(one);
    json_decref(other);
}

static char *first_lines(const char *path, int count)
{
    size_t size;
    char *text = (char *)read_bytes(path, &size), *end = text;
    for (text[size] = 0; count--; end = strchr(end, '\n') + 1) assert_non_null(strchr(end, '\n'));
    *end = 0;
    return text;
}

/* Those of earlier versions have fewer columns: what they tell is kept, and the rest is empty. */
static void older_tables_get_the_new_columns(void **state)
{
    (void)state;
    clt_options options = logged_options("older");
    options.epochs = 1;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    train(model, device, &options);
    clt_model_close(model);
    char *path = strdup(file_in("older", "metrics.csv"));
    assert_non_null(path);
    (void)write_text("older/metrics.csv", "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds\n"
                                          "1,0.5,0.75,,,0.05,2\n2,0.4,0.8,,,0.05,2\n");
    (void)write_text("older.csv", "step,loss\n1,0.5\n2,0.25\n99,1\n");
    model = load("older", "last.safetensors");
    options.epochs = 2;
    train(model, device, &options);
    clt_model_close(model);
    char *metrics = first_lines(path, 2), *steps = first_lines(path_in("older.csv"), 4);
    assert_string_equal(metrics,
                        "epoch,loss,accuracy,val_loss,val_accuracy,lr,seconds,time,images_per_s,gradient_norm\n"
                        "1,0.5,0.75,,,0.05,2,,,\n");
    steps[strlen("step,loss,lr\n1,0.5,\n2,0.25,\n36,")] = 0;
    assert_string_equal(steps, "step,loss,lr\n1,0.5,\n2,0.25,\n36,");
    free(metrics);
    free(steps);
    free(path);
}

/* ---- what is refused ------------------------------------------------------------------------------------------ */

static void assert_option_refused(const clt_options *options, const char *what)
{
    clt_error error;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, NULL, options, &error), CLT_BAD_ARGUMENT, &error, NULL, what);
    clt_model_close(model);
}

#define REFUSED(member, value, what)                \
    do {                                            \
        clt_options changed = options_for(1, NULL); \
        changed.member = value;                     \
        assert_option_refused(&changed, what);      \
    } while (0)

static void an_option_out_of_its_range_is_refused(void **state)
{
    (void)state;
    REFUSED(epochs, -1, "epochs is -1: it should be from 0 to 1e+09");
    REFUSED(batch_size, 0, "batch_size is 0: it should be from 1 to 1e+06");
    REFUSED(batch_size, 1000001, "batch_size is 1000001: it should be from 1");
    REFUSED(accumulate, 0, "accumulate is 0: it should be from 1");
    REFUSED(accumulate, 70000, "batch_size times accumulate is 1120000: it should be from 1");
    REFUSED(lr, -0.1, "lr is -0.1: it should be from 0 to 1e+06");
    REFUSED(lr, (double)NAN, "lr is ");
    REFUSED(lr, (double)INFINITY, "lr is inf");
    REFUSED(momentum, 1.5, "momentum is 1.5: it should be from 0 to 1");
    REFUSED(weight_decay, -1, "weight_decay is -1: it should be from 0");
    REFUSED(ema, 1, "ema is 1: it should be from 0");
    REFUSED(label_smoothing, 1.1, "label_smoothing is 1.1: it should be from 0 to 1");
    REFUSED(augment.scale, 1, "augmenting by scale=1: it should be 0, or from 0 to 0.9");
    REFUSED(augment.mixup, (double)NAN, "augmenting by mixup=");
    REFUSED(augment.saturation, 0.5, "augmenting by saturation is for images of 3 channels: these have 1");
    REFUSED(augment.crop, 9, "augmenting by crop=9 and cutout=0: images of 8x8 take a crop up to their size");
    REFUSED(class_weights.how, CLT__GIVEN, "the number of class weights is 0: it should be from 1 to 1024");
    REFUSED(clip_grad, -1, "clip_grad is -1: it should be from 0");
    REFUSED(warmup_epochs, -1, "warmup_epochs is -1: it should be from 0");
    REFUSED(gamma, -1, "gamma is -1: it should be from 0");
    REFUSED(beta1, 1, "beta1 is 1: it should be from 0");
    REFUSED(beta2, -1, "beta2 is -1: it should be from 0");
    REFUSED(alpha, 2, "alpha is 2: it should be from 0 to 1");
    REFUSED(eps, -1, "eps is -1: it should be from 0");
    REFUSED(clip_value, -1, "clip_value is -1: it should be from 0");
    REFUSED(power, -1, "power is -1: it should be from 0");
    REFUSED(factor, 2, "factor is 2: it should be from 0 to 1");
    REFUSED(patience_lr, -1, "patience_lr is -1: it should be from 0");
    REFUSED(lr_scheduler, "multistep", "the learning-rate scheduler multistep needs milestones");
    REFUSED(milestones, ((clt__milestones){2, {3, 3}}), "milestone 3: each is at least 1 and more than the one before");
    REFUSED(step_size, 0, "step_size is 0: it should be from 1");
    REFUSED(patience, -1, "patience is -1: it should be from 0");
    REFUSED(val_split, 1, "val_split is 1: it should be from 0");
    REFUSED(save_every, -1, "save_every is -1: it should be from 0");
    REFUSED(check_every, -1, "check_every is -1: it should be from 0");
    REFUSED(optimizer, "sgdd", "there is no optimizer \"sgdd\": there is ");
    REFUSED(lr_scheduler, "linear", "there is no lr_scheduler \"linear\": there ");
}

static void options_that_do_not_go_together_are_refused(void **state)
{
    (void)state;
    clt_options options = options_for(1, NULL);
    options.nesterov = true;
    options.momentum = 0;
    assert_option_refused(&options, "Nesterov momentum needs a momentum above 0");
    options = options_for(1, NULL);
    options.normalize.how = CLT__BY_GIVEN;
    options.normalize.channels = 2;
    assert_option_refused(&options, "normalisation is given for 2 channels, the images have 1");
    options.normalize.channels = 1;
    assert_option_refused(&options, "a standard deviation to normalise by is 0: it should be from 1e-30");
    options.class_weights.how = CLT__GIVEN;
    options.class_weights.count = 1;
    assert_option_refused(&options, "a class weight is 0: it should be from 1e-30");
    options.class_weights.weight[0] = 1;
    options.normalize.deviation[0] = 1;
    assert_option_refused(&options, "1 class weights are given, the net has 3 outputs");
    options.normalize.mean[0] = NAN;
    assert_option_refused(&options, "a mean to normalise by is ");
}

static void assert_data_refused(const char *text, const char *loss, const clt_dataset *data, clt_status wanted,
                                const char *what)
{
    clt_error error;
    const clt_options options = options_for(1, "refused");
    clt_model *model = make_model(text, loss, CLT_F32, 3);
    assert_failed(clt_train(model, reference, data, NULL, &options, &error), wanted, &error, NULL, what);
    assert_false(exists(file_in("refused", "last.safetensors")));
    clt_model_close(model);
}

static void data_that_does_not_fit_the_model_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *real, *bare;
    const double values[64] = {0}, targets[3] = {0, 1, 1.5};
    const uint8_t bytes[64] = {0};
    assert_ok(clt_dataset_from_reals(1, shape, values, targets, 3, &real, &error), &error);
    assert_ok(clt_dataset_from_bytes(1, shape, bytes, NULL, 0, &bare, &error), &error);
    assert_data_refused("input 1x8x8; flatten; dense out=2", NULL, images, CLT_BAD_ARGUMENT,
                        "has 3 classes, the net has 2 outputs");
    assert_data_refused("input 1x8x9; flatten; dense out=3", NULL, images, CLT_BAD_ARGUMENT,
                        "the model takes images of 1x8x9, ");
    assert_data_refused("input 3x8x8; flatten; dense out=3", NULL, images, CLT_BAD_ARGUMENT, "has 1x8x8");
    assert_data_refused(net, NULL, real, CLT_BAD_ARGUMENT,
                        "target 2 of image 0 is 1.5: the loss cross_entropy takes numbers from 0 to 1");
    assert_data_refused(net, "bce", real, CLT_BAD_ARGUMENT, "target 2 of image 0 is 1.5: the loss bce takes");
    assert_data_refused("input 1x8x8; flatten; dense out=2", "mse", real, CLT_BAD_NET,
                        "the net gives 2 values an image, the data set has 3 targets");
    assert_data_refused(net, NULL, bare, CLT_BAD_ARGUMENT, "has neither labels nor targets to train on");
    clt_dataset_close(real);
    clt_dataset_close(bare);
}

static void validation_data_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *real, *four = make_images(8, shape, 4, 1), *wide = make_images(8, (clt_shape){1, 8, 9}, 3, 1);
    const double values[64] = {0}, targets[3] = {0, 1, 1.5};
    assert_ok(clt_dataset_from_reals(1, shape, values, targets, 3, &real, &error), &error);
    const clt_options options = options_for(1, NULL);
    clt_model *model = make_model(net, "mse", CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, real, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "should both have labels, or both real targets");
    assert_failed(clt_train(model, reference, images, four, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "has 4 classes, the net has 3 outputs");
    assert_failed(clt_train(model, reference, images, wide, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the model takes images of 1x8x8, ");
    clt_model_close(model);
    clt_dataset_close(real);
    clt_dataset_close(four);
    clt_dataset_close(wide);
}

static void files_that_cannot_be_written_are_named(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, "a file/folder");
    (void)write_bytes("a file", "x", 1);
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_FILE, &error, path_in("a file"),
                  "cannot make this folder");
    options = options_for(1, NULL);
    options.log_steps = path_in("missing/log.csv");
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_FILE, &error, options.log_steps,
                  "cannot be written");
    assert_failed(clt_model_save(model, path_in("missing/model"), &error), CLT_BAD_FILE, &error,
                  path_in("missing/model"), "");
    clt_model_close(model);
}

/* A checkpoint in the middle of an epoch belongs to its data: with fewer images that step does not exist. */
static void a_checkpoint_beyond_the_epochs_steps_is_refused(void **state)
{
    (void)state;
    clt_error error;
    stop_at("beyond", 1, 3, "stopped in epoch 1 after step 3 of 5");
    clt_model *model = load("beyond", "last.safetensors");
    const clt_options options = *clt_model_options(model);
    assert_failed(clt_train(model, reference, validation, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the checkpoint stands at step 3 of its epoch, ");
    clt_model_close(model);
}

/* Steps within an epoch count batches: other batches would repeat images, or leave some out. */
static void another_order_within_an_epoch_is_refused(void **state)
{
    (void)state;
    clt_error error;
    stop_at("batches", 1, 3, "stopped in epoch 1 after step 3 of 5");
    clt_model *model = load("batches", "last.safetensors");
    clt_options options = *clt_model_options(model);
    options.batch_size = BATCH / 2;
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the checkpoint stands in the middle of an epoch of batches of 16 images");
    options.batch_size = BATCH;
    options.seed++;
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the checkpoint stands in the middle of an epoch whose order of images came from the seed ");
    clt_model_close(model);
}

static void smoothing_without_labels_to_smooth_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, NULL);
    options.label_smoothing = 0.1;
    clt_model *model = make_model(net, "mse", CLT_F32, 3);
    assert_failed(clt_train(model, reference, images, NULL, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the loss mse has no labels to smooth");
    clt_model_close(model);
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
        cmocka_unit_test(shuffling_depends_on_the_seed_and_the_epoch_alone),
        cmocka_unit_test(without_shuffling_steps_take_images_as_they_lie),
        cmocka_unit_test(an_epoch_takes_every_image_once),
        cmocka_unit_test(the_device_and_the_reference_train_alike),
        cmocka_unit_test(training_learns),
        cmocka_unit_test(layers_are_watched_for_a_report),
        cmocka_unit_test(a_verified_step_changes_nothing),
        cmocka_unit_test(a_wrong_step_ends_a_checked_training),
        cmocka_unit_test(data_that_streams_gives_the_same_bits_as_data_that_fits),
        cmocka_unit_test(learning_rates_follow_their_schedule),
        cmocka_unit_test(a_plateau_lowers_the_rate_and_survives_a_checkpoint),
        cmocka_unit_test(the_options_of_schedules_survive_a_checkpoint),
        cmocka_unit_test(the_rate_of_the_schedule_is_the_one_that_trains),
        cmocka_unit_test(the_average_follows_the_parameters),
        cmocka_unit_test(validation_and_checkpoints_infer_with_the_average),
        cmocka_unit_test(accumulated_batches_are_one_large_batch),
        cmocka_unit_test(a_dropped_batch_is_as_none),
        cmocka_unit_test(shuffled_epochs_drop_other_images),
        cmocka_unit_test(dropping_goes_with_accumulated_batches),
        cmocka_unit_test(a_dropping_run_resumes_to_the_same_bits),
        cmocka_unit_test(less_than_a_batch_cannot_be_dropped),
        cmocka_unit_test(one_batch_is_learned_again_and_again),
        cmocka_unit_test(a_range_test_finds_where_the_loss_falls),
        cmocka_unit_test(a_range_test_steps_as_training_does),
        cmocka_unit_test(every_optimizer_resumes_to_the_same_bits),
        cmocka_unit_test(another_optimizer_begins_anew),
        cmocka_unit_test(a_short_last_batch_counts_only_its_images),
        cmocka_unit_test(patience_ends_a_run_that_gets_no_better),
        cmocka_unit_test(no_epochs_write_the_first_checkpoint),
        cmocka_unit_test(a_diverging_run_leaves_the_last_checkpoint),
        cmocka_unit_test(a_share_of_the_images_can_be_held_out),
        cmocka_unit_test(a_log_goes_on_when_a_run_is_resumed),
        cmocka_unit_test(the_norm_told_is_that_of_the_gradient_before_it_is_clipped),
        cmocka_unit_test(to_measure_the_norm_changes_no_bit),
        cmocka_unit_test(the_json_log_has_a_line_a_step_and_an_epoch),
        cmocka_unit_test(a_json_log_goes_on_when_a_run_is_resumed),
        cmocka_unit_test(older_tables_get_the_new_columns),
        cmocka_unit_test(an_option_out_of_its_range_is_refused),
        cmocka_unit_test(options_that_do_not_go_together_are_refused),
        cmocka_unit_test(data_that_does_not_fit_the_model_is_refused),
        cmocka_unit_test(validation_data_that_does_not_fit_is_refused),
        cmocka_unit_test(files_that_cannot_be_written_are_named),
        cmocka_unit_test(a_checkpoint_beyond_the_epochs_steps_is_refused),
        cmocka_unit_test(another_order_within_an_epoch_is_refused),
        cmocka_unit_test(smoothing_without_labels_to_smooth_is_refused),
        cmocka_unit_test(stored_steps_keep_the_optimisers_state),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
