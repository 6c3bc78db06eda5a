/* Checkpoints: safetensors whose tensors are the parameters and the optimiser's state, and whose metadata holds the
 * net's text and, as JSON, all else that a resumed run needs. The same state gives the same bytes. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/foreign.h"
#include "formats/safetensors.h"
#include "model/model.h"
#include "model/old_checkpoint.h"
#include "model/stored_shape.h"
#include "options/options_json.h"

/* Of the metadata. 1 had no number, and enumerations as numbers. */
enum { FORMAT = 2 };

/* "optimizer.velocity.conv1.weight" */
static void name_state(const clt__state_row *state, const clt_tensor_info *parameter, char name[128])
{
    (void)snprintf(name, 128, "optimizer.%s.%s", state->name, parameter->name);
}

/* ---- JSON */

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
    json_t *plateau = json_pack("{s:f,s:o,s:i}", "factor", s->rate_factor, "best", loss_to_json(s->plateau.best),
                                "stale", s->plateau.stale);
    json_t *best = loss_to_json(s->validation.best);
    json_t *json =
        json_pack("{s:i,s:I,s:I,s:I,s:f,s:f,s:I,s:o,s:i,s:I,s:o}", "epoch", s->epoch, "step", (json_int_t)s->step,
                  "images", (json_int_t)s->images, "total_steps", (json_int_t)s->total_steps, "loss_sum", s->loss_sum,
                  "hits", s->hits, "seen", (json_int_t)s->seen, "best_loss", best, "stale", s->validation.stale,
                  "optimizer_began", (json_int_t)s->optimizer_began, "plateau", plateau);
    if (json && s->norms)
        (void)json_object_set_new(json, "gradient_norm",
                                  json_pack("{s:f,s:I}", "sum", s->norm_sum, "steps", (json_int_t)s->norms));
    if (json && s->scaling.factor > 0)
        (void)json_object_set_new(json, "loss_scale",
                                  json_pack("{s:f,s:I,s:I}", "factor", s->scaling.factor, "steps",
                                            (json_int_t)s->scaling.steps, "skipped", (json_int_t)s->scaling.skipped));
    return json;
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

clt_status clt__model_to_text(const clt_model *model, char **text, clt_error *error)
{
    json_t *json =
        json_pack("{s:i,s:s,s:s,s:I,s:b,s:o,s:o,s:o}", "format", FORMAT, "version", CLT_VERSION, "precision",
                  model->precision == CLT_F64 ? "f64" : "f32", "seed", (json_int_t)model->seed, "averaged",
                  model->averaged, "normalization", normalization_to_json(model), "state", state_to_json(&model->state),
                  "options", clt__options_to_json(&model->options, clt__option_is_kept));
    if (json && model->class_names.count)
        (void)json_object_set_new(json, "classes", names_to_json(&model->class_names));
    if (json && model->description.left_out)
        (void)json_object_set_new(json, "left_out", json_string(model->description.left_out));
    *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(json);
    return *text ? CLT_OK : FAIL(error, CLT_NO_MEMORY, "no host memory for a checkpoint's description");
}

/* Of a loss: a power of two, or 0 where it is not scaled. */
static bool is_scale(double factor)
{
    int exponent;
    return factor == 0 || (isfinite(factor) && frexp(factor, &exponent) == 0.5);
}

static bool is_count(json_int_t number)
{
    return number >= 0 && number <= INT32_MAX;
}

/* Older checkpoints have no optimizer_began, plateau and images, those of whole epochs no gradient_norm, and those of
 * trainings that kept no halves no loss_scale. */
