#include "onnx/graph.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

/* ---- a node's parts */

static clt__onnx_value absent = {.name = "", .kind = CLT__ONNX_ABSENT};

clt__onnx_value *clt__onnx_input(const clt__onnx_work *work, size_t number)
{
    if (number >= work->node->n_input || !*work->node->input[number]) return &absent;
    clt__onnx_value *value = clt__onnx_find(work->graph, work->node->input[number]);
    return value ? value : &absent;
}

clt__onnx_value *clt__onnx_output(const clt__onnx_work *work, size_t number)
{
    if (number >= work->node->n_output || !*work->node->output[number]) return NULL;
    return clt__onnx_find(work->graph, work->node->output[number]);
}

bool clt__onnx_flows(const clt__onnx_value *value)
{
    return value->kind == CLT__ONNX_FLOWS;
}

bool clt__onnx_is_constant(const clt__onnx_value *value)
{
    return value->kind == CLT__ONNX_CONSTANT;
}

bool clt__onnx_is_parameter(const clt__onnx_work *work, const clt__onnx_value *value)
{
    const Onnx__GraphProto *graph = work->graph->file->message->graph;
    const bool dot = strchr(value->name, '.') != NULL, slash = strchr(value->name, '/') && value->name[0] != '/';
    if (value->name[0] == '/' || !(dot || (slash && value->constant.count > 1))) return false;
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, value->name) == 0) return true;
    return false;
}

static const Onnx__AttributeProto *find_attribute(const clt__onnx_work *work, const char *name)
{
    for (size_t i = 0; i < work->node->n_attribute; i++) {
        const Onnx__AttributeProto *attribute = work->node->attribute[i];
        if (attribute->name && strcmp(attribute->name, name) == 0) return attribute;
    }
    return NULL;
}

bool clt__onnx_has(const clt__onnx_work *work, const char *name)
{
    return find_attribute(work, name) != NULL;
}

int64_t clt__onnx_int(const clt__onnx_work *work, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *attribute = find_attribute(work, name);
    return attribute && attribute->has_i ? attribute->i : otherwise;
}

double clt__onnx_float(const clt__onnx_work *work, const char *name, double otherwise)
{
    const Onnx__AttributeProto *attribute = find_attribute(work, name);
    return attribute && attribute->has_f ? (double)attribute->f : otherwise;
}

bool clt__onnx_is_word(const clt__onnx_work *work, const char *name, const char *word)
{
    const Onnx__AttributeProto *attribute = find_attribute(work, name);
    const size_t length = attribute && attribute->has_s ? attribute->s.len : 0;
    return length == strlen(word) && length && memcmp(attribute->s.data, word, length) == 0;
}

int clt__onnx_ints(const clt__onnx_work *work, const char *name, int64_t *list, int most)
{
    const Onnx__AttributeProto *attribute = find_attribute(work, name);
    if (!attribute) return 0;
    if (attribute->n_ints > (size_t)most) return -1;
    for (size_t i = 0; i < attribute->n_ints; i++) list[i] = attribute->ints[i];
    return (int)attribute->n_ints;
}

const Onnx__TensorProto *clt__onnx_tensor_attribute(const clt__onnx_work *work, const char *name)
{
    const Onnx__AttributeProto *attribute = find_attribute(work, name);
    return attribute ? attribute->t : NULL;
}

static int64_t whole_number(double value)
{
    if (!(value > -9e18)) return INT64_MIN;
    return value < 9e18 ? (int64_t)value : INT64_MAX;
}

int clt__onnx_axes(const clt__onnx_work *work, const char *attribute, size_t input, int64_t *list, int most)
{
    const clt__onnx_value *given = clt__onnx_input(work, input);
    if (given->kind == CLT__ONNX_ABSENT) return clt__onnx_ints(work, attribute, list, most);
    if (!clt__onnx_is_constant(given) || given->constant.count > (size_t)most) return -1;
    for (size_t i = 0; i < given->constant.count; i++) list[i] = whole_number(clt__onnx_at(&given->constant, i));
    return (int)given->constant.count;
}

int clt__onnx_axis(int64_t axis, int rank)
{
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? (int)axis : -1;
}

/* ---- what cannot be */

static const char *label_of(const clt__onnx_node *node)
{
    if (node->name && *node->name) return node->name;
    return node->n_output ? node->output[0] : "";
}

static clt__onnx_refusal *find_refusal(clt__onnx_graph *graph, const char *type, const char *reason)
{
    for (size_t i = 0; i < graph->refusals; i++)
        if (strcmp(graph->refusal[i].type, type) == 0 && strcmp(graph->refusal[i].reason, reason) == 0)
            return &graph->refusal[i];
    return NULL;
}

