/* What a step launches on GPUs that are pretended: bench --plan. */
#include <string.h>

#include "device/pretend.h"
#include "support.h"

static clt_launch_plan *plan_for(const char *net, unsigned gpu, unsigned schedule)
{
    clt_options options = clt__options_default();
    clt_device *device;
    clt_launch_plan *plan;
    clt_error error = {0};
    options.net = net;
    options.pretend = gpu;
    options.schedule = schedule;
    assert_ok(clt_device_open_with(&options, &device, &error), &error);
    assert_ok(clt_plan_launches(&options, device, &plan, &error), &error);
    clt_device_close(device);
    return plan;
}

/* A launch that moves more than 1 MB or computes more than 10 MFLOP has work for every compute unit. */
static void assert_fills(const char *net, unsigned gpu)
{
    clt_launch_plan *plan = plan_for(net, gpu, CLT_SCHEDULE_AUTO);
    const uint64_t units = (uint64_t)clt_launch_plan_total(plan)->compute_units;
    for (size_t i = 0; i < clt_launch_plan_count(plan); i++) {
        const clt_launch_row *row = clt_launch_plan_at(plan, i);
        if ((row->bytes > 1e6 || row->flops > 1e7) && row->groups < units)
            fail_msg("%s on GPU %u: %s of %s has %llu groups for %llu units", net, gpu, row->kernel, row->layer,
                     (unsigned long long)row->groups, (unsigned long long)units);
        assert_true(row->seconds > 0 && row->group_items > 0);
    }
    clt_launch_plan_close(plan);
}

static void large_launches_fill_the_device(void **state)
{
    (void)state;
    for (unsigned gpu = CLT__PRETEND_H100; gpu <= CLT__PRETEND_ARC770; gpu++) {
        for (const char *const *net = clt_net_names(); *net; net++) assert_fills(*net, gpu);
        assert_fills(GPU_FOLDER "/resnet18.net", gpu);
    }
}

/* Small nets take what their launches take. Merging what may be merged is what keeps these few. */
static void small_nets_have_few_launches(void **state)
{
    (void)state;
    static const struct {
        const char *net;
        unsigned gpu;
        size_t most;
    } nets[] = {{"lenet5", CLT__PRETEND_H100, 16},    {"lenet5", CLT__PRETEND_RTX3060, 16},
                {"cnn2", CLT__PRETEND_H100, 15},      {"cnn2", CLT__PRETEND_RTX3060, 16},
                {"example", CLT__PRETEND_H100, 8},    {"vgg6bn", CLT__PRETEND_H100, 80},
                {"resnet20", CLT__PRETEND_H100, 217}, {"mobile", CLT__PRETEND_H100, 117}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        clt_launch_plan *plan = plan_for(nets[i].net, nets[i].gpu, CLT_SCHEDULE_AUTO);
        if (clt_launch_plan_count(plan) > nets[i].most)
            fail_msg("%s on GPU %u: %zu launches", nets[i].net, nets[i].gpu, clt_launch_plan_count(plan));
        clt_launch_plan_close(plan);
    }
}

/* Groups are whole waves of lanes, and within the local memory and the items that the GPU has. */
static void groups_are_what_the_device_allows(void **state)
{
    (void)state;
    static const struct {
        unsigned gpu;
        int multiple, most;
        uint64_t local_bytes;
    } gpus[] = {{CLT__PRETEND_H100, 32, 1024, 49152}, {CLT__PRETEND_MI50, 64, 256, 65536}};
    for (size_t g = 0; g < sizeof gpus / sizeof *gpus; g++) {
        clt_launch_plan *plan = plan_for("vgg6bn", gpus[g].gpu, CLT_SCHEDULE_AUTO);
        for (size_t i = 0; i < clt_launch_plan_count(plan); i++) {
            const clt_launch_row *row = clt_launch_plan_at(plan, i);
            assert_int_equal(row->group_items % gpus[g].multiple, 0);
            assert_in_range(row->group_items, 1, gpus[g].most);
            assert_true(row->local_bytes <= gpus[g].local_bytes);
        }
        clt_launch_plan_close(plan);
    }
}

/* Every launch's program is there with its text and its options; each stands once. */
static void programs_are_told(void **state)
{
    (void)state;
    clt_launch_plan *plan = plan_for("lenet5", CLT__PRETEND_RX6800, CLT_SCHEDULE_VECTOR);
    const size_t programs = clt_launch_plan_programs(plan);
    for (size_t i = 0; i < clt_launch_plan_count(plan); i++) {
        const clt_launch_row *row = clt_launch_plan_at(plan, i);
        assert_true(row->program < programs);
        const clt_launch_program *program = clt_launch_plan_program_at(plan, row->program);
        assert_non_null(strstr(program->source, row->kernel));
        assert_non_null(strstr(program->options, row->op));
    }
    for (size_t i = 0; i < programs; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(strcmp(clt_launch_plan_program_at(plan, i)->options,
                               clt_launch_plan_program_at(plan, j)->options) != 0);
    assert_null(clt_launch_plan_program_at(plan, programs));
    assert_null(clt_launch_plan_at(plan, clt_launch_plan_count(plan)));
    clt_launch_plan_close(plan);
}

/* What is pretended computes nothing, and says so. */
static void a_pretended_device_computes_nothing(void **state)
{
    (void)state;
    clt_options options = clt__options_default();
    clt_device *device;
    clt_error error = {0};
    clt_model *model = make_model("lenet5", NULL, CLT_F32, 0);
    clt_bench_result *result;
    clt_launch_plan *plan;
    options.pretend = CLT__PRETEND_H100;
    assert_ok(clt_device_open_with(&options, &device, &error), &error);
    assert_failed(clt_bench(model, device, &options, &result, &error), CLT_NO_DEVICE, &error, NULL, "h100");
    clt_device_close(device);
    assert_ok(clt_device_open("reference", &device, &error), &error);
    assert_failed(clt_plan_launches(&options, device, &plan, &error), CLT_BAD_ARGUMENT, &error, NULL, "reference");
    clt_device_close(device);
    clt_model_close(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_launches_fill_the_device),      cmocka_unit_test(small_nets_have_few_launches),
        cmocka_unit_test(groups_are_what_the_device_allows),   cmocka_unit_test(programs_are_told),
        cmocka_unit_test(a_pretended_device_computes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
