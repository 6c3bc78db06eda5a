/* Every op of every layer on the device against its twin: the layers' own cases, through the function that `cltrain
 * verify` is made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "device/opencl.h"
#include "device/tuning.h"
#include "layers/layer.h"
#include "support.h"

extern const clt__layer_row clt__conv, clt__conv_transpose, clt__dense, clt__add;

static clt_device *device;

/* ---- programs are shared
 *
 * Nearly all the time that these tests take is a compiler's: on PoCL about 0.3 s a program, however short, and as long
 * again for each of its kernels that is launched. The engine bakes the sizes of heavy ops into their programs, which
 * would give every net here programs of its own. Of an op's programs that differ in nothing but baked sizes, the first
 * is built as the engine asks. The nets after it take the program without baked sizes, which light ops run anyway and
 * which is the same text (real.h: SIZES), and their sizes reach it as the argument that the engine sets in both cases:
 * what is launched, over which sizes, and what is compared stays as it is. The linker puts this in clt__kernel_create's
 * place. */

/* What the engine asked for. */
typedef struct request {
    char *defines;
    size_t length; /* of the defines without baked sizes */
    bool shared;   /* built without them */
} request;

static request *requests;
static size_t request_count, request_capacity;

/* Built as they are written: the compiler takes half the time. What its optimiser makes of the same text is for float
 * to show, and in run.sh --thorough for all. */
static bool unoptimised;

clt_status __real_clt__kernel_create(clt_device *opened, const char *file, const char *name, clt_precision precision,
                                     const char *defines, clt__kernel **kernel, clt_error *error);
clt_status __wrap_clt__kernel_create(clt_device *opened, const char *file, const char *name, clt_precision precision,
                                     const char *defines, clt__kernel **kernel, clt_error *error);

static const request *find_request(const char *defines)
{
    for (size_t i = 0; i < request_count; i++)
        if (strcmp(requests[i].defines, defines) == 0) return &requests[i];
    return NULL;
}

static const request *add_request(const char *defines)
{
    clt_error error;
    const char *sizes = strstr(defines, " -DBAKED=");
    const size_t length = sizes ? (size_t)(sizes - defines) : strlen(defines);
    bool shared = false;
    for (size_t i = 0; i < request_count && sizes; i++) {
        const bool bakes = requests[i].defines[requests[i].length] != 0;
        if (bakes && requests[i].length == length && memcmp(requests[i].defines, defines, length) == 0) shared = true;
    }
    assert_ok(clt__grow(&requests, &request_capacity, request_count, sizeof *requests, &error), &error);
    request *fresh = &requests[request_count];
    *fresh = (request){strdup(defines), length, shared};
    assert_non_null(fresh->defines);
    request_count++;
    return fresh;
}

clt_status __wrap_clt__kernel_create(clt_device *opened, const char *file, const char *name, clt_precision precision,
                                     const char *defines, clt__kernel **kernel, clt_error *error)
{
    char built[1300];
    const request *known = find_request(defines);
    if (!known) known = add_request(defines);
    const int length = (int)(known->shared ? known->length : strlen(defines));
    (void)snprintf(built, sizeof built, "%.*s%s", length, defines, unoptimised ? " -cl-opt-disable" : "");
    const clt_status status = __real_clt__kernel_create(opened, file, name, precision, built, kernel, error);
    if (status == CLT_BAD_KERNEL) fail_msg("%s does not build with%s", file, built); /* a plain one would serve */
    return status;
}

/* How many programs users' devices would have; of those, how many are built without the sizes that they would have. */
static void report_programs(void)
{
    size_t shared = 0, bakes = 0;
    for (size_t i = 0; i < request_count; i++) {
        shared += requests[i].shared;
        bakes += requests[i].defines[requests[i].length] != 0;
    }
    print_message("%zu programs asked for, %zu with sizes baked in; %zu of these are not built, the sizes are given\n",
                  request_count, bakes, shared);
}

static void forget_requests(void)
{
    for (size_t i = 0; i < request_count; i++) free(requests[i].defines);
    free(requests);
    requests = NULL;
    request_count = request_capacity = 0;
}

/* How many of the programs that were asked for have all of these in their options. */
static int programs_with(const char *define, const char *other)
{
    int count = 0;
    for (size_t i = 0; i < request_count; i++)
        count += strstr(requests[i].defines, define) && strstr(requests[i].defines, other);
    return count;
}

