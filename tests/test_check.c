/* Steps that are checked: a bit flipped in any op's output is found and named, what is done then is what was asked for,
 * and numbers that are not finite are traced to the device or to the training. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/opencl.h"
#include "device/sources.h"
#include "engine/internal.h"
#include "session/session.h"
#include "training.h"

/* ---- the fault injector: it stands between cltrain and the OpenCL library (see CMakeLists.txt) */

enum { MOST_KERNELS = 4096, MOST_ARGUMENTS = 16 };

typedef struct known_kernel {
    cl_kernel kernel;
    cl_mem argument[MOST_ARGUMENTS];
} known_kernel;

/* What is done to which launch: number `launch` since the injector was armed. */
typedef struct injection {
    bool armed;
    int launch, launched;
    unsigned argument;
    size_t element;
    uint32_t flip, set; /* bits of a float */
} injection;

static known_kernel known[MOST_KERNELS];
static int known_count;
static injection injected;

cl_int __real_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value);
cl_int __wrap_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value);
cl_int __real_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint waits, const cl_event *wait,
                                     cl_event *event);
cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint waits, const cl_event *wait,
                                     cl_event *event);

/* The newest of that handle: handles of released kernels come again. */
static known_kernel *find_kernel(cl_kernel kernel)
{
    for (int i = known_count - 1; i >= 0; i--)
        if (known[i].kernel == kernel) return &known[i];
    return NULL;
}

cl_int __wrap_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    known_kernel *k = find_kernel(kernel);
    if (!k) {
        assert_true(known_count < MOST_KERNELS);
        k = &known[known_count++];
        *k = (known_kernel){.kernel = kernel};
    }
    if (index < MOST_ARGUMENTS) {
        k->argument[index] = NULL;
        if (value && size == sizeof(cl_mem)) memcpy(&k->argument[index], value, size);
    }
    return __real_clSetKernelArg(kernel, index, size, value);
}

cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint waits, const cl_event *wait,
                                     cl_event *event)
{
    const cl_int code =
        __real_clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, waits, wait, event);
    if (!injected.armed || injected.launched++ != injected.launch) return code;
    const cl_mem memory = find_kernel(kernel)->argument[injected.argument];
    uint32_t bits;
    assert_non_null(memory);
    assert_int_equal(
        clEnqueueReadBuffer(queue, memory, CL_TRUE, injected.element * sizeof bits, sizeof bits, &bits, 0, NULL, NULL),
        CL_SUCCESS);
    bits = (bits ^ injected.flip) | injected.set;
    assert_int_equal(
        clEnqueueWriteBuffer(queue, memory, CL_TRUE, injected.element * sizeof bits, sizeof bits, &bits, 0, NULL, NULL),
        CL_SUCCESS);
    return code;
}

/* ---- where to inject */

enum { CHECKED = 3, HIGH_BIT = 0x40000000 /* of the exponent */, NOT_A_NUMBER = 0x7fc00000 };

static const char rich_net[] = "input 1x8x8; conv out=4 kernel=3 padding=1; batchnorm; relu; maxpool kernel=2; "
                               "gelu as=a; conv out=4 kernel=3 padding=1 groups=4; add from=a,conv2; dropout rate=0.2; "
                               "flatten; dense out=5; tanh; dense out=3";

static clt_options rich_options(const char *optimizer)
{
    clt_options options = options_for(1, NULL);
    options.optimizer = optimizer;
    options.lr = 0.01;
    options.check_every = CHECKED;
    options.augment = (clt__augment){.flip = true, .rotate = 10, .brightness = 0.1, .mixup = 1};
    options.class_weights.how = CLT__BALANCED;
    options.clip_grad = 10;
    options.ema = 0.9;
    return options;
}

/* The launches of ops of a session's net. */
static int launches_of(const clt_session *session, size_t begin, size_t end)
{
    int launches = 0;
    for (size_t i = begin; i < end; i++) launches += clt__engine_work(session->engine, i).launches;
    return launches;
}

/* Those before op `end` in step `step`, counted from 1, of a training of one epoch. Its first step alone measures the
 * gradient's norm. */
