/* Checkpoints: safetensors whose tensors are the parameters and the optimiser's state, and whose metadata holds the
 * net's text and, as JSON, all else that a resumed run needs. The same state gives the same bytes. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors.h"
#include "train/training.h"

/* "optimizer.velocity.conv1.weight" */
static void name_state(const clt__state_row *state, const clt_tensor_info *parameter, char name[128])
{
    (void)snprintf(name, 128, "optimizer.%s.%s", state->name, parameter->name);
}

/* ---- JSON */

static json_t *milestones_to_json(const clt_milestones *milestones)
{
    json_t *json = json_array();
    for (int i = 0; i < milestones->count; i++) (void)json_array_append_new(json, json_integer(milestones->at[i]));
    return json;
}

static bool milestones_from_json(const json_t *json, clt_milestones *milestones)
{
    const size_t count = json_array_size(json); /* 0 for what is none */
    if (count > CLT_MAX_MILESTONES) return false;
    milestones->count = (int)count;
    for (size_t i = 0; i < count; i++) milestones->at[i] = (int)json_integer_value(json_array_get(json, i));
    return true;
}

/* Exactly `count` of them. */
static bool numbers_from_json(json_t *json, int count, double *numbers)
{
    if (json_array_size(json) != (size_t)count) return false;
    for (int i = 0; i < count; i++) {
        const json_t *number = json_array_get(json, (size_t)i);
        if (!json_is_number(number)) return false;
        numbers[i] = json_number_value(number);
    }
    return true;
}

static json_t *augment_to_json(const clt_augment *a)
{
    return json_pack("{s:b,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:i,s:f,s:f}", "flip", a->flip, "crop", a->crop, "shift",
                     a->shift, "rotate", a->rotate, "scale", a->scale, "brightness", a->brightness, "contrast",
                     a->contrast, "saturation", a->saturation, "cutout", a->cutout, "mixup", a->mixup, "cutmix",
                     a->cutmix);
}

/* Older checkpoints have none. */
static bool augment_from_json(json_t *json, clt_augment *a, json_error_t *why)
{
    int flip = 0;
    if (json && json_unpack_ex(json, why, 0, "{s:b,s:i,s:F,s:F,s:F,s:F,s:F,s:F,s:i,s:F,s:F}", "flip", &flip, "crop",
                               &a->crop, "shift", &a->shift, "rotate", &a->rotate, "scale", &a->scale, "brightness",
                               &a->brightness, "contrast", &a->contrast, "saturation", &a->saturation, "cutout",
                               &a->cutout, "mixup", &a->mixup, "cutmix", &a->cutmix) != 0)
        return false;
    a->flip = flip;
    return true;
}

static json_t *class_weights_to_json(const clt_train_options *o)
{
    json_t *json = json_array();
    for (int i = 0; i < o->class_weights; i++) (void)json_array_append_new(json, json_real(o->class_weight[i]));
    return json;
}

static bool class_weights_from_json(json_t *json, clt_train_options *o)
{
    const size_t count = json_array_size(json); /* 0 for what is none */
    if (count > CLT_MAX_CLASS_WEIGHTS) return false;
    o->class_weights = (int)count;
    return numbers_from_json(json, (int)count, o->class_weight);
}

