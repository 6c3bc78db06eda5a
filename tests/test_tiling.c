/* The tile schedule's tiles: for any limits, one that they allow and that kernels/group_tile.h can share out. */
#include "device/tiling.h"
#include "ops/conv.h"
#include "support.h"

static clt__limits limits_of_a_gpu(void)
{
    return (clt__limits){.real_bytes = 4,
                         .vector_width = 1,
                         .schedule = CLT_SCHEDULE_TILE,
                         .work_group_items = 256,
                         .preferred_multiple = 32,
                         .item_block = 8,
                         .item_sums = 64,
                         .slab = 8,
                         .compute_units = 60,
                         .unit_lanes = 128,
                         .local_bytes = 32768,
                         .allocation_bytes = UINT64_C(1) << 30};
}

static int is_power_of_two(int value)
{
    return value > 0 && (value & (value - 1)) == 0;
}

static void assert_allowed(const clt__limits *limits, const clt__group_tile *tile)
{
    const int items = tile->group_m * tile->group_n;
    const int high = clt__group_tile_rows(tile), wide = clt__group_tile_outputs(tile);
    assert_true(items >= 1 && items <= limits->work_group_items);
    assert_true(tile->item_m <= limits->item_block && tile->item_n <= limits->item_block);
    assert_true(tile->item_m * tile->item_n <= limits->item_sums);
    assert_true(tile->slab <= limits->slab ||
                (tile->slab <= 4 * limits->slab && tile->slab * tile->item_m * tile->item_n <= 128));
    assert_true(clt__group_tile_reals(tile) * (uint64_t)limits->real_bytes <= limits->local_bytes);
    assert_true(is_power_of_two(items) && is_power_of_two(high) && is_power_of_two(wide) &&
                is_power_of_two(tile->slab));
    /* What group_tile.h needs. */
    assert_int_equal(items % tile->slab, 0);
    assert_int_equal(items % high, 0);
    assert_int_equal(items % wide, 0);
    assert_int_equal(high * tile->slab % items, 0);
    assert_int_equal(wide * tile->slab % items, 0);
    for (int row = 1; row <= 12; row++) {
        const int a = clt__group_tile_load(tile, high, row), b = clt__group_tile_load(tile, wide, row);
        assert_int_equal(row % a + row % b + tile->slab % a + tile->slab % b + high % a + wide % b, 0);
        assert_int_equal(high * tile->slab % (items * a) + wide * tile->slab % (items * b), 0);
    }
}

static bool tiling_of(const clt__limits *limits, int rows, int outputs, int depth, clt__tiling *tiling)
{
    const clt__product product = {
        .rows = rows, .outputs = outputs, .products = 1, .depth = depth, .a_row = 1, .b_row = 1};
    return clt__tiling_for(limits, &product, tiling);
}

static void every_tile_is_allowed(void **state)
{
    (void)state;
    static const int items[] = {1, 2, 3, 7, 30, 64, 256, 1024}, sizes[] = {1, 6, 33, 300, 100000};
    static const int blocks[] = {1, 2, 4, 8}, slabs[] = {1, 8, 16, 64};
    static const uint64_t bytes[] = {16, 32, 100, 512, 32768};
    clt__limits limits = limits_of_a_gpu();
    clt__tiling tiling;
    for (size_t i = 0; i < 8 * 4 * 4 * 5; i++) {
        limits.work_group_items = items[i % 8];
        limits.item_block = blocks[i / 8 % 4];
        limits.slab = slabs[i / 32 % 4];
        limits.local_bytes = bytes[i / 128];
        for (size_t j = 0; j < 25; j++) {
            assert_true(tiling_of(&limits, sizes[j % 5], sizes[j / 5], 300, &tiling));
            assert_allowed(&limits, &tiling.tile);
            assert_in_range(tiling.slices, 1, 300);
        }
    }
    limits.local_bytes = 15; /* not even one number of each operand, twice */
    assert_false(tiling_of(&limits, 100, 100, 300, &tiling));
}

static void tiles_are_as_large_as_leaves_a_device_busy(void **state)
{
    (void)state;
    const clt__limits limits = limits_of_a_gpu();
    clt__tiling large, narrow, small;
    assert_true(tiling_of(&limits, 100000, 128, 1152, &large));
    assert_int_equal(large.tile.item_m * large.tile.item_n, 64);
    assert_int_equal(large.slices, 1);
    assert_true(tiling_of(&limits, 100000, 6, 1152, &narrow));
    assert_int_equal(clt__group_tile_outputs(&narrow.tile), 8);
    assert_true(tiling_of(&limits, 64, 128, 3136, &small));
    assert_true(small.slices * clt__divide_up(64, clt__group_tile_rows(&small.tile)) *
                    clt__divide_up(128, clt__group_tile_outputs(&small.tile)) >=
                limits.compute_units);
}

/* A dense layer of lenet5: 400 terms of few sums, in long slabs, take less time than a launch. With slices they would
 * be two. */
