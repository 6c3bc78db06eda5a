/* Work-groups that add up the rows of a matrix. Items side by side have neighbouring columns, items one below the other take
 * turns at the rows, and what they have meets in local memory, in a fixed order:
 *
 *            columns -->
 *   rows   | 0  1  2  3 |      across 4, down 2: item 0 adds up rows 0, 2, 4 ... of its column, item 4 rows 1, 3, 5 ...;
 *     |    | 4  5  6  7 |      then item 0 adds item 4's sum to its own
 *     v
 *
 * Sums over many rows go over parts of them, a group each, then over the parts. Under the vector schedule a group is one item:
 * ACROSS, DOWN, LAST_ACROSS and LAST_DOWN are 1. Of a part it takes BESIDE vectors of columns, of the parts' sums one. The host's
 * side: clt__launch_channel_sums. */
#ifndef CLT_SUMS_H
#define CLT_SUMS_H

#include "params.h"
#include "real.h"

#define PADDED(c) (((c) + VEC - 1) / VEC * VEC)

#define SUM_ITEMS (ACROSS * DOWN)
#define LAST_ITEMS (LAST_ACROSS * LAST_DOWN)

/* AHEAD: rows that an item reads before it adds the first of them.
 * BESIDE: vectors of columns that an item takes at once, so that it goes along memory: over some megabytes a CPU goes down the column
 * of a single vector at a third of the speed. The host defines it for sums, for it decides how many items there are.
 * TREE: a kernel's last argument, the local memory in which its items' sums meet, TREE_OF the same as an array: not one of the kernel's
 * own, for PoCL 3.1 gives all groups the same (kernels/README.md). */
#ifdef SPREAD
#define BESIDE 1
enum { AHEAD = SUMS_AHEAD };
#define SUM_GROUP __attribute__((reqd_work_group_size(SUM_ITEMS, 1, 1)))
#define LAST_GROUP __attribute__((reqd_work_group_size(LAST_ITEMS, 1, 1)))
#define TREE , local real *restrict memory
#define TREE_OF(type, name) local type *const name = (local type *)memory
#else
#ifndef BESIDE
#define BESIDE SUMS_BESIDE
#endif
enum { AHEAD = 1 };
#define SUM_GROUP
#define LAST_GROUP
#define TREE
#define TREE_OF(type, name) local type *const name = 0
#endif

/* The item's column, and its place among the items of that column. */
#define COLUMN(across) (((int)get_group_id(0) * (across) + (int)get_local_id(0) % (across)) * VEC)
#define ROW(across) ((int)get_local_id(0) / (across))

/* The same of an item with BESIDE vectors, and those of them that there are: EACH_BESIDE(v, c, columns) is a loop over them. */
#define FIRST_COLUMN(across) (COLUMN(across) * BESIDE)
#define EACH_BESIDE(v, c, columns)                                                                                     \
    UNROLL for (int v = 0; v < BESIDE; v++)                                                                            \
        if ((c) + v * VEC < (columns))

/* Where part number `part` of `rows` rows begins. */
static inline int part_begin(const int rows, const int part, const int parts)
{
    return (int)((long)rows * part / parts);
}

/* The rows that an item adds up, every step-th; none beyond the last column, where the host launches items for whole groups only. */
typedef struct {
    int first, end, step;
} turns;

/* Of the part that the group's second number says: there are `parts`, 1 for all rows. */
static inline turns my_turns(const int rows, const int parts, const int columns, const int across, const int down)
{
    const int part = (int)get_group_id(1), end = part_begin(rows, part + 1, parts);
    return (turns){COLUMN(across) < columns ? part_begin(rows, part, parts) + ROW(across) : end, end, down};
}

/* What the items of a column have, added up for the first of them: ROW is 0. `tree` has a place for each item. */
static inline realv add_rows(const realv own, const int across, const int down, local realv *tree)
{
    const int item = (int)get_local_id(0);
    if (down == 1) return own;
    tree[item] = own;
    for (int reach = down / 2; reach > 0; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item / across < reach) tree[item] += tree[item + reach * across];
    }
    const realv sum = tree[item];
    barrier(CLK_LOCAL_MEM_FENCE); /* the tree may be used again */
    return sum;
}

