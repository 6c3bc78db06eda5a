/* Memory: tensors that share it never meet, sharing changes no bit, batches that do not fit are split, and the plan
 * says beforehand what is taken. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/opencl.h"
#include "net/memory_plan.h"
#include "session/session.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static clt_device *device, *reference;

static int set_up(void **state)
{
    (void)state;
    device = open_called(NULL);
    reference = open_called("reference");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clt_device_close(device);
    clt_device_close(reference);
    return 0;
}

/* ---- lifetimes ----------------------------------------------------------------------------------------------- */

typedef struct use {
    int first, last;
    bool written_first;
} use;

/* Straight from the tape, without net/memory_plan.c. `merges`: what an op that may be merged needs, all of those need.
 */
static use use_of(const clt__tape *tape, int tensor, bool merges)
{
    use found = {-1, -1, false};
    for (int i = 0, end; i < (int)tape->op_count; i = end) {
        end = i + (merges ? clt__mergeable(&tape->op[i], tape->op_count - (size_t)i) : 1);
        for (int op = i; op < end; op++)
            for (int j = 0; j < clt__operand_count(tape->op[op].row); j++) {
                if (tape->op[op].tensor[j] != tensor) continue;
                if (found.first < 0) found = (use){i, i, tape->op[op].row->operand[j].access == CLT__WRITE};
                found.last = end - 1;
            }
    }
    return found;
}

/* Each tensor with the room after it that kernels may read. */
static bool overlap(const clt__tensor *a, const clt__tensor *b)
{
    return a->root == b->root && a->offset < b->offset + b->count + CLT__GUARD &&
           b->offset < a->offset + a->count + CLT__GUARD;
}

static int assert_none_meet(const clt__tape *tape, bool merges, uint64_t most)
{
    int shared = 0;
    for (size_t i = 0; i < tape->tensor_count; i++) {
        const clt__tensor *a = &tape->tensor[i];
        if (!a->shared || a->root == (int)i) continue;
        const use u = use_of(tape, (int)i, merges);
        assert_true(u.written_first);
        assert_true(tape->tensor[a->root].shared && tape->tensor[a->root].type == a->type);
        assert_true(a->offset + a->count + CLT__GUARD <= tape->tensor[a->root].count);
        if (a->offset) assert_true((uint64_t)a->offset + (uint64_t)a->count + CLT__GUARD <= most);
        shared++;
        for (size_t j = i + 1; j < tape->tensor_count; j++) {
            const clt__tensor *b = &tape->tensor[j];
            if (b->root == (int)j || !overlap(a, b)) continue;
            const use v = use_of(tape, (int)j, merges);
            if (u.first <= v.last && v.first <= u.last) print_error("%s and %s meet\n", a->name, b->name);
            assert_false(u.first <= v.last && v.first <= u.last);
        }
    }
    return shared;
}

static uint64_t elements_of(const clt__tape *tape)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < tape->tensor_count; i++)
        if (tape->tensor[i].root == (int)i) sum += (uint64_t)tape->tensor[i].count;
    return sum;
}

static uint64_t build_and_check(const char *net, bool training, bool accumulate, bool merges, uint64_t most)
{
    clt_error error;
    clt_model *model = make_model(net, NULL, CLT_F32, 1);
    clt__net built;
    const clt__net_options options = {.input = model->input,
                                      .batch = 4,
                                      .images = 4,
                                      .bytes = true,
                                      .training = training,
                                      .loss = model->description.loss,
                                      .optimizer = clt__optimizer_rows[0],
                                      .clip = true,
                                      .accumulate = accumulate,
                                      .keep_tensors = most == 0,
                                      .merges = merges,
                                      .most = most};
    assert_ok(clt__net_build(&model->description, &options, &built, &error), &error);
    const int shared = assert_none_meet(&built.tape, merges, most);
    assert_true((shared > 0) == (most > 0));
    if (built.loss >= 0) assert_false(built.tape.tensor[built.loss].shared);
    assert_false(built.tape.tensor[built.output.tensor].shared);
    const uint64_t elements = elements_of(&built.tape);
    clt__net_free(&built);
    clt_model_close(model);
    return elements;
}

static void tensors_that_share_memory_never_meet(void **state)
{
    (void)state;
    static const char *const nets[] = {
        "lenet5", "cnn2", "vgg6bn", "example",
        "input 2x9x9; conv out=3 kernel=3 frozen=yes; relu; maxpool kernel=2; conv out=5; tanh"};
    for (size_t i = 0; i < COUNT_OF(nets); i++)
        for (int training = 0; training < 2; training++) {
            const uint64_t apart = build_and_check(nets[i], training, false, false, 0);
            const uint64_t together = build_and_check(nets[i], training, false, false, INT32_MAX);
            const uint64_t merged = build_and_check(nets[i], training, false, true, INT32_MAX);
            (void)build_and_check(nets[i], training, false, true, 20000); /* several pieces */
            if (training) (void)build_and_check(nets[i], true, true, true, INT32_MAX);
            assert_true(together <= merged);
            if (training && strcmp(nets[i], "lenet5") == 0) assert_true(together < merged);
            if (strcmp(nets[i], "vgg6bn") == 0) assert_true(10 * together < 7 * apart);
        }
}