clt_status clt__onnx_refuse(const clt__onnx_work *work, clt_error *error, const char *format, ...)
{
    clt__onnx_graph *graph = work->graph;
    char reason[sizeof(clt__onnx_refusal){0}.reason];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(reason, sizeof reason, format, list);
    va_end(list);
    for (size_t i = 0; i < work->node->n_output; i++) {
        clt__onnx_value *output = clt__onnx_output(work, i);
        if (output) output->kind = CLT__ONNX_UNKNOWN;
    }
    clt__onnx_refusal *refusal = find_refusal(graph, work->node->op_type, reason);
    if (!refusal) {
        TRY(clt__grow(&graph->refusal, &graph->refusal_capacity, graph->refusals, sizeof *graph->refusal, error));
        refusal = &graph->refusal[graph->refusals++];
        *refusal = (clt__onnx_refusal){.type = work->node->op_type};
        memcpy(refusal->reason, reason, sizeof reason);
    }
    if (refusal->count < 3)
        (void)snprintf(refusal->names[refusal->count], sizeof refusal->names[0], "%s", label_of(work->node));
    refusal->count++;
    return CLT_OK;
}

/* ---- what a node gives */

clt_status clt__onnx_give_constant(const clt__onnx_work *work, size_t output, clt__onnx_tensor *tensor)
{
    clt__onnx_value *value = clt__onnx_output(work, output);
    if (value) {
        value->kind = CLT__ONNX_CONSTANT;
        value->constant = *tensor;
    } else {
        clt__onnx_tensor_free(tensor);
    }
    return CLT_OK;
}

clt_status clt__onnx_give_view(const clt__onnx_work *work, size_t output, const clt__onnx_value *from,
                               const clt__view *view)
{
    clt__onnx_value *value = clt__onnx_output(work, output);
    if (!value) return CLT_OK;
    value->kind = CLT__ONNX_FLOWS;
    value->line = from->line;
    value->shape = from->shape;
    value->view = *view;
    if (from->users > value->users) value->users = from->users; /* who changes the line changes it for all of them */
    return CLT_OK;
}

clt_status clt__onnx_give_made(const clt__onnx_work *work, size_t output, int line, const clt__view *view)
{
    const clt__onnx_value made = {.line = line, .shape = work->graph->line[line].shape};
    return clt__onnx_give_view(work, output, &made, view);
}

/* ---- names of lines */

static size_t number_of(const clt__onnx_graph *graph, const clt__onnx_line *line)
{
    size_t number = 1;
    for (const clt__onnx_line *other = graph->line; other < line; other++)
        number += other->read && strcmp(other->kind, line->kind) == 0;
    return number;
}

static bool is_taken(const clt__onnx_graph *graph, const clt__onnx_line *line)
{
    for (const clt__onnx_line *other = graph->line; other < line; other++)
        if (other->read && strcmp(other->name, line->name) == 0) return true;
    return false;
}

/* One that ends in a number after nothing but letters may be what the language calls another line. */
static bool looks_numbered(const char *name)
{
    const size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
    return letters && name[letters] && !name[letters + strspn(name + letters, "0123456789")];
}

/* What is no letter, digit, - or _ becomes one, and dots part the levels. */
static void make_proper(const char *wanted, char *name, size_t room)
{
    size_t length = 0;
    for (const char *c = wanted; *c && length + 1 < room; c++) {
        const bool parts = *c == '/' || *c == '.' || *c == ':';
        if (parts && (!length || name[length - 1] == '.')) continue;
        name[length++] = parts ? '.' : (char)(isalnum((unsigned char)*c) || *c == '-' ? *c : '_');
    }
    while (length && name[length - 1] == '.') length--;
    name[length] = 0;
}

static void choose_name(const clt__onnx_graph *graph, clt__onnx_line *line)
{
    char own[sizeof line->name], base[32];
    (void)snprintf(own, sizeof own, "%.20s%zu", line->kind, number_of(graph, line));
    make_proper(line->wanted, line->name, sizeof line->name);
    const bool usable = *line->name && (!looks_numbered(line->name) || strcmp(line->name, own) == 0);
    if (!usable) memcpy(line->name, own, sizeof own);
    (void)snprintf(base, sizeof base, "%.31s", line->name);
    for (int i = 2; is_taken(graph, line); i++) (void)snprintf(line->name, sizeof line->name, "%s_%d", base, i);
    line->named = strcmp(line->name, own) != 0;
}

/* A tensor's line by its index, which its name begins with. */
static clt_status name_weight(const clt__onnx_graph *graph, clt__stored_tensor *tensor, clt_error *error)
{
    char *end, full[128];
    const clt__onnx_line *line = &graph->line[strtol(tensor->name, &end, 10)];
    (void)snprintf(full, sizeof full, "%s%s", line->name, end);
    free(tensor->name);
    tensor->name = NULL;
    return line->read ? clt__copy_text(full, &tensor->name, error) : CLT_OK;
}

