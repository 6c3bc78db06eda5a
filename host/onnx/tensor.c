#include "onnx/tensor.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "onnx/model_file.h"

typedef Onnx__TensorProto message;

/* ---- shapes */

static bool count_elements(int rank, const int64_t *dim, uint64_t *count)
{
    *count = 1;
    for (int i = 0; i < rank; i++)
        if (dim[i] < 0 || !clt__multiply(*count, (uint64_t)dim[i], count)) return false;
    return true;
}

static clt_status describe(int rank, const int64_t *dim, bool whole, clt__onnx_tensor *tensor, clt_error *error)
{
    uint64_t count;
    *tensor = (clt__onnx_tensor){.rank = rank, .whole = whole};
    if (rank > CLT__ONNX_RANK || !count_elements(rank, dim, &count) || count > INT32_MAX)
        return FAIL(error, CLT_BAD_FILE, "a tensor of more than %d dimensions or of more than 2^31 - 1 elements",
                    (int)CLT__ONNX_RANK);
    if (rank) memcpy(tensor->dim, dim, (size_t)rank * sizeof *dim);
    tensor->count = (size_t)count;
    return CLT_OK;
}

clt_status clt__onnx_tensor_make(int rank, const int64_t *dim, bool whole, clt__onnx_tensor *tensor, clt_error *error)
{
    TRY(describe(rank, dim, whole, tensor, error));
    return clt__allocate(tensor->count, sizeof *tensor->value, "a tensor", &tensor->value, error);
}

clt_status clt__onnx_tensor_fill(int rank, const int64_t *dim, bool whole, double value, clt__onnx_tensor *tensor,
                                 clt_error *error)
{
    TRY(describe(rank, dim, whole, tensor, error));
    TRY(clt__allocate(1, sizeof *tensor->value, "a tensor", &tensor->value, error));
    tensor->value[0] = value;
    tensor->filled = true;
    return CLT_OK;
}

clt_status clt__onnx_tensor_copy(const clt__onnx_tensor *from, clt__onnx_tensor *to, clt_error *error)
{
    if (from->filled) return clt__onnx_tensor_fill(from->rank, from->dim, from->whole, from->value[0], to, error);
    TRY(clt__onnx_tensor_make(from->rank, from->dim, from->whole, to, error));
    memcpy(to->value, from->value, from->count * sizeof *from->value);
    return CLT_OK;
}

void clt__onnx_tensor_free(clt__onnx_tensor *tensor)
{
    free(tensor->value);
    *tensor = (clt__onnx_tensor){0};
}

/* ---- types */

typedef struct type {
    int number; /* of TensorProto.DataType */
    const char *name;
    size_t bytes;
    bool whole;
} type;

static const type types[] = {
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, "float", 4, false},
    {ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, "double", 8, false},
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, "float16", 2, false},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16, "bfloat16", 2, false},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT8, "int8", 1, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, "uint8", 1, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT16, "int16", 2, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT16, "uint16", 2, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT32, "int32", 4, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT32, "uint32", 4, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT64, "int64", 8, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT64, "uint64", 8, true},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, "bool", 1, true},
};

static const type *find_type(int number)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].number == number) return &types[i];
    return NULL;
}

bool clt__onnx_is_float(int32_t number)
{
    const type *t = find_type(number);
    return t && !t->whole;
}

/* A value of that type whose bits are the lowest of `bits`. */
static double from_bits(const type *t, uint64_t bits)
{
    switch (t->number) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16: /* the upper half of a float */
        return clt__real_of_bits((bits & 0xffff) << 16, sizeof(float));
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
        return (int8_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT16:
        return (int16_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
        return (int32_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        return (double)(int64_t)bits;
    default:
        return t->whole ? (double)bits : clt__real_of_bits(bits, t->bytes);
    }
}

/* Raw data is the lowest byte first. */
static void decode(const type *t, const uint8_t *bytes, clt__onnx_tensor *tensor)
{
    for (size_t i = 0; i < tensor->count; i++) {
        uint64_t bits = 0;
        for (size_t b = t->bytes; b-- > 0;) bits = bits << 8 | bytes[i * t->bytes + b];
        tensor->value[i] = from_bits(t, bits);
    }
}

/* ---- where the values are */

static const char *name_of(const message *proto)
{
    return proto->name && *proto->name ? proto->name : "a constant";
}

/* A shape without a message's own memory. */
static clt_status make_like(const clt__onnx_file *file, const message *proto, const type *t, uint64_t available,
                            clt__onnx_tensor *tensor, clt_error *error)
{
    uint64_t count;
    if (proto->n_dims > CLT__ONNX_RANK || !count_elements((int)proto->n_dims, proto->dims, &count) || count > INT32_MAX)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: the tensor \"%.200s\" has a negative size, more than %d dimensions or more than 2^31 - 1 "
                    "elements",
                    file->path, name_of(proto), (int)CLT__ONNX_RANK);
    if (count != available)
        return FAIL(error, CLT_BAD_FILE, "%s: the tensor \"%.200s\" has %llu elements by its shape, but %llu values",
                    file->path, name_of(proto), (unsigned long long)count, (unsigned long long)available);
    return clt__onnx_tensor_make((int)proto->n_dims, proto->dims, t->whole, tensor, error);
}

static clt_status read_raw(const clt__onnx_file *file, const message *proto, const type *t, const uint8_t *bytes,
                           uint64_t size, clt__onnx_tensor *tensor, clt_error *error)
{
    if (size % t->bytes)
        return FAIL(error, CLT_BAD_FILE, "%s: the tensor \"%.200s\" has %llu bytes, which are no whole number of %s",
                    file->path, name_of(proto), (unsigned long long)size, t->name);
    TRY(make_like(file, proto, t, size / t->bytes, tensor, error));
    decode(t, bytes, tensor);
    return CLT_OK;
}

/* The lists of a message, one for several types: how many values there are, and each. */
static size_t count_listed(const message *proto, const type *t)
{
    switch (t->number) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        return proto->n_float_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        return proto->n_double_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        return proto->n_int64_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64:
        return proto->n_uint64_data;
    default:
        return proto->n_int32_data;
    }
}

