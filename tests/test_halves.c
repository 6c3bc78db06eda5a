/* Storage f16: what is stored as halves, how it is rounded, and what becomes of training: accuracy, the scale of the
 * loss, steps that are skipped, runs that go on. That each op stores what its twin does is seen by test_ops. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/random.h"
#include "engine/internal.h"
#include "session/session.h"
#include "training.h"

/* ---- rounding */

static void a_half_is_what_its_bits_say(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const double value = clt__real_of_bits(bits, 2);
        if (isnan(value)) {
            assert_true(isnan(clt__real_of_bits(clt__half_bits(value), 2)));
            continue;
        }
        assert_int_equal(clt__half_bits(value), bits);
        assert_true(clt__as_half(value) == value);
    }
}

/* Between two neighbours the nearer one is taken, half-way the even one; beyond the largest one 65520 is half-way to
 * infinity. */
static void numbers_between_halves_go_to_the_nearest(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x7bff; bits++) {
        const double low = clt__real_of_bits(bits, 2), high = clt__real_of_bits(bits + 1, 2), middle = (low + high) / 2;
        assert_true(clt__as_half(nextafter(middle, 0)) == low);
        assert_true(clt__as_half(nextafter(middle, 1e6)) == high);
        assert_int_equal(clt__half_bits(middle), bits % 2 ? bits + 1 : bits);
        assert_int_equal(clt__half_bits(-middle), 0x8000 + (bits % 2 ? bits + 1 : bits));
    }
    assert_true(clt__as_half(nextafter(65520, 0)) == 65504);
    assert_true(clt__as_half(65520) == INFINITY && clt__as_half(-65520) == -INFINITY);
    assert_true(signbit(clt__as_half(-0x1p-30)));
    assert_true(isnan(clt__as_half(NAN)));
}

/* What may be stored differs from the twin's half only where a border between halves is within the bound. */
static void a_stored_half_may_be_another_only_at_a_border(void **state)
{
    (void)state;
    const double apart = 0x1p-10, border = 1 + apart / 2;
    assert_true(clt__half_bound_of(1.25, 1e-6, true) == 0 && clt__half_bound_of(1.25, 1e-6, false) == 0);
    assert_true(clt__half_bound_of(border - 1e-7, 1e-6, true) == apart);
    assert_true(clt__half_bound_of(border - 1e-7, 1e-6, false) == 0);
    assert_true(clt__half_bound_of(border + 1e-7, 1e-6, true) == 0);
    assert_true(clt__half_bound_of(border + 1e-7, 1e-6, false) == apart);
    assert_true(clt__half_bound_of(0x1p-25, 0x1p-40, true) == 0x1p-24); /* a tie, which goes to 0 */
    assert_true(clt__half_bound_of(65519, 2, true) == INFINITY && clt__half_bound_of(65519, 2, false) == 0);
}

/* ---- accuracy */

/* Bars across or upright, a class each, in noise. */
static clt_dataset *make_bars(size_t count, int side, uint64_t seed)
{
    clt_error error;
    clt_dataset *made;
    const size_t size = (size_t)(side * side);
    clt__random stream = clt__random_seed(seed, "bars", 0);
    uint8_t *bytes = malloc(count * size);
    int32_t *labels = malloc(count * sizeof *labels);
    assert_true(bytes && labels);
    for (size_t i = 0; i < count; i++) {
        labels[i] = (int32_t)(i % 10);
        for (int at = 0; at < side * side; at++) {
            const int along = labels[i] < 5 ? at / side : at % side, bar = side * (2 * (labels[i] % 5) + 1) / 10;
            const bool inside = along == bar || along == bar + 1;
            bytes[i * size + (size_t)at] = (uint8_t)(clt__random_below(&stream, 184) + (inside ? 72 : 0));
        }
    }
    assert_ok(clt_dataset_from_bytes(count, (clt_shape){1, side, side}, bytes, labels, 10, &made, &error), &error);
    free(bytes);
    free(labels);
    return made;
}

/* After four epochs. */
static double accuracy_of(const char *text, unsigned storage, const clt_dataset *training,
                          const clt_dataset *validating)
{
    clt_error error;
    clt_evaluation *evaluation;
    clt_options options = options_for(4, NULL);
    clt_model *model = make_model(text, NULL, CLT_F32, 5);
    options.lr = 0.02;
    options.momentum = 0.9;
    options.storage = storage;
    assert_ok(clt_train(model, device, training, NULL, &options, &error), &error);
    assert_ok(clt_evaluate(model, device, validating, &options, &evaluation, &error), &error);
    const double accuracy = clt_evaluation_accuracy(evaluation);
    clt_evaluation_close(evaluation);
    clt_model_close(model);
    return accuracy;
}

