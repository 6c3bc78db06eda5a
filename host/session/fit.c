#include "session/fit.h"

#include <inttypes.h>

#include "data/dataset.h"
#include "model/model.h"
#include "session/steps.h"

/* Of a device that shares the host's memory, and of images that come when they are asked for. */
enum { SHARED_BATCHES = 64, STREAM_BYTES = 64 << 20 };

static bool crops(const clt__fit *fit)
{
    return fit->mode.training && fit->options->augment.rrc.least > 0;
}

/* Images that lie on the device: all, or two chunks of as many whole batches as a quarter of its memory holds. A device
 * that shares the host's memory gets a few batches at a time: all of them a second time would only cost memory. */
static int choose_room(const clt__fit *fit, const clt__limits *limits, int images_at_a_time)
{
    const clt__own_images own = clt__own_images_of(fit->options);
    const uint64_t batch = (uint64_t)(fit->mode.training ? own.end - own.begin : images_at_a_time),
                   values = clt__image_size(fit->input),
                   image = values * (fit->bytes ? 1 : (uint64_t)limits->real_bytes);
    uint64_t room = (uint64_t)INT32_MAX / 2;
    if (!clt__device_is_reference(fit->device)) {
        if (limits->allocation_bytes / 2 < room * image) room = limits->allocation_bytes / 2 / image;
        if (limits->memory_bytes / 4 < room * image) room = limits->memory_bytes / 4 / image;
        if (limits->shares_host_memory && room > SHARED_BATCHES * batch) room = SHARED_BATCHES * batch;
    }
    if ((fit->streams || crops(fit)) && room > SHARED_BATCHES * batch) room = SHARED_BATCHES * batch;
    if ((fit->streams || crops(fit)) && room > STREAM_BYTES / image) room = STREAM_BYTES / image;
    if ((uint64_t)INT32_MAX / 2 / values < room) room = (uint64_t)INT32_MAX / 2 / values;
    if (fit->images <= room && !crops(fit)) return (int)fit->images;
    return (int)(room / 2 < batch ? batch : room / 2 / batch * batch) * 2;
}

/* A training session leaves a quarter of the memory to the session that validates. */
static uint64_t room_for(const clt__fit *fit, const clt__limits *limits)
{
    return fit->mode.training ? limits->free_bytes / 4 * 3 : limits->free_bytes;
}

/* The batch whose shards normalise together. */
static clt__whole_batch whole_batch(const clt__fit *fit)
{
    const bool together = fit->mode.training && fit->options->sync_batchnorm;
    return (clt__whole_batch){.images = fit->options->batch_size, .shards = together ? fit->options->shards : 1};
}

static int own_shards(const clt_options *options)
{
    int begin, end;
    clt__own_shards(options, &begin, &end);
    return end - begin;
}

static clt__net_options options_for(const clt__fit *fit, const clt__limits *limits, int images_at_a_time)
{
    const clt_options *options = fit->options;
    return (clt__net_options){.input = fit->input,
                              .batch = images_at_a_time,
                              .images = choose_room(fit, limits, images_at_a_time),
                              .bytes = fit->bytes,
                              .targets = fit->targets,
                              .training = fit->mode.training,
                              .as_inferred = fit->mode.as_inferred,
                              .loss = clt__loss_of(fit->description),
                              .optimizer = clt__find_optimizer(options->optimizer),
                              .optimizers = options->named[CLT__OPTION_optimizer],
                              .ns_steps = options->ns_steps,
                              .normalize_filters = options->normalize_filters,
                              .rates = options->named[CLT__OPTION_lr],
                              .nesterov = options->nesterov,
                              .clip = options->clip_grad > 0,
                              .clip_value = options->clip_value > 0,
                              .measures = fit->mode.measures,
                              .average = options->ema > 0,
                              .decay_some = options->no_decay_bias_norm || options->named[CLT__OPTION_weight_decay],
                              .label_smoothing = options->label_smoothing,
                              .weighs_classes = options->class_weights.how != CLT__EQUAL,
                              .augment = fit->mode.training ? options->augment : (clt__augment){.crop = 0},
                              .freeze = options->freeze,
                              .epoch = fit->epoch,
                              .accumulate = fit->mode.training && images_at_a_time < clt__shard_images(options),
                              .shards = options->shards,
                              .whole = whole_batch(fit),
                              .banks = own_shards(options),
                              .halves = options->storage == CLT__F16,
                              .keep_tensors = fit->mode.keep_tensors,
                              .input_gradient = fit->mode.input_gradient,
                              .merges = limits->schedule == CLT_SCHEDULE_TILE,
                              .most = clt__engine_room(limits->allocation_bytes, fit->precision)};
}

/* The net for some images at a time, and whether the device can hold it. */
static clt_status try(const clt__fit *fit, int images_at_a_time, clt__net *net, clt__needs *needs, bool *fits,
                      clt_error *error)
{
    const clt__limits limits = clt__device_limits(fit->device, fit->precision);
    const clt__net_options options = options_for(fit, &limits, images_at_a_time);
    TRY(clt__net_build(fit->description, &options, net, error));
    const clt_status status = clt__engine_needs(fit->device, &net->tape, fit->precision, needs, error);
    *fits = needs->total <= room_for(fit, &limits) && needs->largest <= limits.allocation_bytes;
    if (status != CLT_OK || !*fits) clt__net_free(net);
    return status;
}

static clt_status too_little(const clt__fit *fit, const clt__needs *needs, clt_error *error)
{
    const clt__limits limits = clt__device_limits(fit->device, fit->precision);
    return FAIL(error, CLT_NO_MEMORY,
                "device %s has too little memory for the net, even one image at a time: that takes %" PRIu64
                " bytes, %" PRIu64 " of them in one piece, where %" PRIu64 " are free and a piece may have %" PRIu64,
                clt_device_describe(fit->device)->id, needs->total, needs->largest, room_for(fit, &limits),
                limits.allocation_bytes);
}

clt_status clt__fit_net(const clt__fit *fit, clt__net *net, clt__needs *needs, clt_error *error)
{
    clt__needs unread;
    if (!needs) needs = &unread;
    if (fit->options->storage == CLT__F16 && fit->precision == CLT_F64)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "storage f16 is for what computes in float: the model computes in double, precision f64, and takes storage "
            "f32, which keeps all of it");
    const int batch = clt__shard_images(fit->options), most = fit->options->micro_batch_size;
    int images = most && most < batch ? most : batch;
    /* Planning asks nothing more of the device then, so that what it has no memory for is the net. */
    if (!clt__device_is_reference(fit->device)) TRY(clt__device_learn(fit->device, error));
    for (;;) {
        bool fits = false;
        const clt_status status = try(fit, images, net, needs, &fits, error);
        if (status == CLT_OK && fits) return CLT_OK;
        /* A tensor may be too large to be indexed: that, too, fewer images may mend. */
        if (status != CLT_OK && (status != CLT_NO_MEMORY || images == 1)) return status;
        if (images == 1) return too_little(fit, needs, error);
        const int parts = (batch + images - 1) / images + 1, fewer = (batch + parts - 1) / parts;
        images = fewer < images ? fewer : images - 1;
    }
}
