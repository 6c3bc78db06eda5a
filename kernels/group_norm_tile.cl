/* The sums over a group of group_norm.cl under the tile schedule: a work-group adds up a part of one, its items taking turns at
 * the elements; then a work-group an image's group adds up the parts. The formulas are in group_norm.cl. */
#include "moments.h"

/* The work-group's part of a group of channels: its row (image, group), and the elements that this item takes. */
typedef struct {
    int row;
    turns elements;
} part_of_group;

static inline part_of_group my_part(const group_norm_sizes z)
{
    const int part = (int)get_group_id(1), all = z.pixels * (z.c / z.groups);
    return (part_of_group){(int)get_group_id(0),
                           {part_begin(all, part, z.parts) + (int)get_local_id(0), part_begin(all, part + 1, z.parts), DOWN}};
}

/* An element's channel, and its index in the tensor. */
typedef struct {
    int c;
    size_t at;
} element;

static inline element element_of(const group_norm_sizes z, const int row, const int number)
{
    const int width = z.c / z.groups, c = row % z.groups * width + number % width;
    return (element){c, ((size_t)(row / z.groups) * z.pixels + number / width) * z.c + c};
}

#ifdef OP_group_norm_statistics
/* partial: [image][group][part][mean, squares] */
kernel SUM_GROUP void group_norm_statistics_parts(const group_norm_sizes given, global const stored *restrict x,
                                                  global real *restrict mean, global real *restrict inverse,
                                                  global real *restrict partial TREE)
{
    const group_norm_sizes z = SIZES(given);
    TREE_OF(moments, tree);
    const part_of_group p = my_part(z);
    const turns t = p.elements;
    moments sum = {0, 0, 0};
    for (int i = t.first; i < t.end; i += CHUNK * t.step) {
        real value[CHUNK], total = 0, squares = 0;
        const int count = min((int)CHUNK, (t.end - i + t.step - 1) / t.step);
        UNROLL for (int j = 0; j < CHUNK; j++) value[j] = j < count ? GET(x + element_of(z, p.row, i + j * t.step).at) : 0;
        UNROLL for (int j = 0; j < CHUNK; j++) total += value[j];
        const real middle = total / count;
        UNROLL for (int j = 0; j < CHUNK; j++) squares += j < count ? (value[j] - middle) * (value[j] - middle) : 0;
        sum = merge(sum, (moments){count, middle, squares});
    }
    sum = merge_rows(sum, ACROSS, DOWN, tree);
    if (get_local_id(0) > 0) return;
    global real *to = partial + 2 * ((size_t)p.row * z.parts + get_group_id(1));
    to[0] = sum.mean;
    to[1] = sum.squares;
}

kernel LAST_GROUP void group_norm_statistics_merge(const group_norm_sizes given, global const stored *restrict x,
                                                   global real *restrict mean, global real *restrict inverse,
                                                   global real *restrict partial TREE)
{
    const group_norm_sizes z = SIZES(given);
    TREE_OF(moments, tree);
    const int row = (int)get_group_id(0), all = z.pixels * (z.c / z.groups);
    moments sum = {0, 0, 0};
    for (int part = (int)get_local_id(0); part < z.parts; part += LAST_DOWN) {
        global const real *one = partial + 2 * ((size_t)row * z.parts + part);
        sum = merge(sum, (moments){part_begin(all, part + 1, z.parts) - part_begin(all, part, z.parts), one[0], one[1]});
    }
    sum = merge_rows(sum, LAST_ACROSS, LAST_DOWN, tree);
    if (get_local_id(0) > 0) return;
    mean[row] = sum.mean;
    inverse[row] = 1 / sqrt(sum.squares / all + real_of(z.epsilon));
}
#endif

#ifdef OP_group_norm_input_sums
/* partial: [image][group][part][shift, tilt] */
kernel SUM_GROUP void group_norm_input_sums_parts(const group_norm_sizes given, global const stored *restrict dy,
                                                  global const stored *restrict x, global const real *restrict mean,
                                                  global const real *restrict inverse, global const real *restrict weight,
                                                  global real *restrict shift, global real *restrict tilt,
                                                  global real *restrict partial TREE)
{
    const group_norm_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const part_of_group p = my_part(z);
    const turns t = p.elements;
    const real middle = mean[p.row], narrow = inverse[p.row];
    real shifts = 0, tilts = 0;
    for (int i = t.first; i < t.end; i += AHEAD * t.step) {
        real g[AHEAD], here[AHEAD];
        UNROLL for (int j = 0; j < AHEAD; j++)
        {
            const bool inside = i + j * t.step < t.end;
            const element e = element_of(z, p.row, inside ? i + j * t.step : i);
            g[j] = inside ? GET(dy + e.at) : 0;
            here[j] = GET(x + e.at);
            if (weight) g[j] *= weight[e.c];
        }
        UNROLL for (int j = 0; j < AHEAD; j++)
        {
            shifts += g[j];
            tilts += g[j] * ((here[j] - middle) * narrow);
        }
    }
    shifts = add_rows(shifts, ACROSS, DOWN, tree);
    tilts = add_rows(tilts, ACROSS, DOWN, tree);
    if (get_local_id(0) > 0) return;
    global real *to = partial + 2 * ((size_t)p.row * z.parts + get_group_id(1));
    to[0] = shifts;
    to[1] = tilts;
}

kernel LAST_GROUP void group_norm_input_sums_add(const group_norm_sizes given, global const stored *restrict dy,
                                                 global const stored *restrict x, global const real *restrict mean,
                                                 global const real *restrict inverse, global const real *restrict weight,
                                                 global real *restrict shift, global real *restrict tilt,
                                                 global real *restrict partial TREE)
{
    const group_norm_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int row = (int)get_group_id(0), all = z.pixels * (z.c / z.groups);
    global const real *one = partial + 2 * (size_t)row * z.parts;
    const turns t = {(int)get_local_id(0), z.parts, LAST_DOWN};
    const real shifts = add_rows(sum_turns(one, 2, t), LAST_ACROSS, LAST_DOWN, tree);
    const real tilts = add_rows(sum_turns(one + 1, 2, t), LAST_ACROSS, LAST_DOWN, tree);
    if (get_local_id(0) > 0) return;
    shift[row] = shifts / all;
    tilt[row] = tilts / all;
}
#endif
