#include "model/model.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/foreign.h"
#include "model/fine_tuning.h"

/* ---- making one */

void clt__describe_tensor(const clt__tensor *tensor, clt_tensor_info *info)
{
    memset(info, 0, sizeof *info);
    memcpy(info->name, tensor->name, sizeof info->name);
    info->count = (size_t)tensor->count;
    int extent[4];
    info->dimensions = clt__shown_extents(tensor, extent);
    memcpy(info->extent, extent, (size_t)info->dimensions * sizeof *extent);
}

static clt_status add_parameter(clt_model *model, const clt__net *net, const clt__layer *layer,
                                const clt__parameter *from, clt_error *error)
{
    clt__parameter_values *to = &model->parameter[model->parameters++];
    clt__describe_tensor(&net->tape.tensor[from->tensor], &to->info);
    to->fan_in = from->fan_in;
    to->initial = from->initial;
    to->groups = from->groups;
    memcpy(to->dilation, from->dilation, sizeof to->dilation);
    to->reads_images = layer->in[0].tensor == net->input.tensor;
    to->kept = from->state;
    to->trainable = to->trained = net->tape.tensor[from->tensor].root == net->parameters;
    TRY(clt__allocate(to->info.count, sizeof(double), to->info.name, &to->values, error));
    for (int i = 0; i < CLT__MAX_STATES; i++)
        TRY(clt__allocate(to->info.count, sizeof(double), "the optimiser's state", &to->state[i], error));
    return clt__allocate(to->info.count, sizeof(double), "a parameter's average", &to->average, error);
}

/* Builds the net once, for a batch of 1, to learn its parameters and to find what is wrong with it. */
static clt_status fill_in(clt_model *model, clt_error *error)
{
    clt__net net;
    if (model->input.channels > CLT_MAX_CHANNELS)
        return FAIL(error, CLT_BAD_NET, "images of %d channels: there may be %d at most", model->input.channels,
                    (int)CLT_MAX_CHANNELS);
    TRY(clt__net_outline(&model->description, &net, error));
    model->outputs = net.tape.tensor[net.output.tensor].count;
    clt_status status = clt__allocate((uint64_t)net.layers * CLT__MAX_PARAMETERS, sizeof *model->parameter,
                                      "the model's parameters", &model->parameter, error);
    for (int i = 0; i < net.layers; i++)
        for (int j = 0; j < net.layer[i].parameters && status == CLT_OK; j++)
            status = add_parameter(model, &net, &net.layer[i], &net.layer[i].parameter[j], error);
    clt__net_free(&net);
    if (status != CLT_OK) return status;
    return clt__description_text(&model->description, &model->text, error);
}

clt_status clt__model_from(clt__description *description, clt_precision precision, uint64_t seed, clt_model **model,
                           clt_error *error)
{
    clt_model *fresh;
    *model = NULL;
    clt_status status = clt__allocate(1, sizeof *fresh, "a model", &fresh, error);
    if (status != CLT_OK) {
        clt__description_free(description);
        return status;
    }
    fresh->description = *description;
    *description = (clt__description){0};
    fresh->description.loss = clt__loss_of(&fresh->description);
    fresh->input = fresh->description.input;
    fresh->precision = precision;
    fresh->seed = seed;
    fresh->state.validation.best = INFINITY;
    fresh->state.plateau.best = INFINITY;
    fresh->state.rate_factor = 1;
    fresh->options = clt__options_default();
    status = fill_in(fresh, error);
    if (status == CLT_OK)
        *model = fresh;
    else
        clt_model_close(fresh);
    return status;
}

static clt_status resolve_input(const clt_options *options, clt__description *description, bool binding,
                                clt_shape *input, clt_error *error)
{
    const clt_shape own = description->input, given = options->input;
    if (!given.channels && !own.channels)
        return FAIL(
            error, CLT_BAD_NET,
            "the net does not say what its input is: begin it with a line like `input 1x28x28`, or give --input");
    if (given.channels && (given.channels < 1 || given.height < 1 || given.width < 1))
        return FAIL(error, CLT_BAD_ARGUMENT, "an input of %dx%dx%d has no elements", given.channels, given.height,
                    given.width);
    if (binding && own.channels && given.channels &&
        (own.channels != given.channels || own.height != given.height || own.width != given.width))
        return FAIL(error, CLT_BAD_NET, "the net's input is %dx%dx%d, the images are %dx%dx%d", own.channels,
                    own.height, own.width, given.channels, given.height, given.width);
    *input = given.channels ? given : own;
    return CLT_OK;
}

