/* Tuning: what is chosen is kept, obeyed and right; what is wrong with the file is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/opencl.h"
#include "device/sources.h"
#include "engine/internal.h"
#include "session/session.h"
#include "support.h"

static const char net[] = "input 1x6x6; flatten; dense out=40; relu; dense out=3";

static void use_folder(const char *folder)
{
    assert_int_equal(setenv("CLTRAIN_CACHE_DIR", folder, 1), 0);
}

static clt_model *small_model(void)
{
    return make_model(net, NULL, CLT_F32, 3);
}

/* Parameters after a step; freed with free(). */
static double *train_a_step(clt_device *device, size_t *count)
{
    clt_error error;
    clt_model *model = small_model();
    clt_dataset *images = make_images(8, model->input, 3, 7);
    clt_options options = clt__options_default();
    options.batch_size = 8;
    clt_session *session;
    const int32_t order[] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_ok(clt_session_open(model, device, images, &options, false, &session, &error), &error);
    assert_ok(clt_session_step(session, order, 8, &error), &error);
    assert_ok(clt_session_store(session, &error), &error);
    const clt_tensor_info *info = clt_model_parameter(model, 0);
    double *values = calloc(info->count, sizeof *values);
    assert_ok(clt_model_get(model, info->name, values, info->count, &error), &error);
    *count = info->count;
    clt_session_close(session);
    clt_dataset_close(images);
    clt_model_close(model);
    return values;
}

/* Chooses other limits for the first dense layer's forward op. */
static void choose_by_hand(clt_device *device)
{
    clt_error error;
    clt_model *model = small_model();
    clt_dataset *images = make_images(8, model->input, 3, 7);
    clt_options options = clt__options_default();
    options.batch_size = 8;
    clt_session *session;
    assert_ok(clt_session_open(model, device, images, &options, false, &session, &error), &error);
    const clt__tape *tape = &session->net.tape;
    int chosen = 0;
    for (size_t i = 0; i < tape->op_count; i++) {
        const clt__tuning_key key = clt__tuning_key_of(tape, &tape->op[i], CLT_F32);
        clt__limits limits = clt__device_limits(device, CLT_F32);
        limits.vector_width = limits.vector_width > 1 ? limits.vector_width / 2 : 2;
        if (strncmp(key.op, "dense_", 6) != 0) continue;
        assert_ok(clt__tuning_choose(device, &key, &limits, &error), &error);
        const clt__limits tuned = clt__tuned_limits(device, &key);
        assert_int_equal(tuned.vector_width, limits.vector_width);
        clt__tuning_key of_halves = key;
        of_halves.halves = true;
        assert_false(clt__is_tuned(device, &of_halves));
        clt__limits other = clt__device_limits(device, CLT_F32);
        other.slab = other.slab == 32 ? 16 : 32;
        assert_ok(clt__tuning_choose(device, &of_halves, &other, &error), &error);
        assert_int_equal(clt__tuned_limits(device, &of_halves).slab, other.slab);
        assert_true(clt__tuned_limits(device, &key).slab != other.slab);
        chosen++;
    }
    assert_true(chosen >= 4);
    clt_session_close(session);
    clt_dataset_close(images);
    clt_model_close(model);
}

static bool builds_with(const clt_device *device, const char *option)
{
    for (size_t i = 0; i < device->program_count; i++)
        if (strstr(device->programs[i].options, option) && strstr(device->programs[i].options, "OP_dense_forward"))
            return true;
    return false;
}

static void what_was_chosen_is_kept_and_obeyed(void **state)
{
    (void)state;
    clt_error error;
    use_folder(path_in("kept"));
    clt_device *device = open_vector_device();
    const int own = clt__device_limits(device, CLT_F32).vector_width, other = own > 1 ? own / 2 : 2;
    char option[32];
    (void)snprintf(option, sizeof option, "-DVEC=%d", other);
    choose_by_hand(device);
    assert_ok(clt__tuning_store(device, &error), &error);
    clt_device_close(device);
    size_t count;
    double *values[2];
    for (int i = 0; i < 2; i++) {
        device = open_vector_device();
        assert_true(device->tuned_count >= 8); /* half of them for halves */
        values[i] = train_a_step(device, &count);
        assert_true(builds_with(device, option));
        clt_device_close(device);
    }
    assert_memory_equal(values[0], values[1], count * sizeof *values[0]); /* the same choice, the same bits */
    device = open_vector_device();
    assert_ok(clt_tune_forget(device, &error), &error);
    clt_device_close(device);
    device = open_vector_device();
    assert_int_equal(device->tuned_count, 0);
    clt_device_close(device);
    free(values[0]);
    free(values[1]);
}

typedef struct heard {
    int rows, complaints, chosen;
} heard;

static void take_row(void *user, const clt_tune_row *row)
{
    heard *h = user;
    h->rows++;
    h->complaints += *row->complaint != 0;
    h->chosen += *row->chosen != 0;
    assert_true(row->before > 0 && row->after > 0 && row->after <= row->before);
    assert_true((*row->chosen != 0) == (row->after < row->before));
    if (*row->complaint) assert_string_equal(row->chosen, "");
}

/* With reals kept that way, in a folder of that name. Takes the model over. */
static void tune_and_verify(clt_model *model, unsigned storage, const char *folder)
{
    clt_error error;
    use_folder(path_in(folder));
    clt_device *device = open_vector_device();
    clt_options options = *seeded(8, 0);
    heard h = {0};
    options.storage = storage;
    assert_ok(clt_tune(model, device, &options, take_row, &h, &error), &error);
    assert_true(h.rows > 5);
    assert_int_equal(h.complaints, 0);
    assert_int_equal(h.chosen, device->tuned_count);
    clt_device_close(device);
    device = open_vector_device();
    assert_int_equal(h.chosen, device->tuned_count);
    assert_ok(clt_verify(model, device, &options, NULL, NULL, &error), &error);
    clt_model_close(model);
    clt_device_close(device);
}