static void a_product_that_hides_behind_its_launch_is_not_cut(void **state)
{
    (void)state;
    const clt__limits limits = limits_of_a_gpu();
    clt__tiling tiling;
    assert_true(tiling_of(&limits, 64, 120, 400, &tiling));
    assert_int_equal(tiling.slices, 1);
    assert_int_equal(tiling.all, CLT__LAUNCH_CLOCKS);
    assert_true(tiling.tile.slab > limits.slab);
    assert_true(tiling_of(&limits, 64, 120, 40000, &tiling));
    assert_true(tiling.slices > 1);
}

static void a_group_is_no_less_than_the_preferred_multiple(void **state)
{
    (void)state;
    clt__limits limits = limits_of_a_gpu();
    clt__tiling tiling;
    limits.preferred_multiple = 64;
    for (int rows = 1; rows < 100000; rows = rows * 3 + 1)
        for (int outputs = 1; outputs < 1000; outputs = outputs * 2 + 1) {
            assert_true(tiling_of(&limits, rows, outputs, 300, &tiling));
            assert_true(tiling.tile.group_m * tiling.tile.group_n >= 64);
        }
}

/* An Arc A770, whose compiler leaves more sums than 32 in memory. */
static void an_arc_gets_large_tiles(void **state)
{
    (void)state;
    clt__limits limits = limits_of_a_gpu();
    clt__tiling tiling;
    limits.compute_units = 32;
    limits.unit_lanes = 128;
    limits.preferred_multiple = 16;
    limits.item_sums = 32;
    assert_true(tiling_of(&limits, 64 * 28 * 28, 128, 1152, &tiling));
    assert_int_equal(tiling.tile.item_m * tiling.tile.item_n, 32);
}

/* ---- launch rules of convolutions, on two cores with vectors of eight */

static const clt__limits two_cores = {.real_bytes = 4,
                                      .vector_width = 8,
                                      .registers = 16,
                                      .patch_bytes = 192 * 1024,
                                      .winograd = 4,
                                      .schedule = CLT_SCHEDULE_VECTOR,
                                      .work_group_items = 256,
                                      .preferred_multiple = 1,
                                      .compute_units = 2,
                                      .unit_lanes = 128,
                                      .local_bytes = 1 << 20};

/* Of images [side,side], whose padding is half of the kernel. */
static conv_sizes square_conv(int n, int c, int side, int k, int kernel, int stride)
{
    const int outputs = (side + kernel / 2 * 2 - kernel) / stride + 1;
    return (conv_sizes){.n = n,
                        .c = c,
                        .h = side,
                        .w = side,
                        .k = k,
                        .y = outputs,
                        .x = outputs,
                        .r = kernel,
                        .s = kernel,
                        .stride_y = stride,
                        .stride_x = stride,
                        .pad_y = kernel / 2,
                        .pad_x = kernel / 2,
                        .groups = 1,
                        .dilation_y = 1,
                        .dilation_x = 1};
}

/* Winograd tiles in all the local memory there is: where the smallest layout fits, and pays, so does it in more. */
static void local_memory_has_no_cliff(void **state)
{
    (void)state;
    static const int channels[] = {32, 64, 128};
    clt__limits limits = two_cores;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        const int c = channels[i], smallest = 36 * 4 * (c + 16) * 4; /* V and M of four tiles, 16 outputs at a time */
        for (uint64_t bytes = 16384; bytes <= 1 << 20; bytes += bytes / 4) {
            conv_sizes sizes = square_conv(64, c, 16, c, 3, 1);
            clt__launches launches = {.op = "conv_forward"};
            limits.local_bytes = bytes;
            clt__conv_forward_vector(&sizes, &limits, &launches);
            assert_true(launches.local_reals * 4 <= bytes);
            if (bytes >= 2 * (uint64_t)smallest) assert_string_equal(launches.file, "conv_winograd.cl");
            launches = (clt__launches){.op = "conv_weight_gradient"};
            clt__conv_weight_gradient_vector(&sizes, &limits, &launches);
            assert_true(launches.local_reals * 4 <= bytes);
            if (bytes > 16384) assert_string_equal(launches.file, "conv_winograd_weights.cl");
        }
    }
}

/* Phases that meet no filter position need no filter: with a stride of 64 all but one of 4,096. */
static void empty_phases_take_no_memory(void **state)
{
    (void)state;
    conv_sizes sizes = square_conv(2, 64, 128, 128, 1, 64);
    clt__launches launches = {.op = "conv_input_gradient"};
    clt__conv_input_gradient_vector(&sizes, &two_cores, &launches);
    assert_string_equal(launches.file, "conv.cl");
    assert_int_equal(launches.scratch_reals, 64 * 128 + CLT__GUARD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tile_is_allowed),
        cmocka_unit_test(tiles_are_as_large_as_leaves_a_device_busy),
        cmocka_unit_test(a_product_that_hides_behind_its_launch_is_not_cut),
        cmocka_unit_test(a_group_is_no_less_than_the_preferred_multiple),
        cmocka_unit_test(an_arc_gets_large_tiles),
        cmocka_unit_test(local_memory_has_no_cliff),
        cmocka_unit_test(empty_phases_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