static clt_status resolve_loss(const clt_options *options, clt__description *description, clt_error *error)
{
    if (!options->loss) return CLT_OK;
    description->loss = clt__find_loss(options->loss);
    if (!description->loss)
        return FAIL(error, CLT_BAD_ARGUMENT, "there is no loss \"%s\": `cltrain help nets` lists them", options->loss);
    return CLT_OK;
}

clt_status clt__describe_model(const clt_options *options, clt__description *description, clt_error *error)
{
    clt_shape input = {0};
    bool binding;
    if (!options->net) return FAIL(error, CLT_BAD_ARGUMENT, "no net was given");
    TRY(clt__describe_net(options->net, options->until, options->loss, description, &binding, error));
    if (*description->note) clt__options_note(options, "%s: %s", description->origin, description->note);
    clt_status status = clt__fine_tune(options, description, error);
    if (status == CLT_OK) status = resolve_input(options, description, binding, &input, error);
    if (status == CLT_OK) status = resolve_loss(options, description, error);
    if (status != CLT_OK) clt__description_free(description);
    description->input = input;
    return status;
}

clt_status clt_model_create(const clt_options *options, clt_model **model, clt_error *error)
{
    return clt__model_create(options, false, model, error);
}

clt_status clt__model_create(const clt_options *options, bool whole, clt_model **model, clt_error *error)
{
    clt__description description;
    clt_options none;
    *model = NULL;
    options = clt__options_or_default(options, &none);
    TRY(clt__describe_model(options, &description, error));
    const clt_precision precision = whole && description.doubles ? CLT_F64 : (clt_precision)options->precision;
    TRY(clt__model_from(&description, precision, options->seed, model, error));
    clt_status status = clt__initialize(*model, options->init, error);
    if (status == CLT_OK) status = clt__start_imported(*model, error);
    if (status == CLT_OK) status = clt__recall(*model, &(*model)->description.weights, whole, error);
    clt__safetensors_free(&(*model)->description.weights);
    if (status == CLT_OK && options->init)
        status = clt__option_copy(&(*model)->options, options, CLT__OPTION_init, error);
    (*model)->options.seed = options->seed;
    if (status == CLT_OK) return CLT_OK;
    clt_model_close(*model);
    *model = NULL;
    return status;
}

bool clt_net_is_onnx(const char *net)
{
    return clt__is_onnx(net);
}

void clt_model_close(clt_model *model)
{
    if (!model) return;
    for (size_t i = 0; i < model->parameters; i++) {
        free(model->parameter[i].values);
        free(model->parameter[i].average);
        for (int j = 0; j < CLT__MAX_STATES; j++) free(model->parameter[i].state[j]);
    }
    free(model->parameter);
    clt__options_forget(&model->options);
    free(model->text);
    clt__names_free(&model->class_names);
    clt__description_free(&model->description);
    free(model);
}

/* ---- optimisers */

const clt__optimizer_row *clt__optimizer_of(const clt_options *options, const char *parameter, int dimensions)
{
    return clt__choose_optimizer(clt__find_optimizer(options->optimizer), options->named[CLT__OPTION_optimizer],
                                 parameter, dimensions);
}

static const clt__optimizer_row *optimizer_of(const clt_options *options, const clt__parameter_values *p)
{
    return clt__optimizer_of(options, p->info.name, p->info.dimensions);
}

bool clt__model_has_optimizers(const clt_model *model, const clt_options *options)
{
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        if (p->trainable && optimizer_of(&model->options, p) != optimizer_of(options, p)) return false;
    }
    return true;
}

clt_status clt__model_set_optimizers(clt_model *model, const clt_options *options, clt_error *error)
{
    const bool go_on = clt__model_has_optimizers(model, options);
    TRY(clt__option_copy(&model->options, options, CLT__OPTION_optimizer, error));
    if (go_on) return CLT_OK;
    model->state.optimizer_began = clt__updates_of(&model->state);
    for (size_t i = 0; i < model->parameters; i++)
        for (int j = 0; j < CLT__MAX_STATES; j++)
            memset(model->parameter[i].state[j], 0, model->parameter[i].info.count * sizeof(double));
    return CLT_OK;
}

/* ---- names of parameters */

