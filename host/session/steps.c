#include "session/steps.h"

clt_options clt__resolve_options(const clt_options *options)
{
    clt_options o = *options;
    if (o.accumulate > 1) {
        if (!o.micro_batch_size || o.micro_batch_size > o.batch_size) o.micro_batch_size = o.batch_size;
        o.batch_size *= o.accumulate;
        o.accumulate = 1;
    }
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
