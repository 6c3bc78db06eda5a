#include "model/fold_norms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

/* ---- the net */

/* The item before a normalisation that it becomes part of: one that may have a bias, which nobody else reads; NULL.
 * What gives the net's output stays last. */
static clt__item *find_weighted(const clt__description *d, size_t index)
{
    const clt__item *item = &d->item[index];
    const size_t from = item->from[0];
    size_t user;
    if (strcmp(item->row->name, "batchnorm") != 0 || !from || (index + 1 == d->count && from != index)) return NULL;
    clt__item *before = &d->item[from - 1];
    const bool alone = clt__count_users(d, from - 1, &user) == 1;
    return alone && clt__find_option_value(before, "bias") && clt__find_option_value(before, "out") ? before : NULL;
}

/* The items without those normalisations; now[]: 1 + the index of what each of the model's is from then on. */
static void leave_out(const clt__description *d, clt__description *folded, size_t *now)
{
    for (size_t i = 0; i < d->count; i++) {
        clt__item *item = &folded->item[folded->count];
        *item = d->item[i];
        item->named = true; /* the numbers that others of its kind have may be others now */
        for (int j = 0; j < item->inputs; j++) item->from[j] = now[item->from[j]];
        now[i + 1] = item->from[0];
        if (find_weighted(d, i))
            *clt__find_option_value(&folded->item[item->from[0] - 1], "bias") = true;
        else
            now[i + 1] = ++folded->count;
    }
}

clt_status clt__describe_folded(const clt__description *d, clt__description *folded, clt_error *error)
{
    size_t *now;
    *folded = (clt__description){.input = d->input, .loss = d->loss};
    (void)snprintf(folded->origin, sizeof folded->origin, "%s", d->origin);
    TRY(clt__allocate(d->count, sizeof *folded->item, "a net's layers", &folded->item, error));
    const clt_status status = clt__allocate(d->count + 1, sizeof *now, "a net's layers", &now, error);
    if (status != CLT_OK) {
        clt__description_free(folded);
        return status;
    }
    leave_out(d, folded, now);
    free(now);
    return CLT_OK;
}

/* ---- the numbers */

static const clt__parameter_values *find(const clt_model *model, const char *name)
{
    for (size_t i = 0; i < model->parameters; i++)
        if (strcmp(model->parameter[i].info.name, name) == 0) return &model->parameter[i];
    return NULL;
}

static const clt__parameter_values *find_of(const clt_model *model, const char *layer, const char *parameter)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%s.%s", layer, parameter);
    return find(model, name);
}

static const double *values_of(const clt_model *model, const char *layer, const char *parameter)
{
    return clt__inferring_values(model, find_of(model, layer, parameter));
}

/* The output channel of a weight: those of a transposed convolution are [in, out / groups, h, w]. */
static size_t output_of(clt__item *item, const clt_tensor_info *weight, size_t at)
{
    const size_t pixels = weight->dimensions == 4 ? (size_t)weight->extent[2] * (size_t)weight->extent[3] : 1;
    if (strcmp(item->row->name, "conv_transpose") != 0) return at / (weight->count / (size_t)weight->extent[0]);
    const size_t each = (size_t)weight->extent[1], groups = (size_t)*clt__find_option_value(item, "groups"),
                 in = at / pixels / each;
    return in / ((size_t)weight->extent[0] / groups) * each + at / pixels % each;
}

/* y = (w x + b - mean) f + shift, f being factor / sqrt(variance + eps): w becomes w f, b becomes (b - mean) f + shift.
 */
static void fold(const clt_model *model, clt_model *folded, clt__item *layer, clt__item *norm)
{
    const clt__parameter_values *weight = find_of(folded, layer->name, "weight"),
                                *bias = find_of(folded, layer->name, "bias");
    const double *factor = values_of(model, norm->name, "weight"), *shift = values_of(model, norm->name, "bias"),
                 *mean = values_of(model, norm->name, "running_mean"),
                 *variance = values_of(model, norm->name, "running_var"),
                 eps = clt__real_of(*clt__find_option_value(norm, "eps"));
    for (size_t i = 0; i < weight->info.count; i++) {
        const size_t o = output_of(layer, &weight->info, i);
        weight->values[i] *= factor[o] / sqrt(variance[o] + eps);
    }
    for (size_t o = 0; o < bias->info.count; o++)
        bias->values[o] = (bias->values[o] - mean[o]) * factor[o] / sqrt(variance[o] + eps) + shift[o];
}

/* A layer that had no bias begins with zeros. */
static void take_values(const clt_model *model, clt_model *folded)
{
    const clt__description *d = &model->description;
    for (size_t i = 0; i < folded->parameters; i++) {
        clt__parameter_values *to = &folded->parameter[i];
        const clt__parameter_values *from = find(model, to->info.name);
        const size_t bytes = to->info.count * sizeof *to->values;
        if (from)
            memcpy(to->values, clt__inferring_values(model, from), bytes);
        else
            memset(to->values, 0, bytes);
    }
    for (size_t i = 0; i < d->count; i++) {
        clt__item *layer = find_weighted(d, i);
        if (layer) fold(model, folded, layer, &d->item[i]);
    }
}

/* ---- all of it */

bool clt__has_norms_to_fold(const clt_model *model)
{
    for (size_t i = 0; i < model->description.count; i++)
        if (find_weighted(&model->description, i)) return true;
    return false;
}

void clt__fold_norms_again(const clt_model *model, clt_model *folded)
{
    take_values(model, folded);
    folded->state = model->state;
    folded->normalized = model->normalized;
    memcpy(folded->mean, model->mean, sizeof folded->mean);
    memcpy(folded->deviation, model->deviation, sizeof folded->deviation);
}

clt_status clt__fold_norms(const clt_model *model, clt_model **folded, clt_error *error)
{
    clt__description description;
    TRY(clt__describe_folded(&model->description, &description, error));
    description.input = model->input;
    TRY(clt__model_from(&description, model->precision, model->seed, folded, error));
    clt_model *f = *folded;
    clt__fold_norms_again(model, f);
    clt_status status = clt__names_copy(&model->class_names, &f->class_names, error);
    if (status == CLT_OK) status = clt__remember_options(f, &model->options, error);
    if (status == CLT_OK) return CLT_OK;
    clt_model_close(f);
    *folded = NULL;
    return status;
}
