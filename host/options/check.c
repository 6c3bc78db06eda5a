/* Options that are what their rows allow, and that make sense together. */
#include <string.h>

#include "options/kinds.h"

/* Refuses NaN too. What has no value where none is given is not looked at where none is given. */
static clt_status check_range(const clt_options *options, clt__option option, clt_error *error)
{
    const clt__option_info *row = clt__option_info_of(option);
    if (!row->kind->number || !(row->fallback || options->given[option])) return CLT_OK;
    const double value = row->kind->number((const char *)options + row->offset);
    if (value >= row->least && value <= row->most) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "%s is %.10g: it should be from %g to %g", row->name, value, row->least,
                row->most);
}

static clt_status check_name(const clt_options *options, clt__option option, clt_error *error)
{
    const clt__option_info *row = clt__option_info_of(option);
    const char *name = row->kind->names ? *(const char *const *)((const char *)options + row->offset) : NULL, *same;
    return !name || row->kind->read(row, name, &same) ? CLT_OK
                                                      : clt__no_such(row->name, name, row->kind->names(), error);
}

static clt_status check_numbers(const char *what, const double *numbers, int count, double least, clt_error *error)
{
    for (int i = 0; i < count; i++)
        if (!(numbers[i] >= least && numbers[i] <= 1e30))
            return FAIL(error, CLT_BAD_ARGUMENT, "%s is %g: it should be from %g to 1e+30", what, numbers[i], least);
    return CLT_OK;
}

static clt_status check_normalization(const clt__normalize_choice *normalize, int channels, clt_error *error)
{
    if (normalize->how != CLT__BY_GIVEN) return CLT_OK;
    if (normalize->channels != 1 && normalize->channels != channels)
        return FAIL(error, CLT_BAD_ARGUMENT, "normalisation is given for %d channels, the images have %d",
                    normalize->channels, channels);
    TRY(check_numbers("a mean to normalise by", normalize->mean, normalize->channels, -1e30, error));
    return check_numbers("a standard deviation to normalise by", normalize->deviation, normalize->channels, 1e-30,
                         error);
}

static clt_status check_milestones(const clt_options *options, clt_error *error)
{
    const clt__milestones *m = &options->milestones;
    for (int i = 0; i < m->count; i++)
        if (m->at[i] < (i ? m->at[i - 1] + 1 : 1))
            return FAIL(error, CLT_BAD_ARGUMENT, "milestone %d: each is at least 1 and more than the one before",
                        m->at[i]);
    if (!m->count && strcmp(options->lr_scheduler, "multistep") == 0)
        return FAIL(error, CLT_BAD_ARGUMENT, "the learning-rate scheduler multistep needs milestones");
    return CLT_OK;
}

static clt_status check_class_weights(const clt__class_weights *weights, clt_error *error)
{
    if (weights->how != CLT__GIVEN) return CLT_OK;
    if (weights->count < 1 || weights->count > CLT__MAX_CLASS_WEIGHTS)
        return FAIL(error, CLT_BAD_ARGUMENT, "the number of class weights is %d: it should be from 1 to %d",
                    weights->count, (int)CLT__MAX_CLASS_WEIGHTS);
    return check_numbers("a class weight", weights->weight, weights->count, 1e-30, error);
}

static clt_status check_muon(const clt_options *options, clt_error *error)
{
    const char *named = options->named[CLT__OPTION_optimizer];
    if (!options->normalize_filters || strcmp(options->optimizer, "muon") == 0 || (named && strstr(named, "=muon")))
        return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT, "normalize_filters says what the optimizer muon does, and nothing has it");
}

/* Each parameter's rate is stored as its share of the rate that the schedule changes. */
static clt_status check_rates(const clt_options *options, clt_error *error)
{
    if (!options->named[CLT__OPTION_lr] || options->lr > 0) return CLT_OK;
    return FAIL(error, CLT_BAD_ARGUMENT,
                "lr is 0 but for parameters of some names: it should be above 0, and the others be frozen (freeze)");
}

static clt_status check_shards(const clt_options *options, clt_error *error)
{
    const int ranks = options->collective ? options->collective->size : 1,
              shards = options->shards ? options->shards : ranks;
    const double images = (double)options->batch_size * options->accumulate;
    if (shards > images)
        return FAIL(error, CLT_BAD_ARGUMENT, "a batch of %.10g images is cut into %d shards: larger batches, or %s",
                    images, shards, options->shards ? "fewer shards" : "fewer devices and processes");
    if (ranks > 1 && options->on_mismatch == CLT__REFERENCE)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "on_mismatch is reference, which goes on with one device alone: with several, abort or warn");
    if (options->local_steps && options->wire == CLT__F16)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "wire is f16, and ranks that train by themselves (local_steps) exchange no gradients: wire f32");
    if (options->local_steps && options->sync_batchnorm)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "ranks that train by themselves (local_steps) do not normalise together: no sync_batchnorm");
    if (options->local_steps && options->storage == CLT__F16)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "ranks that train by themselves (local_steps) would scale their losses by other factors: storage f32");
    if (shards < ranks)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "a batch is cut into %d shards, which %d devices or processes would share: at least as many shards "
                    "as these",
                    shards, ranks);
    return CLT_OK;
}

clt_status clt__check_options(const clt_options *options, int channels, clt_error *error)
{
    for (clt__option i = 0; i < CLT__OPTIONS; i++) {
        TRY(check_range(options, i, error));
        TRY(check_name(options, i, error));
    }
    if ((double)options->batch_size * options->accumulate > 1e6)
        return FAIL(error, CLT_BAD_ARGUMENT, "batch_size times accumulate is %.10g: it should be from 1 to 1e+06",
                    (double)options->batch_size * options->accumulate);
    TRY(check_shards(options, error));
    if (options->nesterov && !(options->momentum > 0))
        return FAIL(error, CLT_BAD_ARGUMENT, "Nesterov momentum needs a momentum above 0");
    if (options->weights_by_order && !options->weights)
        return FAIL(error, CLT_BAD_ARGUMENT, "weights_by_order says how weights are taken, and no weights are given");
    TRY(check_rates(options, error));
    TRY(check_muon(options, error));
    TRY(clt__check_freezing(options->freeze, error));
    TRY(clt__check_augment(&options->augment, error));
    TRY(check_class_weights(&options->class_weights, error));
    TRY(check_milestones(options, error));
    return check_normalization(&options->normalize, channels, error);
}