static int launches_before(const clt_session *session, int step, size_t end)
{
    const clt__net *built = &session->net;
    const int measuring = launches_of(session, built->measure, built->update);
    const int each = launches_of(session, 0, built->end) - measuring;
    const bool measured = step > 1 && end <= built->measure; /* before, and not in what is counted of this step */
    return (step - 1) * each + launches_of(session, 0, end) + (measured ? measuring : 0);
}

/* Trains with bits flipped or set in the first real output of op `index` in step `step`, counted from 1. */
static clt_status train_with_flip(const char *text, const clt_options *options, const clt_session *plan, size_t index,
                                  int step, uint32_t flip, uint32_t set, clt_model **trained, clt_error *error)
{
    const clt__op *op = &plan->net.tape.op[index];
    unsigned operand = 0;
    while (op->row->operand[operand].access == CLT__READ || op->tensor[operand] < 0 ||
           plan->net.tape.tensor[op->tensor[operand]].type != CLT__REALS)
        operand++;
    const int count = plan->net.tape.tensor[op->tensor[operand]].count;
    injected =
        (injection){.armed = true,
                    .launch = launches_before(plan, step, index + 1) - 1,
                    .argument = operand + 1,
                    .element = count > 1, /* of parameters, the first tensor's: between tensors nothing is read */
                    .flip = flip,
                    .set = set};
    *trained = make_model(text, NULL, CLT_F32, 3);
    const clt_status status = clt_train(*trained, device, images, NULL, options, error);
    assert_true(injected.launched > injected.launch);
    injected.armed = false;
    return status;
}

static clt_session *open_plan(const char *text, const clt_options *options, clt_model **model)
{
    clt_error error;
    clt_session *session;
    *model = make_model(text, NULL, CLT_F32, 3);
    const clt__session_mode mode = {.training = true, .measures = options->output_dir};
    assert_ok(clt__session_open_training(*model, device, images, options, mode, &session, &error), &error);
    return session;
}

/* ---- every kind of op */

static int catch_flips(const char *optimizer, bool all_ops)
{
    const clt_options options = rich_options(optimizer);
    clt_model *model, *trained;
    clt_session *plan = open_plan(rich_net, &options, &model);
    int caught = 0;
    for (size_t i = all_ops ? 0 : plan->net.update; i < plan->net.end; i++, caught++) {
        clt_error error;
        char start[96];
        const clt__op *op = &plan->net.tape.op[i];
        (void)snprintf(start, sizeof start, "step %d: %s%s%s: ", CHECKED, op->row->name, *op->layer ? " of " : "",
                       op->layer);
        assert_failed(train_with_flip(rich_net, &options, plan, i, CHECKED, HIGH_BIT, 0, &trained, &error),
                      CLT_MISMATCH, &error, start, "the device and the reference disagree");
        clt_model_close(trained);
    }
    clt_session_close(plan);
    clt_model_close(model);
    return caught;
}

static void a_flipped_bit_is_caught_in_every_op(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    int caught = catch_flips("sgd", true);
    for (const char *const *name = clt_optimizer_names(); *name; name++)
        if (strcmp(*name, "sgd") != 0) caught += catch_flips(*name, false);
    print_message("%d flipped bits caught\n", caught);
    assert_true(caught > 40);
}

/* While steps take images the next ones are being written to the device: not while an op is verified, which would seem
 * to have changed them. */
static void a_checked_step_waits_for_images_on_their_way(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    clt_session *session;
    clt_dataset *many = make_images(1200, shape, CLASSES, 5);
    clt_device *small = open_called(NULL);
    small->allocation_bytes = 24000; /* as in test_training.c: not all images fit */
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    const clt_options options = options_for(1, NULL);
    assert_ok(clt_session_open(model, small, many, &options, false, &session, &error), &error);
    assert_ok(clt__session_set_own_order(session, &error), &error);
    assert_ok(clt__session_place(session, &(clt__placement){.valid = BATCH, .whole = BATCH}, &error), &error);
    assert_non_null(session->feed.chunk[1].transfer[0].upload);
    assert_ok(clt__verify_ops(session, 0, 1, NULL, NULL, &error), &error);
    assert_null(session->feed.chunk[1].transfer[0].upload);
    assert_ok(clt__session_run_batch(session, session->feed.half, BATCH, 0, clt__session_run_ops, NULL, &error),
              &error);
    clt_session_close(session);
    clt_model_close(model);
    clt_device_close(small);
    clt_dataset_close(many);
}