/* Winograd tiles with `out` x `out` outputs. */
static int winograd_programs(int out)
{
    char define[32];
    (void)snprintf(define, sizeof define, "-DWINOGRAD=%d ", out);
    return programs_with(define, "");
}

/* ---- what is not looked at is plain
 *
 * A convolution or a dense layer that only surrounds the layer of which a case is gets the plainest kernel, which is
 * one for all sizes, and not a register tile of the sizes' own. The linker puts this in clt__tuned_limits's place. */

static bool plain_surroundings;

clt__limits __real_clt__tuned_limits(const clt_device *opened, const clt__tuning_key *key);
clt__limits __wrap_clt__tuned_limits(const clt_device *opened, const clt__tuning_key *key);

clt__limits __wrap_clt__tuned_limits(const clt_device *opened, const clt__tuning_key *key)
{
    clt__limits limits = __real_clt__tuned_limits(opened, key);
    const bool tiled = strncmp(key->op, "conv_", 5) == 0 || strncmp(key->op, "dense_", 6) == 0;
    if (!plain_surroundings || !tiled) return limits;
    limits.schedule = CLT_SCHEDULE_VECTOR;
    limits.vector_width = 1;
    limits.registers = 3; /* for one row */
    limits.winograd = 0;
    return limits;
}

/* Those whose cases are of what the tiles of convolutions and dense layers do. */
static bool is_tiled(const clt__layer_row *layer)
{
    return layer == &clt__conv || layer == &clt__conv_transpose || layer == &clt__dense || layer == &clt__add;
}

/* ---- the cases */

/* As the option: of the cases that follow. */
static unsigned storage = CLT__F32;

static int open_device(void **state)
{
    clt_error error;
    (void)state;
    /* Where other tests are to run on the reference, these still need a device: the default one. */
    const char *wanted = getenv("CLTRAIN_DEVICE");
    const char *name = wanted && strcmp(wanted, "reference") == 0 ? "" : NULL;
    if (clt_device_open(name, &device, &error) == CLT_OK) return 0;
    print_error("%s\n", error.message);
    return -1;
}

static int close_device(void **state)
{
    (void)state;
    storage = CLT__F32;
    report_programs();
    forget_requests();
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
    const clt_options options = {.net = net, .precision = precision, .loss = loss, .seed = 1};
    assert_ok(clt_model_create(&options, &model, &error), &error);
    clt_options how = *seeded(batch, 7);
    how.storage = storage;
    const clt_status status = clt_verify(model, device, &how, count_row, t, &error);
    if (status != CLT_OK) print_error("batch %d, %s: %s\n", batch, net, error.message);
    assert_int_equal(status, CLT_OK);
    clt_model_close(model);
}

static bool in_tiles(void)
{
    return clt__device_limits(device, CLT_F32).schedule == CLT_SCHEDULE_TILE;
}

/* Which of each layer's cases are taken: double's kernels are those of float with another type, halves are read and
 * written in one place, and most of a tile's kernels are those of the vector schedule with vectors of one element.
 * Those of register tiles, nearly each of which is a program of its own, are shared out among all of these. */
static bool is_taken(clt_precision precision, int layer, int i)
{
    if (thorough()) return true;
    const bool tiled = is_tiled(clt__layer_rows[layer]);
    if (storage == CLT__F16) return tiled ? i % 4 == 2 : i == 0 && layer % 2 == in_tiles();
    if (precision == CLT_F64) return tiled ? i % 4 == 0 : (layer + i) % 4 == 0;
    if (in_tiles()) return tiled ? i % 4 == 1 : (layer + i) % 3 == 0;
    return tiled ? i % 4 == 3 : (layer + i) % 3 > 0;
}

static void verify_cases(clt_precision precision)
{
    tally t = {0};
    const int before = winograd_programs(4);
    const char *const *losses = clt_loss_names();
    int count = 0;
    while (losses[count]) count++;
    for (int layer = 0; clt__layer_rows[layer]; layer++) {
        const clt__case *cases = clt__layer_rows[layer]->cases;
        plain_surroundings = !is_tiled(clt__layer_rows[layer]);
        for (int i = 0; cases[i].net; i++)
            if (is_taken(precision, layer, i))
                verify_case(cases[i].net, cases[i].batch, losses[i % count], precision, &t);
    }
    plain_surroundings = false;
    print_message("%d ops verified; the worst used %.0f %% of its bound\n", t.ops, 100 * t.worst);
    assert_true(t.ops > 100);
    if (!in_tiles()) assert_true(winograd_programs(4) - before >= (thorough() ? 10 : 1));
}

