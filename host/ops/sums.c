#include "ops/sums.h"

#include "device/tiling.h"
#include "ops/launch.h"

static int power_of_two_from(int count)
{
    int power = 1;
    while (power < count && power < 1 << 20) power *= 2;
    return power;
}

/* What an item has in the tree: at most a mean, a sum of squares and a count. */
enum { TREE_REALS = 3 };

/* Items side by side read neighbours: 32 are 128 bytes of float, 8 the least that a GPU reads at once. */
enum { ACROSS = 32, LAST_ACROSS = 8, LEAST_ACROSS = 2, SUM_ITEMS = 256 };

typedef struct sum_group {
    int across, down;
} sum_group;

static int sum_items(const clt__limits *limits)
{
    int items = 1;
    while (items * 2 <= SUM_ITEMS && items * 2 <= limits->work_group_items &&
           (uint64_t)items * 2 * TREE_REALS * (uint64_t)limits->real_bytes <= limits->local_bytes)
        items *= 2;
    return items;
}

static sum_group sum_group_for(const clt__limits *limits, int columns, int rows, int most_across)
{
    const int items = sum_items(limits);
    sum_group g = {power_of_two_from(columns), power_of_two_from(rows)};
    if (g.across > most_across) g.across = most_across;
    if (g.across > items) g.across = items;
    if (g.down > items / g.across) g.down = items / g.across;
    return g;
}

/* Few rows: an item each column, unless that leaves the device without groups. */
static sum_group flat_group_for(const clt__limits *limits, int columns, int rows)
{
    sum_group g = {sum_items(limits), 1};
    while (g.across > LEAST_ACROSS && g.down < rows && clt__divide_up(columns, g.across) < 2 * limits->compute_units) {
        g.across /= 2;
        g.down *= 2;
    }
    return g;
}

/* Groups' chains of reads over `rows` rows, of which an item has some on their way at a time. */
static double sum_clocks(sum_group group, int rows)
{
    return (double)clt__divide_up(clt__divide_up(rows, group.down), SUMS_AHEAD) * CLT__LATENCY;
}

/* Adds a launch, whose items meet in local memory. */
static clt__launch *add_launch(const char *kernel, sum_group group, int columns, int parts, clt__launches *to)
{
    const size_t items = (size_t)group.across * (size_t)group.down;
    if (TREE_REALS * items > to->local_reals) to->local_reals = TREE_REALS * items;
    clt__launch *launch = &to->launch[to->count++];
    *launch = (clt__launch){
        kernel, {(size_t)clt__divide_up(columns, group.across) * items, (size_t)parts, 1}, {items, 1, 1}, true};
    return launch;
}

void clt__launch_slices_sum(const clt__limits *limits, const char *kernel, int slices, int count, clt__launches *to)
{
    const sum_group group = flat_group_for(limits, count, slices);
    clt__define(to, " -DSLICED -DSPREAD -DACROSS=%d -DDOWN=%d", group.across, group.down);
    to->clocks[to->count] = sum_clocks(group, slices);
    add_launch(kernel, group, count, 1, to);
    to->scratch_reals = (uint64_t)slices * (uint64_t)count;
}

/* Both launches under the tile schedule: `columns` sums over `rows` rows each, for each of `matrices`. Gives the parts:
 * enough of them to occupy the device, with some rows for each item. */
static int launch_sums(const char *parts_kernel, const char *sum_kernel, const clt__limits *limits, int columns,
                       int rows, int matrices, int most_across, clt__launches *to)
{
    const sum_group group = sum_group_for(limits, columns, clt__divide_up(rows, SUMS_AHEAD), most_across);
    const int64_t wide = (int64_t)clt__divide_up(columns, group.across) * matrices;
    const int64_t wanted = 2 * clt__busy_items(limits) / (group.across * group.down) / wide + 1;
    const int most = clt__divide_up(rows, SUMS_AHEAD * group.down), parts = wanted < most ? (int)wanted : most;
    const sum_group last =
        matrices > 1 ? flat_group_for(limits, columns * matrices, parts)
                     : sum_group_for(limits, columns, parts, most_across < LAST_ACROSS ? most_across : LAST_ACROSS);
    clt__define(to, " -DSPREAD -DVEC=1 -DACROSS=%d -DDOWN=%d -DLAST_ACROSS=%d -DLAST_DOWN=%d", group.across, group.down,
                last.across, last.down);
    to->clocks[0] = sum_clocks(group, clt__divide_up(rows, parts));
    to->clocks[1] = sum_clocks(last, parts);
    add_launch(parts_kernel, group, columns, parts, to)->global[2] = (size_t)matrices;
    add_launch(sum_kernel, last, columns * matrices, 1, to);
    return parts;
}

