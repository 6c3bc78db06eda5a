/* Every OpenCL call fails once: whatever fails ends in a sentence, frees what it held and leaves the last checkpoint.
 * OpenCL is tests/stub/opencl.c here, which computes nothing, so that a whole training takes no time. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/opencl.h"
#include "device/tuning.h"
#include "stub/stub.h"
#include "support.h"

enum { IMAGES = 44, BATCH = 4, VALUES = 64, SAVE_EVERY = 4 };

static const char net[] =
    "input 1x8x8; conv out=4 kernel=3 padding=1; batchnorm; relu; maxpool kernel=2; dropout; flatten; dense out=2";

/* Two chunks of 12 images at a time lie on the device then: the others stream. */
static const clt__caps small_buffers = {.allocation_bytes = 14000};

static clt_dataset *data, *validation;
static const char *folder;
static int notes;

static clt_dataset *make_reals(size_t count)
{
    clt_error error;
    clt_dataset *dataset;
    double values[IMAGES * VALUES], targets[IMAGES * 2];
    fill_random(values, count * VALUES, 1);
    fill_random(targets, count * 2, 2);
    assert_ok(clt_dataset_from_reals(count, (clt_shape){1, 8, 8}, values, targets, 2, &dataset, &error), &error);
    return dataset;
}

static int set_up(void **state)
{
    /* Thousands of checkpoints are written: to memory where that is possible. */
    if (access("/dev/shm", W_OK) == 0) (void)setenv("TMPDIR", "/dev/shm", 1);
    if (make_folder(state)) return -1;
    (void)setenv("CLTRAIN_DEVICE", "0:0", 1);
    data = make_reals(IMAGES);
    validation = make_reals(BATCH);
    folder = path_in("output");
    return 0;
}

static int tear_down(void **state)
{
    clt_dataset_close(data);
    clt_dataset_close(validation);
    return remove_folder(state);
}

/* ---- what is done under faults */

typedef clt_status (*use)(clt_model *model, clt_device *device, clt_error *error);

static void count_note(void *user, const char *sentence)
{
    (void)user;
    assert_true(*sentence != 0);
    notes++;
}

static clt_options options_for(int epochs)
{
    clt_options options = clt__options_default();
    options.epochs = epochs;
    options.batch_size = BATCH;
    options.save_every = SAVE_EVERY;
    options.momentum = 0.9;
    options.clip_grad = 1;
    options.output_dir = folder;
    options.trust = true; /* it computes nothing, which a first step that is verified would tell */
    return options;
}

static clt_status train(clt_model *model, clt_device *device, clt_error *error)
{
    const clt_options options = options_for(clt_model_epochs(model) + 1);
    clt_evaluation *evaluation = NULL;
    clt__device_set_caps(device, &small_buffers);
    clt_status status = clt_train(model, device, data, validation, &options, error);
    if (status == CLT_OK) status = clt_evaluate(model, device, data, batches_of(BATCH), &evaluation, error);
    clt_evaluation_close(evaluation);
    return status;
}

static clt_status train_in_tiles(clt_model *model, clt_device *device, clt_error *error)
{
    clt_options options = options_for(1);
    options.save_every = 0;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    clt__device_set_caps(device, &small_buffers);
    return clt_train(model, device, data, NULL, &options, error);
}

/* The stub computes nothing, so that every op of a checked step is one to warn of. */
static clt_status train_checked(clt_model *model, clt_device *device, clt_error *error)
{
    clt_options options = options_for(1);
    options.check_every = 6;
    options.on_mismatch = CLT__WARN;
    return clt_train(model, device, data, NULL, &options, error);
}

/* The stub computes nothing, so that the reference cannot agree with it. */
static clt_status verify(clt_model *model, clt_device *device, clt_error *error)
{
    const clt_status status = clt_verify(model, device, seeded(2, 1), NULL, NULL, error);
    return status == CLT_MISMATCH ? CLT_OK : status;
}

static clt_status bench(clt_model *model, clt_device *device, clt_error *error)
{
    clt_bench_result *result = NULL;
    clt_options options = *batches_of(2);
    options.seconds = 1e-4;
    clt__device_set_caps(device, &(clt__caps){.allocation_bytes = 100000});
    const clt_status status = clt_bench(model, device, &options, &result, error);
    clt_bench_close(result);
    return status;
}

