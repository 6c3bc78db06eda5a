/* The reference's gradients against central finite differences of its loss, in double: every layer's own small cases,
 * and nets that put layers together in other ways. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"
#include "support.h"

enum { MOST_SAMPLES = 20 };

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

typedef struct trial {
    clt_session *session;
    size_t loss_op;
    int valid; /* images of the batch that count */
} trial;

typedef struct tally {
    int compared, skipped;
    double worst; /* the largest share of a bound that was used */
} tally;

/* ---- the mean loss of the batch, as a function of any element ------------------------------------------------ */

static double mean_loss(const trial *t)
{
    clt_error error;
    const clt__net *net = &t->session->net;
    double losses[64], sum = 0;
    assert_true(net->tape.tensor[net->loss].count <= 64);
    assert_ok(clt__engine_run(t->session->engine, net->forward, net->backward, &error), &error);
    assert_ok(clt__engine_run(t->session->engine, t->loss_op, t->loss_op + 1, &error), &error);
    assert_ok(clt__engine_read(t->session->engine, net->loss, 0, net->tape.tensor[net->loss].count, losses, &error),
              &error);
    for (int n = 0; n < t->valid; n++) sum += losses[n];
    return sum / t->valid;
}

static double loss_at(const trial *t, int tensor, int at, double value)
{
    clt_error error;
    assert_ok(clt__engine_write(t->session->engine, tensor, at, 1, &value, &error), &error);
    return mean_loss(t);
}

/* ---- one tensor's gradient against differences --------------------------------------------------------------- */

static void compare_element(const trial *t, int tensor, int at, double gradient, tally *total)
{
    const double step = 1e-5;
    clt_error error;
    double value;
    assert_ok(clt__engine_read(t->session->engine, tensor, at, 1, &value, &error), &error);
    const double above = loss_at(t, tensor, at, value + step), below = loss_at(t, tensor, at, value - step);
    const double here = loss_at(t, tensor, at, value);
    const double right = (above - here) / step, left = (here - below) / step, central = (above - below) / (2 * step);
    /* Right and left differ by the step times the curvature, or by a kink of relu or maxpool between them. */
    if (!(fabs(right - left) <= 1e-3 * (fabs(right) + fabs(left)) + 1e-5)) {
        total->skipped++;
        return;
    }
    const double bound = 1e-6 * fabs(gradient) + 1e-10 * (1 + fabs(here)), difference = fabs(central - gradient);
    total->compared++;
    if (difference / bound > total->worst) total->worst = difference / bound;
    if (!(difference <= bound))
        print_error("%s, element %d: gradient %.12g, difference quotient %.12g\n",
                    t->session->net.tape.tensor[tensor].name, at, gradient, central);
    assert_true(difference <= bound);
}

static void compare_tensor(const trial *t, int tensor, int gradient, tally *total)
{
    clt_error error;
    const int count = t->session->net.tape.tensor[tensor].count;
    const int samples = count < MOST_SAMPLES ? count : MOST_SAMPLES;
    double *gradients = malloc((size_t)count * sizeof *gradients);
    assert_non_null(gradients);
    assert_int_equal(t->session->net.tape.tensor[gradient].count, count);
    assert_ok(clt__engine_read(t->session->engine, gradient, 0, count, gradients, &error), &error);
    for (int i = 0; i < samples; i++) {
        const int at = (int)((int64_t)i * count / samples);
        compare_element(t, tensor, at, gradients[at], total);
    }
    free(gradients);
}

static int tensor_of(const trial *t, const char *name)
{
    const int index = clt__tape_find(&t->session->net.tape, name);
    if (index < 0) print_error("no tensor %s\n", name);
    assert_true(index >= 0);
    return index;
}

