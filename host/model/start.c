/* A model that begins with the weights of a file, as far as they fit: by their names, without what other programs put
 * before them, or in their order. */
#include <stdlib.h>
#include <string.h>

#include "formats/foreign.h"
#include "model/model.h"
#include "model/stored_shape.h"
#include "model/weight_order.h"
#include "onnx/import.h"

/* What is read from. */
typedef struct start {
    clt_model *model;
    const char *path;
    const clt__safetensors *file;
    size_t skip; /* characters before each name that are not looked at */
} start;

static void take(const clt_model *model, clt__parameter_values *p, const clt__stored_tensor *stored)
{
    memcpy(p->values, stored->values, p->info.count * sizeof *p->values);
    p->whitens = false;
    clt__restart_average(model, p);
}

/* ---- by name */

static const clt__stored_tensor *find_behind(const start *s, const char *name)
{
    for (size_t i = 0; i < s->file->tensor_count; i++) {
        const clt__stored_tensor *tensor = &s->file->tensors[i];
        if (strlen(tensor->name) > s->skip && strcmp(tensor->name + s->skip, name) == 0) return tensor;
    }
    return NULL;
}

/* What a file holds of a parameter for a model that is to go on from it: what that file's model infers with. */
static const clt__stored_tensor *find_start(const start *s, const clt_tensor_info *parameter)
{
    char average[128];
    clt__name_average(parameter, average);
    const clt__stored_tensor *found = find_behind(s, average);
    return found ? found : find_behind(s, parameter->name);
}

static bool has_any(const start *s)
{
    bool any = false;
    for (size_t i = 0; i < s->model->parameters && !any; i++) any = find_start(s, &s->model->parameter[i].info);
    return any;
}

/* How long the prefix is, of those that programs put before all names, that all have behind `skip`; 0: there is none.
 */
static size_t prefix_behind(const start *s)
{
    static const char *const prefixes[] = {"module.", "_orig_mod.", "model.", "state_dict."};
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
        const size_t length = strlen(prefixes[p]);
        size_t with = 0;
        while (with < s->file->tensor_count && strlen(s->file->tensors[with].name) > s->skip &&
               strncmp(s->file->tensors[with].name + s->skip, prefixes[p], length) == 0)
            with++;
        if (with && with == s->file->tensor_count) return length;
    }
    return 0;
}

/* Names are taken as they are, or behind the fewest such prefixes with which one fits. */
static void skip_prefixes(start *s, const clt_options *options)
{
    while (!has_any(s)) {
        const size_t more = prefix_behind(s);
        if (!more) {
            s->skip = 0;
            return;
        }
        s->skip += more;
    }
    if (s->skip && options)
        clt__options_note(options, "%s: its names are read without \"%.*s\", which all of them begin with", s->path,
                          s->skip < 200 ? (int)s->skip : 200, s->file->tensors[0].name);
}

/* Takes what fits; lists it in *taken, and the others, with the reason, in *left. */
static clt_status take_start(const start *s, clt__text *taken, clt__text *left, clt_error *error)
{
    for (size_t i = 0; i < s->model->parameters; i++) {
        clt__parameter_values *p = &s->model->parameter[i];
        const clt__stored_tensor *stored = find_start(s, &p->info);
        char difference[300] = "not there";
        if (stored) clt__compare_shapes(stored, &p->info, difference, sizeof difference);
        clt__text *list = *difference ? left : taken;
        TRY(clt__text_print(list, error, "%s%s", list->length ? ", " : "", p->info.name));
        if (*difference)
            TRY(clt__text_print(left, error, " (%s%s)", stored ? "it is " : "", difference));
        else
            take(s->model, p, stored);
    }
    return CLT_OK;
}

/* ---- in order */

/* The file's parameters, one for each of the model's. */
typedef struct pairing {
    const clt__stored_tensor **tensor;
    size_t count;
} pairing;

static clt_status check_pairs(const start *s, const pairing *pairs, clt_error *error)
{
    const size_t parameters = s->model->parameters;
    for (size_t i = 0; i < parameters && i < pairs->count; i++) {
        const clt_tensor_info *info = &s->model->parameter[i].info;
        char difference[300];
        clt__compare_shapes(pairs->tensor[i], info, difference, sizeof difference);
        if (*difference)
            return FAIL(error, CLT_BAD_FILE, "%s: in order %.200s would be %s, but it is %s: nothing is taken", s->path,
                        pairs->tensor[i]->name, info->name, difference);
    }
    if (pairs->count == parameters) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE,
                "%s: has %zu tensors, where the net has %zu parameters: in order %.200s has no partner, and nothing is "
                "taken",
                s->path, pairs->count, parameters,
                pairs->count < parameters ? s->model->parameter[pairs->count].info.name
                                          : pairs->tensor[parameters]->name);
}