clt_status clt__onnx_name_lines(clt__onnx_graph *graph, int output, clt_error *error)
{
    clt__safetensors *weights = graph->weights;
    size_t kept = 0;
    if (output >= 0) graph->line[output].read = true;
    for (size_t i = graph->lines; i-- > 0;)
        for (int j = 0; graph->line[i].read && j < graph->line[i].inputs; j++)
            if (graph->line[i].input[j] >= 0) graph->line[graph->line[i].input[j]].read = true;
    for (size_t i = 0; i < graph->lines; i++)
        if (graph->line[i].read) choose_name(graph, &graph->line[i]);
    for (size_t i = 0; i < weights->tensor_count; i++) {
        clt__stored_tensor *tensor = &weights->tensors[i];
        TRY(name_weight(graph, tensor, error));
        if (!tensor->name) {
            free(tensor->values);
            tensor->values = NULL;
        } else if (kept++ != i) {
            weights->tensors[kept - 1] = *tensor;
            *tensor = (clt__stored_tensor){0};
        }
    }
    weights->tensor_count = kept;
    return CLT_OK;
}

static void print(char *text, size_t room, const char *format, ...) CLT__PRINTF(3, 4);

static void print(char *text, size_t room, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)clt__vsnprintf(text, room, format, list);
    va_end(list);
}

const char *clt__onnx_number(double value, char text[32])
{
    for (int digits = 6; digits <= 9; digits++) {
        print(text, 32, "%.*g", digits, value);
        if ((float)clt__strtod(text, NULL) == (float)value) break;
    }
    return text;
}

/* "/layer1/layer1.0/conv1/Conv" is layer1.0.conv1: a part that the next one repeats says nothing, nor does the last one
 * where it is the node's type. */
static void shorten(const char *scopes, const char *type, char *name, size_t room)
{
    size_t length = 0;
    *name = 0;
    for (const char *part = scopes; part; part = strchr(part, '/')) {
        part += *part == '/';
        const size_t size = strcspn(part, "/");
        const char *next = part[size] ? part + size + 1 : NULL;
        const bool repeated = next && size && strncmp(next, part, size) == 0 && next[size] == '.';
        const bool is_type = !next && length && strlen(type) == size && strncmp(part, type, size) == 0;
        if (!size || repeated || is_type || length + size + 2 > room) continue;
        length += (size_t)snprintf(name + length, room - length, "%s%.*s", length ? "." : "", (int)size, part);
    }
}

bool clt__onnx_parameter_of(const char *parameter, char *name, size_t room)
{
    const char *dot = strrchr(parameter, '.');
    if (!dot || (strcmp(dot, ".weight") != 0 && strcmp(dot, ".bias") != 0)) return false;
    (void)snprintf(name, room, "%.*s", (int)(dot - parameter), parameter);
    return true;
}

const char *clt__onnx_layer_name(const clt__onnx_work *work, size_t input, char *name, size_t room)
{
    const char *weight = input < work->node->n_input ? work->node->input[input] : "";
    if (!clt__onnx_parameter_of(weight, name, room))
        shorten(work->node->name ? work->node->name : "", work->node->op_type, name, room);
    return *name ? name : NULL;
}

/* ---- lines */

static bool gives_vector(const clt__onnx_graph *graph, const clt__onnx_line *line)
{
    const clt__onnx_line *from = line->inputs && line->input[0] >= 0 ? &graph->line[line->input[0]] : NULL;
    if (strcmp(line->kind, "flatten") == 0 || strcmp(line->kind, "dense") == 0) return true;
    return from && from->flat && clt__shapes_equal(from->shape, line->shape) && strcmp(line->kind, "reshape") != 0;
}

static clt_status write_line(clt__onnx_graph *graph, const char *kind, const char *name, const int *input, int inputs,
                             clt_shape shape, int *line, const char *options, clt_error *error)
{
    TRY(clt__grow(&graph->line, &graph->line_capacity, graph->lines, sizeof *graph->line, error));
    clt__onnx_line *to = &graph->line[graph->lines];
    *to = (clt__onnx_line){.inputs = inputs, .shape = shape};
    (void)snprintf(to->kind, sizeof to->kind, "%s", kind);
    (void)snprintf(to->wanted, sizeof to->wanted, "%s", name ? name : "");
    memcpy(to->input, input, (size_t)inputs * sizeof *input);
    to->flat = gives_vector(graph, to);
    TRY(clt__copy_text(options, &to->options, error));
    *line = (int)graph->lines++;
    return CLT_OK;
}