/* One step's forward and backward ops, without the update, then every gradient that came of it. */
static void compare_gradients(trial *t, tally *total)
{
    clt_error error;
    const clt__net *net = &t->session->net;
    assert_ok(clt__engine_run(t->session->engine, 0, net->update, &error), &error);
    t->loss_op = net->backward;
    while (net->tape.op[t->loss_op].row != t->session->model->description.loss->op) t->loss_op++;
    compare_tensor(t, net->input.tensor, tensor_of(t, "input.gradient"), total);
    for (int i = 0; i < net->layers; i++)
        for (int j = 0; j < net->layer[i].parameters; j++) {
            const clt__parameter *parameter = &net->layer[i].parameter[j];
            if (parameter->gradient >= 0) compare_tensor(t, parameter->tensor, parameter->gradient, total);
        }
}

/* ---- one net -------------------------------------------------------------------------------------------------- */

typedef struct setting {
    const char *net, *loss;
    int batch;
    double label_smoothing;
    bool real_targets;
} setting;

static clt_dataset *make_data(const clt_model *model, const setting *s)
{
    const clt_shape shape = clt_model_input(model);
    const size_t count = (size_t)s->batch, outputs = (size_t)clt_model_outputs(model);
    if (!s->real_targets) return make_images(count, shape, (int)outputs, 3);
    clt_error error;
    clt_dataset *data;
    const size_t values = (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
    double *images = malloc(count * values * sizeof *images), *targets = malloc(count * outputs * sizeof *targets);
    assert_true(images && targets);
    fill_random(images, count * values, 1);
    fill_random(targets, count * outputs, 2);
    for (size_t i = 0; i < count * outputs; i++) targets[i] = (targets[i] + 1) / 2;
    assert_ok(clt_dataset_from_reals(count, shape, images, targets, (int)outputs, &data, &error), &error);
    free(images);
    free(targets);
    return data;
}

/* Multiply-adds of one forward pass, about. */
static double cost_of(const clt__net *net)
{
    double cost = 0;
    for (int i = 0; i < net->layers; i++) {
        const clt__layer *layer = &net->layer[i];
        if (!layer->parameters) continue;
        const int pixels = layer->out.flat ? 1 : layer->out.shape.height * layer->out.shape.width;
        cost += (double)layer->batch * pixels * net->tape.tensor[layer->parameter[0].tensor].count;
    }
    return cost;
}

/* False, and nothing compared, where the net is too heavy for the reference. The batch is one image short. */
static bool check_net(const setting *s, tally *total)
{
    clt_error error;
    clt_model *model = make_model(s->net, s->loss, CLT_F64, 5);
    clt_dataset *data = make_data(model, s);
    clt_options options = clt__options_default();
    options.batch_size = s->batch;
    options.label_smoothing = s->label_smoothing;
    options.normalize.how = CLT__BY_GIVEN;
    options.normalize.channels = 1;
    options.normalize.mean[0] = 0.4;
    options.normalize.deviation[0] = 0.3;
    assert_ok(clt__normalize(model, data, &options, &error), &error);
    trial t = {.valid = s->batch > 1 ? s->batch - 1 : 1};
    assert_ok(clt__session_open(model, device, data, &options,
                                (clt__session_mode){.training = true, .keep_tensors = true, .input_gradient = true},
                                &t.session, &error),
              &error);
    const bool light = cost_of(&t.session->net) < 4e5;
    if (light) {
        int32_t order[64];
        for (int i = 0; i < s->batch; i++) order[i] = i;
        assert_ok(clt__feed_set_order(&t.session->feed, order, s->batch, 0, &error), &error);
        const clt__placement placement = {.valid = t.valid, .whole = t.valid};
        assert_ok(clt__session_place(t.session, &placement, &error), &error);
        compare_gradients(&t, total);
    }
    clt_session_close(t.session);
    clt_dataset_close(data);
    clt_model_close(model);
    return light;
}

static void assert_few_were_skipped(const tally *total)
{
    print_message("%d gradients compared, %d skipped at kinks; the worst used %.0f %% of its bound\n", total->compared,
                  total->skipped, 100 * total->worst);
    assert_true(total->skipped * 50 <= total->compared);
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
        cmocka_unit_test(a_net_of_every_layer),
        cmocka_unit_test(the_notebooks_sigmoid_has_the_derivative_that_its_name_says),
    };
    return cmocka_run_group_tests(tests, open_reference, close_reference);
}
