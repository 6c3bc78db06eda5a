/* Every op of every layer on the device against its twin: the layers' own cases, through the function that `cltrain
 * verify` is made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/layer.h"
#include "support.h"

static clt_device *device;

static int open_device(void **state)
{
    clt_error error;
    (void)state;
    if (clt_device_open(NULL, &device, &error) == CLT_OK) return 0;
    print_error("%s\n", error.message);
    return -1;
}

static int close_device(void **state)
{
    (void)state;
    clt_device_close(device);
    return 0;
}

typedef struct tally {
    int ops;
    double worst; /* the largest share of a bound that was used */
} tally;

static void count_row(void *user, const clt_verify_row *row)
{
    tally *t = user;
    t->ops++;
    if (row->bound > 0 && row->difference / row->bound > t->worst) t->worst = row->difference / row->bound;
}

static void verify_case(const char *net, int batch, const char *loss, clt_precision precision, tally *t)
{
    clt_error error;
    clt_model *model;
    const clt_model_options options = {.net = net, .precision = precision, .loss = loss, .seed = 1};
    assert_ok(clt_model_create(&options, &model, &error), &error);
    const clt_status status = clt_verify(model, device, batch, 7, count_row, t, &error);
    if (status != CLT_OK) print_error("batch %d, %s: %s\n", batch, net, error.message);
    assert_int_equal(status, CLT_OK);
    clt_model_close(model);
}

static void verify_cases(clt_precision precision)
{
    tally t = {0};
    static const char *const losses[] = {"cross_entropy", "mse", "half_mse"};
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++)
        for (int i = 0; (*row)->cases[i].net; i++)
            verify_case((*row)->cases[i].net, (*row)->cases[i].batch, losses[i % 3], precision, &t);
    print_message("%d ops verified; the worst used %.0f %% of its bound\n", t.ops, 100 * t.worst);
    assert_true(t.ops > 100);
}

static void every_case_in_float(void **state)
{
    (void)state;
    verify_cases(CLT_F32);
}

static void every_case_in_double(void **state)
{
    (void)state;
    if (!clt_device_describe(device)->fp64) skip();
    verify_cases(CLT_F64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_in_float),
        cmocka_unit_test(every_case_in_double),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
