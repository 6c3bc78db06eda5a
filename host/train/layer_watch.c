#include "train/layer_watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/dataset.h"
#include "train/layer_log.h"
#include "train/metrics.h"

struct clt__layer_watch {
    clt_dataset *images;
    clt_session *session;
    double *outputs; /* of a batch */
};

/* Many say more of what is dead; large ones take much memory in each layer. */
static size_t images_to_watch(clt_shape shape)
{
    enum { LEAST = 8, MOST = 64, VALUES = 1 << 20 };
    const size_t fit = VALUES / clt__image_size(shape);
    return fit < LEAST ? LEAST : fit > MOST ? MOST : fit;
}

static clt_status open(clt__layer_watch *watch, const clt_model *model, clt_device *device, int workers,
                       clt_error *error)
{
    clt_options options = clt__options_default();
    options.batch_size = (int)watch->images->count;
    options.workers = workers;
    TRY(clt__session_open(model, device, watch->images, &options, (clt__session_mode){.keep_tensors = true},
                          &watch->session, error));
    const clt_session *s = watch->session;
    return clt__allocate((uint64_t)s->net.tape.tensor[s->net.output.tensor].count, sizeof *watch->outputs,
                         "a net's outputs", &watch->outputs, error);
}

clt_status clt__layer_watch_open(const clt_model *model, clt_device *device, const clt_dataset *data, int workers,
                                 clt__layer_watch **watch, clt_error *error)
{
    clt__layer_watch *fresh;
    *watch = NULL;
    TRY(clt__allocate(1, sizeof *fresh, "what watches layers", &fresh, error));
    clt_status status = clt__dataset_spread(data, images_to_watch(data->shape), &fresh->images, error);
    if (status == CLT_OK) status = open(fresh, model, device, workers, error);
    if (status == CLT_OK)
        *watch = fresh;
    else
        clt__layer_watch_close(fresh);
    return status;
}

void clt__layer_watch_close(clt__layer_watch *watch)
{
    if (!watch) return;
    clt_session_close(watch->session);
    clt_dataset_close(watch->images);
    free(watch->outputs);
    free(watch);
}

/* ---- looking */

bool clt__layer_may_die(const char *kind)
{
    return strstr(kind, "relu");
}

size_t clt__count_dead(const double *values, const clt_tensor_info *info)
{
    size_t dead = 0;
    const size_t images = (size_t)info->extent[0], channels = (size_t)info->extent[1],
                 pixels = info->count / images / channels;
    for (size_t c = 0; c < channels; c++) {
        bool alive = false;
        for (size_t i = 0; i < images * pixels && !alive; i++)
            alive = values[(i / pixels * channels + c) * pixels + i % pixels] != 0;
        dead += !alive;
    }
    return dead;
}

static clt_status look_at(clt_session *session, const clt__layer *layer, int epoch, clt__text *text, clt_error *error)
{
    const clt_tensor_info *found = clt_session_find(session, layer->name);
    double *values;
    if (!found || found->dimensions < 2) return CLT_OK;
    const clt_tensor_info info = *found;
    TRY(clt__allocate(info.count, sizeof *values, info.name, &values, error));
    clt_status status = clt_session_read(session, layer->name, values, info.count, error);
    if (status == CLT_OK) {
        clt__layer_figures row = {.epoch = epoch, .value = {clt__root_mean_square(values, info.count), NAN}};
        (void)snprintf(row.name, sizeof row.name, "%s", layer->name);
        if (clt__layer_may_die(layer->row->name))
            row.value[CLT__DEAD] = (double)clt__count_dead(values, &info) / info.extent[1];
        status = clt__layer_log_add(text, &row, error);
    }
    free(values);
    return status;
}

/* A device that has room for fewer images at a time is shown those. */
static clt_status compose(clt__layer_watch *watch, const char *path, int epoch, clt__text *text, clt_error *error)
{
    clt_session *s = watch->session;
    TRY(clt__csv_keep(path, clt__activations_head, epoch, text, error));
    TRY(clt_session_load(s, error));
    TRY(clt__session_set_own_order(s, error));
    TRY(clt__session_infer(s, 0, s->micro_batch, watch->outputs, error));
    for (int i = 0; i < s->net.layers; i++) TRY(look_at(s, &s->net.layer[i], epoch, text, error));
    return CLT_OK;
}

clt_status clt__layer_watch_write(clt__layer_watch *watch, const char *path, int epoch, clt_error *error)
{
    clt__text text = {0};
    clt_status status = compose(watch, path, epoch, &text, error);
    if (status == CLT_OK) status = clt__file_write(path, text.start, text.length, error);
    free(text.start);
    return status;
}
