/* The worked example that the project grew from: every published number of one training step, on the device and on the
 * reference, in double and in float. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static const double image_x[] = {1, 0, 2, 3, 4, 6, 6, 8, 3, 1, 1, 0, 1, 2, 2, 4}, target = 5;
static const double kernel_k[] = {1, 0, -1, 1, -1, 0, 1, 0, -1}, weights_w[] = {0.4, 0.2, 0.3, 0.6}, bias_b = 0.1;

typedef struct example {
    clt_device *device;
    clt_model *model;
    clt_dataset *data;
    clt_session *session;
} example;

static void open_example(example *e, const char *net, const char *device, clt_precision precision)
{
    clt_error error;
    clt_options options = clt__options_default();
    options.batch_size = 1;
    options.lr = 0.01;
    options.momentum = 0;
    options.normalize.how = CLT__BY_NOTHING;
    e->device = open_called(device);
    e->model = make_model(net, NULL, precision, 1);
    assert_ok(clt_model_set(e->model, "conv1.weight", kernel_k, 9, &error), &error);
    assert_ok(clt_model_set(e->model, "dense1.weight", weights_w, 4, &error), &error);
    assert_ok(clt_model_set(e->model, "dense1.bias", &bias_b, 1, &error), &error);
    assert_ok(clt_dataset_from_reals(1, (clt_shape){1, 4, 4}, image_x, &target, 1, &e->data, &error), &error);
    assert_ok(clt_session_open(e->model, e->device, e->data, &options, true, &e->session, &error), &error);
}

static void close_example(example *e)
{
    clt_session_close(e->session);
    clt_dataset_close(e->data);
    clt_model_close(e->model);
    clt_device_close(e->device);
}

static void train_one_step(example *e)
{
    clt_error error;
    const int32_t image = 0;
    assert_ok(clt_session_step(e->session, &image, 1, &error), &error);
}

/* The tensor's values, each within `relative` of the largest one's size. */
static void assert_tensor(example *e, const char *name, size_t count, const double *wanted, double relative)
{
    clt_error error;
    double values[16], largest = 0;
    const clt_tensor_info *info = clt_session_find(e->session, name);
    if (!info) print_error("no tensor %s\n", name);
    assert_non_null(info);
    assert_int_equal(info->count, count);
    assert_ok(clt_session_read(e->session, name, values, count, &error), &error);
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(wanted[i]));
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(values[i] - wanted[i]) <= relative * largest))
            print_error("%s[%zu] is %.17g, not %.17g\n", name, i, values[i], wanted[i]);
        assert_true(fabs(values[i] - wanted[i]) <= relative * largest);
    }
}

/* ---- what both variants share: the way forward ----------------------------------------------------------------- */

static const double convolution[] = {-1, -2, -1, -4}, prediction = 0.032295464698450516;

/* y from z = 0.4 (-1) + 0.2 (-2) + 0.3 (-1) + 0.6 (-4) + 0.1. */
static const double z = -3.4;

static void assert_forward(example *e, const char *activation, double relative)
{
    const double loss = (prediction - target) * (prediction - target) / 2;
    assert_tensor(e, "input", 16, image_x, 0);
    assert_tensor(e, "conv1", 4, convolution, 0);
    assert_tensor(e, "dense1", 1, &z, relative);
    assert_tensor(e, activation, 1, &prediction, relative);
    assert_tensor(e, "loss", 1, &loss, relative);
}

/* ---- the exact step -------------------------------------------------------------------------------------------- */

/* Published digits are good to the last one printed; `printed` is that share of the largest. */
static void assert_exact_step(const char *device, clt_precision precision, double relative, double printed)
{
    example e;
    const double dz = -0.15525302532580817, bias = 0.10155253025325808;
    const double w[] = {0.39844747, 0.19689494, 0.29844747, 0.59378988};
    const double dk[] = {-0.80731573, -0.90046755, -1.2420242,  -0.66758801, -0.69863861,
                         -0.66758801, -0.45023377, -0.37260726, -0.52786029};
    double dw[4], dx[4], exact_w[4], updated_k[9];
    for (int i = 0; i < 4; i++) dw[i] = dz * convolution[i];
    for (int i = 0; i < 4; i++) dx[i] = dz * weights_w[i];
    for (int i = 0; i < 4; i++) exact_w[i] = weights_w[i] - 0.01 * dw[i];
    for (int i = 0; i < 9; i++) updated_k[i] = kernel_k[i] - 0.01 * dk[i];
    open_example(&e, "example", device, precision);
    train_one_step(&e);
    assert_forward(&e, "sigmoid1", relative);
    assert_tensor(&e, "sigmoid1.gradient", 1, &dz, relative);
    assert_tensor(&e, "dense1.bias.gradient", 1, &dz, relative);
    assert_tensor(&e, "dense1.weight.gradient", 4, dw, relative);
    assert_tensor(&e, "conv1.gradient", 4, dx, relative);
    assert_tensor(&e, "conv1.weight.gradient", 9, dk, printed);
    assert_tensor(&e, "dense1.bias", 1, &bias, relative);
    assert_tensor(&e, "dense1.weight", 4, w, printed);
    assert_tensor(&e, "dense1.weight", 4, exact_w, relative);
    assert_tensor(&e, "conv1.weight", 9, updated_k, printed);
    close_example(&e);
}