static void assert_as_accurate(const char *text, int side)
{
    clt_dataset *training = make_bars(1000, side, 1), *validating = make_bars(1000, side, 2);
    const double floats = accuracy_of(text, CLT__F32, training, validating),
                 halves = accuracy_of(text, CLT__F16, training, validating);
    print_message("%.20s: accuracy %.4f with floats, %.4f with halves\n", text, floats, halves);
    assert_true(floats > 0.9);
    assert_true(fabs(halves - floats) <= 0.003);
    clt_dataset_close(training);
    clt_dataset_close(validating);
}

static void halves_train_as_well_as_floats(void **state)
{
    (void)state;
    assert_as_accurate("lenet5", 28);
    assert_as_accurate(
        "input 1x14x14; conv out=8 kernel=3 padding=1 bias=no; batchnorm; relu; "
        "conv out=8 kernel=3 padding=1 bias=no; batchnorm; relu; maxpool kernel=2; "
        "conv out=16 kernel=3 padding=1 bias=no; batchnorm; relu; "
        "conv out=16 kernel=3 padding=1 bias=no; batchnorm; relu; maxpool kernel=2; flatten; dense out=10",
        14);
}

/* ---- the scale of the loss */

/* A batch of one image whose output is 0 where it should be 1 has a gradient of -65536, which is no half. */
static const char overflowing_net[] = "input 1x8x8; flatten; dense out=3 bias=no";

static clt_session *open_overflowing(clt_model **model, const clt_options *options)
{
    clt_error error;
    clt_session *session;
    *model = make_model(overflowing_net, "half_mse", CLT_F32, 3);
    memset((*model)->parameter[0].values, 0, (*model)->parameter[0].info.count * sizeof(double));
    assert_ok(clt_session_open(*model, device, images, options, false, &session, &error), &error);
    assert_ok(clt_session_begin_epoch(session, &error), &error);
    return session;
}

static clt_options halves_alone(void)
{
    clt_options options = telling();
    options.storage = CLT__F16;
    options.batch_size = 1;
    options.lr = 0.001;
    return options;
}

static double sum_of_weights(clt_session *session, const clt_model *model)
{
    clt_error error;
    double values[192], sum = 0;
    assert_ok(clt_session_store(session, &error), &error);
    assert_ok(clt_model_get(model, "dense1.weight", values, 192, &error), &error);
    for (size_t i = 0; i < 192; i++) sum += fabs(values[i]);
    return sum;
}

static void a_step_that_overflows_is_skipped_and_the_scale_halved(void **state)
{
    (void)state;
    clt_error error;
    clt_model *model;
    bool best;
    const clt_options options = halves_alone();
    clt_session *session = open_overflowing(&model, &options);
    assert_ok(clt_session_next_step(session, &error), &error);
    assert_true(session->state.scaling.factor == 0x1p15);
    assert_int_equal(session->state.scaling.skipped, 1);
    assert_int_equal(session->updates, 0); /* adam's correction does not count it either */
    assert_true(sum_of_weights(session, model) == 0);
    assert_ok(clt_session_next_step(session, &error), &error);
    assert_true(session->state.scaling.factor == 0x1p15);
    assert_int_equal(session->state.scaling.steps, 1);
    assert_int_equal(session->updates, 1);
    assert_true(sum_of_weights(session, model) > 0);
    while (clt_session_has_step(session)) assert_ok(clt_session_next_step(session, &error), &error);
    assert_ok(clt_session_end_epoch(session, NAN, &best, &error), &error);
    assert_told("1 step was skipped in epoch 1, for halves do not hold all gradients: the loss is scaled by 32768 now");
    assert_int_equal(clt__updates_of(&model->state), IMAGES - 1);
    clt_session_close(session);
    clt_model_close(model);
}