static void a_tuned_net_verifies(void **state)
{
    (void)state;
    tune_and_verify(small_model(), CLT__F32, "tuned");
}

static void a_net_tuned_for_halves_verifies(void **state)
{
    (void)state;
    tune_and_verify(make_model("input 1x4x4; flatten; dense out=20", NULL, CLT_F32, 3), CLT__F16, "tuned_halves");
}

/* What is faster must not depend on the machine: the linker puts this in clt__time_op's place, which then runs the op
 * once and finds short vectors fast. */
static bool short_is_fast;
static int timed;

clt_status __real_clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error);
clt_status __wrap_clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error);

clt_status __wrap_clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error)
{
    static const char option[] = "-DVEC=";
    const clt_status status = __real_clt__time_op(engine, index, short_is_fast ? 1 : times, seconds, error);
    if (!short_is_fast || status != CLT_OK) return status;
    const char *vector = strstr(engine->ready[index].launches.defines, option);
    *seconds = vector ? 1e-3 * atoi(vector + sizeof option - 1) : 1;
    timed++;
    return CLT_OK;
}

/* A kernel that is wrong with all vectors but the device's own, which are slowest. */
static void what_is_faster_but_wrong_is_not_taken(void **state)
{
    (void)state;
    clt_error error;
    use_folder(path_in("wrong"));
    clt_device *device = open_vector_device();
    const int own = clt__device_limits(device, CLT_F32).vector_width;
    static const char start[] =
        "    const int o0 = (int)get_global_id(0) * STRIPE, n0 = (int)get_global_id(1) * ROWS;\n";
    const char *text = NULL;
    for (const clt__source *source = clt__sources; source->name; source++)
        if (strcmp(source->name, "dense.cl") == 0) text = source->text;
    const char *at = text ? strstr(text, start) : NULL;
    assert_non_null(at);
    char *wrong = calloc(strlen(text) + 100, 1);
    (void)snprintf(wrong, strlen(text) + 100, "%.*s    if (VEC < %d) return;\n%s", (int)(at - text), text, own, at);
    clt__device_replace_source(device, "dense.cl", wrong);
    clt_model *model = make_model("input 1x16x16; flatten; dense out=512", NULL, CLT_F32, 3);
    heard h = {0};
    short_is_fast = true;
    assert_ok(clt_tune(model, device, batches_of(64), take_row, &h, &error), &error);
    short_is_fast = false;
    assert_true(timed > 0);
    if (own > 1) assert_true(h.complaints > 0);
    assert_ok(clt_verify(model, device, seeded(64, 0), NULL, NULL, &error), &error);
    clt_model_close(model);
    clt_device_close(device);
    free(wrong);
}

static void a_file_that_is_damaged_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } files[] = {
        {"", ":1: "},
        {"{\"tuned\": 3}", "has no list \"tuned\""},
        {"{\"tuned\": [{\"op\": \"sgd\"}]}", "entry 0 of \"tuned\" is damaged"},
        {"{\"tuned\": [{\"op\": \"sgd\", \"precision\": \"f32\", \"schedule\": \"tile\", \"sizes\": [1], \"limits\": "
         "{\"registers\": 3}}]}",
         "entry 0"},
        {"{\"tuned\": [{\"op\": \"sgd\", \"precision\": \"f16\", \"schedule\": \"tile\", \"sizes\": [1], \"limits\": "
         "{\"registers\": 24}}]}",
         "entry 0"},
        {"{\"tuned\": [{\"op\": \"sgd\", \"precision\": \"f32\", \"storage\": \"f32\", \"schedule\": \"tile\", "
         "\"sizes\": [1], "
         "\"limits\": {\"registers\": 24}}]}",
         "entry 0"},
        {"{\"tuned\": [{\"op\": \"sgd\", \"precision\": \"f32\", \"schedule\": \"tile\", \"sizes\": [1e9], \"limits\": "
         "{\"registers\": 24}}]}",
         "entry 0"},
        {"{\"tuned\": [{\"op\": \"sgd\", \"precision\": \"f32\", \"schedule\": \"tile\", \"sizes\": [1], \"limits\": "
         "{\"what\": 24}}]}",
         "entry 0"},
    };
    clt_error error;
    use_folder(path_in("damaged"));
    clt_device *device = open_vector_device();
    choose_by_hand(device);
    assert_ok(clt__tuning_store(device, &error), &error);
    char *path = clt_tune_file(device);
    clt_device_close(device);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fputs(files[i].text, file);
        assert_int_equal(fclose(file), 0);
        assert_failed(clt_device_open(NULL, &device, &error), CLT_BAD_FILE, &error, path, files[i].part);
        assert_non_null(strstr(error.message, "tune again"));
        assert_null(device);
    }
    assert_int_equal(remove(path), 0);
    device = open_vector_device();
    clt_device_close(device);
    clt_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_chosen_is_kept_and_obeyed), cmocka_unit_test(a_tuned_net_verifies),
        cmocka_unit_test(a_net_tuned_for_halves_verifies),    cmocka_unit_test(what_is_faster_but_wrong_is_not_taken),
        cmocka_unit_test(a_file_that_is_damaged_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