static json_t *options_to_json(const clt_train_options *o)
{
    json_t *more =
        json_pack("{s:i,s:b,s:f,s:f,s:f,s:f,s:f,s:f,s:b,s:b,s:f,s:f,s:i,s:o}", "accumulate", o->accumulate,
                  "overfit_batch", o->overfit_batch, "ema", o->ema, "beta1", o->beta1, "beta2", o->beta2, "alpha",
                  o->alpha, "eps", o->eps, "clip_value", o->clip_value, "no_decay_bias_norm", o->no_decay_bias_norm,
                  "lr_per_step", o->lr_per_step, "power", o->power, "factor", o->factor, "patience_lr", o->patience_lr,
                  "milestones", milestones_to_json(&o->milestones));
    if (more) {
        (void)json_object_set_new(more, "augment", augment_to_json(&o->augment));
        (void)json_object_set_new(more, "on_mismatch", json_integer(o->on_mismatch));
        (void)json_object_set_new(more, "class_weighting", json_integer(o->class_weighting));
        (void)json_object_set_new(more, "class_weight", class_weights_to_json(o));
    }
    if (more && o->freeze) (void)json_object_set_new(more, "freeze", json_string(o->freeze));
    json_t *json = json_pack(
        "{s:i,s:i,s:s,s:f,s:f,s:f,s:b,s:f,s:f,s:s,s:f,s:f,s:i,s:b,s:I,s:i,s:I,s:I,s:i,s:f,s:i}", "epochs", o->epochs,
        "batch_size", o->batch_size, "optimizer", o->optimizer, "lr", o->lr, "momentum", o->momentum, "weight_decay",
        o->weight_decay, "nesterov", o->nesterov, "label_smoothing", o->label_smoothing, "clip_grad", o->clip_grad,
        "lr_scheduler", o->lr_scheduler, "warmup_epochs", o->warmup_epochs, "gamma", o->gamma, "step_size",
        o->step_size, "shuffle", o->shuffle, "seed", (json_int_t)o->seed, "patience", o->patience, "save_every",
        (json_int_t)o->save_every, "check_every", (json_int_t)o->check_every, "normalize", (int)o->normalize,
        "val_split", o->val_split, "micro_batch_size", o->micro_batch_size);
    if (!json || !more || json_object_update(json, more) != 0) {
        json_decref(json);
        json = NULL;
    }
    json_decref(more);
    return json;
}

/* JSON has no infinity: a best loss that is not there yet is null. */
static json_t *loss_to_json(double loss)
{
    return isinf(loss) ? json_null() : json_real(loss);
}

static double loss_from_json(const json_t *loss)
{
    return json_is_number(loss) ? json_number_value(loss) : INFINITY;
}

static json_t *state_to_json(const clt__training_state *s)
{
    json_t *plateau = json_pack("{s:f,s:o,s:i}", "factor", s->plateau.factor, "best", loss_to_json(s->plateau.best),
                                "stale", s->plateau.stale);
    json_t *best = loss_to_json(s->best_loss);
    return json_pack("{s:i,s:I,s:I,s:f,s:f,s:I,s:o,s:i,s:I,s:o}", "epoch", s->epoch, "step", (json_int_t)s->step,
                     "total_steps", (json_int_t)s->total_steps, "loss_sum", s->loss_sum, "hits", s->hits, "seen",
                     (json_int_t)s->seen, "best_loss", best, "stale", s->stale, "optimizer_began",
                     (json_int_t)s->optimizer_began, "plateau", plateau);
}

static json_t *normalization_to_json(const clt_model *model)
{
    if (!model->normalized) return json_null();
    json_t *mean = json_array(), *deviation = json_array();
    for (int c = 0; c < model->input.channels; c++) {
        (void)json_array_append_new(mean, json_real(model->mean[c]));
        (void)json_array_append_new(deviation, json_real(model->deviation[c]));
    }
    return json_pack("{s:o,s:o}", "mean", mean, "deviation", deviation);
}

static json_t *names_to_json(const clt__names *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < names->count; i++) (void)json_array_append_new(list, json_string(names->name[i]));
    return list;
}

static clt_status model_to_text(const clt_model *model, char **text, clt_error *error)
{
    json_t *json = json_pack("{s:s,s:s,s:I,s:b,s:o,s:o,s:o}", "version", CLT_VERSION, "precision",
                             model->precision == CLT_F64 ? "f64" : "f32", "seed", (json_int_t)model->seed, "averaged",
                             model->averaged, "normalization", normalization_to_json(model), "state",
                             state_to_json(&model->state), "options", options_to_json(&model->options));
    if (json && model->class_names.count)
        (void)json_object_set_new(json, "classes", names_to_json(&model->class_names));
    *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(json);
    return *text ? CLT_OK : FAIL(error, CLT_NO_MEMORY, "no host memory for a checkpoint's description");
}

