#include "onnx/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "onnx/constants.h"

enum {
    SOME_BATCH = 7919, /* prime, and no size that is met: what a size of unknown batches is reckoned with */
    MOST_INPUTS = 8
};

typedef struct importer {
    clt__onnx_graph graph;
    const Onnx__GraphProto *proto;
    size_t *producer; /* of each value: 1 + its node, 0 where it has none */
    bool *needed;     /* of each node */
    const clt__onnx_options *options;
    const char *output; /* the name of the value that the net gives */
    const Onnx__ValueInfoProto *input[MOST_INPUTS];
    int inputs;
    clt_shape shape; /* of the net's input */
} importer;

static clt_status fail(const importer *im, clt_error *error, const char *what, const char *name)
{
    return FAIL(error, CLT_BAD_FILE, "%s: %s \"%.200s\"", im->graph.file->path, what, name ? name : "");
}

/* ---- values */

static size_t slot_of(const clt__onnx_graph *graph, const char *name)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 1099511628211u;
    size_t at = (size_t)(h ^ h >> 32) & (graph->slots - 1);
    return at;
}

clt__onnx_value *clt__onnx_find(const clt__onnx_graph *graph, const char *name)
{
    for (size_t at = slot_of(graph, name);; at = (at + 1) & (graph->slots - 1)) {
        if (!graph->slot[at]) return NULL;
        if (strcmp(graph->value[graph->slot[at] - 1].name, name) == 0) return &graph->value[graph->slot[at] - 1];
    }
}

static clt__onnx_value *add_value(clt__onnx_graph *graph, const char *name)
{
    size_t at = slot_of(graph, name);
    while (graph->slot[at]) at = (at + 1) & (graph->slots - 1);
    graph->value[graph->values] = (clt__onnx_value){.name = name, .line = CLT__ONNX_INPUT};
    graph->slot[at] = ++graph->values;
    return &graph->value[graph->values - 1];
}

static clt_status make_room(importer *im, clt_error *error)
{
    size_t count = im->proto->n_input + im->proto->n_initializer + im->options->givens;
    for (size_t i = 0; i < im->proto->n_node; i++) count += im->proto->node[i]->n_output;
    im->graph.slots = 16;
    while (im->graph.slots < 2 * count) im->graph.slots *= 2;
    TRY(clt__allocate(im->graph.slots, sizeof *im->graph.slot, "a graph's values", &im->graph.slot, error));
    TRY(clt__allocate(count, sizeof *im->graph.value, "a graph's values", &im->graph.value, error));
    TRY(clt__allocate(count, sizeof *im->producer, "a graph's values", &im->producer, error));
    return clt__allocate(im->proto->n_node, sizeof *im->needed, "a graph's nodes", &im->needed, error);
}

/* Names alone: initialisers are read once it is known that they are needed. */
static clt_status add_values(importer *im, clt_error *error)
{
    clt__onnx_graph *graph = &im->graph;
    for (size_t i = 0; i < im->proto->n_initializer; i++) {
        const char *name = im->proto->initializer[i]->name;
        if (!name || clt__onnx_find(graph, name))
            return fail(im, error, "has two initialisers, or one without a name:", name);
        (void)add_value(graph, name);
    }
    for (size_t i = 0; i < im->proto->n_input; i++) {
        const char *name = im->proto->input[i]->name;
        if (!name) return fail(im, error, "has an input without a name", "");
        if (!clt__onnx_find(graph, name)) (void)add_value(graph, name);
    }
    for (size_t i = 0; i < im->proto->n_node; i++) {
        const Onnx__NodeProto *node = im->proto->node[i];
        if (!node->op_type) return fail(im, error, "has a node without a type:", node->name);
        for (size_t j = 0; j < node->n_output; j++) {
            if (!*node->output[j]) continue;
            if (clt__onnx_find(graph, node->output[j])) return fail(im, error, "makes a value twice:", node->output[j]);
            (void)add_value(graph, node->output[j]);
            im->producer[graph->values - 1] = i + 1;
        }
    }
    return CLT_OK;
}