/* The parameters' gradients are what they are without a scale, also for who runs a step in parts. */
static void gradients_are_read_without_the_scale(void **state)
{
    (void)state;
    clt_error error;
    clt_model *model;
    const int32_t chosen[] = {4, 5};
    double floats[192], halves[192];
    for (int i = 0; i < 2; i++) {
        clt_session *session;
        clt_options options = halves_alone();
        options.batch_size = 2;
        options.storage = i ? CLT__F16 : CLT__F32;
        model = make_model(overflowing_net, "half_mse", CLT_F32, 3);
        assert_ok(clt_session_open(model, device, images, &options, false, &session, &error), &error);
        assert_ok(clt_session_choose_batch(session, chosen, 2, &error), &error);
        assert_ok(clt_session_forward(session, &error), &error);
        assert_ok(clt_session_backward(session, &error), &error);
        assert_ok(clt_session_read(session, "dense1.weight.gradient", i ? halves : floats, 192, &error), &error);
        assert_ok(clt_session_update(session, &error), &error);
        clt_session_close(session);
        clt_model_close(model);
    }
    double largest = 0;
    for (size_t i = 0; i < 192; i++) largest = fmax(largest, fabs(floats[i]));
    for (size_t i = 0; i < 192; i++) assert_true(fabs(halves[i] - floats[i]) <= largest * 0x1p-9);
}

static void the_scale_grows_after_many_good_steps(void **state)
{
    (void)state;
    clt_error error;
    clt_session *session;
    clt_options options = options_for(1, NULL);
    options.storage = CLT__F16;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    model->state.scaling = (clt__loss_scaling){.factor = 0x1p10, .steps = 1998};
    assert_ok(clt_session_open(model, device, images, &options, false, &session, &error), &error);
    assert_ok(clt_session_begin_epoch(session, &error), &error);
    assert_ok(clt_session_next_step(session, &error), &error);
    assert_true(session->state.scaling.factor == 0x1p10);
    assert_ok(clt_session_next_step(session, &error), &error);
    assert_true(session->state.scaling.factor == 0x1p11);
    assert_int_equal(session->state.scaling.steps, 0);
    clt_session_close(session);
    clt_model_close(model);
}

/* What no scale helps is said. */
static void gradients_that_are_never_finite_end_training(void **state)
{
    (void)state;
    clt_error error;
    clt_model *model;
    const clt_options options = halves_alone();
    clt_session *session = open_overflowing(&model, &options);
    double wild[192];
    for (size_t i = 0; i < 192; i++) wild[i] = 1e6;
    assert_ok(clt_session_write(session, "dense1.weight", wild, 192, &error), &error);
    clt_status status = CLT_OK;
    for (int i = 0; i < 60 && status == CLT_OK; i++) status = clt_session_next_step(session, &error);
    assert_failed(status, CLT_DIVERGED, &error, NULL, "try a lower learning rate, or storage f32");
    clt_session_close(session);
    clt_model_close(model);
}

/* ---- the op that divides by it: what the check of a training step does not see, for there gradients are finite */

static void the_check_for_overflow_is_checked(void **state)
{
    (void)state;
    static const double bad[] = {INFINITY, -INFINITY, NAN, 1};
    clt_error error;
    clt_model *model;
    const clt_options options = halves_alone();
    clt_session *session = open_overflowing(&model, &options);
    const clt__net *built = &session->net;
    const int count = built->tape.tensor[built->gradients].count;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        double overflown, *gradient = calloc((size_t)count, sizeof *gradient);
        clt__verdict verdict;
        assert_non_null(gradient);
        gradient[i * 37] = bad[i];
        assert_ok(clt__engine_write(session->engine, built->gradients, 0, count, gradient, &error), &error);
        assert_ok(clt__engine_verify(session->engine, built->unscale, &verdict, &error), &error);
        assert_true(verdict.ok);
        assert_ok(clt__engine_read(session->engine, built->overflown, 0, 1, &overflown, &error), &error);
        assert_true(overflown == (i < 3));
        free(gradient);
    }
    clt_session_close(session);
    clt_model_close(model);
}

/* ---- runs that go on, and what does not go together */