/* What older checkpoints do not have. */
static bool more_options_from_json(json_t *json, clt_train_options *o, json_error_t *why)
{
    int overfit = o->overfit_batch, no_decay = o->no_decay_bias_norm, per_step = o->lr_per_step,
        weighting = (int)o->class_weighting, mismatch = (int)o->on_mismatch;
    json_t *milestones = NULL, *weights = NULL;
    if (json_unpack_ex(json, why, 0, "{s?i,s?b,s?F,s?F,s?F,s?F,s?F,s?F,s?b,s?b,s?F,s?F,s?i,s?o,s?i,s?o,s?i}",
                       "accumulate", &o->accumulate, "overfit_batch", &overfit, "ema", &o->ema, "beta1", &o->beta1,
                       "beta2", &o->beta2, "alpha", &o->alpha, "eps", &o->eps, "clip_value", &o->clip_value,
                       "no_decay_bias_norm", &no_decay, "lr_per_step", &per_step, "power", &o->power, "factor",
                       &o->factor, "patience_lr", &o->patience_lr, "milestones", &milestones, "class_weighting",
                       &weighting, "class_weight", &weights, "on_mismatch", &mismatch) != 0)
        return false;
    if (!augment_from_json(json_object_get(json, "augment"), &o->augment, why)) return false;
    o->class_weighting = (clt_class_weighting)weighting;
    o->on_mismatch = (clt_on_mismatch)mismatch;
    o->no_decay_bias_norm = no_decay;
    o->lr_per_step = per_step;
    o->overfit_batch = overfit;
    return milestones_from_json(milestones, &o->milestones) && class_weights_from_json(weights, o);
}

static bool options_from_json(json_t *json, clt_train_options *o, json_error_t *why)
{
    if (!more_options_from_json(json, o, why)) return false;
    const char *optimizer, *scheduler;
    int nesterov, shuffle, normalize;
    json_int_t seed, save_every, check_every;
    if (json_unpack_ex(
            json, why, 0, "{s:i,s:i,s:s,s:F,s:F,s:F,s:b,s:F,s:F,s:s,s:F,s:F,s:i,s:b,s:I,s:i,s:I,s:I,s:i,s:F,s?i}",
            "epochs", &o->epochs, "batch_size", &o->batch_size, "optimizer", &optimizer, "lr", &o->lr, "momentum",
            &o->momentum, "weight_decay", &o->weight_decay, "nesterov", &nesterov, "label_smoothing",
            &o->label_smoothing, "clip_grad", &o->clip_grad, "lr_scheduler", &scheduler, "warmup_epochs",
            &o->warmup_epochs, "gamma", &o->gamma, "step_size", &o->step_size, "shuffle", &shuffle, "seed", &seed,
            "patience", &o->patience, "save_every", &save_every, "check_every", &check_every, "normalize", &normalize,
            "val_split", &o->val_split, "micro_batch_size", &o->micro_batch_size) != 0)
        return false;
    const clt__optimizer_row *row = clt__find_optimizer(optimizer);
    o->optimizer = row ? row->name : clt_train_defaults().optimizer;
    o->lr_scheduler = clt__find_scheduler(scheduler);
    if (!o->lr_scheduler) o->lr_scheduler = clt_train_defaults().lr_scheduler;
    o->nesterov = nesterov;
    o->shuffle = shuffle;
    o->seed = (uint64_t)seed;
    o->save_every = save_every;
    o->check_every = check_every;
    o->normalize = (clt_normalize)normalize;
    return true;
}