/* ---- which nodes the output needs */

static clt_status find_output(importer *im, const char *until, clt_error *error)
{
    if (!until) {
        if (im->proto->n_output < 1 || !im->proto->output[0]->name) return fail(im, error, "has no output", "");
        im->output = im->proto->output[0]->name;
        if (!clt__onnx_find(&im->graph, im->output)) return fail(im, error, "nothing makes its output", im->output);
        return CLT_OK;
    }
    for (size_t i = 0; i < im->proto->n_node; i++) {
        const Onnx__NodeProto *node = im->proto->node[i];
        const bool named = node->name && strcmp(node->name, until) == 0;
        for (size_t j = 0; j < node->n_output; j++)
            if (*node->output[j] && (named || strcmp(node->output[j], until) == 0)) {
                im->output = node->output[j];
                return CLT_OK;
            }
    }
    return fail(im, error, "has no node, and no node's output, called", until);
}

/* Goes through the nodes from the last to the first, as each comes after those that it reads. */
static void find_needed(importer *im)
{
    const clt__onnx_value *output = clt__onnx_find(&im->graph, im->output);
    const size_t last = im->producer[output - im->graph.value];
    if (last) im->needed[last - 1] = true;
    for (size_t i = im->proto->n_node; i-- > 0;) {
        const Onnx__NodeProto *node = im->proto->node[i];
        for (size_t j = 0; im->needed[i] && j < node->n_input; j++) {
            clt__onnx_value *value = *node->input[j] ? clt__onnx_find(&im->graph, node->input[j]) : NULL;
            if (!value) continue;
            value->users++;
            const size_t producer = im->producer[value - im->graph.value];
            if (producer) im->needed[producer - 1] = true;
        }
    }
    clt__onnx_find(&im->graph, im->output)->users++;
}

/* ---- initialisers and inputs */

static clt_status read_initialisers(importer *im, clt_error *error)
{
    for (size_t i = 0; i < im->proto->n_initializer; i++) {
        clt__onnx_value *value = clt__onnx_find(&im->graph, im->proto->initializer[i]->name);
        if (!value->users) continue;
        TRY(clt__onnx_tensor_read(im->graph.file, im->proto->initializer[i], &value->constant, error));
        value->kind = CLT__ONNX_CONSTANT;
        im->graph.constants += value->constant.count;
    }
    for (size_t i = 0; i < im->options->givens; i++) {
        clt__onnx_value *value = clt__onnx_find(&im->graph, im->options->given[i].name);
        if (!value || value->kind != CLT__ONNX_ABSENT) continue;
        TRY(clt__onnx_tensor_copy(&im->options->given[i].tensor, &value->constant, error));
        value->kind = CLT__ONNX_CONSTANT;
    }
    return CLT_OK;
}

/* Those that are no initialisers. */
static clt_status find_inputs(importer *im, clt_error *error)
{
    for (size_t i = 0; i < im->proto->n_input; i++) {
        const clt__onnx_value *value = clt__onnx_find(&im->graph, im->proto->input[i]->name);
        if (value->kind == CLT__ONNX_CONSTANT || !value->users) continue;
        if (im->inputs == MOST_INPUTS)
            return fail(im, error, "reads more than eight inputs, the last being", value->name);
        im->input[im->inputs++] = im->proto->input[i];
    }
    return im->inputs ? CLT_OK : fail(im, error, "reads no input for", im->output);
}