/* ---- sharing changes no bit ------------------------------------------------------------------------------------ */

static const char deep[] = "input 2x9x9; conv out=4 kernel=3 padding=1 bias=no; batchnorm; relu; maxpool kernel=2; "
                           "conv out=6 kernel=3; tanh; flatten; dropout; dense out=9; sigmoid; dense out=3";

enum { IMAGES = 40, BATCH = 10 };

/* Parameters after a few steps; freed with free(). */
static double *train_some(const char *net, clt_device *on, clt_precision precision, bool keep_tensors, int micro_batch,
                          size_t *count)
{
    clt_error error;
    clt_model *model = make_model(net, NULL, precision, 3);
    clt_dataset *images = make_images(IMAGES, model->input, 3, 7);
    clt_options options = clt__options_default();
    options.batch_size = BATCH;
    options.micro_batch_size = micro_batch;
    options.clip_grad = 1;
    clt_session *session;
    assert_ok(clt_session_open(model, on, images, &options, keep_tensors, &session, &error), &error);
    assert_int_equal(session->micro_batch, micro_batch ? micro_batch : BATCH);
    for (int step = 0; step < 4; step++) {
        int32_t order[BATCH];
        const int some = step == 2 ? BATCH - 3 : BATCH;
        for (int i = 0; i < BATCH; i++) order[i] = (step * 7 + i * 3) % IMAGES;
        assert_ok(clt_session_step(session, order, some, &error), &error);
    }
    assert_ok(clt_session_store(session, &error), &error);
    double *values = calloc(100000, sizeof *values);
    *count = 0;
    for (size_t i = 0; i < clt_model_parameter_count(model); i++) {
        const clt_tensor_info *info = clt_model_parameter(model, i);
        assert_ok(clt_model_get(model, info->name, values + *count, info->count, &error), &error);
        *count += info->count;
    }
    clt_session_close(session);
    clt_dataset_close(images);
    clt_model_close(model);
    return values;
}

static void sharing_memory_changes_no_bit(void **state)
{
    (void)state;
    clt_device *const devices[] = {device, reference};
    for (size_t i = 0; i < COUNT_OF(devices); i++) {
        size_t count;
        double *apart = train_some(deep, devices[i], CLT_F32, true, 0, &count);
        double *together = train_some(deep, devices[i], CLT_F32, false, 0, &count);
        assert_true(count > 100);
        assert_memory_equal(apart, together, count * sizeof *apart);
        free(apart);
        free(together);
    }
}

static void a_tensor_that_shares_its_memory_cannot_be_read(void **state)
{
    (void)state;
    clt_error error;
    clt_model *model = make_model(deep, NULL, CLT_F32, 3);
    clt_dataset *images = make_images(IMAGES, model->input, 3, 7);
    const clt_options options = clt__options_default();
    clt_session *session;
    assert_ok(clt_session_open(model, reference, images, &options, false, &session, &error), &error);
    const clt_tensor_info *info = clt_session_find(session, "maxpool1");
    assert_non_null(info);
    double *values = calloc(info->count, sizeof *values);
    assert_failed(clt_session_read(session, "maxpool1", values, info->count, &error), CLT_BAD_ARGUMENT, &error,
                  "maxpool1 ", "open the session with keep_tensors to reach it");
    free(values);
    clt_session_close(session);
    clt_dataset_close(images);
    clt_model_close(model);
}

/* ---- micro-batches --------------------------------------------------------------------------------------------- */

/* Without batch normalisation a step is the same, but for rounding, however it is split. */
static const char plain[] =
    "input 2x9x9; conv out=4 kernel=3 padding=1; relu; dropout rate=0.3; maxpool kernel=2; flatten; "
    "dense out=3";

static void micro_batches_make_the_same_step(void **state)
{
    (void)state;
    for (int micro = 1; micro < BATCH; micro++) {
        size_t count;
        double *whole = train_some(plain, reference, CLT_F64, false, 0, &count);
        double *split = train_some(plain, reference, CLT_F64, false, micro, &count);
        for (size_t i = 0; i < count; i++) assert_true(fabs(whole[i] - split[i]) <= 1e-14);
        free(whole);
        free(split);
    }
}

static void micro_batches_on_the_device_are_those_on_the_reference(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    size_t count;
    double *one = train_some(plain, device, CLT_F32, false, 4, &count);
    double *other = train_some(plain, reference, CLT_F32, false, 4, &count);
    double *again = train_some(plain, device, CLT_F32, false, 4, &count);
    for (size_t i = 0; i < count; i++) assert_true(fabs(one[i] - other[i]) <= 1e-5);
    assert_memory_equal(one, again, count * sizeof *one);
    free(one);
    free(other);
    free(again);
}