static bool state_from_json(json_t *json, clt__training_state *s, json_error_t *why)
{
    json_int_t step, total, seen, began = 0;
    json_t *best, *lowest = NULL;
    if (json_unpack_ex(json, why, 0, "{s:i,s:I,s:I,s:F,s:F,s:I,s:o,s:i,s?I,s?{s:F,s:o,s:i}}", "epoch", &s->epoch,
                       "step", &step, "total_steps", &total, "loss_sum", &s->loss_sum, "hits", &s->hits, "seen", &seen,
                       "best_loss", &best, "stale", &s->stale, "optimizer_began", &began, "plateau", "factor",
                       &s->plateau.factor, "best", &lowest, "stale", &s->plateau.stale) != 0)
        return false;
    s->step = step;
    s->total_steps = total;
    s->seen = seen;
    s->optimizer_began = began;
    s->best_loss = loss_from_json(best);
    s->plateau.best = loss_from_json(lowest);
    return s->epoch >= 0 && step >= 0 && total >= 0 && seen >= 0 && began >= 0 && began <= total;
}

static bool normalization_from_json(json_t *json, clt_model *model, json_error_t *why)
{
    json_t *mean, *deviation;
    if (json_is_null(json)) return true;
    if (json_unpack_ex(json, why, 0, "{s:o,s:o}", "mean", &mean, "deviation", &deviation) != 0) return false;
    model->normalized = numbers_from_json(mean, model->input.channels, model->mean) &&
                        numbers_from_json(deviation, model->input.channels, model->deviation);
    for (int c = 0; c < model->input.channels; c++)
        if (!(model->deviation[c] > 0)) model->normalized = false;
    return model->normalized;
}

/* Checkpoints of data without names, and those from before there were any, have none. */
static clt_status names_from_json(const json_t *json, const char *path, clt__names *names, clt_error *error)
{
    for (size_t i = 0; i < json_array_size(json); i++) {
        const char *name = json_string_value(json_array_get(json, i));
        if (!name) return FAIL(error, CLT_BAD_FILE, "%s: class %zu in its metadata has no name", path, i);
        TRY(clt__names_add(names, name, strlen(name), error));
    }
    return CLT_OK;
}

/* ---- writing */

/* Before the first step they are zeros. */
static bool has_states(const clt_model *model)
{
    return model->state.total_steps > model->state.optimizer_began;
}

static clt_status add_tensors(clt__safetensors *file, const clt_model *model, clt_error *error)
{
    const clt__optimizer_row *optimizer = clt__find_optimizer(model->options.optimizer);
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        uint64_t extent[4];
        for (int d = 0; d < p->info.dimensions; d++) extent[d] = (uint64_t)p->info.extent[d];
        TRY(clt__safetensors_add(file, p->info.name, model->precision, p->info.dimensions, extent, p->values, error));
        for (int j = 0; has_states(model) && p->trained && optimizer->state[j].name; j++) {
            char name[128];
            name_state(&optimizer->state[j], &p->info, name);
            TRY(clt__safetensors_add(file, name, model->precision, p->info.dimensions, extent, p->state[j], error));
        }
        if (!model->averaged || !p->trained) continue;
        char name[128];
        clt__name_average(&p->info, name);
        TRY(clt__safetensors_add(file, name, model->precision, p->info.dimensions, extent, p->average, error));
    }
    return CLT_OK;
}

clt_status clt_model_save(const clt_model *model, const char *path, clt_error *error)
{
    clt__safetensors file = {0};
    char *text = NULL;
    clt_status status = add_tensors(&file, model, error);
    if (status == CLT_OK) status = model_to_text(model, &text, error);
    if (status == CLT_OK) status = clt__safetensors_add_text(&file, "cltrain", text, error);
    if (status == CLT_OK) status = clt__safetensors_add_text(&file, "net", model->text, error);
    if (status == CLT_OK) status = clt__safetensors_write(path, &file, error);
    free(text);
    clt__safetensors_free(&file);
    return status;
}

/* ---- reading */

/* "[6, 1, 5, 5]" */
static void shape_text(const uint64_t *extent, int dimensions, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "[");
    for (int d = 0; d < dimensions && length < size; d++)
        length += (size_t)snprintf(text + length, size - length, "%s%" PRIu64, d ? ", " : "", extent[d]);
    if (length < size) (void)snprintf(text + length, size - length, "]");
}