/* Whether all that is done with the input is to put channels that are its last dimension first. */
static bool has_channels_last(const importer *im, const char *input)
{
    static const int64_t to_front[] = {0, 3, 1, 2};
    bool all = false;
    for (size_t i = 0; i < im->proto->n_node; i++) {
        const Onnx__NodeProto *node = im->proto->node[i];
        for (size_t j = 0; im->needed[i] && j < node->n_input; j++) {
            int64_t order[4];
            if (strcmp(node->input[j], input) != 0) continue;
            const clt__onnx_work work = {.node = node};
            all = strcmp(node->op_type, "Transpose") == 0 && clt__onnx_ints(&work, "perm", order, 4) == 4 &&
                  memcmp(order, to_front, sizeof order) == 0;
            if (!all) return false;
        }
    }
    return all;
}

static clt_status refuse_input(const importer *im, const Onnx__ValueInfoProto *input, const char *why, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE,
                "%s: its input \"%.200s\" %s: floats of [batch, channels, height, width] with fixed sizes but for the "
                "batch's are needed, or fewer dimensions",
                im->graph.file->path, input->name, why);
}

static clt_status read_input_dims(const importer *im, const Onnx__ValueInfoProto *input, int *rank, int64_t dim[4],
                                  clt_error *error)
{
    const bool tensor = input->type && input->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    const Onnx__TypeProto__Tensor *type = tensor ? input->type->tensor_type : NULL;
    const Onnx__TensorShapeProto *shape = type ? type->shape : NULL;
    if (!shape) return refuse_input(im, input, "has no shape", error);
    if (!clt__onnx_is_float(type->elem_type)) return refuse_input(im, input, "is not of floats", error);
    if (shape->n_dim < 2 || shape->n_dim > 4) return refuse_input(im, input, "has not two to four dimensions", error);
    *rank = (int)shape->n_dim;
    for (int i = 0; i < *rank; i++) {
        const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
        const bool fixed = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0;
        if (!fixed && i > 0) return refuse_input(im, input, "has a size that is not fixed", error);
        dim[i] = fixed ? d->dim_value : SOME_BATCH;
        if (dim[i] > 1000000) return refuse_input(im, input, "is too large", error);
    }
    return CLT_OK;
}

static clt_status set_input(importer *im, const Onnx__ValueInfoProto *input, clt_error *error)
{
    clt__onnx_value *value = clt__onnx_find(&im->graph, input->name);
    int rank = 0;
    int64_t dim[4] = {1, 1, 1, 1};
    TRY(read_input_dims(im, input, &rank, dim, error));
    const bool last = rank == 4 && has_channels_last(im, input->name);
    const int c = last ? 3 : 1, h = last ? 1 : 2, w = last ? 2 : rank - 1;
    value->shape = (clt_shape){(int)dim[c], rank == 4 ? (int)dim[h] : 1, rank > 2 ? (int)dim[w] : 1};
    value->kind = CLT__ONNX_FLOWS;
    if (im->graph.batch && im->graph.batch != dim[0])
        return refuse_input(im, input, "has another batch size than the one before", error);
    im->graph.batch = dim[0];
    value->view = clt__view_of(dim[0], value->shape, rank);
    if (last) {
        const clt__view image = value->view;
        clt__view_transpose(&image, (const int[]){0, 2, 3, 1}, &value->view);
    }
    return CLT_OK;
}

/* A net has one input: that of a graph with several has the channels of all of them, one's after the other's. */
static clt_status set_inputs(importer *im, clt_error *error)
{
    for (int i = 0; i < im->inputs; i++) {
        TRY(set_input(im, im->input[i], error));
        const clt_shape own = clt__onnx_find(&im->graph, im->input[i]->name)->shape;
        if (i && (own.height != im->shape.height || own.width != im->shape.width || own.channels > 100000))
            return refuse_input(im, im->input[i], "has another height or width than the one before", error);
        im->shape = (clt_shape){im->shape.channels + own.channels, own.height, own.width};
    }
    for (int i = 0, first = 0; i < im->inputs && im->inputs > 1; i++) {
        clt__onnx_value *value = clt__onnx_find(&im->graph, im->input[i]->name);
        TRY(clt__onnx_write(&im->graph, "slice", NULL, (const int[]){CLT__ONNX_INPUT}, 1, value->shape, &value->line,
                            error, " first=%d count=%d", first, value->shape.channels));
        first += value->shape.channels;
    }
    return CLT_OK;
}