static void cases_in_float(void **state)
{
    (void)state;
    verify_cases(CLT_F32);
}

static void cases_in_double(void **state)
{
    (void)state;
    if (!clt_device_describe(device)->fp64) skip();
    verify_cases(CLT_F64);
}

static void convolutions_and_a_dense_layer(clt_precision precision)
{
    tally t = {0};
    for (int i = 0; clt__conv.cases[i].net; i++)
        if (is_taken(precision, 0, i))
            verify_case(clt__conv.cases[i].net, clt__conv.cases[i].batch, "cross_entropy", precision, &t);
    verify_case("input 70x1x1; dense out=33; relu; dense out=65", 3, "cross_entropy", precision, &t);
}

/* What is most often wrong, for an answer at once: one net under both schedules. */
static void a_few_cases(void **state)
{
    (void)state;
    static const char net[] = "input 3x9x8; conv out=17 kernel=3 padding=1; batchnorm; relu; maxpool kernel=2; "
                              "conv out=5 kernel=2 stride=2; tanh; flatten; dense out=7; sigmoid; dense out=3";
    verify_case(net, 3, "cross_entropy", CLT_F32, &(tally){0});
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    verify_case(net, 3, "cross_entropy", CLT_F32, &(tally){0});
}

/* Winograd tiles of both sizes, on devices of other vectors than this one's. */
static void winograd_tiles_with_other_vectors(void **state)
{
    (void)state;
    tally t = {0};
    static const char net[] = "input 64x13x10; conv out=70 kernel=3 padding=1; relu; conv out=33 kernel=3 padding=1";
    static const struct {
        int out, vector_width;
    } devices[] = {{2, 4}, {4, 8}, {2, 16}, {4, 1}};
    const clt_device before = *device;
    clt_device_set_schedule(device, CLT_SCHEDULE_VECTOR);
    if (device->info.compute_units > 4) device->info.compute_units = 4; /* what these tiles keep busy */
    for (size_t i = 0; i < (thorough() ? sizeof devices / sizeof *devices : 2); i++) {
        device->winograd = devices[i].out;
        device->info.vector_width = devices[i].vector_width;
        const int programs = winograd_programs(devices[i].out);
        verify_case(net, 8, "cross_entropy", CLT_F32, &t);
        assert_true(winograd_programs(devices[i].out) - programs >= 6);
    }
    device->winograd = before.winograd;
    device->info = before.info;
    print_message("%d ops verified; the worst used %.0f %% of its bound\n", t.ops, 100 * t.worst);
}

/* Winograd tiles of both sizes under the tile schedule: edges that cut tiles, few and many channels, all that may
 * follow the sums. */
static void winograd_tiles_in_groups(void **state)
{
    (void)state;
    tally t = {0};
    static const char net[] =
        "input 64x13x14; conv out=65 kernel=3 padding=1; tanh as=a; conv out=65 kernel=3 padding=1 "
        "bias=no; add from=a,conv2; relu as=b; conv out=64 kernel=3 padding=2x0 from=b";
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    device->info.compute_units = 1;
    verify_case(net, 8, "cross_entropy", CLT_F32, &t);
    static const char *const ops[] = {"-DOP_conv_forward", "-DOP_conv_input_gradient", "-DOP_conv_weight_gradient"};
    static const int least[] = {3, 2, 2};
    for (int i = 0; i < 3; i++) assert_true(programs_with("-DWINOGRAD=4 ", ops[i]) >= least[i]);
    device->info.compute_units = 72; /* for which there are too few tiles of the product alone */
    verify_case("input 64x16x16; conv out=64 kernel=3 padding=1", 64, "mse", CLT_F32, &t);
    assert_int_equal(1, programs_with("-DWINOGRAD=4 -DSLICED ", "-DOP_conv_weight_gradient"));
    device->info.compute_units = 1;
    device->winograd = 2; /* which takes many channels to pay */
    verify_case("input 256x15x14; conv out=256 kernel=3 padding=1 bias=no", 2, "mse", CLT_F32, &t);
    for (int i = 0; i < 3; i++) assert_true(programs_with("-DWINOGRAD=2 ", ops[i]) >= 1);
    device->winograd = 4;
    storage = CLT__F16;
    verify_case("input 64x13x14; tanh; conv out=65 kernel=3 padding=1", 8, "mse", CLT_F32, &t);
    storage = CLT__F32;
    assert_true(programs_with("-DWINOGRAD=4 ", "-DHALVES") >= 2);
    if (device->info.fp64 && thorough()) verify_case(net, 8, "mse", CLT_F64, &t);
    print_message("%d ops verified; the worst used %.0f %% of its bound\n", t.ops, 100 * t.worst);
}

