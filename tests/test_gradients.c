/* The reference's gradients against central finite differences of its loss, in double: every layer's own small cases,
 * and nets that put layers together in other ways. */
#include <math.h>
#include <string.h>

#include "differences.h"
#include "layers/layer.h"
#include "support.h"

static clt_device *device;

static int open_reference(void **state)
{
    (void)state;
    device = open_called("reference");
    return 0;
}

static int close_reference(void **state)
{
    (void)state;
    clt_device_close(device);
    return 0;
}

static bool check_net(const setting *s, tally *total)
{
    clt_model *model = make_model(s->net, s->loss, CLT_F64, 5);
    const bool checked = check_gradients(device, model, s, total);
    clt_model_close(model);
    return checked;
}

/* ---- the tests ------------------------------------------------------------------------------------------------ */

/* sigmoid_notebook's derivative is wrong on purpose. */
static bool has_a_true_gradient(const char *net)
{
    return !strstr(net, "sigmoid_notebook");
}

static void every_small_case_of_every_layer(void **state)
{
    (void)state;
    static const char *const losses[] = {"cross_entropy", "mse", "half_mse"};
    tally total = {0};
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++) {
        int checked = 0;
        for (int i = 0; (*row)->cases[i].net; i++) {
            const clt__case *one = &(*row)->cases[i];
            if (!has_a_true_gradient(one->net)) continue;
            const setting s = {.net = one->net, .loss = losses[i % 3], .batch = one->batch < 3 ? one->batch : 3};
            checked += check_net(&s, &total);
        }
        if (!checked && has_a_true_gradient((*row)->name)) print_error("no case of %s is small enough\n", (*row)->name);
        assert_true(checked > 0 || !has_a_true_gradient((*row)->name));
    }
    assert_few_were_skipped(&total);
    assert_true(total.compared > 300);
}

static void check_nets(const setting *settings, size_t count)
{
    tally total = {0};
    for (size_t i = 0; i < count; i++) {
        const int before = total.compared;
        if (!check_net(&settings[i], &total)) print_error("too heavy: %s\n", settings[i].net);
        assert_true(total.compared > before);
    }
    assert_few_were_skipped(&total);
}

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void strides_and_paddings(void **state)
{
    (void)state;
    static const setting settings[] = {
        {.net = "input 2x7x6; conv out=3 kernel=3x2 stride=2x3 padding=2x1; conv out=2 kernel=2 stride=1x2",
         .batch = 3},
        {.net = "input 3x5x5; conv out=2 kernel=5 padding=4 stride=3; tanh; conv out=2 kernel=1 stride=2", .batch = 2},
        {.net = "input 2x9x7; conv out=2 kernel=2; maxpool kernel=3x2 stride=1x3 padding=1; flatten; dense out=3",
         .batch = 3},
        {.net = "input 2x7x7; maxpool kernel=2 stride=2; conv out=3 kernel=2 bias=no; maxpool kernel=2 stride=1",
         .batch = 3},
        {.net =
             "input 1x6x6; conv out=2 kernel=3 padding=1; relu; maxpool kernel=3 stride=1 padding=1; maxpool kernel=2",
         .batch = 3},
    };
    check_nets(settings, COUNT_OF(settings));
}

static void activations_one_after_another_and_in_odd_places(void **state)
{
    (void)state;
    static const setting settings[] = {
        {.net = "input 2x4x4; conv out=3 kernel=3; tanh; sigmoid; flatten; dense out=3", .batch = 3},
        {.net = "input 2x4x4; conv out=3 kernel=3; sigmoid; relu; tanh; conv out=2 kernel=2; relu", .batch = 3},
        {.net = "input 2x4x4; sigmoid; tanh; conv out=3 kernel=2; maxpool kernel=3; tanh", .batch = 3},
        {.net = "input 2x4x4; conv out=3 kernel=3; tanh; flatten; sigmoid; dense out=4; relu; tanh; dense out=3",
         .batch = 3},
        {.net = "input 2x3x3; tanh; flatten; tanh; flatten; dense out=3; tanh; flatten", .batch = 3},
        {.net = "input 2x6x6; conv out=3 kernel=3; sigmoid; maxpool kernel=2; sigmoid; conv out=2 kernel=2; tanh",
         .batch = 3},
    };
    check_nets(settings, COUNT_OF(settings));
}

static void the_last_layer_has_an_activation(void **state)
{
    (void)state;
    static const setting settings[] = {
        {.net = "input 3x2x2; flatten; dense out=4; sigmoid", .loss = "cross_entropy", .batch = 4},
        {.net = "input 3x2x2; flatten; dense out=4; tanh", .loss = "mse", .batch = 4},
        {.net = "input 3x2x2; conv out=4 kernel=2; relu", .loss = "half_mse", .batch = 4},
        {.net = "input 3x2x2; conv out=4 kernel=2; tanh; flatten", .loss = "cross_entropy", .batch = 4},
        {.net = "input 3x2x2; flatten; dense out=4; relu; sigmoid", .loss = "mse", .batch = 4},
        {.net = "input 3x4x4; conv out=4 kernel=3; maxpool kernel=2; sigmoid", .loss = "cross_entropy", .batch = 4},
    };
    check_nets(settings, COUNT_OF(settings));
}

#define LOSS_NET "input 2x2x2; flatten; dense out=5; tanh; dense out=4"