/* ---- nodes */

static const clt__onnx_row *find_row(const char *type)
{
    static const clt__onnx_row *const lists[] = {clt__onnx_weighted_rows, clt__onnx_pool_rows,  clt__onnx_norm_rows,
                                                 clt__onnx_element_rows,  clt__onnx_shape_rows, clt__onnx_part_rows,
                                                 clt__onnx_resize_rows,   clt__onnx_join_rows};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const clt__onnx_row *row = lists[i]; row->type; row++)
            if (strcmp(row->type, type) == 0) return row;
    return NULL;
}

/* What a type of node means has changed up to opset 6, but for these. */
static bool is_as_ever(const clt__onnx_graph *graph, const char *type)
{
    static const char *const types[] = {"AveragePool",       "Constant",      "Conv",     "ConvTranspose", "Flatten",
                                        "GlobalAveragePool", "GlobalMaxPool", "LRN",      "MaxPool",       "Relu",
                                        "Sigmoid",           "Softplus",      "Softsign", "Tanh",          "Transpose"};
    bool found = graph->opset >= 6;
    for (size_t i = 0; i < sizeof types / sizeof *types && !found; i++) found = strcmp(type, types[i]) == 0;
    return found;
}

static bool is_own_domain(const Onnx__NodeProto *node)
{
    return !node->domain || !*node->domain || strcmp(node->domain, "ai.onnx") == 0;
}

/* What a node reads must be there; what it cannot be told of as an earlier node could not be written, is. */
static clt_status check_inputs(const clt__onnx_work *work, bool *unknown, clt_error *error)
{
    *unknown = false;
    for (size_t i = 0; i < work->node->n_input; i++) {
        if (!*work->node->input[i]) continue;
        const clt__onnx_value *value = clt__onnx_find(work->graph, work->node->input[i]);
        if (!value || value->kind == CLT__ONNX_ABSENT)
            return FAIL(
                error, CLT_BAD_FILE,
                "%s: node \"%.200s\" reads \"%.200s\", which nothing before it makes: nodes stand in their order, "
                "without cycles",
                work->graph->file->path, work->node->name ? work->node->name : work->node->op_type,
                work->node->input[i]);
        *unknown = *unknown || value->kind == CLT__ONNX_UNKNOWN;
    }
    return CLT_OK;
}

static void leave_unknown(const clt__onnx_work *work)
{
    for (size_t i = 0; i < work->node->n_output; i++) {
        clt__onnx_value *output = clt__onnx_output(work, i);
        if (output && output->kind == CLT__ONNX_ABSENT) output->kind = CLT__ONNX_UNKNOWN;
    }
}

static clt_status import_node(importer *im, const Onnx__NodeProto *node, clt_error *error)
{
    const clt__onnx_row *row = find_row(node->op_type);
    const clt__onnx_work work = {&im->graph, node, row ? row->kind : NULL};
    bool unknown, folded = false;
    TRY(check_inputs(&work, &unknown, error));
    if (!is_own_domain(node)) {
        TRY(clt__onnx_refuse(&work, error, "it is of the domain %.100s", node->domain));
    } else if (!is_as_ever(&im->graph, node->op_type)) {
        TRY(clt__onnx_refuse(&work, error, "opset %d has it otherwise than 6 and later ones", (int)im->graph.opset));
    } else {
        if (!unknown) TRY(clt__onnx_fold(&work, &folded, error));
        if (!folded && !unknown && row) TRY(row->handle(&work, error));
        if (!folded && !row && !(unknown && clt__onnx_folds(node->op_type)))
            TRY(clt__onnx_refuse(&work, error, "%s", ""));
    }
    leave_unknown(&work);
    return CLT_OK;
}

