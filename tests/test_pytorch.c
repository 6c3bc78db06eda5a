/* cltrain against PyTorch: the loss of the first 100 steps of lenet5 on Fashion-MNIST, from the same initial weights.
 * The figures are in pytorch/lenet5_losses.csv; pytorch/lenet5_losses.py says how they were made. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"

enum { STEPS = 100, BATCH = 64 };

static void read_losses(double losses[STEPS])
{
    FILE *file = fopen(PYTORCH_FOLDER "/lenet5_losses.csv", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "step,loss\n"), 0);
    for (int i = 0; i < STEPS; i++) {
        int step;
        assert_int_equal(fscanf(file, "%d,%lf\n", &step, &losses[i]), 2);
        assert_int_equal(step, i + 1);
    }
    (void)fclose(file);
}

static double step_loss(clt_session *session, int step)
{
    clt_error error;
    int32_t images[BATCH];
    double losses[BATCH], sum = 0;
    for (int i = 0; i < BATCH; i++) images[i] = BATCH * step + i;
    assert_ok(clt_session_step(session, images, BATCH, &error), &error);
    assert_ok(clt_session_read(session, "loss", losses, BATCH, &error), &error);
    for (int i = 0; i < BATCH; i++) sum += losses[i];
    return sum / BATCH;
}

static void the_first_hundred_losses_of_lenet5_are_pytorchs(void **state)
{
    (void)state;
    clt_error error;
    clt_dataset *data;
    clt_device *device;
    clt_model *model;
    clt_session *session;
    double wanted[STEPS], worst = 0;
    read_losses(wanted);
    const clt_options options = {.net = "lenet5"};
    assert_ok(clt_dataset_open("/usr/share/datasets/fashion-mnist", CLT_TRAIN, NULL, &data, &error), &error);
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    assert_ok(clt_model_create(&options, &model, &error), &error);
    const clt_options training = clt__options_default();
    assert_ok(clt_session_open(model, device, data, &training, false, &session, &error), &error);
    for (int i = 0; i < STEPS; i++) {
        const double loss = step_loss(session, i), difference = fabs(loss - wanted[i]) / wanted[i];
        if (!(difference <= 1e-4)) fail_msg("step %d: %.9g, PyTorch has %.9g", i + 1, loss, wanted[i]);
        if (difference > worst) worst = difference;
    }
    print_message("the largest relative difference of %d losses is %.2g\n", STEPS, worst);
    clt_session_close(session);
    clt_model_close(model);
    clt_device_close(device);
    clt_dataset_close(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_first_hundred_losses_of_lenet5_are_pytorchs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