static void assert_resumes(clt__loss_scaling begins, const char *whole, const char *parts, bool skips)
{
    clt_error error;
    clt_options options = options_for(4, whole);
    options.storage = CLT__F16;
    options.optimizer = "adam";
    options.batch_size = 1;
    options.lr = 1e-4;
    options.save_every = 1;
    clt_model *model = make_model(dropping_net, "half_mse", CLT_F32, 3);
    model->state.scaling = begins;
    train(model, device, &options);
    assert_true((model->state.scaling.skipped >= 3) == skips);
    assert_true((model->state.scaling.factor > begins.factor) == !skips);
    clt_model_close(model);
    char *path = strdup(path_in(parts));
    assert_non_null(path);
    interruption stop = {.epoch = 1, .step = 3};
    options.output_dir = path;
    options.progress = interrupt;
    options.progress_user = &stop;
    model = make_model(dropping_net, "half_mse", CLT_F32, 3);
    model->state.scaling = begins;
    assert_failed(clt_train(model, device, images, validation, &options, &error), CLT_STOPPED, &error, NULL,
                  "stopped in epoch 1 after step 3 of 70");
    clt_model_close(model);
    model = load(parts, "last.safetensors");
    assert_int_equal(clt_model_options(model)->storage, CLT__F16);
    assert_true((model->state.scaling.skipped > 0) == skips);
    clt_model_close(model);
    resume(parts);
    free(path);
    assert_same_run(whole, parts);
}

/* Steps are skipped before the interruption and after it; then the scale grows after it by what was counted before. */
static void a_resumed_run_has_the_same_bits(void **state)
{
    (void)state;
    assert_resumes((clt__loss_scaling){.factor = 0x1p22}, "whole halves", "halves in parts", true);
    assert_resumes((clt__loss_scaling){.factor = 0x1p4, .steps = 1900}, "growing", "growing in parts", false);
}

/* The reference rounds what a device stores: it goes the same way. */
static void the_reference_stores_halves_too(void **state)
{
    (void)state;
    clt_options options = options_for(2, NULL);
    options.storage = CLT__F16;
    clt_model *on_device = make_model(net, NULL, CLT_F32, 3), *on_reference = make_model(net, NULL, CLT_F32, 3),
              *floats = make_model(net, NULL, CLT_F32, 3);
    train(on_device, device, &options);
    train(on_reference, reference, &options);
    options.storage = CLT__F32;
    train(floats, reference, &options);
    const double near = distance(on_reference, on_device), far = distance(on_reference, floats);
    print_message("device and reference differ by %.3g with halves, halves and floats by %.3g\n", near, far);
    assert_true(far > 0 && near < far);
    clt_model_close(on_device);
    clt_model_close(on_reference);
    clt_model_close(floats);
}

static void double_precision_keeps_no_halves(void **state)
{
    (void)state;
    clt_error error;
    clt_options options = options_for(1, NULL);
    options.storage = CLT__F16;
    clt_model *model = make_model(net, NULL, CLT_F64, 3);
    assert_failed(clt_train(model, reference, images, validation, &options, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "storage f16 is for what computes in float");
    clt_model_close(model);
}

/* ---- memory */

static clt_plan_sums plan_of(unsigned storage)
{
    clt_error error;
    clt_plan *plan;
    clt_options options = clt__options_default();
    options.net = "vgg6bn";
    options.storage = storage;
    assert_ok(clt_plan_memory(&options, device, &plan, &error), &error);
    const clt_plan_sums sums = *clt_plan_total(plan);
    clt_plan_close(plan);
    return sums;
}

static void activations_take_half_the_memory(void **state)
{
    (void)state;
    const clt_plan_sums floats = plan_of(CLT__F32), halves = plan_of(CLT__F16);
    assert_true(halves.unshared_bytes * 100 < floats.unshared_bytes * 52);
    assert_true(halves.shared_bytes * 100 < floats.shared_bytes * 55);
    assert_int_equal(halves.parameter_bytes, floats.parameter_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_is_what_its_bits_say),
        cmocka_unit_test(numbers_between_halves_go_to_the_nearest),
        cmocka_unit_test(a_stored_half_may_be_another_only_at_a_border),
        cmocka_unit_test(halves_train_as_well_as_floats),
        cmocka_unit_test(a_step_that_overflows_is_skipped_and_the_scale_halved),
        cmocka_unit_test(gradients_are_read_without_the_scale),
        cmocka_unit_test(the_scale_grows_after_many_good_steps),
        cmocka_unit_test(gradients_that_are_never_finite_end_training),
        cmocka_unit_test(the_check_for_overflow_is_checked),
        cmocka_unit_test(a_resumed_run_has_the_same_bits),
        cmocka_unit_test(the_reference_stores_halves_too),
        cmocka_unit_test(double_precision_keeps_no_halves),
        cmocka_unit_test(activations_take_half_the_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