static void the_gradient_that_is_read_is_that_of_the_whole_batch(void **state)
{
    (void)state;
    clt_error error;
    double gradient[2][3];
    for (int split = 0; split < 2; split++) {
        clt_model *model = make_model(plain, NULL, CLT_F64, 3);
        clt_dataset *images = make_images(BATCH, model->input, 3, 7);
        clt_options options = clt__options_default();
        options.batch_size = BATCH;
        options.micro_batch_size = split ? 4 : 0;
        clt_session *session;
        assert_ok(clt_session_open(model, reference, images, &options, true, &session, &error), &error);
        int32_t order[BATCH];
        for (int i = 0; i < BATCH; i++) order[i] = i;
        assert_ok(clt_session_step(session, order, BATCH, &error), &error);
        assert_ok(clt_session_read(session, "dense1.bias.gradient", gradient[split], 3, &error), &error);
        clt_session_close(session);
        clt_dataset_close(images);
        clt_model_close(model);
    }
    for (int k = 0; k < 3; k++) assert_true(fabs(gradient[0][k] - gradient[1][k]) <= 1e-15);
    assert_true(fabs(gradient[0][0]) > 1e-4);
}

typedef struct told {
    int micro_batch;
} told;

static bool take_progress(void *user, const clt_progress *progress)
{
    if (strcmp(progress->what, "train") != 0) return true;
    ((told *)user)->micro_batch = progress->micro_batch_size;
    return true;
}

/* A device with memory for some images of a batch, but not for all: training splits, says so, and learns the same. */
static void a_batch_that_does_not_fit_is_split(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    double losses[2];
    int micro[2];
    for (int little = 0; little < 2; little++) {
        clt_device *on = open_called(NULL);
        if (little) on->info.memory_bytes = 300000;
        clt_model *model = make_model(plain, NULL, CLT_F32, 3);
        clt_dataset *images = make_images(64, model->input, 3, 7);
        clt_options options = clt__options_default();
        told heard = {0};
        options.epochs = 2;
        options.progress = take_progress;
        options.progress_user = &heard;
        assert_ok(clt_train(model, on, images, images, &options, &error), &error);
        clt_evaluation *evaluation;
        assert_ok(clt_evaluate(model, on, images, batches_of(64), &evaluation, &error), &error);
        losses[little] = evaluation->loss;
        micro[little] = heard.micro_batch;
        clt_evaluation_close(evaluation);
        assert_int_equal(on->allocated_bytes, 0);
        clt_dataset_close(images);
        clt_model_close(model);
        clt_device_close(on);
    }
    assert_int_equal(micro[0], 64);
    assert_true(micro[1] > 1 && micro[1] < 64);
    assert_true(fabs(losses[0] - losses[1]) <= 1e-5);
}

static void a_device_without_memory_for_one_image_is_refused(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    clt_device *on = open_called(NULL);
    on->info.memory_bytes = 50000;
    clt_model *model = make_model(plain, NULL, CLT_F32, 3);
    clt_dataset *images = make_images(8, model->input, 3, 7);
    const clt_options options = clt__options_default();
    clt_session *session;
    assert_failed(clt_session_open(model, on, images, &options, false, &session, &error), CLT_NO_MEMORY, &error,
                  "device ", "too little memory for the net, even one image at a time");
    assert_null(session);
    clt_dataset_close(images);
    clt_model_close(model);
    clt_device_close(on);
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

static void the_plan_is_what_a_session_takes(void **state)
{
    (void)state;
    if (clt__device_is_reference(device)) skip();
    clt_error error;
    const char *const nets[] = {"lenet5", deep};
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        clt_options options = clt__options_default();
        options.net = nets[i];
        options.batch_size = BATCH;
        options.images = IMAGES;
        clt_plan *plan;
        assert_ok(clt_plan_memory(&options, device, &plan, &error), &error);
        const clt_plan_sums *sums = clt_plan_total(plan);
        clt_model *model = make_model(nets[i], NULL, CLT_F32, 3);
        clt_dataset *images = make_images(IMAGES, model->input, 3, 7);
        clt_session *session;
        assert_int_equal(device->allocated_bytes, 0);
        assert_ok(clt_session_open(model, device, images, &options, false, &session, &error), &error);
        assert_int_equal(device->allocated_bytes, sums->total_bytes);
        assert_true(sums->shared_bytes < sums->unshared_bytes);
        assert_true(sums->parameter_bytes + sums->optimizer_bytes + sums->data_bytes + sums->shared_bytes +
                        sums->scratch_bytes <
                    sums->total_bytes);
        clt_session_close(session);
        clt_dataset_close(images);
        clt_model_close(model);
        clt_plan_close(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_that_share_memory_never_meet),
        cmocka_unit_test(sharing_memory_changes_no_bit),
        cmocka_unit_test(a_tensor_that_shares_its_memory_cannot_be_read),
        cmocka_unit_test(micro_batches_make_the_same_step),
        cmocka_unit_test(micro_batches_on_the_device_are_those_on_the_reference),
        cmocka_unit_test(the_gradient_that_is_read_is_that_of_the_whole_batch),
        cmocka_unit_test(a_batch_that_does_not_fit_is_split),
        cmocka_unit_test(a_device_without_memory_for_one_image_is_refused),
        cmocka_unit_test(the_plan_is_what_a_session_takes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