static clt_status step_by_step(clt_model *model, clt_device *device, clt_error *error)
{
    const clt_options options = options_for(1);
    clt_session *session = NULL;
    const int32_t images[2] = {3, 1};
    double weights[4 * 9], outputs[2 * IMAGES];
    clt_status status = clt_session_open(model, device, data, &options, true, &session, error);
    if (status == CLT_OK) status = clt_session_step(session, images, 2, error);
    if (status == CLT_OK) status = clt_session_read(session, "conv1.weight", weights, 36, error);
    if (status == CLT_OK) status = clt_session_store(session, error);
    clt_session_close(session);
    if (status == CLT_OK) status = clt_predict(model, device, data, batches_of(BATCH), outputs, error);
    return status;
}

static clt_status find_rate(clt_model *model, clt_device *device, clt_error *error)
{
    clt_options options = options_for(1);
    clt_lr_result *result = NULL;
    options.lr_min = 1e-3;
    options.lr_max = 1;
    options.steps = 9;
    const clt_status status = clt_lr_find(model, device, data, &options, &result, error);
    clt_lr_close(result);
    return status;
}

static bool double_refused; /* the probe's program in double did not build, which is done without */

/* From opening the device to closing it, a call failing in between. `from` is a checkpoint, or NULL. */
static clt_status run_with(const stub_fault *fault, use what, const char *from, clt_error *error)
{
    const clt_options options = {.net = net, .loss = "half_mse", .seed = 1};
    clt_model *model;
    clt_device *device = NULL;
    clt_error other;
    *error = (clt_error){0};
    notes = 0;
    stub_begin(fault);
    assert_ok(from ? clt_model_load(from, &model, &other) : clt_model_create(&options, &model, &other), &other);
    clt_status status = clt_device_open(NULL, &device, error);
    if (device) device->builds_alone = true; /* so that the calls have an order */
    double_refused = device && !device->info.fp64;
    if (status == CLT_OK) {
        clt_device_set_notes(device, count_note, NULL);
        status = what(model, device, error);
    }
    clt_device_close(device);
    clt_model_close(model);
    return status;
}

static void run_well(use what, const char *from)
{
    clt_error error;
    assert_ok(run_with(&(stub_fault){0}, what, from, &error), &error);
    assert_int_equal(stub.objects, 0);
}

/* ---- what is asked of it then */

static const char *checkpoint(void)
{
    static char path[600];
    (void)snprintf(path, sizeof path, "%s/last.safetensors", folder);
    return path;
}

/* The checkpoint can be loaded, and nothing half written is beside it. */
static void assert_checkpoint_stands(void)
{
    clt_error error;
    clt_model *model;
    assert_ok(clt_model_load(checkpoint(), &model, &error), &error);
    clt_model_close(model);
    DIR *list = opendir(folder);
    assert_non_null(list);
    for (const struct dirent *entry; (entry = readdir(list));) assert_null(strstr(entry->d_name, ".tmp"));
    assert_int_equal(closedir(list), 0);
}

static bool is_release(stub_function function)
{
    return strncmp(stub_name(function), "clRelease", 9) == 0;
}

/* Nothing needs an answer from these: a device is described as far as it tells of itself, a program that the cache
 * does not give is built, one that it does not take is not kept, and of releasing nobody can make more. */
static bool may_be_ignored(stub_function function)
{
    return is_release(function) || function == STUB_clGetPlatformInfo || function == STUB_clGetDeviceInfo ||
           function == STUB_clCreateProgramWithBinary || function == STUB_clGetProgramInfo;
}

/* Once the device has vanished, the first call that matters is named. */
static bool names_the_code(const clt_error *error)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, " gave %s (%d)", clt__opencl_name(stub.fault.code), (int)stub.fault.code);
    return strstr(error->message, wanted) != NULL;
}

/* One sentence that names the call and the code. A write beside the kernels fails by itself; waiting for it tells. */
static bool names_the_call(const clt_error *error)
{
    const bool late = stub.struck_function == STUB_upload;
    const cl_int code = late ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : stub.fault.code;
    char wanted[128];
    (void)snprintf(wanted, sizeof wanted, "%s gave %s (%d)",
                   stub_name(late ? STUB_clWaitForEvents : stub.struck_function), clt__opencl_name(code), (int)code);
    const size_t length = strlen(error->message), end = strlen(wanted);
    return length > end && strcmp(error->message + length - end, wanted) == 0 && error->opencl_code == code &&
           error->source_file && (!strchr(error->message, '\n') || error->status == CLT_BAD_KERNEL);
}