/* A device with hardly any local memory. */
static void cases_without_local_memory(void **state)
{
    (void)state;
    device->info.local_memory_bytes = 512;
    convolutions_and_a_dense_layer(CLT_F32);
}

/* Activations are halves: what is stored is compared with what the twin's number is rounded to. */
static void cases_in_halves(void **state)
{
    (void)state;
    storage = CLT__F16;
    verify_cases(CLT_F32);
    device->info.local_memory_bytes = 512; /* sums that go over several chunks are not rounded between them */
    verify_case("input 70x1x1; dense out=33; relu; dense out=65", 14, "cross_entropy", CLT_F32, &(tally){0});
    verify_case("input 3x5x4; conv out=4 kernel=3 padding=1 stride=2; relu; conv out=5; flatten; dense out=7", 3, "mse",
                CLT_F32, &(tally){0});
}

/* ---- the tile schedule */

static void halves_in_tiles(void **state)
{
    (void)state;
    storage = CLT__F16;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    verify_cases(CLT_F32);
}

static void cases_in_tiles(void **state)
{
    (void)state;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    verify_cases(CLT_F32);
}

static void tiles_in_double(void **state)
{
    (void)state;
    if (!clt_device_describe(device)->fp64) skip();
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    convolutions_and_a_dense_layer(CLT_F64);
}

/* Local memory for a small tile only, then for none, where the vector schedule's rules have to serve. */
static void tiles_without_local_memory(void **state)
{
    (void)state;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    device->info.local_memory_bytes = 512;
    verify_case("input 3x13x17; conv out=17 kernel=3x5 stride=2x1 padding=1x2; sigmoid; conv out=5 kernel=2 stride=3; "
                "flatten; dense out=33",
                3, "cross_entropy", CLT_F32, &(tally){0});
    device->info.local_memory_bytes = 4;
    verify_case(
        "input 3x5x4; conv out=4 kernel=3 padding=1 stride=2; relu; conv out=5; flatten; dense out=7; dense out=2", 3,
        "cross_entropy", CLT_F32, &(tally){0});
}

/* A device whose largest work-group is of one item. */
static void tiles_of_one_item(void **state)
{
    (void)state;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    device->work_group_items = 1;
    convolutions_and_a_dense_layer(CLT_F32);
}

/* A device of so many units that sums are cut into slices and parts wherever they can be. */
static void tiles_of_a_large_device(void **state)
{
    (void)state;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    device->info.compute_units = 500;
    convolutions_and_a_dense_layer(CLT_F32);
    verify_case(
        "input 8x19x17; conv out=12 kernel=3 padding=1; batchnorm; relu; conv out=12 kernel=3 groups=12; "
        "groupnorm groups=3; prelu; conv out=8 kernel=3x2 groups=4 stride=2; globalavgpool; layernorm; dense out=40; "
        "dense out=3",
        9, "cross_entropy", CLT_F32, &(tally){0});
    verify_case("input 24x6x5; conv out=20 kernel=3 stride=2; relu; conv out=40 kernel=2", 5, "cross_entropy", CLT_F32,
                &(tally){0});
    verify_case("input 5x10x6; flatten; dense out=200; relu; dense out=65", 130, "cross_entropy", CLT_F32, &(tally){0});
    verify_case("input 7x1x1; dense out=3", 300, "cross_entropy", CLT_F32, &(tally){0});
    /* Sums so long that they take longer than another launch, of each op. */
    verify_case("input 200x5x4; conv out=3 kernel=5x3; relu; conv out=1500 kernel=1", 3, "cross_entropy", CLT_F32,
                &(tally){0});
    verify_case("input 2x7x6; conv out=3 kernel=2; flatten; dense out=2600; relu; dense out=3", 3, "cross_entropy",
                CLT_F32, &(tally){0});
    verify_case("input 2x3x2; conv out=3 kernel=2x1; flatten; dense out=3", 2600, "cross_entropy", CLT_F32,
                &(tally){0});
    static const char *const sliced[] = {"OP_conv_forward ",  "OP_conv_input_gradient ",  "OP_conv_weight_gradient ",
                                         "OP_dense_forward ", "OP_dense_input_gradient ", "OP_dense_weight_gradient "};
    for (size_t i = 0; i < sizeof sliced / sizeof *sliced; i++)
        if (programs_with(sliced[i], "-DSLICED") == 0) fail_msg("no program of %sadds slices", sliced[i]);
}