/* "[6, 1, 5, 5], the net's is [8, 1, 5, 5]"; "" where they are the same. */
static void compare_shapes(const clt__stored_tensor *stored, const clt_tensor_info *info, char *text, size_t size)
{
    bool same = stored->dimensions == info->dimensions;
    for (int d = 0; d < info->dimensions && same; d++) same = stored->extent[d] == (uint64_t)info->extent[d];
    *text = 0;
    if (same) return;
    char have[128], want[128];
    uint64_t wanted[4];
    for (int d = 0; d < info->dimensions; d++) wanted[d] = (uint64_t)info->extent[d];
    shape_text(stored->extent, stored->dimensions, have, sizeof have);
    shape_text(wanted, info->dimensions, want, sizeof want);
    (void)snprintf(text, size, "%s, the net's is %s", have, want);
}

static clt_status find_tensor(const clt__safetensors *file, const char *path, const char *name,
                              const clt_tensor_info *info, const clt__stored_tensor **stored, clt_error *error)
{
    char difference[300];
    *stored = clt__safetensors_find(file, name);
    if (!*stored) return FAIL(error, CLT_BAD_FILE, "%s: has no tensor %s", path, name);
    compare_shapes(*stored, info, difference, sizeof difference);
    return *difference ? FAIL(error, CLT_BAD_FILE, "%s: tensor %s is %s", path, name, difference) : CLT_OK;
}

/* Whether the file has every parameter of the model: nothing is taken before that is known. */
static clt_status check_parameters(const clt_model *model, const clt__safetensors *file, const char *path,
                                   clt_error *error)
{
    for (size_t i = 0; i < model->parameters; i++) {
        const clt_tensor_info *info = &model->parameter[i].info;
        const clt__stored_tensor *stored;
        TRY(find_tensor(file, path, info->name, info, &stored, error));
    }
    return CLT_OK;
}

static void take_parameters(clt_model *model, const clt__safetensors *file)
{
    for (size_t i = 0; i < model->parameters; i++) {
        clt__parameter_values *p = &model->parameter[i];
        memcpy(p->values, clt__safetensors_find(file, p->info.name)->values, p->info.count * sizeof *p->values);
    }
}

static clt_status take_states(clt_model *model, const clt__safetensors *file, const char *path, clt_error *error)
{
    const clt__optimizer_row *optimizer = clt__find_optimizer(model->options.optimizer);
    for (size_t i = 0; i < model->parameters && has_states(model); i++) {
        clt__parameter_values *p = &model->parameter[i];
        for (int j = 0; p->trained && optimizer->state[j].name; j++) {
            const clt__stored_tensor *stored;
            char name[128];
            name_state(&optimizer->state[j], &p->info, name);
            TRY(find_tensor(file, path, name, &p->info, &stored, error));
            memcpy(p->state[j], stored->values, p->info.count * sizeof *p->state[j]);
        }
    }
    return CLT_OK;
}

static clt_status take_averages(clt_model *model, const clt__safetensors *file, const char *path, clt_error *error)
{
    for (size_t i = 0; i < model->parameters && model->averaged; i++) {
        clt__parameter_values *p = &model->parameter[i];
        const clt__stored_tensor *stored;
        char name[128];
        if (!p->trained) continue;
        clt__name_average(&p->info, name);
        TRY(find_tensor(file, path, name, &p->info, &stored, error));
        memcpy(p->average, stored->values, p->info.count * sizeof *p->average);
    }
    return CLT_OK;
}

/* Whether the file has every parameter of the net: its text can ask for far more memory than the file is large. */
static clt_status check_net(const clt__description *description, const clt__safetensors *file, const char *path,
                            clt_error *error)
{
    clt__net net;
    clt_status status = CLT_OK;
    TRY(clt__net_outline(description, &net, error));
    for (int i = 0; i < net.layers; i++)
        for (int j = 0; j < net.layer[i].parameters && status == CLT_OK; j++) {
            clt_tensor_info info;
            const clt__stored_tensor *stored;
            clt__describe_tensor(&net.tape.tensor[net.layer[i].parameter[j].tensor], &info);
            status = find_tensor(file, path, info.name, &info, &stored, error);
        }
    clt__net_free(&net);
    return status;
}