static bool is_right(clt_status status, const clt_error *error)
{
    if (!stub.struck) return status == CLT_OK; /* how often losses are read depends on time */
    if (status == CLT_OK) {
        const bool from_cache = stub.calls[STUB_clCreateProgramWithBinary] > 0;
        const bool plain = stub.struck_function == STUB_clBuildProgram && (notes > 0 || from_cache || double_refused);
        return plain || may_be_ignored(stub.struck_function);
    }
    if (status != error->status) return false;
    if (stub.fault.from_then_on && names_the_code(error)) return true;
    return names_the_call(error) || (stub.struck_function == STUB_clGetDeviceInfo && *error->message);
}

static void check(const stub_fault *fault, use what)
{
    clt_error error;
    const clt_status status = run_with(fault, what, NULL, &error);
    if (!is_right(status, &error) || stub.objects)
        fail_msg("call %ld of %s, which gave %d: status %d, %ld objects left, \"%s\"", fault->number,
                 stub.struck ? stub_name(stub.struck_function) : "none", fault->code, (int)status, stub.objects,
                 error.message);
    assert_checkpoint_stands();
}

/* Drivers that batch what they are given would start nothing until a read. */
static void every_step_is_flushed(void **state)
{
    (void)state;
    run_well(train_in_tiles, NULL);
    assert_true(stub.calls[STUB_clFlush] >= IMAGES / BATCH);
}

/* ---- faults */

static const cl_int codes[] = {
    CL_OUT_OF_RESOURCES,      CL_OUT_OF_HOST_MEMORY, CL_MEM_OBJECT_ALLOCATION_FAILURE,
    CL_BUILD_PROGRAM_FAILURE, CL_INVALID_VALUE,      CL_DEVICE_NOT_AVAILABLE,
};
enum { CODES = sizeof codes / sizeof *codes };

/* Call after call, each with another code. */
static void each_call_of_a_training_fails(void **state)
{
    (void)state;
    run_well(train, NULL);
    const long calls = stub.calls[STUB_ANY];
    for (long i = 1; i <= calls; i++) {
        check(&(stub_fault){STUB_ANY, i, codes[i % CODES], false}, train);
        if (i % 48 == 0) run_well(train, checkpoint());
    }
    print_message("%ld calls failed\n", calls);
}

/* The first three, the middle and the last call of each function, with so many codes in turn. */
static void check_ends(use what, int with)
{
    int next = 0;
    run_well(what, NULL);
    const stub_state well = stub;
    for (stub_function f = 0; f < STUB_COUNT; f++) {
        const long numbers[] = {1, 2, 3, well.calls[f] / 2, well.calls[f]};
        for (int i = 0; i < 5; i++) {
            if (numbers[i] < 1 || numbers[i] > well.calls[f] || (i > 2 && numbers[i] <= 3)) continue;
            for (int j = 0; j < with; j++) check(&(stub_fault){f, numbers[i], codes[next++ % CODES], false}, what);
        }
    }
}

static void each_function_fails_with_each_code(void **state)
{
    (void)state;
    check_ends(train, CODES);
}

static void each_function_fails_under_the_tile_schedule(void **state)
{
    (void)state;
    check_ends(train_in_tiles, 1);
}

static void each_function_fails_in_a_verification(void **state)
{
    (void)state;
    check_ends(verify, 1);
}

static void each_function_fails_in_a_measurement(void **state)
{
    (void)state;
    check_ends(bench, 1);
}

static void each_function_fails_in_a_checked_training(void **state)
{
    (void)state;
    check_ends(train_checked, 1);
}

static void each_function_fails_in_a_range_test(void **state)
{
    (void)state;
    check_ends(find_rate, 1);
}

static void each_function_fails_in_a_session(void **state)
{
    (void)state;
    check_ends(step_by_step, 1);
}

/* The programs go to a cache that is empty, or come from one that has them all. */
static void fail_with_cache(bool warm, stub_function function, long number, cl_int code)
{
    static int made;
    char name[64];
    if (!warm) made++;
    (void)snprintf(name, sizeof name, "cache-%d", warm ? 0 : made);
    (void)setenv("CLTRAIN_CACHE_DIR", path_in(name), 1);
    check(&(stub_fault){function, number, code, false}, step_by_step);
    (void)setenv("CLTRAIN_CACHE_DIR", "", 1);
}