/* One sentence that names all that cannot be. */
static clt_status report_refusals(const importer *im, clt_error *error)
{
    const clt__onnx_graph *graph = &im->graph;
    clt__text text = {0};
    clt_status status = CLT_OK;
    for (size_t i = 0; i < graph->refusals && status == CLT_OK; i++) {
        const clt__onnx_refusal *r = &graph->refusal[i];
        status = clt__text_print(&text, error, "%s%d of %.60s%s%s%s (", i ? "; " : "", r->count, r->type,
                                 *r->reason ? ", as " : "", r->reason, "");
        for (int j = 0; j < 3 && j < r->count && status == CLT_OK; j++)
            status = clt__text_print(&text, error, "%s%s", j ? ", " : "", r->names[j]);
        if (status == CLT_OK) status = clt__text_print(&text, error, "%s)", r->count > 3 ? ", ..." : "");
    }
    if (status == CLT_OK)
        status = FAIL(error, CLT_BAD_NET,
                      "%s: these nodes cannot be written as layers: %.1500s; --until NODE takes what comes before one",
                      graph->file->path, text.start);
    free(text.start);
    return status;
}

/* Constants that were read for the last time go. */
static void drop_constants(importer *im, const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < node->n_input; i++) {
        clt__onnx_value *value = *node->input[i] ? clt__onnx_find(&im->graph, node->input[i]) : NULL;
        if (value && value->kind == CLT__ONNX_CONSTANT && --value->unread == 0) clt__onnx_tensor_free(&value->constant);
    }
}

static clt_status import_nodes(importer *im, clt_error *error)
{
    for (size_t i = 0; i < im->graph.values; i++) im->graph.value[i].unread = im->graph.value[i].users;
    for (size_t i = 0; i < im->proto->n_node; i++) {
        if (!im->needed[i]) continue;
        TRY(import_node(im, im->proto->node[i], error));
        drop_constants(im, im->proto->node[i]);
    }
    return im->graph.refusals ? report_refusals(im, error) : CLT_OK;
}

/* ---- the text */

static clt_status write_line(const clt__onnx_graph *graph, const clt__onnx_line *line, int before, clt__text *text,
                             clt_error *error)
{
    TRY(clt__text_print(text, error, "%s%s", line->kind, line->options));
    if (line->named) TRY(clt__text_print(text, error, " as=%s", line->name));
    if (line->inputs > 1 || line->input[0] != before)
        for (int i = 0; i < line->inputs; i++)
            TRY(clt__text_print(text, error, "%s%s",
                                i ? "," : " from=", line->input[i] < 0 ? "input" : graph->line[line->input[i]].name));
    return clt__text_print(text, error, "\n");
}

/* The loss that a file of cltrain's own was trained with: its net's output is what that takes. */
static const char *loss_of(const importer *im)
{
    return clt__safetensors_text(im->graph.weights, "loss");
}

static clt_status write_text(const importer *im, clt__text *text, clt_error *error)
{
    const clt__onnx_graph *graph = &im->graph;
    const clt_shape in = im->shape;
    int before = CLT__ONNX_INPUT;
    TRY(clt__text_print(text, error, "input %dx%dx%d\n", in.channels, in.height, in.width));
    for (size_t i = 0; i < graph->lines; i++) {
        if (!graph->line[i].read) continue;
        TRY(write_line(graph, &graph->line[i], before, text, error));
        before = (int)i;
    }
    return CLT_OK;
}

static bool is_one_of(const char *kind, const char *const *kinds)
{
    while (*kinds && strcmp(kind, *kinds) != 0) kinds++;
    return *kinds != NULL;
}