static bool state_from_json(json_t *json, clt__training_state *s, json_error_t *why)
{
    json_int_t epoch, step, total, seen, stale, began = 0, images = 0, plateau_stale = 0, norms = 0, scaled = 0,
                                                skipped = 0;
    json_t *best, *lowest = NULL;
    if (json_unpack_ex(json, why, 0,
                       "{s:I,s:I,s:I,s:F,s:F,s:I,s:o,s:I,s?I,s?I,s?{s:F,s:o,s:I!},s?{s:F,s:I!},"
                       "s?{s:F,s:I,s:I!}!}",
                       "epoch", &epoch, "step", &step, "total_steps", &total, "loss_sum", &s->loss_sum, "hits",
                       &s->hits, "seen", &seen, "best_loss", &best, "stale", &stale, "optimizer_began", &began,
                       "images", &images, "plateau", "factor", &s->rate_factor, "best", &lowest, "stale",
                       &plateau_stale, "gradient_norm", "sum", &s->norm_sum, "steps", &norms, "loss_scale", "factor",
                       &s->scaling.factor, "steps", &scaled, "skipped", &skipped) != 0)
        return false;
    if (!is_count(epoch) || !is_count(stale) || !is_count(plateau_stale) || step < 0 || seen < 0 || images < 0 ||
        norms < 0 || began < 0 || scaled < 0 || skipped < 0 || began > total - skipped ||
        !is_scale(s->scaling.factor) || !(s->rate_factor >= 0 && s->rate_factor <= 1))
        return false;
    s->epoch = (int)epoch;
    s->step = step;
    s->images = images;
    s->total_steps = total;
    s->seen = seen;
    s->norms = norms;
    s->optimizer_began = began;
    s->scaling.steps = scaled;
    s->scaling.skipped = skipped;
    s->validation = (clt__watched_loss){loss_from_json(best), (int)stale};
    s->plateau = (clt__watched_loss){loss_from_json(lowest), (int)plateau_stale};
    return true;
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
    return clt__updates_of(&model->state) > model->state.optimizer_began;
}

static clt_status add_tensors(clt__safetensors *file, const clt_model *model, clt_error *error)
{
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        const clt__optimizer_row *optimizer = clt__optimizer_of(&model->options, p->info.name, p->info.dimensions);
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
    if (status == CLT_OK) status = clt__model_to_text(model, &text, error);
    if (status == CLT_OK) status = clt__safetensors_add_text(&file, "cltrain", text, error);
    if (status == CLT_OK) status = clt__safetensors_add_text(&file, "net", model->text, error);
    if (status == CLT_OK) status = clt__safetensors_write(path, &file, error);
    free(text);
    clt__safetensors_free(&file);
    return status;
}

/* ---- reading */