static void each_function_of_the_cache_fails(void **state)
{
    (void)state;
    static const stub_function functions[] = {STUB_clCreateProgramWithBinary, STUB_clGetProgramInfo,
                                              STUB_clBuildProgram, STUB_clCreateProgramWithSource};
    fail_with_cache(true, STUB_clFinish, 0, 0); /* fills it */
    for (int i = 0; i < CODES; i++)
        for (int f = 0; f < 4; f++)
            for (long number = 1; number <= 3; number += 2) {
                fail_with_cache(true, functions[f], number, codes[i]);
                if (i == 0) fail_with_cache(false, functions[f], number, codes[i]);
            }
}

/* Everything fails from some call on. */
static void the_device_vanishes(void **state)
{
    (void)state;
    run_well(train, NULL);
    const long calls = stub.calls[STUB_ANY];
    for (long i = 1; i <= calls; i += 17) check(&(stub_fault){STUB_ANY, i, CL_DEVICE_NOT_AVAILABLE, true}, train);
}

/* ---- limits, and devices that are not there */

static void limits_are_obeyed(void **state)
{
    (void)state;
    const clt__caps limits = {.work_group_items = 12, .local_bytes = 500, .allocation_bytes = 20000};
    for (int schedule = CLT_SCHEDULE_VECTOR; schedule <= CLT_SCHEDULE_TILE; schedule++) {
        clt_error error;
        stub_begin(&(stub_fault){0});
        clt_device *device = open_called(NULL);
        clt_model *model = make_model(net, "half_mse", CLT_F32, 1);
        clt_device_set_schedule(device, (clt_schedule)schedule);
        clt__device_set_caps(device, &limits);
        assert_ok(verify(model, device, &error), &error);
        assert_in_range(stub.group_items, 1, 12);
        assert_in_range(stub.local_bytes, 0, 500);
        assert_in_range(stub.buffer_bytes, 1, 20000);
        clt__device_set_caps(device, &(clt__caps){0});
        assert_ok(verify(model, device, &error), &error);
        assert_true(stub.group_items > 12 && stub.local_bytes > 500);
        clt__device_set_caps(device, &(clt__caps){.allocation_bytes = 3000});
        assert_failed(clt_verify(model, device, seeded(2, 1), NULL, NULL, &error), CLT_NO_MEMORY, &error, NULL,
                      "are free and a piece may have 3000");
        clt_model_close(model);
        clt_device_close(device);
    }
}

static void what_was_tuned_obeys_limits(void **state)
{
    (void)state;
    clt_error error;
    stub_begin(&(stub_fault){0});
    clt_device *device = open_called(NULL);
    const int size = 1;
    const clt__tuning_key key = {.op = "conv_forward", .precision = CLT_F32, .sizes = &size, .count = 1};
    clt__limits limits = clt__device_limits(device, CLT_F32);
    limits.work_group_items = 128;
    assert_ok(clt__tuning_choose(device, &key, &limits, &error), &error);
    assert_int_equal(clt__tuned_limits(device, &key).work_group_items, 128);
    clt__device_set_caps(device, &(clt__caps){.work_group_items = 16});
    assert_int_equal(clt__tuned_limits(device, &key).work_group_items, 16);
    clt_device_close(device);
}

static void assert_no_device(const stub_fault *fault, const char *sentence)
{
    clt_error error;
    clt_device *device;
    clt_devices *devices;
    stub_begin(fault);
    assert_failed(clt_device_open(NULL, &device, &error), CLT_NO_DEVICE, &error, NULL, sentence);
    stub_begin(fault);
    assert_ok(clt_devices_find(&devices, &error), &error);
    const size_t count = clt_devices_count(devices); /* a platform without devices, or none, and the reference */
    assert_true(count <= 2 && (count == 1 || !clt_devices_at(devices, 0)->usable));
    assert_string_equal(clt_devices_at(devices, count - 1)->id, "reference");
    clt_devices_close(devices);
    device = open_called("reference");
    clt_device_close(device);
    assert_int_equal(stub.objects, 0);
}