/* Whether a line gives a number for each of several classes: no image, and nothing that squeezes each number. */
static bool gives_classes(const clt__onnx_line *line)
{
    static const char *const squeezing[] = {"sigmoid", "hardsigmoid", "tanh", "softsign", "erf", "clip", NULL};
    const bool vector = line->flat || line->shape.height * line->shape.width == 1;
    return vector && line->shape.channels * line->shape.height * line->shape.width > 1 &&
           !is_one_of(line->kind, squeezing);
}

static void print_note(clt__onnx_import *import, const char *format, ...) CLT__PRINTF(2, 3);

static void print_note(clt__onnx_import *import, const char *format, ...)
{
    const size_t length = strlen(import->note);
    va_list list;
    (void)snprintf(import->note + length, sizeof import->note - length, "%s", length ? "; " : "");
    va_start(list, format);
    (void)clt__vsnprintf(import->note + strlen(import->note), sizeof import->note - strlen(import->note), format, list);
    va_end(list);
}

/* What of the graph the net has not, or has otherwise. */
static void note_ends(const importer *im, clt__onnx_import *import)
{
    if (im->inputs > 1) print_note(import, "its %d inputs are the channels of one image, in their order", im->inputs);
    if (im->proto->n_output > 1 && !im->options->until)
        print_note(import, "of its %zu outputs the first, \"%.60s\", is taken; --until takes another",
                   im->proto->n_output, im->output);
}

/* The line that gives the net's output. */
static int last_line(const importer *im, const clt__onnx_value *output, clt__onnx_import *import)
{
    static const char *const softmaxes[] = {"softmax", "log_softmax", NULL};
    const clt__onnx_line *line = &im->graph.line[output->line];
    if (!im->options->logits || loss_of(im) || !is_one_of(line->kind, softmaxes) || line->input[0] < 0 ||
        !gives_classes(line))
        return output->line;
    import->left_out = strcmp(line->kind, "softmax") == 0 ? "softmax" : "log_softmax";
    print_note(import, "it ends in %s, which is left to the loss, and comes back where the model is exported",
               import->left_out);
    return line->input[0];
}

/* The loss of a net that does not classify, so that what it gives is taken as it is. */
static clt_status write_loss(const importer *im, int last, clt__onnx_import *import, clt__text *text, clt_error *error)
{
    if (loss_of(im)) return clt__text_print(text, error, "loss %s\n", loss_of(im));
    if (im->options->until || !im->options->logits || gives_classes(&im->graph.line[last])) return CLT_OK;
    print_note(import, "what it gives are no numbers of classes: its loss is mse, unless --loss says otherwise");
    return clt__text_print(text, error, "loss mse\n");
}

/* The output as the graph has it: one vector an image, or an image of that shape. */
static clt_status shape_output(const clt__onnx_work *work, clt__onnx_value *output, bool *ordered, clt_error *error)
{
    const clt__view view = output->view;
    const bool vector = work->graph->line[output->line].flat;
    int64_t dim[CLT__ONNX_RANK];
    bool done;
    *ordered = clt__view_is_ordered(&view, output->shape);
    if (*ordered && view.rank == 2 && !vector)
        return clt__onnx_follow(work->graph, "flatten", &output->line, output->shape, error, "%s", "");
    if (*ordered && (view.rank <= 2 || view.rank > 4 || (clt__view_is_image(&view, output->shape) && !vector)))
        return CLT_OK;
    for (int i = 0; i < view.rank; i++) dim[i] = clt__view_size(&view, i);
    if (*ordered) return clt__onnx_reshape(work, output, view.rank, dim, &done, error);
    return clt__onnx_lay_out(work, output, 1, ordered, error);
}