/* ---- nets of random sizes, the same ones every time */

static int pick(clt__random *stream, const int *from, size_t count)
{
    return from[clt__random_below(stream, count)];
}

static int between(clt__random *stream, int least, int most)
{
    return least + (int)clt__random_below(stream, (uint64_t)(most - least + 1));
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* A convolution of any kernel, stride and padding, an activation, a pool, a dense layer: on images of odd sizes. */
static void random_net(clt__random *stream, char *net, size_t size, int *batch)
{
    static const int extents[] = {1, 2, 3, 5, 7, 13, 17, 31, 33}, batches[] = {1, 3, 64};
    static const char *const activations[] = {"", "; relu", "; sigmoid", "; tanh"};
    const int h = pick(stream, extents, 9), w = pick(stream, extents, 9), c = between(stream, 1, 70);
    const int r = between(stream, 1, smaller(h, 5)), s = between(stream, 1, smaller(w, 5));
    const int out = between(stream, 1, 70), last = between(stream, 1, 70);
    *batch = h * w * c * out > 200000 ? 1 : pick(stream, batches, 3);
    (void)snprintf(net, size,
                   "input %dx%dx%d; conv out=%d kernel=%dx%d stride=%dx%d padding=%dx%d bias=%s%s; maxpool kernel=1x1; "
                   "flatten; dense out=%d%s",
                   c, h, w, out, r, s, between(stream, 1, 3), between(stream, 1, 3), between(stream, 0, r),
                   between(stream, 0, s), between(stream, 0, 1) ? "yes" : "no", activations[between(stream, 0, 3)],
                   last, activations[between(stream, 0, 3)]);
}

static void verify_random_nets(int count)
{
    tally t = {0};
    clt__random stream = clt__random_seed(1, "random nets", 0);
    for (int i = 0; i < count; i++) {
        char net[512];
        int batch;
        random_net(&stream, net, sizeof net, &batch);
        verify_case(net, batch, "cross_entropy", CLT_F32, &t);
    }
    print_message("%d ops verified; the worst used %.0f %% of its bound\n", t.ops, 100 * t.worst);
}

static void nets_of_random_sizes(void **state)
{
    (void)state;
    verify_random_nets(thorough() ? 60 : 8);
}

static void nets_of_random_sizes_in_tiles(void **state)
{
    (void)state;
    clt_device_set_schedule(device, CLT_SCHEDULE_TILE);
    verify_random_nets(thorough() ? 30 : 4);
}

/* test_ops PART: apart, so that ctest can run them side by side, for compiling kernels takes a while. Each opens a
 * device of its own, which it may change. */
int main(int count, char **arguments)
{
#define PART(name, test, as)                                                       \
    {                                                                              \
        name, as, cmocka_unit_test_setup_teardown(test, open_device, close_device) \
    }
    enum { AS_WRITTEN, OPTIMISED };
    const struct part {
        const char *name;
        int built;
        struct CMUnitTest test;
    } parts[] = {
        PART("quick", a_few_cases, OPTIMISED),
        PART("float", cases_in_float, OPTIMISED),
        PART("double", cases_in_double, AS_WRITTEN),
        PART("random", nets_of_random_sizes, AS_WRITTEN),
        PART("halves", cases_in_halves, AS_WRITTEN),
        PART("little", cases_without_local_memory, AS_WRITTEN),
        PART("winograd", winograd_tiles_with_other_vectors, OPTIMISED),
        PART("tile", cases_in_tiles, AS_WRITTEN),
        PART("tile_halves", halves_in_tiles, AS_WRITTEN),
        PART("tile_double", tiles_in_double, AS_WRITTEN),
        PART("tile_random", nets_of_random_sizes_in_tiles, AS_WRITTEN),
        PART("tile_little", tiles_without_local_memory, AS_WRITTEN),
        PART("tile_one", tiles_of_one_item, OPTIMISED),
        PART("tile_large", tiles_of_a_large_device, OPTIMISED),
        PART("tile_winograd", winograd_tiles_in_groups, OPTIMISED),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct CMUnitTest one[] = {parts[i].test};
        if (count == 2 && strcmp(arguments[1], parts[i].name) != 0) continue;
        unoptimised = parts[i].built == AS_WRITTEN && !thorough();
        failed += cmocka_run_group_tests(one, NULL, NULL);
    }
    return failed;
}
