/* Two models on two threads, each with objects of its own, on the reference: what the header promises. Built with
 * ThreadSanitizer too, which sees what they share. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

enum { THREADS = 2, COUNT = 24, CLASSES = 3, VALUES = 64, ROUNDS = 3 };

typedef struct worker {
    const char *folder;
    clt_status status;
    clt_error error;
    size_t names;
    char digest[65];
    float outputs[COUNT * CLASSES];
    double loss;
} worker;

/* The lists are looked at while the other thread does the same. */
static size_t count_names(void)
{
    size_t count = 0;
    for (const char *const *name = clt_optimizer_names(); *name; name++) count += strlen(*name);
    for (const char *const *name = clt_scheduler_names(); *name; name++) count += strlen(*name);
    for (const char *const *name = clt_loss_names(); *name; name++) count += strlen(*name);
    for (const char *const *name = clt_init_names(); *name; name++) count += strlen(*name);
    for (const char *const *name = clt_net_names(); *name; name++) count += strlen(clt_net_text(*name));
    return count;
}

static clt_status set_options(clt_options *options, const char *folder, clt_error *error)
{
    const char *const all[][2] = {
        {"net", "input 1x8x8, conv out=3 kernel=3, batchnorm, gelu, dropout rate=0.2, flatten, dense out=3"},
        {"epochs", "2"},
        {"batch_size", "8"},
        {"optimizer", "adam"},
        {"augment", "flip,crop=1,mixup=0.5"},
        {"ema", "0.9"},
        {"init", "kaiming_normal"},
        {"output_dir", folder}};
    clt_status status = CLT_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && status == CLT_OK; i++)
        status = clt_options_set(options, all[i][0], all[i][1], error);
    return status;
}

static clt_status make_data(uint8_t pixels[COUNT * VALUES], clt_dataset **data, clt_error *error)
{
    int32_t labels[COUNT];
    for (int i = 0; i < COUNT; i++) labels[i] = i % CLASSES;
    for (int i = 0; i < COUNT * VALUES; i++) pixels[i] = (uint8_t)(i * 37 + i / VALUES % CLASSES * 50);
    return clt_dataset_from_bytes(COUNT, (clt_shape){1, 8, 8}, pixels, labels, CLASSES, data, error);
}

static clt_status predict(worker *w, const clt_model *model, clt_device *device, const uint8_t *pixels)
{
    clt_session *session;
    clt_status status = clt_session_open_images(model, device, CLT_BYTES, NULL, &session, &w->error);
    if (status != CLT_OK) return status;
    status = clt_session_predict_bytes(session, pixels, COUNT, w->outputs, &w->error);
    clt_session_close(session);
    return status;
}

static clt_status use(worker *w, clt_device *device, clt_options *options, const clt_dataset *data,
                      const uint8_t *pixels)
{
    clt_model *model = NULL;
    clt_evaluation *evaluation = NULL;
    clt_status status = clt_model_create(options, &model, &w->error);
    if (status == CLT_OK) status = clt_train(model, device, data, data, options, &w->error);
    if (status == CLT_OK) status = clt_evaluate(model, device, data, options, &evaluation, &w->error);
    if (status == CLT_OK) status = predict(w, model, device, pixels);
    if (status == CLT_OK) w->loss = clt_evaluation_loss(evaluation);
    if (status == CLT_OK) clt_model_sha256(model, w->digest);
    clt_evaluation_close(evaluation);
    clt_model_close(model);
    return status;
}

static void *work(void *user)
{
    worker *w = user;
    uint8_t pixels[COUNT * VALUES];
    clt_device *device = NULL;
    clt_options *options = NULL;
    clt_dataset *data = NULL;
    w->names = count_names();
    w->status = clt_device_open("reference", &device, &w->error);
    if (w->status == CLT_OK) w->status = clt_options_create(&options, &w->error);
    if (w->status == CLT_OK) w->status = set_options(options, w->folder, &w->error);
    if (w->status == CLT_OK) w->status = make_data(pixels, &data, &w->error);
    for (int i = 0; i < ROUNDS && w->status == CLT_OK; i++) w->status = use(w, device, options, data, pixels);
    clt_dataset_close(data);
    clt_options_close(options);
    clt_device_close(device);
    return NULL;
}

static void two_models_on_two_threads_are_one_after_the_other(void **state)
{
    (void)state;
    worker alone = {.folder = path_in("alone")}, both[THREADS] = {{.folder = path_in("0")}, {.folder = path_in("1")}};
    pthread_t thread[THREADS];
    (void)work(&alone);
    assert_ok(alone.status, &alone.error);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, work, &both[i]), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_ok(both[i].status, &both[i].error);
        assert_string_equal(both[i].digest, alone.digest);
        assert_memory_equal(both[i].outputs, alone.outputs, sizeof alone.outputs);
        assert_true(both[i].loss == alone.loss);
        assert_int_equal(both[i].names, alone.names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_models_on_two_threads_are_one_after_the_other)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
