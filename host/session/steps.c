#include "session/steps.h"

#include "team/team.h"

clt_options clt__resolve_options(const clt_options *options)
{
    clt_options o = *options;
    if (o.accumulate > 1) {
        if (!o.micro_batch_size || o.micro_batch_size > o.batch_size) o.micro_batch_size = o.batch_size;
        o.batch_size *= o.accumulate;
        o.accumulate = 1;
    }
    if (o.wire == CLT__F16 && !o.collective) o.collective = &clt__alone; /* its gradients are rounded, too */
    if (!o.shards) o.shards = o.collective ? o.collective->size : 1;
    if (o.overfit_batch) {
        o.shuffle = false;
        o.val_split = 0;
        o.augment = (clt__augment){.crop = 0};
        o.drop_last = false;
    }
    return o;
}

int64_t clt__epoch_steps(const clt_options *options, size_t images)
{
    const int64_t rest = options->drop_last ? 0 : options->batch_size - 1;
    return ((int64_t)images + rest) / options->batch_size;
}

int clt__step_images(const clt_options *options, size_t images, int64_t step)
{
    const int64_t batch = options->batch_size, rest = (int64_t)images - clt__first_image(options, step);
    return (int)(rest < batch ? rest : batch);
}

int64_t clt__first_image(const clt_options *options, int64_t step)
{
    return options->overfit_batch ? 0 : step * options->batch_size;
}

/* ---- shards */

void clt__own_shards(const clt_options *options, int *begin, int *end)
{
    const clt_collective *team = options->collective;
    *begin = team ? (int)clt__team_begin_of(team, (size_t)options->shards, team->rank) : 0;
    *end = team ? (int)clt__team_begin_of(team, (size_t)options->shards, team->rank + 1) : options->shards;
}

int clt__images_before(const clt_options *options, int shard, int images)
{
    const int64_t before = (int64_t)options->batch_size * shard / options->shards;
    return before < images ? (int)before : images;
}

int clt__filled_shards(const clt_options *options, int images)
{
    int filled = 0;
    while (filled < options->shards && clt__images_before(options, filled, images) < images) filled++;
    return filled;
}

bool clt__images_take_others(const clt_options *options)
{
    return options->augment.mixup > 0 || options->augment.cutmix > 0 || options->class_weights.how != CLT__EQUAL;
}

clt__own_images clt__own_images_of(const clt_options *options)
{
    int begin, end;
    const bool needs_all = clt__images_take_others(options) && !options->local_steps;
    if (!options->collective || needs_all) return (clt__own_images){0, options->batch_size};
    clt__own_shards(options, &begin, &end);
    return (clt__own_images){clt__images_before(options, begin, options->batch_size),
                             clt__images_before(options, end, options->batch_size)};
}

int clt__shard_images(const clt_options *options)
{
    return (options->batch_size + options->shards - 1) / options->shards;
}