clt_status clt__check_pattern(const clt_model *model, const char *option, const char *pattern, clt_error *error)
{
    char names[2048] = "";
    size_t length = 0;
    for (size_t i = 0; i < model->parameters; i++) {
        if (model->parameter[i].kept) continue;
        if (clt__glob(pattern, model->parameter[i].info.name)) return CLT_OK;
        if (length < sizeof names)
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", length ? ", " : "",
                                       model->parameter[i].info.name);
    }
    return FAIL(error, CLT_BAD_ARGUMENT, "%s: there is no parameter \"%s\": there is %s", option, pattern, names);
}

/* Only matrices can become orthogonal. */
static clt_status check_optimizers(const clt_model *model, const clt_options *options, clt_error *error)
{
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        const clt__optimizer_row *optimizer = optimizer_of(options, p);
        const bool is_matrix = p->info.dimensions == CLT__SHOWN_MATRIX || p->info.dimensions == CLT__SHOWN_FILTER;
        if (p->trainable && optimizer->orthogonalizes && !is_matrix)
            return FAIL(
                error, CLT_BAD_ARGUMENT,
                "optimizer: %s takes filters and matrices, and %s is neither: a later pattern should name it another",
                optimizer->name, p->info.name);
    }
    return CLT_OK;
}

clt_status clt__check_names(const clt_model *model, const clt_options *options, clt_error *error)
{
    for (clt__option i = 0; i < CLT__OPTIONS; i++) {
        const char *rest = options->named[i];
        char part[CLT__LIST_PART];
        while (clt__next_part(&rest, part)) {
            part[strcspn(part, "=")] = 0;
            TRY(clt__check_pattern(model, clt__option_info_of(i)->name, part, error));
        }
    }
    return check_optimizers(model, options, error);
}

/* What is trained again begins without momentum, and its average as itself. */
static void set_trained(clt__parameter_values *p, bool trained)
{
    if (trained && !p->trained) {
        for (int i = 0; i < CLT__MAX_STATES; i++) memset(p->state[i], 0, p->info.count * sizeof(double));
        memcpy(p->average, p->values, p->info.count * sizeof(double));
    }
    p->trained = trained;
}

static clt_status check_patterns(const clt_model *model, const char *patterns, clt_error *error)
{
    const char *rest = patterns;
    char pattern[CLT__LIST_PART];
    bool any = false;
    TRY(clt__check_freezing(patterns, error));
    while (clt__next_part(&rest, pattern)) {
        pattern[strcspn(pattern, "@")] = 0;
        TRY(clt__check_pattern(model, "freeze", pattern, error));
    }
    for (size_t i = 0; i < model->parameters; i++)
        any = any || (model->parameter[i].trainable && !clt__freezes(patterns, model->parameter[i].info.name, INT_MAX));
    return any || !patterns ? CLT_OK : FAIL(error, CLT_BAD_ARGUMENT, "freeze: %s leaves nothing to train", patterns);
}

int clt__running_epoch(const clt__training_state *state)
{
    return state->step ? state->epoch : state->epoch - 1;
}

clt_status clt__model_freeze(clt_model *model, const char *patterns, int epoch, clt_error *error)
{
    if (patterns && !*patterns) patterns = NULL;
    TRY(check_patterns(model, patterns, error));
    for (size_t i = 0; i < model->parameters; i++) {
        clt__parameter_values *p = &model->parameter[i];
        set_trained(p, p->trainable && !clt__freezes(patterns, p->info.name, epoch));
    }
    return clt__option_copy(&model->options, &(clt_options){.freeze = patterns}, CLT__OPTION_freeze, error);
}

clt_status clt__freeze_for_now(clt_model *model, const char *patterns, bool **trained, clt_error *error)
{
    if (patterns && !*patterns) patterns = NULL;
    TRY(check_patterns(model, patterns, error));
    const int epoch = clt__running_epoch(&model->state);
    TRY(clt__allocate(model->parameters, sizeof **trained, "what is trained", trained, error));
    for (size_t i = 0; i < model->parameters; i++) {
        clt__parameter_values *p = &model->parameter[i];
        (*trained)[i] = p->trained;
        p->trained = p->trainable && !clt__freezes(patterns, p->info.name, epoch);
    }
    return CLT_OK;
}

void clt__freeze_no_longer(clt_model *model, bool *trained)
{
    for (size_t i = 0; i < model->parameters; i++) model->parameter[i].trained = trained[i];
    free(trained);
}