static clt_status create_from(const clt__safetensors *file, const char *path, json_t *json, clt_model **model,
                              clt_error *error)
{
    const char *net = clt__safetensors_text(file, "net"), *precision;
    json_int_t seed;
    json_error_t why;
    if (!net || json_unpack_ex(json, &why, 0, "{s:s,s:I}", "precision", &precision, "seed", &seed) != 0)
        return FAIL(error, CLT_BAD_FILE, "%s: the description of the net in its metadata is incomplete", path);
    const bool is_double = strcmp(precision, "f64") == 0;
    if (!is_double && strcmp(precision, "f32") != 0)
        return FAIL(error, CLT_BAD_FILE, "%s: the precision in its metadata is \"%s\": it should be f32 or f64", path,
                    precision);
    clt__description description;
    char origin[512];
    (void)snprintf(origin, sizeof origin, "%.400s: net", path);
    TRY(clt__describe_text(net, origin, &description, error));
    if (!description.input.channels) {
        clt__description_free(&description);
        return FAIL(error, CLT_BAD_FILE, "%s: the net in its metadata has no input line", path);
    }
    const clt_status status = check_net(&description, file, path, error);
    if (status == CLT_OK)
        return clt__model_from(&description, is_double ? CLT_F64 : CLT_F32, (uint64_t)seed, model, error);
    clt__description_free(&description);
    return status;
}

/* Options that name the normalisation name what the model has. */
static void restore_given_normalization(clt_model *model)
{
    model->options.normalize_channels = model->input.channels;
    memcpy(model->options.normalize_mean, model->mean, sizeof model->mean);
    memcpy(model->options.normalize_deviation, model->deviation, sizeof model->deviation);
}

/* Older checkpoints do not say. */
static clt_status restore_frozen(clt_model *model, const json_t *json, const char *path, clt_error *error)
{
    const char *patterns = json_string_value(json_object_get(json_object_get(json, "options"), "freeze"));
    clt_error inner;
    const clt_status status = clt__model_freeze(model, patterns, &inner);
    if (status == CLT_OK || status == CLT_NO_MEMORY) return status;
    return FAIL(error, CLT_BAD_FILE, "%s: the options in its metadata are not right: %.2000s", path, inner.message);
}

static clt_status restore(const clt__safetensors *file, const char *path, json_t *json, clt_model **model,
                          clt_error *error)
{
    json_error_t why;
    TRY(create_from(file, path, json, model, error));
    if (!normalization_from_json(json_object_get(json, "normalization"), *model, &why) ||
        !state_from_json(json_object_get(json, "state"), &(*model)->state, &why) ||
        !options_from_json(json_object_get(json, "options"), &(*model)->options, &why))
        return FAIL(error, CLT_BAD_FILE, "%s: the state of training in its metadata is not right: %s", path,
                    *why.text ? why.text : "a value is out of range");
    restore_given_normalization(*model);
    TRY(names_from_json(json_object_get(json, "classes"), path, &(*model)->class_names, error));
    TRY(restore_frozen(*model, json, path, error));
    take_parameters(*model, file);
    (*model)->averaged = json_is_true(json_object_get(json, "averaged")); /* older checkpoints do not say */
    TRY(take_averages(*model, file, path, error));
    return take_states(*model, file, path, error);
}

