/* What ranks that train together agree on: that they train the same, and when to stop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "team/team.h"
#include "train/trainer.h"

void clt__leave_to_first(clt_options *options)
{
    if (!options->collective || options->collective->rank == 0) return;
    options->output_dir = options->log_steps = options->json_log = options->tensorboard = options->report = NULL;
}

/* ---- going on */

/* What a rank has to say. */
typedef struct wish {
    int on, save, wanted;
} wish;

clt_status clt__agree_to_go_on(clt__trainer *t, bool *on, bool *save, clt_error *error)
{
    const clt_collective *team = t->options->collective;
    const wish own = {*on, *save, t->wanted};
    wish *all;
    t->in_flight = t->wanted;
    if (!team) return CLT_OK;
    TRY(clt__allocate((uint64_t)team->size, sizeof *all, "what ranks have to say", &all, error));
    const clt_status status = clt__team_gather(team, &own, sizeof own, all, error);
    for (int r = 0; r < team->size && status == CLT_OK; r++) {
        *on = *on && all[r].on;
        *save = *save || all[r].save;
        if (all[r].wanted < t->in_flight) t->in_flight = all[r].wanted;
    }
    free(all);
    return status;
}

/* ---- being alike */

/* What must be the same on all ranks of one version. */
typedef struct identity {
    char device[512], parameters[65];
    uint32_t net, data, validation, option[CLT__OPTIONS];
    int64_t images, validation_images;
    int32_t micro_batch, real_bytes, allows_mixed;
} identity;

static uint32_t add(uint32_t sum, const void *bytes, size_t size)
{
    const uint32_t both[2] = {sum, bytes ? clt__crc32c(bytes, size) : 0};
    return clt__crc32c(both, sizeof both);
}

/* Of what is in memory: of images that come when they are asked for, their answers alone. */
static uint32_t checksum_of(const clt_dataset *data)
{
    if (!data) return 0;
    const size_t values = data->count * clt__image_size(data->shape);
    uint32_t sum = clt__crc32c(&data->shape, sizeof data->shape);
    sum = add(sum, data->bytes, values);
    sum = add(sum, data->reals, values * sizeof *data->reals);
    sum = add(sum, data->labels, data->count * sizeof *data->labels);
    return add(sum, data->targets, data->count * (size_t)data->outputs * sizeof *data->targets);
}

static clt_status add_options(const clt_options *options, identity *own, clt_error *error)
{
    for (clt__option i = 0; i < CLT__OPTIONS; i++) {
        clt__text text = {0};
        if (!clt__option_is_kept(i)) continue;
        TRY(clt__option_print(options, i, &text, error));
        own->option[i] = clt__crc32c(text.start ? text.start : "", text.length);
        free(text.start);
    }
    return CLT_OK;
}

static clt_status identify(const clt__trainer *t, identity *own, clt_error *error)
{
    const clt_device_info *device = clt_device_describe(clt__engine_device(t->session->engine));
    (void)snprintf(own->device, sizeof own->device, "%.160s, %.160s %.120s, %d compute units", device->name,
                   device->platform, device->driver, device->compute_units);
    clt_model_sha256(t->model, own->parameters);
    own->net = clt__crc32c(t->model->text, strlen(t->model->text));
    own->data = checksum_of(t->training_data);
    own->validation = checksum_of(t->validation_data);
    own->images = (int64_t)t->training_data->count;
    own->validation_images = t->validation_data ? (int64_t)t->validation_data->count : 0;
    own->micro_batch = t->session->micro_batch;
    own->real_bytes = (int32_t)clt__engine_real_bytes(t->session->engine);
    own->allows_mixed = t->options->allow_mixed;
    return add_options(t->options, own, error);
}

static clt_status compare_data(const char *what, const char *who, int64_t images, int64_t wanted, uint32_t sum,
                               uint32_t wanted_sum, clt_error *error)
{
    if (images != wanted)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has another %s set: %lld images, where rank 0 has %lld", who, what,
                    (long long)images, (long long)wanted);
    if (sum != wanted_sum)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s has another %s set than rank 0: as many images, but not the same ones, or not in that order",
                    who, what);
    return CLT_OK;
}

/* A rank with the first. */
static clt_status compare(const identity *one, const identity *first, const char *who, clt_error *error)
{
    if (one->net != first->net) return FAIL(error, CLT_BAD_ARGUMENT, "%s trains another net than rank 0", who);
    for (clt__option i = 0; i < CLT__OPTIONS; i++)
        if (one->option[i] != first->option[i])
            return FAIL(error, CLT_BAD_ARGUMENT, "%s has another value of the option %s than rank 0", who,
                        clt__option_info_of(i)->name);
    TRY(compare_data("training", who, one->images, first->images, one->data, first->data, error));
    TRY(compare_data("validation", who, one->validation_images, first->validation_images, one->validation,
                     first->validation, error));
    if (strcmp(one->parameters, first->parameters) != 0)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s begins with other parameters than rank 0: all ranks resume the same checkpoint", who);
    if (one->micro_batch != first->micro_batch)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s has memory for micro-batches of %d images, rank 0 for %d: --micro-batch-size gives all ranks "
                    "the same",
                    who, one->micro_batch, first->micro_batch);
    if (one->real_bytes != first->real_bytes)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s computes on the reference, in double, and others do not: all ranks, or none", who);
    if (strcmp(one->device, first->device) != 0 && !one->allows_mixed)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s computes on another device or driver than rank 0, whose bits may differ (%s; %s): "
                    "--allow-mixed takes them as they are",
                    who, one->device, first->device);
    return CLT_OK;
}

/* Of all ranks; by itself and first, for another version has another identity. */
static clt_status compare_versions(const clt_collective *team, clt_error *error)
{
    typedef char version[32];
    version own = "", *all;
    (void)snprintf(own, sizeof own, "%s", clt_version());
    TRY(clt__allocate((uint64_t)team->size, sizeof *all, "versions of ranks", &all, error));
    const clt_status status = clt__team_gather(team, own, sizeof own, all, error);
    clt_status found = CLT_OK;
    for (int r = 1; r < team->size && status == CLT_OK && found == CLT_OK; r++)
        if (strcmp(all[r], all[0]) != 0)
            found = FAIL(error, CLT_BAD_ARGUMENT, "%s has cltrain %s, rank 0 has %s: all ranks run the same version",
                         clt__team_name(team, r), all[r], all[0]);
    free(all);
    return status == CLT_OK ? clt__team_first_tells(team, found, error) : status;
}

static clt_status compare_identities(const clt__trainer *t, clt_error *error)
{
    const clt_collective *team = t->options->collective;
    clt_status found = CLT_OK;
    identity *all;
    TRY(clt__allocate((uint64_t)team->size + 1, sizeof *all, "what ranks train", &all, error));
    identity *own = &all[team->size];
    clt_status status = clt_collective_agree(team, identify(t, own, error), error);
    if (status == CLT_OK) status = clt__team_gather(team, own, sizeof *own, all, error);
    for (int r = 1; r < team->size && status == CLT_OK && found == CLT_OK; r++)
        found = compare(&all[r], &all[0], clt__team_name(team, r), error);
    free(all);
    return status == CLT_OK ? clt__team_first_tells(team, found, error) : status;
}

clt_status clt__check_alike(const clt__trainer *t, clt_error *error)
{
    const clt_collective *team = t->options->collective;
    if (!team) return CLT_OK;
    TRY(compare_versions(team, error));
    return compare_identities(t, error);
}