/* dL/dK by hand: each of the four pixels of the convolution's gradient times the patch of X under it. */
static void assert_kernel_gradient(const char *device, double relative)
{
    example e;
    double dk[9] = {0};
    for (int y = 0; y < 2; y++)
        for (int x = 0; x < 2; x++)
            for (int r = 0; r < 3; r++)
                for (int s = 0; s < 3; s++)
                    dk[r * 3 + s] += -0.15525302532580817 * weights_w[y * 2 + x] * image_x[(y + r) * 4 + x + s];
    open_example(&e, "example", device, CLT_F64);
    train_one_step(&e);
    assert_tensor(&e, "conv1.weight.gradient", 9, dk, relative);
    close_example(&e);
}

/* ---- the notebook's step --------------------------------------------------------------------------------------- */

static void assert_notebook_step(const char *device, clt_precision precision, double relative, double printed)
{
    example e;
    const double w[] = {0.38758398, 0.17516795, 0.28758398, 0.55033591}, bias = 0.11241602358789192;
    open_example(&e, "example_notebook", device, precision);
    train_one_step(&e);
    assert_forward(&e, "sigmoid_notebook1", relative);
    assert_tensor(&e, "dense1.weight", 4, w, printed);
    assert_tensor(&e, "dense1.bias", 1, &bias, relative);
    assert_tensor(&e, "conv1.weight", 9, kernel_k, 0);
    assert_null(clt_session_find(e.session, "conv1.weight.gradient"));
    close_example(&e);
}

/* ---- the tests ------------------------------------------------------------------------------------------------- */

static bool has_double(void)
{
    clt_device *device = open_called(NULL);
    const bool fp64 = clt_device_describe(device)->fp64;
    clt_device_close(device);
    return fp64;
}

static void the_exact_step_on_the_reference(void **state)
{
    (void)state;
    assert_exact_step("reference", CLT_F64, 1e-14, 1e-8);
    assert_kernel_gradient("reference", 1e-14);
}

static void the_notebooks_step_on_the_reference(void **state)
{
    (void)state;
    assert_notebook_step("reference", CLT_F64, 1e-14, 1e-8);
}

static void the_exact_step_on_the_device_in_double(void **state)
{
    (void)state;
    if (!has_double()) skip();
    assert_exact_step(NULL, CLT_F64, 1e-14, 1e-8);
    assert_kernel_gradient(NULL, 1e-14);
}

static void the_notebooks_step_on_the_device_in_double(void **state)
{
    (void)state;
    if (!has_double()) skip();
    assert_notebook_step(NULL, CLT_F64, 1e-14, 1e-8);
}

static void both_steps_on_the_device_in_float(void **state)
{
    (void)state;
    assert_exact_step(NULL, CLT_F32, 1e-6, 1e-6);
    assert_notebook_step(NULL, CLT_F32, 1e-6, 1e-6);
}

static void a_session_stores_its_parameters_in_the_model(void **state)
{
    (void)state;
    clt_error error;
    example e;
    double stored, held;
    open_example(&e, "example", "reference", CLT_F64);
    train_one_step(&e);
    assert_ok(clt_model_get(e.model, "dense1.bias", &stored, 1, &error), &error);
    assert_true(stored == bias_b);
    assert_ok(clt_session_store(e.session, &error), &error);
    assert_ok(clt_model_get(e.model, "dense1.bias", &stored, 1, &error), &error);
    assert_ok(clt_session_read(e.session, "dense1.bias", &held, 1, &error), &error);
    assert_true(stored == held && stored != bias_b);
    close_example(&e);
}

static void a_new_rate_scales_the_next_step(void **state)
{
    (void)state;
    clt_error error;
    example e;
    open_example(&e, "example", "reference", CLT_F64);
    assert_ok(clt_session_set_rate(e.session, 0, &error), &error);
    train_one_step(&e);
    assert_tensor(&e, "dense1.weight", 4, weights_w, 0);
    assert_ok(clt_session_set_rate(e.session, 0.02, &error), &error);
    train_one_step(&e);
    const double bias = bias_b + 0.02 * 0.15525302532580817;
    assert_tensor(&e, "dense1.bias", 1, &bias, 1e-14);
    close_example(&e);
}

static void a_session_refuses_what_it_does_not_have(void **state)
{
    (void)state;
    clt_error error;
    example e;
    double values[4];
    const int32_t beyond = 1, image[2] = {0, 0};
    open_example(&e, "example", "reference", CLT_F64);
    assert_null(clt_session_find(e.session, "conv7"));
    assert_failed(clt_session_read(e.session, "conv7", values, 4, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "the net has no tensor \"conv7\"");
    assert_failed(clt_session_read(e.session, "conv1", values, 3, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "conv1 has 4 values, not 3");
    assert_failed(clt_session_step(e.session, &beyond, 1, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "image 1 was asked for, the data set has 1");
    assert_failed(clt_session_step(e.session, image, 2, &error), CLT_BAD_ARGUMENT, &error, NULL,
                  "a step takes 1 to 1 images, not 2");
    assert_failed(clt_session_step(e.session, image, 0, &error), CLT_BAD_ARGUMENT, &error, NULL, "not 0");
    close_example(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exact_step_on_the_reference),
        cmocka_unit_test(the_notebooks_step_on_the_reference),
        cmocka_unit_test(the_exact_step_on_the_device_in_double),
        cmocka_unit_test(the_notebooks_step_on_the_device_in_double),
        cmocka_unit_test(both_steps_on_the_device_in_float),
        cmocka_unit_test(a_session_stores_its_parameters_in_the_model),
        cmocka_unit_test(a_new_rate_scales_the_next_step),
        cmocka_unit_test(a_session_refuses_what_it_does_not_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