void clt__launch_group_sums(const char *file, const clt__limits *limits, int matrices, int rows, int columns,
                            clt__launches *to)
{
    const sum_group group = sum_group_for(limits, columns, rows / SUMS_AHEAD, LAST_ACROSS);
    clt__define(to, " -DSPREAD -DVEC=1 -DACROSS=%d -DDOWN=%d", group.across, group.down);
    to->file = file;
    to->clocks[0] = sum_clocks(group, rows);
    add_launch(to->op, group, columns, matrices, to);
}

int clt__launch_row_sums(const char *file, const char *parts_kernel, const char *sum_kernel, const clt__limits *limits,
                         int rows, int elements, clt__launches *to)
{
    const int parts = launch_sums(parts_kernel, sum_kernel, limits, rows, elements, 1, 1, to);
    to->scratch_reals = 2 * (uint64_t)rows * (uint64_t)parts;
    to->file = file;
    return parts;
}

int clt__launch_matrix_sums(const char *file, const char *parts_kernel, const char *sum_kernel,
                            const clt__limits *limits, int rows, int columns, int matrices, clt__launches *to)
{
    const int parts = launch_sums(parts_kernel, sum_kernel, limits, columns, rows, matrices, ACROSS, to);
    to->scratch_reals = (uint64_t)parts * (uint64_t)columns * (uint64_t)matrices;
    to->file = file;
    return parts;
}

/* How many vectors of columns an item takes side by side, of `vectors` for each of `parts` parts: few enough for each
 * compute unit to have some items. */
static int define_beside(const clt__limits *limits, int vectors, int parts, clt__launches *to)
{
    enum { ITEMS_A_UNIT = 2 };
    int beside = SUMS_BESIDE;
    while (beside > 1 && (int64_t)clt__divide_up(vectors, beside) * parts < ITEMS_A_UNIT * limits->compute_units)
        beside /= 2;
    clt__define(to, " -DBESIDE=%d", beside);
    return beside;
}

/* Under the vector schedule: enough parts to occupy the device, but not too many for the few work-items that add them
 * up. */
static int launch_vector_sums(const char *parts_kernel, const char *sum_kernel, const clt__limits *limits, int images,
                              int vectors, clt__launches *to)
{
    const int wanted = clt__divide_up(16 * limits->compute_units, vectors), parts = wanted < images ? wanted : images;
    clt__define(to, " -DVEC=%d -DACROSS=1 -DDOWN=1 -DLAST_ACROSS=1 -DLAST_DOWN=1", limits->vector_width);
    const int beside = define_beside(limits, vectors, parts, to);
    to->launch[0] = clt__flat_launch(parts_kernel, limits, clt__divide_up(vectors, beside), true);
    to->launch[0].global[1] = (size_t)parts;
    to->launch[1] = clt__flat_launch(sum_kernel, limits, vectors, true);
    to->count = 2;
    return parts;
}

int clt__launch_channel_sums(const char *file, const char *parts_kernel, const char *sum_kernel,
                             const clt__limits *limits, int images, int rows, int channels, int sums, clt__launches *to)
{
    const int vectors = clt__divide_up(channels, limits->vector_width);
    const int parts = limits->schedule == CLT_SCHEDULE_TILE
                          ? launch_sums(parts_kernel, sum_kernel, limits, channels, rows, 1, ACROSS, to)
                          : launch_vector_sums(parts_kernel, sum_kernel, limits, images, vectors, to);
    to->scratch_reals = (uint64_t)sums * (uint64_t)parts * (uint64_t)vectors * (uint64_t)limits->vector_width;
    to->file = file;
    return parts;
}