static void every_loss_with_labels_and_with_targets(void **state)
{
    (void)state;
    static const setting settings[] = {
        {.net = LOSS_NET, .loss = "cross_entropy", .batch = 5},
        {.net = LOSS_NET, .loss = "cross_entropy", .batch = 5, .label_smoothing = 0.1},
        {.net = LOSS_NET, .loss = "cross_entropy", .batch = 1, .label_smoothing = 1},
        {.net = LOSS_NET, .loss = "cross_entropy", .batch = 5, .label_smoothing = 0.1, .real_targets = true},
        {.net = LOSS_NET, .loss = "mse", .batch = 5},
        {.net = LOSS_NET, .loss = "half_mse", .batch = 5},
        {.net = LOSS_NET, .loss = "mse", .batch = 5, .real_targets = true},
        {.net = LOSS_NET, .loss = "half_mse", .batch = 1, .real_targets = true},
        {.net = LOSS_NET, .loss = "bce", .batch = 5},
        {.net = LOSS_NET, .loss = "l1", .batch = 5},
        {.net = LOSS_NET, .loss = "huber", .batch = 5},
        {.net = LOSS_NET, .loss = "bce", .batch = 5, .real_targets = true},
        {.net = LOSS_NET, .loss = "l1", .batch = 5, .real_targets = true},
        {.net = "input 3x3x3; flatten; dense out=40; dense out=20", .loss = "huber", .batch = 5, .real_targets = true},
        {.net = "input 1x1x1; dense out=1", .loss = "cross_entropy", .batch = 2},
    };
    check_nets(settings, COUNT_OF(settings));
}

static void frozen_layers_between_trained_ones(void **state)
{
    (void)state;
    static const setting settings[] = {
        {.net = "input 2x5x5; conv out=3 kernel=2; tanh; conv out=3 kernel=2 frozen=yes; sigmoid; conv out=2 kernel=2",
         .batch = 3},
        {.net = "input 2x3x3; conv out=3 kernel=2; relu; flatten; dense out=4 frozen=yes; tanh; dense out=3",
         .batch = 3},
        {.net =
             "input 2x3x4; conv out=3; tanh as=a; conv out=3 from=a frozen=yes as=b; add from=a,b; sigmoid as=c; conv "
             "out=3 from=c as=d; conv out=3 from=c frozen=yes as=e; add from=d,e; flatten; dense out=2",
         .batch = 3},
    };
    check_nets(settings, COUNT_OF(settings));
}

/* Of images that fill up a short batch a layer may not make what is no finite number, 0 / 0 say. */
static void a_quotient_in_a_short_batch(void **state)
{
    (void)state;
    static const setting settings[] = {
        {.net = "input 1x5x5; conv out=3 kernel=3 bias=no as=a; globalmaxpool as=m; div from=a,m",
         .loss = "mse",
         .batch = 3},
    };
    check_nets(settings, COUNT_OF(settings));
}

/* The whole net of the worked example's kind: what a mistake in any layer's backward pass would show in too. */
static void a_net_of_every_layer(void **state)
{
    (void)state;
    static const setting settings[] = {
        {.net =
             "input 3x8x8; conv out=4 kernel=3 padding=1; relu; maxpool kernel=2; conv out=5 kernel=3 padding=1; tanh; "
             "maxpool kernel=2; flatten; dense out=7; sigmoid; dense out=4",
         .loss = "cross_entropy",
         .batch = 4,
         .label_smoothing = 0.2},
    };
    check_nets(settings, COUNT_OF(settings));
}

/* One weight, one input: dL/dw = (y - 1) s(y) (1 - s(y)) x, with y = s(w x) and the target 1. */
static void the_notebooks_sigmoid_has_the_derivative_that_its_name_says(void **state)
{
    (void)state;
    clt_error error;
    const double x = 0.7, target = 1, w = -1.3;
    const int32_t image = 0;
    clt_dataset *data;
    clt_session *session;
    clt_model *model =
        make_model("input 1x1x1; dense out=1 bias=no; sigmoid_notebook; loss half_mse", NULL, CLT_F64, 1);
    clt_options options = clt__options_default();
    options.batch_size = 1;
    options.normalize.how = CLT__BY_NOTHING;
    assert_ok(clt_dataset_from_reals(1, (clt_shape){1, 1, 1}, &x, &target, 1, &data, &error), &error);
    assert_ok(clt_model_set(model, "dense1.weight", &w, 1, &error), &error);
    assert_ok(clt_session_open(model, device, data, &options, false, &session, &error), &error);
    assert_ok(clt_session_step(session, &image, 1, &error), &error);
    double gradient;
    assert_ok(clt_session_read(session, "dense1.weight.gradient", &gradient, 1, &error), &error);
    const double y = 1 / (1 + exp(-w * x)), s = 1 / (1 + exp(-y));
    assert_true(fabs(gradient - (y - 1) * s * (1 - s) * x) <= 1e-15);
    clt_session_close(session);
    clt_dataset_close(data);
    clt_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_case_of_every_layer),
        cmocka_unit_test(strides_and_paddings),
        cmocka_unit_test(activations_one_after_another_and_in_odd_places),
        cmocka_unit_test(the_last_layer_has_an_activation),
        cmocka_unit_test(every_loss_with_labels_and_with_targets),
        cmocka_unit_test(frozen_layers_between_trained_ones),
        cmocka_unit_test(a_quotient_in_a_short_batch),
        cmocka_unit_test(a_net_of_every_layer),
        cmocka_unit_test(the_notebooks_sigmoid_has_the_derivative_that_its_name_says),
    };
    return cmocka_run_group_tests(tests, open_reference, close_reference);
}