/* ---- what is done about it */

static char note[4096];

static void take_note(void *user, const char *sentence)
{
    (void)user;
    (void)snprintf(note, sizeof note, "%s", sentence);
}

/* Flips a bit of conv1's output in a checked step; the model that comes of it. */
static clt_model *train_through_a_mismatch(clt_options options)
{
    clt_error error;
    clt_model *model, *trained;
    options.check_every = CHECKED;
    clt_session *plan = open_plan(net, &options, &model);
    *note = '\0';
    clt_device_set_notes(device, take_note, NULL);
    assert_ok(train_with_flip(net, &options, plan, 1, CHECKED, HIGH_BIT, 0, &trained, &error), &error);
    clt_device_set_notes(device, NULL, NULL);
    clt_session_close(plan);
    clt_model_close(model);
    return trained;
}

static clt_model *train_on(clt_device *on, const clt_options *options)
{
    clt_error error;
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_ok(clt_train(model, on, images, NULL, options, &error), &error);
    return model;
}

static void a_warning_goes_on_with_the_right_values(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_options options = options_for(2, NULL);
    clt_model *plain = train_on(device, &options);
    options.on_mismatch = CLT__WARN;
    clt_model *warned = train_through_a_mismatch(options);
    assert_non_null(strstr(note, "step 3: conv_forward of conv1: the device and the reference disagree"));
    assert_non_null(strstr(note, "training goes on with the reference's values"));
    assert_true(distance(plain, warned) < 1e-5);
    clt_model_close(plain);
    clt_model_close(warned);
}

static void the_reference_goes_on_from_the_last_checkpoint(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_options options = options_for(2, NULL);
    clt_model *by_reference = train_on(reference, &options);
    options.on_mismatch = CLT__REFERENCE;
    clt_model *fallen = train_through_a_mismatch(options); /* before any checkpoint: from the beginning */
    assert_non_null(strstr(note, "the reference goes on after step 0 of epoch 1"));
    char one[65], other[65];
    clt_model_sha256(by_reference, one);
    clt_model_sha256(fallen, other);
    assert_string_equal(one, other);
    clt_model_close(fallen);

    clt_options saving = options_for(2, "fallen");
    saving.on_mismatch = CLT__REFERENCE;
    saving.save_every = 2;
    saving.log_steps = path_in("fallen.csv");
    fallen = train_through_a_mismatch(saving);
    assert_non_null(strstr(note, "the reference goes on after step 2 of epoch 1"));
    assert_true(distance(by_reference, fallen) < 1e-5);
    assert_int_equal(clt_model_epochs(fallen), 2);
    size_t size, lines = 0;
    uint8_t *log = read_bytes(path_in("fallen.csv"), &size);
    for (size_t i = 0; i < size; i++) lines += log[i] == '\n';
    assert_int_equal(lines, 1 + 2 * STEPS);
    free(log);
    clt_model_close(fallen);
    clt_model_close(by_reference);
}

/* ---- numbers that are not finite */

/* The kernel file with `old` replaced, for a device of its own. */
static clt_device *open_changed(const char *file, const char *old, const char *fresh, char **text)
{
    const char *from = NULL;
    for (const clt__source *source = clt__sources; source->name; source++)
        if (strcmp(source->name, file) == 0) from = source->text;
    const char *at = from ? strstr(from, old) : NULL;
    assert_non_null(at);
    const size_t room = strlen(from) + strlen(fresh) + 1;
    *text = malloc(room);
    assert_non_null(*text);
    (void)snprintf(*text, room, "%.*s%s%s", (int)(at - from), from, fresh, at + strlen(old));
    clt_device *changed = open_called(NULL);
    clt__device_replace_source(changed, file, *text);
    return changed;
}