static clt_status write_with(clt__onnx_graph *graph, const char *kind, const char *name, const int *input, int inputs,
                             clt_shape shape, int *line, clt_error *error, const char *options, va_list list)
    CLT__PRINTF(9, 0);

static clt_status write_with(clt__onnx_graph *graph, const char *kind, const char *name, const int *input, int inputs,
                             clt_shape shape, int *line, clt_error *error, const char *options, va_list list)
{
    char text[512];
    (void)vsnprintf(text, sizeof text, options, list);
    return write_line(graph, kind, name, input, inputs, shape, line, text, error);
}

clt_status clt__onnx_write(clt__onnx_graph *graph, const char *kind, const char *name, const int *input, int inputs,
                           clt_shape shape, int *line, clt_error *error, const char *options, ...)
{
    va_list list;
    va_start(list, options);
    const clt_status status = write_with(graph, kind, name, input, inputs, shape, line, error, options, list);
    va_end(list);
    return status;
}

clt_status clt__onnx_follow(clt__onnx_graph *graph, const char *kind, int *line, clt_shape shape, clt_error *error,
                            const char *options, ...)
{
    va_list list;
    va_start(list, options);
    const clt_status status = write_with(graph, kind, NULL, line, 1, shape, line, error, options, list);
    va_end(list);
    return status;
}

clt_status clt__onnx_give_line(const clt__onnx_work *work, const clt__onnx_value *from, const char *kind,
                               clt_shape shape, const clt__view *view, clt_error *error, const char *options, ...)
{
    int line;
    va_list list;
    va_start(list, options);
    const clt_status status = write_with(work->graph, kind, NULL, &from->line, 1, shape, &line, error, options, list);
    va_end(list);
    TRY(status);
    const clt__view image = clt__view_of(work->graph->batch, shape, from->view.rank);
    return clt__onnx_give_made(work, 0, line, view ? view : &image);
}

clt_status clt__onnx_add_option(clt__onnx_line *line, clt_error *error, const char *format, ...)
{
    char option[128], *longer;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(option, sizeof option, format, list);
    va_end(list);
    const size_t length = strlen(line->options);
    TRY(clt__allocate(length + sizeof option, 1, "a layer's options", &longer, error));
    memcpy(longer, line->options, length);
    memcpy(longer + length, option, strlen(option) + 1);
    free(line->options);
    line->options = longer;
    return CLT_OK;
}

bool clt__onnx_is_by_element(const clt__onnx_line *line)
{
    return (strcmp(line->kind, "layernorm") == 0 && !strstr(line->options, " over=channels")) ||
           strstr(line->options, " over=elements");
}

int clt__onnx_numbers_shape(const clt__onnx_graph *graph, int line, int64_t count, int64_t extent[3])
{
    const clt__onnx_line *l = &graph->line[line];
    const bool flat = l->input[0] >= 0 && graph->line[l->input[0]].flat;
    extent[0] = count;
    if (!clt__onnx_is_by_element(l) || flat) return 1;
    extent[0] = l->shape.channels;
    extent[1] = l->shape.height;
    extent[2] = l->shape.width;
    return 3;
}

clt_status clt__onnx_add_weight(clt__onnx_graph *graph, int line, const char *name, int dimensions,
                                const int64_t *extent, const double *values, clt_error *error)
{
    char full[128];
    uint64_t shape[CLT__ONNX_RANK];
    for (int i = 0; i < dimensions; i++) shape[i] = (uint64_t)extent[i];
    (void)snprintf(full, sizeof full, "%d.%s", line, name);
    return clt__safetensors_add(graph->weights, full, CLT_F32, dimensions, shape, values, error);
}

clt_status clt__onnx_add_constant(clt__onnx_graph *graph, int line, const char *name, int dimensions,
                                  const int64_t *extent, const clt__onnx_tensor *from, clt_error *error)
{
    if (!from->filled) return clt__onnx_add_weight(graph, line, name, dimensions, extent, from->value, error);
    TRY(clt__onnx_count_filled(graph, from, error));
    TRY(clt__onnx_add_weight(graph, line, name, dimensions, extent, NULL, error));
    double *values = graph->weights->tensors[graph->weights->tensor_count - 1].values;
    for (size_t i = 0; i < from->count && from->value[0] != 0; i++) values[i] = from->value[0];
    return CLT_OK;
}

clt_status clt__onnx_count_filled(clt__onnx_graph *graph, const clt__onnx_tensor *tensor, clt_error *error)
{
    if (tensor->filled) graph->filled += tensor->count;
    if (graph->filled <= graph->most_filled) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: the weights that it has as one number each would be more than %llu",
                graph->file->path, (unsigned long long)graph->most_filled);
}