/* ---- classes */

clt_status clt__check_class_names(const clt_model *model, const clt_dataset *data, clt_error *error)
{
    const clt__names *own = &model->class_names, *other = &data->class_names;
    if (!own->count || !other->count || clt__names_equal(own, other)) return CLT_OK;
    size_t i = 0;
    while (i < own->count && i < other->count && strcmp(own->name[i], other->name[i]) == 0) i++;
    return FAIL(error, CLT_BAD_ARGUMENT,
                "%s: its classes are not the model's: class %zu is \"%s\", the model's is \"%s\"", data->name, i,
                i < other->count ? other->name[i] : "", i < own->count ? own->name[i] : "");
}

const char *clt_model_class_name(const clt_model *model, int class_index)
{
    return clt__names_at(&model->class_names, class_index);
}

/* ---- options */

clt_status clt__remember_options(clt_model *model, const clt_options *options, clt_error *error)
{
    for (clt__option i = 0; i < CLT__OPTIONS; i++)
        if (clt__option_is_kept(i)) TRY(clt__option_copy(&model->options, options, i, error));
    return CLT_OK;
}

/* ---- looking at one */

clt_shape clt_model_input(const clt_model *model)
{
    return model->input;
}

bool clt_model_normalization(const clt_model *model, int channel, double *mean, double *deviation)
{
    if (!model->normalized || channel < 0 || channel >= model->input.channels) return false;
    *mean = model->mean[channel];
    *deviation = model->deviation[channel];
    return true;
}

int clt_model_outputs(const clt_model *model)
{
    return model->outputs;
}

const char *clt_model_loss(const clt_model *model)
{
    return model->description.loss->name;
}

bool clt_model_classifies(const clt_model *model)
{
    return model->description.loss->of_classes;
}

const char *clt_model_net(const clt_model *model)
{
    return model->text;
}

clt_precision clt_model_precision(const clt_model *model)
{
    return model->precision;
}

size_t clt_model_parameter_count(const clt_model *model)
{
    return model->parameters;
}

const clt_tensor_info *clt_model_parameter(const clt_model *model, size_t index)
{
    return index < model->parameters ? &model->parameter[index].info : NULL;
}

void clt__name_average(const clt_tensor_info *parameter, char name[128])
{
    (void)snprintf(name, 128, "ema.%s", parameter->name);
}

static bool has_average(const clt_model *model, const clt__parameter_values *parameter)
{
    return model->averaged && parameter->trained;
}

double *clt__inferring_values(const clt_model *model, const clt__parameter_values *parameter)
{
    return has_average(model, parameter) ? parameter->average : parameter->values;
}

void clt__restart_average(const clt_model *model, clt__parameter_values *p)
{
    if (has_average(model, p)) memcpy(p->average, p->values, p->info.count * sizeof *p->values);
}

/* The values of a parameter, or of its average. */
static clt_status find_parameter(const clt_model *model, const char *name, size_t count, double **found,
                                 clt_error *error)
{
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        char average[128];
        clt__name_average(&p->info, average);
        const bool is_average = has_average(model, p) && strcmp(average, name) == 0;
        if (!is_average && strcmp(p->info.name, name) != 0) continue;
        *found = is_average ? p->average : p->values;
        if (p->info.count == count) return CLT_OK;
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has %zu values, not %zu", name, p->info.count, count);
    }
    return FAIL(error, CLT_BAD_ARGUMENT, "the model has no parameter \"%s\"", name);
}

clt_status clt_model_get(const clt_model *model, const char *name, double *values, size_t count, clt_error *error)
{
    double *found = NULL;
    TRY(find_parameter(model, name, count, &found, error));
    memcpy(values, found, count * sizeof *values);
    return CLT_OK;
}

clt_status clt_model_set(clt_model *model, const char *name, const double *values, size_t count, clt_error *error)
{
    double *found = NULL;
    TRY(find_parameter(model, name, count, &found, error));
    memcpy(found, values, count * sizeof *values);
    for (size_t i = 0; i < model->parameters; i++)
        if (model->parameter[i].values == found) {
            model->parameter[i].whitens = false;
            clt__restart_average(model, &model->parameter[i]);
        }
    return CLT_OK;
}

const clt_options *clt_model_options(const clt_model *model)
{
    return &model->options;
}

int clt_model_epochs(const clt_model *model)
{
    return model->state.epoch;
}
