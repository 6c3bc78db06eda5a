#include "onnx/writer.h"

#include <onnx.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cltrain.h"

enum { MOST_BYTES = 2000000000 }; /* of a message: protobuf's own limit is 2^31 */

/* A list of pointers that grows. */
typedef struct list {
    void **item;
    size_t count, room;
} list;

struct clt__onnx_writer {
    int opset;
    clt__onnx_type reals;
    clt_status status; /* the first failure's */
    clt_error error;
    list kept; /* all memory, which goes with the writer */
    list nodes, tensors, inputs, outputs, metadata, attributes;
    Onnx__NodeProto *node; /* the newest, whose attributes those are */
};

/* ---- memory */

static bool grow(list *to, clt_error *error)
{
    if (to->count < to->room) return true;
    const size_t room = to->room ? 2 * to->room : 16;
    void **item = realloc(to->item, room * sizeof *item);
    if (!item) return FAIL(error, CLT_NO_MEMORY, "no memory for an ONNX model"), false;
    to->item = item;
    to->room = room;
    return true;
}

static void append(clt__onnx_writer *w, list *to, void *item)
{
    if (!item) return;
    if (grow(to, &w->error))
        to->item[to->count++] = item;
    else
        w->status = w->error.status;
}

/* Zeros, kept until the writer is closed; NULL after a failure. */
static void *take(clt__onnx_writer *w, uint64_t count, size_t size)
{
    void *memory = NULL;
    if (w->status == CLT_OK) w->status = clt__allocate(count, size, "an ONNX model", &memory, &w->error);
    if (w->status == CLT_OK && !grow(&w->kept, &w->error)) w->status = w->error.status;
    if (w->status != CLT_OK) {
        free(memory);
        return NULL;
    }
    return w->kept.item[w->kept.count++] = memory;
}

static char *copy(clt__onnx_writer *w, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *own = take(w, size, 1);
    return own ? memcpy(own, text, size) : NULL;
}

/* A message, with what makes it one of its kind. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): an initializer in braces */
#define MESSAGE(w, Kind, INIT) message(w, sizeof(Kind), &(const Kind)INIT)

static void *message(clt__onnx_writer *w, size_t size, const void *initial)
{
    void *own = take(w, 1, size);
    return own ? memcpy(own, initial, size) : NULL;
}

/* ---- opening and closing */

clt_status clt__onnx_writer_open(int opset, clt__onnx_type reals, clt__onnx_writer **writer, clt_error *error)
{
    TRY(clt__allocate(1, sizeof **writer, "an ONNX model", writer, error));
    (*writer)->opset = opset;
    (*writer)->reals = reals;
    return CLT_OK;
}

void clt__onnx_writer_close(clt__onnx_writer *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->kept.count; i++) free(w->kept.item[i]);
    list *const lists[] = {&w->kept, &w->nodes, &w->tensors, &w->inputs, &w->outputs, &w->metadata, &w->attributes};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->item);
    free(w);
}

int clt__onnx_writer_opset(const clt__onnx_writer *w)
{
    return w->opset;
}

const char *clt__onnx_own_name(clt__onnx_writer *w, const char *of, const char *what)
{
    char name[256];
    (void)snprintf(name, sizeof name, "/%.100s/%.100s", of, what);
    return copy(w, name);
}

/* ---- the graph's ends */

static Onnx__TensorShapeProto__Dimension *dimension(clt__onnx_writer *w, int size)
{
    Onnx__TensorShapeProto__Dimension *d =
        MESSAGE(w, Onnx__TensorShapeProto__Dimension, ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT);
    if (!d) return NULL;
    d->value_case = size ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
                         : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    if (size)
        d->dim_value = size;
    else
        d->dim_param = copy(w, "batch");
    return d;
}

static Onnx__TensorShapeProto *shape_of(clt__onnx_writer *w, int dims, const int *dim)
{
    Onnx__TensorShapeProto *shape = MESSAGE(w, Onnx__TensorShapeProto, ONNX__TENSOR_SHAPE_PROTO__INIT);
    if (!shape) return NULL;
    shape->n_dim = (size_t)dims + 1;
    shape->dim = take(w, shape->n_dim, sizeof *shape->dim);
    for (int i = 0; shape->dim && i <= dims; i++) shape->dim[i] = dimension(w, i ? dim[i - 1] : 0);
    return shape;
}