clt_status clt_model_load(const char *path, clt_model **model, clt_error *error)
{
    clt__safetensors file;
    *model = NULL;
    TRY(clt__safetensors_read(path, &file, error));
    const char *text = clt__safetensors_text(&file, "cltrain");
    json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    clt_status status = CLT_OK;
    if (json)
        status = restore(&file, path, json, model, error);
    else
        status = FAIL(error, CLT_BAD_FILE,
                      "%s: is not a checkpoint of cltrain's (its weights alone can be taken by "
                      "`train --weights`)",
                      path);
    json_decref(json);
    clt__safetensors_free(&file);
    if (status != CLT_OK) {
        clt_model_close(*model);
        *model = NULL;
    }
    return status;
}

/* What a file holds of a parameter for a model that is to go on from it: what that file's model infers with. */
static const clt__stored_tensor *find_start(const clt__safetensors *file, const clt_tensor_info *parameter)
{
    char average[128];
    clt__name_average(parameter, average);
    const clt__stored_tensor *found = clt__safetensors_find(file, average);
    return found ? found : clt__safetensors_find(file, parameter->name);
}

/* Takes what fits; lists it in *taken, and the others, with the reason, in *left. */
static clt_status take_start(clt_model *model, const clt__safetensors *file, clt__text *taken, clt__text *left,
                             clt_error *error)
{
    for (size_t i = 0; i < model->parameters; i++) {
        clt__parameter_values *p = &model->parameter[i];
        const clt__stored_tensor *stored = find_start(file, &p->info);
        char difference[300] = "not there";
        if (stored) compare_shapes(stored, &p->info, difference, sizeof difference);
        clt__text *list = *difference ? left : taken;
        TRY(clt__text_print(list, error, "%s%s", list->length ? ", " : "", p->info.name));
        if (*difference)
            TRY(clt__text_print(left, error, " (%s%s)", stored ? "it is " : "", difference));
        else
            memcpy(p->values, stored->values, p->info.count * sizeof *p->values);
        clt__restart_average(model, p);
    }
    return CLT_OK;
}

static clt_status note_start(const char *path, const clt__text *taken, const clt__text *left, clt_note_function note,
                             void *user, clt_error *error)
{
    clt__text sentence = {0};
    clt_status status = clt__text_append(&sentence, path, strlen(path), error);
    const char taken_is[] = ": these are taken: ", left_is[] = "; these keep their initial values: ";
    if (status == CLT_OK) status = clt__text_append(&sentence, taken_is, sizeof taken_is - 1, error);
    if (status == CLT_OK) status = clt__text_append(&sentence, taken->start, taken->length, error);
    if (status == CLT_OK) status = clt__text_append(&sentence, left_is, sizeof left_is - 1, error);
    if (status == CLT_OK) status = clt__text_append(&sentence, left->start, left->length, error);
    if (status == CLT_OK) note(user, sentence.start);
    free(sentence.start);
    return status;
}

static clt_status start_from(clt_model *model, const clt__safetensors *file, const char *path, clt_note_function note,
                             void *user, clt_error *error)
{
    clt__text taken = {0}, left = {0};
    clt_status status = take_start(model, file, &taken, &left, error);
    if (status == CLT_OK && !taken.length)
        status = FAIL(error, CLT_BAD_FILE, "%s: has no parameter of the net's: %.3000s", path, left.start);
    if (status == CLT_OK && left.length && note) status = note_start(path, &taken, &left, note, user, error);
    free(taken.start);
    free(left.start);
    return status;
}

clt_status clt_model_start_from(clt_model *model, const char *path, clt_note_function note, void *user,
                                clt_error *error)
{
    clt__safetensors file;
    TRY(clt__safetensors_read(path, &file, error));
    const clt_status status = start_from(model, &file, path, note, user, error);
    clt__safetensors_free(&file);
    return status;
}

clt_status clt_model_load_weights(clt_model *model, const char *path, clt_error *error)
{
    clt__safetensors file;
    TRY(clt__safetensors_read(path, &file, error));
    clt_status status = check_parameters(model, &file, path, error);
    if (status == CLT_OK) take_parameters(model, &file);
    for (size_t i = 0; i < model->parameters && status == CLT_OK; i++)
        clt__restart_average(model, &model->parameter[i]);
    clt__safetensors_free(&file);
    return status;
}