static clt_status take_pairs(const start *s, const pairing *pairs, const clt_options *options, clt_error *error)
{
    clt__text list = {0};
    TRY(check_pairs(s, pairs, error));
    clt_status status = CLT_OK;
    for (size_t i = 0; i < pairs->count && status == CLT_OK; i++)
        status = clt__text_print(&list, error, "%s%s as %s", i ? ", " : "", pairs->tensor[i]->name,
                                 s->model->parameter[i].info.name);
    for (size_t i = 0; i < pairs->count && status == CLT_OK; i++)
        take(s->model, &s->model->parameter[i], pairs->tensor[i]);
    if (status == CLT_OK) clt__options_note(options, "%s: taken in order: %s", s->path, list.start ? list.start : "");
    free(list.start);
    return status;
}

static clt_status start_in_order(const start *s, const clt_options *options, clt_error *error)
{
    pairing pairs;
    TRY(clt__weights_in_order(s->file, &pairs.tensor, &pairs.count, error));
    const clt_status status = take_pairs(s, &pairs, options, error);
    free(pairs.tensor);
    return status;
}

/* ---- all of it */

/* The first few names of the file, and whether their order would do. */
static clt_status describe_file(const start *s, clt__text *text, clt_error *error)
{
    enum { FEW = 4 };
    pairing pairs;
    TRY(clt__weights_in_order(s->file, &pairs.tensor, &pairs.count, error));
    clt_status status = clt__text_print(text, error, "%s", pairs.count ? "it has" : "it has no tensor of reals");
    for (size_t i = 0; i < pairs.count && i < FEW && status == CLT_OK; i++)
        status = clt__text_print(text, error, "%s %.200s", i ? "," : "", pairs.tensor[i]->name);
    if (status == CLT_OK && pairs.count > FEW)
        status = clt__text_print(text, error, " and %zu more", pairs.count - FEW);
    if (status == CLT_OK && pairs.count && check_pairs(s, &pairs, NULL) == CLT_OK)
        status =
            clt__text_print(text, error, ", whose shapes are the net's in order: --weights-by-order takes them so");
    free(pairs.tensor);
    return status;
}

static clt_status fail_unnamed(const start *s, const char *left, clt_error *error)
{
    clt__text has = {0};
    clt_status status = describe_file(s, &has, error);
    if (status == CLT_OK)
        status =
            FAIL(error, CLT_BAD_FILE, "%s: has no parameter of the net's: %.1500s; %.1500s", s->path, left, has.start);
    free(has.start);
    return status;
}

static clt_status start_by_name(start *s, const clt_options *options, clt_error *error)
{
    clt__text taken = {0}, left = {0};
    skip_prefixes(s, options);
    clt_status status = take_start(s, &taken, &left, error);
    if (status == CLT_OK && !taken.length) status = fail_unnamed(s, left.start ? left.start : "", error);
    if (status == CLT_OK && left.length && options)
        clt__options_note(options, "%s: these are taken: %s; these keep their initial values: %s", s->path, taken.start,
                          left.start);
    free(taken.start);
    free(left.start);
    return status;
}

clt_status clt__start_imported(clt_model *model, clt_error *error)
{
    const start s = {.model = model, .file = &model->description.weights};
    size_t taken = 0;
    for (size_t i = 0; i < model->parameters; i++) {
        clt__parameter_values *p = &model->parameter[i];
        const clt__stored_tensor *stored = find_start(&s, &p->info);
        char difference[300] = "";
        if (!stored) continue;
        clt__compare_shapes(stored, &p->info, difference, sizeof difference);
        if (stored->count != p->info.count) /* an image's numbers do for a vector */
            return FAIL(error, CLT_BAD_FILE, "%s: %s was read as %s", model->description.origin, p->info.name,
                        difference);
        take(model, p, stored);
        taken++;
    }
    if (taken < s.file->tensor_count)
        return FAIL(error, CLT_BAD_FILE, "%s: %zu of the %zu tensors that were read have no place in its net",
                    model->description.origin, s.file->tensor_count - taken, s.file->tensor_count);
    return CLT_OK;
}

/* The tensors of an ONNX model are called as its net has them. */
static clt_status read_weights(const char *path, clt__safetensors *file, clt_error *error)
{
    clt__onnx_import import;
    if (!clt__is_onnx(path)) return clt__safetensors_read(path, file, error);
    TRY(clt__onnx_import_file(path, &(clt__onnx_options){.logits = true}, &import, error));
    *file = import.weights;
    import.weights = (clt__safetensors){0};
    clt__onnx_import_free(&import);
    return CLT_OK;
}

clt_status clt_model_start_from(clt_model *model, const char *path, const clt_options *options, clt_error *error)
{
    clt__safetensors file;
    TRY(read_weights(path, &file, error));
    start s = {.model = model, .path = path, .file = &file};
    const bool in_order = options && options->weights_by_order;
    const clt_status status = in_order ? start_in_order(&s, options, error) : start_by_name(&s, options, error);
    clt__safetensors_free(&file);
    return status;
}
