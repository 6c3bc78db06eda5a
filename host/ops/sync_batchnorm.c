/* Batch normalisation over all shards of a batch. Formulas and letters: kernels/sync_batchnorm.cl. */
#include "ops/sync_batchnorm.h"

#include "base/number.h"
#include "ops/launch.h"
#include "ops/sums.h"

/* ---- reference twins */

/* Valid pixels of the shard's micro-batch of the step's number. */
static double pixels_of(const sync_norm_sizes *z, const int32_t *step, int shard)
{
    const int64_t begin = (int64_t)z->images * shard / z->shards, end = (int64_t)z->images * (shard + 1) / z->shards;
    const int64_t whole = step[STEP_WHOLE], done = (int64_t)step[STEP_PART] * z->n;
    const int64_t left = (end < whole ? end : whole) - (begin < whole ? begin : whole) - done;
    return (double)(left < 0 ? 0 : left > z->n ? z->n : left) * z->pixels;
}

static double total_of(const sync_norm_sizes *z, const int32_t *step)
{
    double total = 0;
    for (int shard = 0; shard < z->shards; shard++) total += pixels_of(z, step, shard);
    return total;
}

static void moments_twin(const void *sizes, const clt__array *operand)
{
    const norm_sizes *z = sizes;
    const int count = operand[SYNC_MOMENTS_STEP].integer[STEP_VALID] * z->pixels;
    const clt__array *found = &operand[SYNC_MOMENTS_FOUND];
    for (int c = 0; c < z->c; c++) {
        const clt__moments m = clt__measure(operand[SYNC_MOMENTS_X].real + c, count, 1, (size_t)z->c, found->roundoff);
        clt__put(found, (size_t)c, m.mean);
        clt__put(found, (size_t)z->c + (size_t)c, (clt__near){m.variance.value * count, m.variance.slack * count});
    }
}

typedef struct sample {
    double count;
    clt__near mean, squares;
} sample;

/* Counts round once as they become real, their quotient six times, what is weighed by it once; the difference of the
 * means rounds once. What the mean was off before, that difference is off, too. */
enum { SHARE_SLACK = 2 + CLT__DIVIDE_SLACK };

static sample merge(sample a, double count, double mean, double squares, double roundoff)
{
    if (a.count == 0) return (sample){count, clt__exactly(mean), clt__exactly(squares)};
    const double share = count / (a.count + count), apart = mean - a.mean.value, moved = apart * share;
    const double weight = a.count * share, between = apart * apart * weight, inside = a.squares.value + squares;
    const double off = a.mean.slack;
    const clt__near middle = {a.mean.value + moved,
                              off * (1 - share) + (SHARE_SLACK + 2) * fabs(moved) + fabs(a.mean.value + moved)};
    const clt__near both = {inside + between, a.squares.slack + inside + (SHARE_SLACK + 6) * between +
                                                  weight * off * (2 * fabs(apart) + off * roundoff) + inside + between};
    return (sample){a.count + count, middle, both};
}

static void statistics_twin(const void *sizes, const clt__array *operand)
{
    const sync_norm_sizes *z = sizes;
    const int32_t *step = operand[BATCHNORM_STATISTICS_STEP].integer;
    const double *all = operand[SYNC_STATISTICS_ALL].real, total = total_of(z, step);
    const double roundoff = operand[BATCHNORM_STATISTICS_MEAN].roundoff;
    for (size_t c = 0; c < (size_t)z->c; c++) {
        sample s = {0};
        for (int shard = 0; shard < z->shards; shard++) {
            const double count = pixels_of(z, step, shard), *row = all + 2 * (size_t)shard * (size_t)z->c;
            if (count > 0) s = merge(s, count, row[c], row[(size_t)z->c + c], roundoff);
        }
        const clt__near variance = {s.squares.value / total,
                                    s.squares.slack / total + (CLT__DIVIDE_SLACK + 1) * s.squares.value / total};
        const clt__moments m = {s.mean, variance};
        clt__put_statistics(operand, c, &m, total, clt__real_of(z->momentum), clt__real_of(z->epsilon));
    }
}