static Onnx__ValueInfoProto *end(clt__onnx_writer *w, const char *name, clt__onnx_type type, int dims, const int *dim)
{
    Onnx__ValueInfoProto *value = MESSAGE(w, Onnx__ValueInfoProto, ONNX__VALUE_INFO_PROTO__INIT);
    Onnx__TypeProto *whole = MESSAGE(w, Onnx__TypeProto, ONNX__TYPE_PROTO__INIT);
    Onnx__TypeProto__Tensor *tensor = MESSAGE(w, Onnx__TypeProto__Tensor, ONNX__TYPE_PROTO__TENSOR__INIT);
    if (!value || !whole || !tensor) return NULL;
    tensor->has_elem_type = true;
    tensor->elem_type = (int32_t)type;
    tensor->shape = shape_of(w, dims, dim);
    whole->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    whole->tensor_type = tensor;
    value->name = copy(w, name);
    value->type = whole;
    return value;
}

void clt__onnx_put_input(clt__onnx_writer *w, const char *name, clt__onnx_type type, int dims, const int *dim)
{
    append(w, &w->inputs, end(w, name, type, dims, dim));
}

void clt__onnx_put_output(clt__onnx_writer *w, const char *name, int dims, const int *dim)
{
    append(w, &w->outputs, end(w, name, w->reals, dims, dim));
}

void clt__onnx_put_metadata(clt__onnx_writer *w, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *entry =
        MESSAGE(w, Onnx__StringStringEntryProto, ONNX__STRING_STRING_ENTRY_PROTO__INIT);
    if (!entry) return;
    entry->key = copy(w, key);
    entry->value = copy(w, value);
    append(w, &w->metadata, entry);
}

/* ---- nodes */

/* The attributes that were put since the node go to it. */
static void finish_node(clt__onnx_writer *w)
{
    if (w->node && w->attributes.count) {
        w->node->attribute = take(w, w->attributes.count, sizeof *w->node->attribute);
        if (!w->node->attribute) return;
        memcpy(w->node->attribute, w->attributes.item, w->attributes.count * sizeof *w->attributes.item);
        w->node->n_attribute = w->attributes.count;
    }
    w->attributes.count = 0;
}

void clt__onnx_put_node(clt__onnx_writer *w, const char *type, const char *output, const char *const *input, int inputs)
{
    finish_node(w);
    while (inputs > 0 && !input[inputs - 1]) inputs--;
    Onnx__NodeProto *node = w->node = MESSAGE(w, Onnx__NodeProto, ONNX__NODE_PROTO__INIT);
    if (!node) return;
    node->op_type = copy(w, type);
    node->name = copy(w, output);
    node->input = take(w, (uint64_t)inputs + 1, sizeof *node->input);
    node->output = take(w, 1, sizeof *node->output);
    if (!node->input || !node->output) return;
    for (int i = 0; i < inputs; i++) node->input[i] = copy(w, input[i] ? input[i] : "");
    node->n_input = (size_t)inputs;
    node->output[0] = copy(w, output);
    node->n_output = 1;
    append(w, &w->nodes, node);
}

static Onnx__AttributeProto *put_attribute(clt__onnx_writer *w, const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *attribute = MESSAGE(w, Onnx__AttributeProto, ONNX__ATTRIBUTE_PROTO__INIT);
    if (!attribute) return NULL;
    attribute->name = copy(w, name);
    attribute->has_type = true;
    attribute->type = type;
    append(w, &w->attributes, attribute);
    return attribute;
}

void clt__onnx_put_int(clt__onnx_writer *w, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute = put_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (!attribute) return;
    attribute->has_i = true;
    attribute->i = value;
}

void clt__onnx_put_ints(clt__onnx_writer *w, const char *name, int count, const int *value)
{
    Onnx__AttributeProto *attribute = put_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    if (!attribute) return;
    attribute->ints = take(w, (uint64_t)count, sizeof *attribute->ints);
    if (!attribute->ints) return;
    for (int i = 0; i < count; i++) attribute->ints[i] = value[i];
    attribute->n_ints = (size_t)count;
}

void clt__onnx_put_real(clt__onnx_writer *w, const char *name, double value)
{
    Onnx__AttributeProto *attribute = put_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (!attribute) return;
    attribute->has_f = true;
    attribute->f = (float)value;
}

