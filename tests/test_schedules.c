/* Learning rates: their schedules, and the range test that finds one. */
#include <math.h>

#include "model/model.h"
#include "training.h"

/* ---- learning rates ------------------------------------------------------------------------------------------ */

static void assert_rates(const char *scheduler, double warmup, const double factor[4])
{
    clt_options options = options_for(4, NULL);
    options.lr = 0.2;
    options.lr_scheduler = scheduler;
    options.gamma = 0.5;
    options.step_size = 2;
    options.warmup_epochs = warmup;
    const rate_notes noted = train_noting(options, CLT_F64, reference);
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
    const rate_notes noted = train_noting(options, CLT_F32, device);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learning_rates_follow_their_schedule),
        cmocka_unit_test(a_plateau_lowers_the_rate_and_survives_a_checkpoint),
        cmocka_unit_test(the_options_of_schedules_survive_a_checkpoint),
        cmocka_unit_test(the_rate_of_the_schedule_is_the_one_that_trains),
        cmocka_unit_test(a_range_test_finds_where_the_loss_falls),
        cmocka_unit_test(a_range_test_steps_as_training_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