static clt_status find_tensor(const clt__safetensors *file, const char *path, const char *name,
                              const clt_tensor_info *info, const clt__stored_tensor **stored, clt_error *error)
{
    char difference[300];
    *stored = clt__safetensors_find(file, name);
    if (!*stored) return FAIL(error, CLT_BAD_FILE, "%s: has no tensor %s", path, name);
    clt__compare_shapes(*stored, info, difference, sizeof difference);
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

/* Whether it is frozen from the next epoch on, and may be so already: then nothing but itself is kept of it. */
static bool may_be_frozen(const clt_model *model, const clt__parameter_values *p)
{
    return clt__freezes(model->options.freeze, p->info.name, model->state.epoch);
}

static clt_status take_states(clt_model *model, const clt__safetensors *file, const char *path, clt_error *error)
{
    for (size_t i = 0; i < model->parameters && has_states(model); i++) {
        clt__parameter_values *p = &model->parameter[i];
        const clt__optimizer_row *optimizer = clt__optimizer_of(&model->options, p->info.name, p->info.dimensions);
        for (int j = 0; p->trained && optimizer->state[j].name; j++) {
            const clt__stored_tensor *stored;
            char name[128];
            name_state(&optimizer->state[j], &p->info, name);
            if (may_be_frozen(model, p) && !clt__safetensors_find(file, name)) continue;
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
        memcpy(p->average, p->values, p->info.count * sizeof *p->average);
        if (may_be_frozen(model, p) && !clt__safetensors_find(file, name)) continue;
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

static clt_status restore_options(clt_model *model, json_t *json, const char *path, clt_error *error)
{
    json_t *options = json_object_get(json, "options");
    const char *wrong = "options";
    if (!json_is_object(options) || !clt__options_from_json(&model->options, options, clt__option_is_kept, &wrong)) {
        if (!wrong) return FAIL(error, CLT_NO_MEMORY, "%s: no host memory for its options", path);
        return FAIL(error, CLT_BAD_FILE,
                    "%s: the option \"%.100s\" in its metadata is none that cltrain %s knows, or has no value that it "
                    "could have",
                    path, wrong, CLT_VERSION);
    }
    /* Format 1 does not say how its parameters began, nor does what goes on with it. */
    if (!json_object_get(options, "init"))
        TRY(clt__option_copy(&model->options, &(clt_options){0}, CLT__OPTION_init, error));
    clt_error inner;
    const clt_status status =
        clt__model_freeze(model, model->options.freeze, clt__running_epoch(&model->state), &inner);
    if (status == CLT_OK) return CLT_OK;
    if (status == CLT_NO_MEMORY) return clt__pass_on(&inner, error);
    return FAIL(error, CLT_BAD_FILE, "%s: the options in its metadata are not right: %.2000s", path, inner.message);
}

/* A member that this version does not know would be lost when the checkpoint is written again. */
static clt_status check_members(json_t *json, const char *path, clt_error *error)
{
    static const char *const known[] = {"format",        "version", "precision", "seed",    "averaged",
                                        "normalization", "state",   "options",   "classes", "left_out"};
    enum { KNOWN = sizeof known / sizeof *known };
    const json_t *format = json_object_get(json, "format");
    const char *member;
    json_t *value;
    if (format && (!json_is_integer(format) || json_integer_value(format) != FORMAT))
        return FAIL(error, CLT_BAD_FILE,
                    "%s: the format of its metadata is not %d: another version of cltrain wrote it", path, FORMAT);
    json_object_foreach (json, member, value) {
        int i = 0;
        while (i < KNOWN && strcmp(known[i], member) != 0) i++;
        if (i == KNOWN)
            return FAIL(error, CLT_BAD_FILE, "%s: \"%.100s\" in its metadata is nothing that cltrain %s knows", path,
                        member, CLT_VERSION);
    }
    if (format) return CLT_OK;
    return clt__modernize(json) ? CLT_OK
                                : FAIL(error, CLT_BAD_FILE, "%s: the options in its metadata are not right", path);
}

/* What an ONNX model ended in: see clt__description. */
static clt_status restore_end(clt_model *model, const json_t *json, const char *path, clt_error *error)
{
    static const char *const ends[] = {"softmax", "log_softmax"};
    const char *end = json_string_value(json);
    for (int i = 0; end && i < 2; i++)
        if (strcmp(end, ends[i]) == 0) model->description.left_out = ends[i];
    if (!json || model->description.left_out) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: what is left out, in its metadata, is neither softmax nor log_softmax", path);
}

static clt_status restore(const clt__safetensors *file, const char *path, json_t *json, clt_model **model,
                          clt_error *error)
{
    json_error_t why;
    TRY(check_members(json, path, error));
    TRY(create_from(file, path, json, model, error));
    if (!normalization_from_json(json_object_get(json, "normalization"), *model, &why) ||
        !state_from_json(json_object_get(json, "state"), &(*model)->state, &why))
        return FAIL(error, CLT_BAD_FILE, "%s: the state of training in its metadata is not right: %s", path,
                    *why.text ? why.text : "a value is out of range");
    TRY(names_from_json(json_object_get(json, "classes"), path, &(*model)->class_names, error));
    TRY(restore_options(*model, json, path, error));
    TRY(restore_end(*model, json_object_get(json, "left_out"), path, error));
    take_parameters(*model, file);
    (*model)->averaged = json_is_true(json_object_get(json, "averaged")); /* older checkpoints do not say */
    TRY(take_averages(*model, file, path, error));
    return take_states(*model, file, path, error);
}

/* ---- ONNX */

clt_status clt__recall(clt_model *model, const clt__safetensors *file, bool classes, clt_error *error)
{
    const char *told = clt__safetensors_text(file, "cltrain"), *path = model->description.origin;
    if (!told) return CLT_OK;
    json_error_t why;
    json_t *json = json_loads(told, JSON_REJECT_DUPLICATES, NULL);
    clt_status status = CLT_OK;
    if (!json_is_object(json) || !normalization_from_json(json_object_get(json, "normalization"), model, &why))
        status = FAIL(error, CLT_BAD_FILE, "%s: what its metadata \"cltrain\" tells is not what cltrain writes", path);
    const json_t *names = json_object_get(json, "classes");
    if (status == CLT_OK && classes && json_array_size(names) == (size_t)model->outputs)
        status = names_from_json(names, path, &model->class_names, error);
    json_decref(json);
    return status;
}

/* An ONNX model is a model that was never trained here. */
static clt_status load_onnx(const char *path, clt_model **model, clt_error *error)
{
    clt_options options = clt__options_default();
    options.net = path;
    return clt__model_create(&options, true, model, error);
}

clt_status clt_model_load(const char *path, clt_model **model, clt_error *error)
{
    clt__safetensors file;
    *model = NULL;
    if (clt__is_onnx(path)) return load_onnx(path, model, error);
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