void clt__onnx_put_word(clt__onnx_writer *w, const char *name, const char *word)
{
    Onnx__AttributeProto *attribute = put_attribute(w, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    if (!attribute) return;
    attribute->has_s = true;
    attribute->s.data = (uint8_t *)copy(w, word);
    attribute->s.len = attribute->s.data ? strlen(word) : 0;
}

/* ---- tensors. Their bytes are little-endian, and so is every machine that an OpenCL driver is for: base/number.h */

static const char *put_tensor(clt__onnx_writer *w, const char *name, clt__onnx_type type, int dims, const int *dim,
                              size_t bytes_each, uint8_t **bytes)
{
    Onnx__TensorProto *tensor = MESSAGE(w, Onnx__TensorProto, ONNX__TENSOR_PROTO__INIT);
    uint64_t count = 1;
    for (int i = 0; i < dims; i++) count *= (uint64_t)dim[i];
    *bytes = tensor ? take(w, count, bytes_each) : NULL;
    if (!*bytes) return "";
    tensor->name = copy(w, name);
    tensor->has_data_type = true;
    tensor->data_type = (int32_t)type;
    tensor->dims = take(w, (uint64_t)dims + 1, sizeof *tensor->dims);
    if (!tensor->dims || !tensor->name) return "";
    for (int i = 0; i < dims; i++) tensor->dims[i] = dim[i];
    tensor->n_dims = (size_t)dims;
    tensor->has_raw_data = true;
    tensor->raw_data = (ProtobufCBinaryData){(size_t)(count * bytes_each), *bytes};
    append(w, &w->tensors, tensor);
    return tensor->name;
}

double *clt__onnx_take_reals(clt__onnx_writer *w, uint64_t count)
{
    return take(w, count, sizeof(double));
}

const char *clt__onnx_put_reals(clt__onnx_writer *w, const char *name, int dims, const int *dim, const double *value)
{
    const size_t size = w->reals == CLT__ONNX_DOUBLE ? sizeof(double) : sizeof(float);
    uint8_t *bytes;
    size_t count = 1;
    const char *own = put_tensor(w, name, w->reals, dims, dim, size, &bytes);
    for (int i = 0; i < dims; i++) count *= (size_t)dim[i];
    for (size_t i = 0; bytes && i < count; i++) {
        const float single = (float)value[i];
        memcpy(bytes + i * size, size == sizeof single ? (const void *)&single : (const void *)&value[i], size);
    }
    return own;
}

const char *clt__onnx_put_list(clt__onnx_writer *w, const char *name, int count, const int *value)
{
    uint8_t *bytes;
    const char *own = put_tensor(w, name, CLT__ONNX_INT64, 1, &count, sizeof(int64_t), &bytes);
    for (int i = 0; bytes && i < count; i++) {
        const int64_t whole = value[i];
        memcpy(bytes + (size_t)i * sizeof whole, &whole, sizeof whole);
    }
    return own;
}

const char *clt__onnx_put_number(clt__onnx_writer *w, const char *name, double value)
{
    return clt__onnx_put_reals(w, name, 0, NULL, &value);
}

/* ---- saving */

static clt_status pack(const Onnx__ModelProto *model, const char *path, clt_error *error)
{
    uint8_t *bytes;
    const size_t size = onnx__model_proto__get_packed_size(model);
    if (size > MOST_BYTES)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: would have %zu bytes, and an ONNX file has less than 2^31", path,
                    size);
    TRY(clt__allocate(size, 1, "an ONNX file", &bytes, error));
    (void)onnx__model_proto__pack(model, bytes);
    const clt_status status = clt__file_write(path, bytes, size, error);
    free(bytes);
    return status;
}

/* The oldest version of the format that has that opset, so that as many programs as may be read it. */
static int ir_version_of(int opset)
{
    return opset < 15 ? 7 : opset < 19 ? 8 : opset < 21 ? 9 : 10;
}

clt_status clt__onnx_save(clt__onnx_writer *w, const char *path, clt_error *error)
{
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    char producer[] = "cltrain", version[] = CLT_VERSION, name[] = "net", domain[] = "";
    finish_node(w);
    if (w->status != CLT_OK) {
        *error = w->error;
        return w->status;
    }
    opset.domain = domain;
    opset.has_version = true;
    opset.version = w->opset;
    graph.name = name;
    graph.n_node = w->nodes.count;
    graph.node = (Onnx__NodeProto **)w->nodes.item;
    graph.n_initializer = w->tensors.count;
    graph.initializer = (Onnx__TensorProto **)w->tensors.item;
    graph.n_input = w->inputs.count;
    graph.input = (Onnx__ValueInfoProto **)w->inputs.item;
    graph.n_output = w->outputs.count;
    graph.output = (Onnx__ValueInfoProto **)w->outputs.item;
    model.has_ir_version = true;
    model.ir_version = ir_version_of(w->opset);
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.producer_name = producer;
    model.producer_version = version;
    model.graph = &graph;
    model.n_metadata_props = w->metadata.count;
    model.metadata_props = (Onnx__StringStringEntryProto **)w->metadata.item;
    return pack(&model, path, error);
}