/* The share of the sum is made of two counts and rounds once more where it is applied. */
static void put_share(const clt__array *to, size_t c, clt__near sum, double share)
{
    clt__put(to, c, (clt__near){sum.value * share, (sum.slack + (SHARE_SLACK + 1) * fabs(sum.value)) * share});
}

static void gradients_twin(const void *sizes, const clt__array *operand)
{
    const sync_norm_sizes *z = sizes;
    const int32_t *step = operand[SYNC_GRADIENTS_STEP].integer;
    const double *all = operand[SYNC_GRADIENTS_ALL].real;
    const double share = step[STEP_VALID] * (double)z->pixels / total_of(z, step), growth = clt__growth(z->shards);
    for (size_t c = 0; c < (size_t)z->c; c++) {
        clt__near dw = {0}, db = {0};
        for (int shard = 0; shard < z->shards; shard++) {
            const double *row = all + 2 * (size_t)shard * (size_t)z->c;
            if (pixels_of(z, step, shard) == 0) continue;
            clt__near_gather(&dw, row[c], growth);
            clt__near_gather(&db, row[(size_t)z->c + c], growth);
        }
        put_share(&operand[SYNC_GRADIENTS_DW], c, dw, share);
        put_share(&operand[SYNC_GRADIENTS_DB], c, db, share);
    }
}

/* ---- launch rules */

static void moments_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    norm_sizes *z = sizes;
    z->parts = clt__launch_channel_sums("sync_batchnorm.cl", "sync_batchnorm_moments_parts",
                                        "sync_batchnorm_moments_merge", limits, z->n, z->n * z->pixels, z->c, 2, to);
}

static void launch_channels(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const sync_norm_sizes *z = sizes;
    const int width = clt__define_width(to, limits, z->c); /* rows follow each other without a gap */
    clt__launch_flat("sync_batchnorm.cl", limits, clt__divide_up(z->c, width), false, to);
}

const clt__op_row clt__sync_batchnorm_moments_op = {
    .name = "sync_batchnorm_moments",
    .operand = {[SYNC_MOMENTS_X] = {"x", CLT__READ},
                [SYNC_MOMENTS_STEP] = {"step", CLT__READ},
                [SYNC_MOMENTS_FOUND] = {"found", CLT__WRITE}},
    .stored = CLT__STORED(SYNC_MOMENTS_X),
    .twin = moments_twin,
    .launch = moments_launch,
};

const clt__op_row clt__sync_batchnorm_statistics_op = {
    .name = "sync_batchnorm_statistics",
    .operand = {[SYNC_STATISTICS_ALL] = {"all", CLT__READ},
                [BATCHNORM_STATISTICS_STEP] = {"step", CLT__READ},
                [BATCHNORM_STATISTICS_MEAN] = {"mean", CLT__WRITE},
                [BATCHNORM_STATISTICS_INVERSE] = {"inverse", CLT__WRITE},
                [BATCHNORM_STATISTICS_RUNNING_MEAN] = {"running_mean", CLT__UPDATE},
                [BATCHNORM_STATISTICS_RUNNING_VAR] = {"running_var", CLT__UPDATE}},
    .twin = statistics_twin,
    .launch = launch_channels,
};

const clt__op_row clt__sync_batchnorm_gradients_op = {
    .name = "sync_batchnorm_gradients",
    .operand = {[SYNC_GRADIENTS_ALL] = {"all", CLT__READ},
                [SYNC_GRADIENTS_STEP] = {"step", CLT__READ},
                [SYNC_GRADIENTS_DW] = {"dw", CLT__WRITE},
                [SYNC_GRADIENTS_DB] = {"db", CLT__WRITE}},
    .twin = gradients_twin,
    .launch = launch_channels,
};