/* Row i of an item's column, zero beyond the end of its turns. */
#define ROW_OF(type)                                                                                                   \
    static inline realv OVERLOADED row_of(global const type *column, const int pitch, const int i, const turns t)      \
    {                                                                                                                  \
        return i < t.end ? LOAD(column + (size_t)i * pitch) : (realv)0;                                                \
    }
ROW_OF(stored)
#ifdef HALVES
ROW_OF(real)
#endif

/* The sum of an item's rows of a column. */
static inline realv sum_turns(global const real *column, const int pitch, const turns t)
{
    realv sum = (realv)0;
    for (int i = t.first; i < t.end; i += AHEAD * t.step) {
        realv row[AHEAD];
        UNROLL for (int j = 0; j < AHEAD; j++) row[j] = row_of(column, pitch, i + j * t.step, t);
        UNROLL for (int j = 0; j < AHEAD; j++) sum += row[j];
    }
    return sum;
}

/* The sum of the group's columns over `parts` rows of `columns`, `pitch` apart: each column's first item has it. */
static inline realv add_parts(global const real *from, const int pitch, const int parts, const int columns,
                              const int across, const int down, local realv *tree)
{
    const turns t = my_turns(parts, 1, columns, across, down);
    return add_rows(sum_turns(from + COLUMN(across), pitch, t), across, down, tree);
}

/* Of BESIDE vectors of channels what normalises them, and the gradients of the normalisation's weights and biases. */
typedef struct {
    realv mean[BESIDE], inverse[BESIDE];
    realv weight[BESIDE], bias[BESIDE];
} norm_gradients;

/* What an item's rows add to the gradients of channels c on: of a bias the sum of dy, of a weight that of dy times the normalised
 * x. */
static inline void add_norm_gradients(global const stored *dy, global const stored *x, const int c, const int channels,
                                      const turns t, norm_gradients *sums)
{
    for (int i = t.first; i < t.end; i += AHEAD * t.step) {
        realv g[AHEAD][BESIDE], here[AHEAD][BESIDE];
        UNROLL for (int j = 0; j < AHEAD; j++) EACH_BESIDE(v, c, channels)
        {
            g[j][v] = row_of(dy + c + v * VEC, channels, i + j * t.step, t);
            here[j][v] = row_of(x + c + v * VEC, channels, i + j * t.step, t);
        }
        UNROLL for (int j = 0; j < AHEAD; j++) EACH_BESIDE(v, c, channels)
        {
            sums->bias[v] += g[j][v];
            sums->weight[v] += g[j][v] * ((here[j][v] - sums->mean[v]) * sums->inverse[v]);
        }
    }
}

#ifdef ACROSS /* an op that sums */
/* Adds up what the group's items have; each column's first item puts it into partial: [part][weight, bias][padded c]. */
static inline void put_norm_gradients(const norm_gradients *sums, const int c, const int channels, local realv *tree,
                                      global real *partial)
{
    UNROLL for (int v = 0; v < BESIDE; v++)
    {
        const realv weight = add_rows(sums->weight[v], ACROSS, DOWN, tree), bias = add_rows(sums->bias[v], ACROSS, DOWN, tree);
        if (c + v * VEC >= channels || ROW(ACROSS) > 0) continue;
        global real *to = partial + (size_t)2 * get_group_id(1) * PADDED(channels) + c + v * VEC;
        STORE(weight, to);
        STORE(bias, to + PADDED(channels));
    }
}
#endif

/* Adds up parts of two sums, which lie in turn in `partial`. */
static inline void add_two_sums(global const real *partial, const int parts, const int channels, const int across,
                                const int down, local realv *tree, global real *first, global real *second)
{
    const int c = COLUMN(across), pitch = 2 * PADDED(channels);
    const realv one = add_parts(partial, pitch, parts, channels, across, down, tree);
    const realv other = add_parts(partial + PADDED(channels), pitch, parts, channels, across, down, tree);
    if (c >= channels || ROW(across) > 0) return;
    store_lanes(one, channels - c, first + c);
    store_lanes(other, channels - c, second + c);
}

#endif