static void a_device_that_is_not_there_leaves_the_reference(void **state)
{
    (void)state;
    (void)setenv("STUB_PLATFORMS", "0", 1);
    assert_no_device(&(stub_fault){0}, "no OpenCL device was found: install a driver");
    (void)unsetenv("STUB_PLATFORMS");
    (void)setenv("STUB_DEVICES", "0", 1);
    assert_no_device(&(stub_fault){0},
                     "no OpenCL device was found, --device reference needs none: Stub: the driver shows "
                     "no device");
    (void)unsetenv("STUB_DEVICES");
    assert_no_device(&(stub_fault){STUB_clGetDeviceIDs, 1, CL_DEVICE_NOT_AVAILABLE, false},
                     "no OpenCL device was found, --device reference needs none: clGetDeviceIDs gave "
                     "CL_DEVICE_NOT_AVAILABLE (-2)");
}

/* The stub counts lines as NVIDIA's compiler does, #line or not. */
static void lines_that_a_compiler_names_are_those_of_files(void **state)
{
    (void)state;
    clt_error error;
    clt__kernel *kernel;
    stub_begin(&(stub_fault){0});
    clt_device *device = open_called(NULL);
    const long next = stub.calls[STUB_clBuildProgram] + 1;
    stub.fault = (stub_fault){STUB_clBuildProgram, next, CL_BUILD_PROGRAM_FAILURE, false};
    clt__device_replace_source(device, "batch.cl", "first\nsecond\n#include \"real.h\"\nlast\n");
    assert_failed(clt__kernel_create(device, "batch.cl", "batch", CLT_F32, "", &kernel, &error), CLT_BAD_KERNEL, &error,
                  "kernels/batch.cl does not build on device ",
                  "\nkernels/batch.cl:2:5: error: what the stub says; kernels/real.h:2:1: and of <kernel>:0\n");
    clt_device_close(device);
    assert_int_equal(stub.objects, 0);
}

/* A kernel of a device whose compiler reads a header for each program, while calls fail. */
static clt_status create_without_header(const stub_fault *fault, long calls_before, clt_error *error)
{
    clt__kernel *kernel = NULL;
    stub_begin(&(stub_fault){0});
    clt_device *device = open_called(NULL);
    device->reads_header = true;
    stub.fault = *fault;
    stub.fault.number = stub.calls[fault->function] + 1 + calls_before;
    const clt_status status = clt__kernel_create(device, "batch.cl", "batch", CLT_F32, "", &kernel, error);
    clt__kernel_release(kernel);
    clt_device_close(device);
    assert_int_equal(stub.objects, 0);
    return status;
}

static void what_does_not_build_without_the_header_is_built_with_it(void **state)
{
    (void)state;
    clt_error error;
    const stub_fault once = {STUB_clBuildProgram, 0, CL_BUILD_PROGRAM_FAILURE, false},
                     always = {STUB_clBuildProgram, 0, CL_BUILD_PROGRAM_FAILURE, true},
                     other = {STUB_clBuildProgram, 0, CL_DEVICE_NOT_AVAILABLE, false},
                     no_source = {STUB_clCreateProgramWithSource, 0, CL_DEVICE_NOT_AVAILABLE, false};
    assert_ok(create_without_header(&once, 0, &error), &error);
    assert_int_equal(create_without_header(&always, 0, &error), CLT_BAD_KERNEL);
    assert_int_equal(create_without_header(&other, 0, &error), CLT_DEVICE_ERROR);
    assert_int_equal(create_without_header(&no_source, 0, &error), CLT_DEVICE_ERROR);
    assert_ok(create_without_header(&no_source, 1, &error), &error); /* there is no second */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_is_flushed),
        cmocka_unit_test(each_call_of_a_training_fails),
        cmocka_unit_test(each_function_fails_with_each_code),
        cmocka_unit_test(each_function_fails_under_the_tile_schedule),
        cmocka_unit_test(each_function_fails_in_a_verification),
        cmocka_unit_test(each_function_fails_in_a_measurement),
        cmocka_unit_test(each_function_fails_in_a_session),
        cmocka_unit_test(each_function_fails_in_a_checked_training),
        cmocka_unit_test(each_function_fails_in_a_range_test),
        cmocka_unit_test(each_function_of_the_cache_fails),
        cmocka_unit_test(the_device_vanishes),
        cmocka_unit_test(limits_are_obeyed),
        cmocka_unit_test(what_was_tuned_obeys_limits),
        cmocka_unit_test(a_device_that_is_not_there_leaves_the_reference),
        cmocka_unit_test(lines_that_a_compiler_names_are_those_of_files),
        cmocka_unit_test(what_does_not_build_without_the_header_is_built_with_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