static clt_status finish(importer *im, clt__onnx_import *import, clt_error *error)
{
    clt__onnx_value *output = clt__onnx_find(&im->graph, im->output);
    clt__text text = {0};
    const clt__onnx_work work = {.graph = &im->graph};
    if (output->kind == CLT__ONNX_FLOWS) TRY(clt__onnx_in_order(&work, output, error));
    if (output->kind == CLT__ONNX_FLOWS && output->line < 0) /* a net has a layer at least: all of the channels */
        TRY(clt__onnx_follow(&im->graph, "slice", &output->line, output->shape, error, " first=0 count=%d",
                             output->shape.channels));
    if (output->kind != CLT__ONNX_FLOWS) return fail(im, error, "no layer gives its output", im->output);
    bool ordered;
    TRY(shape_output(&work, output, &ordered, error));
    if (!ordered)
        return fail(im, error, "the elements of an image are in another order, which no layer gives, in its output",
                    im->output);
    note_ends(im, import);
    const int last = last_line(im, output, import);
    TRY(clt__onnx_name_lines(&im->graph, last, error));
    clt_status status = write_text(im, &text, error);
    if (status == CLT_OK) status = write_loss(im, last, import, &text, error);
    import->text = text.start;
    return status;
}

/* ---- all of it */

/* What the file tells of itself, as a safetensors file would. */
static clt_status take_metadata(const importer *im, clt__onnx_import *import, clt_error *error)
{
    const Onnx__ModelProto *model = im->graph.file->message;
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (!entry->key || !entry->value || clt__safetensors_text(&import->weights, entry->key)) continue;
        TRY(clt__safetensors_add_text(&import->weights, entry->key, entry->value, error));
    }
    return CLT_OK;
}

static clt_status run(importer *im, clt__onnx_import *import, clt_error *error)
{
    TRY(take_metadata(im, import, error));
    TRY(make_room(im, error));
    TRY(add_values(im, error));
    TRY(find_output(im, im->options->until, error));
    find_needed(im);
    TRY(read_initialisers(im, error));
    TRY(find_inputs(im, error));
    TRY(set_inputs(im, error));
    import->doubles = im->input[0]->type->tensor_type->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
    TRY(import_nodes(im, error));
    return finish(im, import, error);
}

static void free_graph(importer *im)
{
    for (size_t i = 0; i < im->graph.values; i++) clt__onnx_tensor_free(&im->graph.value[i].constant);
    for (size_t i = 0; i < im->graph.lines; i++) free(im->graph.line[i].options);
    free(im->graph.value);
    free(im->graph.slot);
    free(im->graph.line);
    free(im->graph.refusal);
    free(im->producer);
    free(im->needed);
}

clt_status clt__onnx_import_file(const char *path, const clt__onnx_options *options, clt__onnx_import *import,
                                 clt_error *error)
{
    clt__onnx_file file;
    *import = (clt__onnx_import){0};
    TRY(clt__onnx_file_read(path, &file, error));
    importer im = {.graph = {.file = &file,
                             .opset = clt__onnx_opset(&file),
                             .weights = &import->weights,
                             .most_filled = options->most_filled ? options->most_filled : 1 << 28},
                   .proto = file.message->graph,
                   .options = options};
    const clt_status status = run(&im, import, error);
    free_graph(&im);
    clt__onnx_file_free(&file);
    if (status != CLT_OK) clt__onnx_import_free(import);
    return status;
}

static bool has_initialiser(const Onnx__GraphProto *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0) return true;
    return false;
}

int clt__onnx_input_names(const char *path, char (*names)[64], int most)
{
    clt__onnx_file file;
    int count = 0;
    if (clt__onnx_file_read(path, &file, NULL) != CLT_OK) return -1;
    const Onnx__GraphProto *graph = file.message->graph;
    for (size_t i = 0; i < graph->n_input && count < most; i++)
        if (graph->input[i]->name && !has_initialiser(graph, graph->input[i]->name))
            (void)snprintf(names[count++], sizeof *names, "%s", graph->input[i]->name);
    clt__onnx_file_free(&file);
    return count;
}

void clt__onnx_import_free(clt__onnx_import *import)
{
    free(import->text);
    clt__safetensors_free(&import->weights);
    *import = (clt__onnx_import){0};
}