static void a_device_that_makes_nan_is_blamed(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    char *text;
    const clt_options options = options_for(2, NULL);
    clt_device *wrong =
        open_changed("loss.cl", "loss[n] = (shares * log(sum) - weighted) / weight;",
                     "loss[n] = step[STEP_NUMBER] == 8 ? (real)NAN : (shares * log(sum) - weighted) / weight;", &text);
    clt_model *model = make_model(net, NULL, CLT_F32, 3);
    assert_failed(clt_train(model, wrong, images, NULL, &options, &error), CLT_MISMATCH, &error,
                  "the loss is not a number at step 8 (epoch 2, learning rate 0.05): the device computed wrongly: "
                  "cross_entropy: ",
                  "loss ");
    clt_model_close(model);
    clt_device_close(wrong);
    free(text);
}

static void a_passing_mistake_is_told_from_divergence(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    clt_model *model, *trained;
    const clt_options options = options_for(1, "passing");
    clt_session *plan = open_plan(net, &options, &model);
    const size_t update = plan->net.end - 1;
    assert_failed(train_with_flip(net, &options, plan, update, 2, 0, NOT_A_NUMBER, &trained, &error), CLT_MISMATCH,
                  &error, "the loss is ", "all is finite when it is computed again: the device made a passing mistake");
    clt_model_close(trained);
    assert_false(exists(file_in("passing", "last.safetensors")));
    /* In the epoch's last update no loss shows it, but no checkpoint may hold it. */
    assert_failed(train_with_flip(net, &options, plan, update, STEPS, 0, NOT_A_NUMBER, &trained, &error), CLT_MISMATCH,
                  &error, "a parameter is no longer a finite number at step 5 (epoch 1, ", "a passing mistake");
    clt_model_close(trained);
    assert_false(exists(file_in("passing", "last.safetensors")));
    clt_session_close(plan);
    clt_model_close(model);
}

static void divergence_is_told_with_the_largest_activation(void **state)
{
    (void)state;
    clt_error error;
    clt_device *const on[] = {device, reference};
    for (size_t i = 0; i < COUNT_OF(on); i++) {
        clt_options options = options_for(3, NULL);
        options.batch_size = 2;
        options.lr = 1e6;
        options.momentum = 0;
        clt_model *model = make_model(net, "mse", CLT_F32, 3);
        assert_failed(clt_train(model, on[i], images, NULL, &options, &error), CLT_DIVERGED, &error, NULL,
                      "training diverged; the first number that is not finite is in ");
        assert_non_null(strstr(error.message, ", the largest activation is "));
        assert_non_null(strstr(error.message,
                               clt__device_is_reference(on[i]) ? "by the reference itself" : "the reference agrees"));
        clt_model_close(model);
    }
}

/* Of sums that a float does not hold an activation makes any number: 0 of what is none. */
static void no_rate_makes_divergence_the_devices_fault(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    static const char deep[] = "input 1x12x12; conv out=6 kernel=3; relu; maxpool kernel=2; flatten; dense out=64; "
                               "relu; dense out=32; relu; dense out=3";
    clt_model *first = make_model(deep, NULL, CLT_F32, 3);
    clt_dataset *data = make_images(60, clt_model_input(first), 3, 7);
    int diverged = 0;
    for (int power = 0; power < 40; power++) {
        clt_options options = options_for(1, NULL);
        options.lr = 2 * pow(1.35, power);
        options.batch_size = 4;
        clt_model *model = make_model(deep, NULL, CLT_F32, 3);
        const clt_status status = clt_train(model, device, data, NULL, &options, &error);
        if (status != CLT_OK) assert_failed(status, CLT_DIVERGED, &error, NULL, "the reference agrees");
        diverged += status == CLT_DIVERGED;
        clt_model_close(model);
    }
    assert_true(diverged > 5);
    clt_dataset_close(data);
    clt_model_close(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_caught_in_every_op),
        cmocka_unit_test(a_checked_step_waits_for_images_on_their_way),
        cmocka_unit_test(a_warning_goes_on_with_the_right_values),
        cmocka_unit_test(the_reference_goes_on_from_the_last_checkpoint),
        cmocka_unit_test(a_device_that_makes_nan_is_blamed),
        cmocka_unit_test(a_passing_mistake_is_told_from_divergence),
        cmocka_unit_test(divergence_is_told_with_the_largest_activation),
        cmocka_unit_test(no_rate_makes_divergence_the_devices_fault),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