static double listed(const message *proto, const type *t, size_t i)
{
    switch (t->number) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        return (double)proto->float_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
        return proto->double_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        return (double)proto->int64_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64:
        return (double)proto->uint64_data[i];
    default:
        return from_bits(t, (uint32_t)proto->int32_data[i]);
    }
}

/* ---- external data */

typedef struct place {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} place;

static clt_status read_number(const clt__onnx_file *file, const message *proto, const char *text, uint64_t *number,
                              clt_error *error)
{
    char *end = NULL;
    const bool digits = text && *text >= '0' && *text <= '9';
    if (digits) *number = strtoull(text, &end, 10);
    if (digits && !*end && *number <= INT64_MAX) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: the external data of \"%.200s\" is at \"%.40s\", which is no number of bytes",
                file->path, name_of(proto), text ? text : "");
}

static clt_status find_place(const clt__onnx_file *file, const message *proto, place *at, clt_error *error)
{
    *at = (place){0};
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = proto->external_data[i];
        if (!entry->key) continue;
        if (strcmp(entry->key, "location") == 0) at->location = entry->value;
        if (strcmp(entry->key, "offset") == 0) TRY(read_number(file, proto, entry->value, &at->offset, error));
        if (strcmp(entry->key, "length") != 0) continue;
        TRY(read_number(file, proto, entry->value, &at->length, error));
        at->has_length = true;
    }
    return CLT_OK;
}

/* A file beside the model or in a folder there, and nowhere else. */
static bool stays_inside(const char *location)
{
    if (!location || !*location || *location == '/') return false;
    for (const char *part = location; part; part = strchr(part, '/')) {
        part += *part == '/';
        const size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.') return false;
    }
    return true;
}

static clt_status read_part(const char *path, const clt__onnx_file *file, const message *proto, const type *t,
                            const place *at, clt__onnx_tensor *tensor, clt_error *error)
{
    FILE *stream;
    uint8_t *bytes;
    TRY(clt__allocate(at->length, 1, "external data", &bytes, error));
    clt_status status = clt__file_open(path, &stream, error);
    if (status == CLT_OK) {
        const bool read = fseeko(stream, (off_t)at->offset, SEEK_SET) == 0 &&
                          fread(bytes, 1, (size_t)at->length, stream) == at->length;
        (void)fclose(stream);
        status =
            read ? read_raw(file, proto, t, bytes, at->length, tensor, error)
                 : FAIL(error, CLT_BAD_FILE, "%s: cannot be read at byte %llu", path, (unsigned long long)at->offset);
    }
    free(bytes);
    return status;
}

static clt_status read_external(const clt__onnx_file *file, const message *proto, const type *t,
                                clt__onnx_tensor *tensor, clt_error *error)
{
    place at;
    char path[4096];
    uint64_t size;
    TRY(find_place(file, proto, &at, error));
    if (!stays_inside(at.location) ||
        snprintf(path, sizeof path, "%s%s", file->folder, at.location) >= (int)sizeof path)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: the external data of \"%.200s\" is at \"%.200s\": a file in the model's own folder is needed",
                    file->path, name_of(proto), at.location ? at.location : "");
    TRY(clt__file_measure(path, &size, error));
    if (!at.has_length) at.length = size > at.offset ? size - at.offset : 0;
    if (at.offset > size || at.length > size - at.offset)
        return FAIL(error, CLT_BAD_FILE, "%s: has %llu bytes, but %s wants \"%.200s\" at bytes %llu to %llu", path,
                    (unsigned long long)size, file->path, name_of(proto), (unsigned long long)at.offset,
                    (unsigned long long)(at.offset + at.length));
    return read_part(path, file, proto, t, &at, tensor, error);
}

/* ---- all of it */

clt_status clt__onnx_tensor_read(const clt__onnx_file *file, const Onnx__TensorProto *proto, clt__onnx_tensor *tensor,
                                 clt_error *error)
{
    const type *t = find_type(proto->data_type);
    *tensor = (clt__onnx_tensor){0};
    if (!t)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: the tensor \"%.200s\" is of ONNX's type %d: floats, integers and bool are read", file->path,
                    name_of(proto), (int)proto->data_type);
    if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return read_external(file, proto, t, tensor, error);
    if (proto->has_raw_data) return read_raw(file, proto, t, proto->raw_data.data, proto->raw_data.len, tensor, error);
    TRY(make_like(file, proto, t, count_listed(proto, t), tensor, error));
    for (size_t i = 0; i < tensor->count; i++) tensor->value[i] = listed(proto, t, i);
    return CLT_OK;
}

clt_status clt__onnx_tensor_read_file(const char *path, clt__onnx_tensor *tensor, clt_error *error)
{
    char *bytes;
    size_t size;
    const clt__onnx_file file = {.path = path, .folder = ""};
    *tensor = (clt__onnx_tensor){0};
    TRY(clt__file_read(path, &bytes, &size, error));
    Onnx__TensorProto *proto = onnx__tensor_proto__unpack(NULL, size, (const uint8_t *)bytes);
    free(bytes);
    if (!proto) return FAIL(error, CLT_BAD_FILE, "%s: is no tensor of ONNX's", path);
    const clt_status status = clt__onnx_tensor_read(&file, proto, tensor, error);
    onnx__tensor_proto__free_unpacked(proto, NULL);
    return status;
}
