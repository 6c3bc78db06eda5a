#include "formats/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "formats/foreign.h"

enum { PREFIX_SIZE = 8 };                /* the header's length stands before it */
enum { HEADER_MAX = 100 * 1000 * 1000 }; /* bytes; the format's own limit */
static const char METADATA[] = "__metadata__";

/* ---- bytes -------------------------------------------------------------------------------------------------- */

/* Little-endian bytes, whatever the host is; compilers make one load or store of each. */

static uint64_t load(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void store(unsigned char *bytes, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t bits_of_double(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- element types ------------------------------------------------------------------------------------------ */

static void decode_f64(const unsigned char *bytes, uint64_t count, double *values)
{
    for (uint64_t i = 0; i < count; i++) values[i] = clt__real_of_bits(load(bytes + 8 * i, 8), 8);
}

static void decode_f32(const unsigned char *bytes, uint64_t count, double *values)
{
    for (uint64_t i = 0; i < count; i++) values[i] = clt__real_of_bits(load(bytes + 4 * i, 4), 4);
}

static void decode_f16(const unsigned char *bytes, uint64_t count, double *values)
{
    for (uint64_t i = 0; i < count; i++) values[i] = clt__real_of_bits(load(bytes + 2 * i, 2), 2);
}

/* The upper half of a float. */
static void decode_bf16(const unsigned char *bytes, uint64_t count, double *values)
{
    for (uint64_t i = 0; i < count; i++) values[i] = clt__real_of_bits(load(bytes + 2 * i, 2) << 16, 4);
}

typedef struct element_type {
    const char *name;
    uint64_t size;
    clt_precision precision;
    void (*decode)(const unsigned char *bytes, uint64_t count, double *values); /* NULL: its values are left out */
} element_type;

static const element_type element_types[] = {
    {"F32", 4, CLT_F32, decode_f32},
    {"F64", 8, CLT_F64, decode_f64},
    {"F16", 2, CLT_F32, decode_f16},
    {"BF16", 2, CLT_F32, decode_bf16},
    /* Not numbers for us, but part of files whose other tensors are: PyTorch counts batches in an I64, for one. */
    {"BOOL", 1, CLT_F32, NULL},
    {"U8", 1, CLT_F32, NULL},
    {"I8", 1, CLT_F32, NULL},
    {"F8_E4M3", 1, CLT_F32, NULL},
    {"F8_E5M2", 1, CLT_F32, NULL},
    {"U16", 2, CLT_F32, NULL},
    {"I16", 2, CLT_F32, NULL},
    {"U32", 4, CLT_F32, NULL},
    {"I32", 4, CLT_F32, NULL},
    {"U64", 8, CLT_F32, NULL},
    {"I64", 8, CLT_F32, NULL},
};

static const element_type *find_type(const char *name)
{
    for (size_t i = 0; i < sizeof element_types / sizeof element_types[0]; i++)
        if (strcmp(element_types[i].name, name) == 0) return &element_types[i];
    return NULL;
}

/* ---- a file's content in memory ----------------------------------------------------------------------------- */

/* Appends a tensor of zeros. */
static clt_status append_tensor(clt__safetensors *file, const char *name, clt_precision precision, int dimensions,
                                const uint64_t *extent, clt_error *error)
{
    clt__stored_tensor tensor = {.dimensions = dimensions, .count = 1, .precision = precision};
    for (int i = 0; i < dimensions; i++) {
        tensor.extent[i] = extent[i];
        if (!clt__multiply(tensor.count, extent[i], &tensor.count))
            return FAIL(error, CLT_BAD_ARGUMENT, "tensor '%s': its extents multiply to more than 64 bits hold", name);
    }
    TRY(clt__grow(&file->tensors, &file->tensor_capacity, file->tensor_count, sizeof tensor, error));
    TRY(clt__allocate(tensor.count, sizeof *tensor.values, name, &tensor.values, error));
    const clt_status status = clt__copy_text(name, &tensor.name, error);
    if (status == CLT_OK)
        file->tensors[file->tensor_count++] = tensor;
    else
        free(tensor.values);
    return status;
}

static clt_status append_text(clt__safetensors *file, const char *key, const char *value, clt_error *error)
{
    clt__stored_text text = {0};
    TRY(clt__grow(&file->texts, &file->text_capacity, file->text_count, sizeof text, error));
    clt_status status = clt__copy_text(key, &text.key, error);
    if (status == CLT_OK) status = clt__copy_text(value, &text.value, error);
    if (status == CLT_OK)
        file->texts[file->text_count++] = text;
    else
        free(text.key);
    return status;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(((const clt__stored_text *)left)->key, ((const clt__stored_text *)right)->key);
}

static void sort_texts(clt__safetensors *file)
{
    if (file->text_count) qsort(file->texts, file->text_count, sizeof *file->texts, compare_texts);
}

/* JSON holds UTF-8 alone. */
static clt_status check_text(const char *what, const char *text, clt_error *error)
{
    json_t *string = json_string(text);
    if (!string) return FAIL(error, CLT_BAD_ARGUMENT, "%s '%s': is not UTF-8 text", what, text);
    json_decref(string);
    return CLT_OK;
}

clt_status clt__safetensors_add(clt__safetensors *file, const char *name, clt_precision precision, int dimensions,
                                const uint64_t *extent, const double *values, clt_error *error)
{
    TRY(check_text("tensor", name, error));
    if (strcmp(name, METADATA) == 0)
        return FAIL(error, CLT_BAD_ARGUMENT, "tensor '%s': the format keeps this name for itself", name);
    if (clt__safetensors_find(file, name))
        return FAIL(error, CLT_BAD_ARGUMENT, "tensor '%s': is there already, where each name stands once", name);
    if (dimensions < 0 || dimensions > CLT__MAX_DIMENSIONS)
        return FAIL(error, CLT_BAD_ARGUMENT, "tensor '%s': has %d dimensions, where 0 to %d are possible", name,
                    dimensions, CLT__MAX_DIMENSIONS);
    TRY(append_tensor(file, name, precision, dimensions, extent, error));
    const clt__stored_tensor *tensor = &file->tensors[file->tensor_count - 1];
    if (values) memcpy(tensor->values, values, (size_t)tensor->count * sizeof *values);
    return CLT_OK;
}

clt_status clt__safetensors_add_text(clt__safetensors *file, const char *key, const char *value, clt_error *error)
{
    TRY(check_text("text", key, error));
    TRY(check_text("text", value, error));
    if (clt__safetensors_text(file, key))
        return FAIL(error, CLT_BAD_ARGUMENT, "text '%s': is there already, where each key stands once", key);
    TRY(append_text(file, key, value, error));
    sort_texts(file);
    return CLT_OK;
}

void clt__safetensors_remove(clt__safetensors *file, const char *prefix)
{
    const size_t length = strlen(prefix);
    size_t kept = 0;
    for (size_t i = 0; i < file->tensor_count; i++) {
        clt__stored_tensor *tensor = &file->tensors[i];
        if (strncmp(tensor->name, prefix, length) == 0 && tensor->name[length] == '.') {
            free(tensor->name);
            free(tensor->values);
        } else {
            file->tensors[kept++] = *tensor;
        }
    }
    file->tensor_count = kept;
}

const clt__stored_tensor *clt__safetensors_find(const clt__safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
    return NULL;
}

const char *clt__safetensors_text(const clt__safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->text_count; i++)
        if (strcmp(file->texts[i].key, key) == 0) return file->texts[i].value;
    return NULL;
}

void clt__safetensors_free(clt__safetensors *file)
{
    for (size_t i = 0; i < file->tensor_count; i++) {
        free(file->tensors[i].name);
        free(file->tensors[i].values);
    }
    for (size_t i = 0; i < file->text_count; i++) {
        free(file->texts[i].key);
        free(file->texts[i].value);
    }
    free(file->tensors);
    free(file->texts);
    *file = (clt__safetensors){0};
}

/* ---- reading: the header's entries -------------------------------------------------------------------------- */

/* A tensor as the header describes it. */
typedef struct entry {
    const char *name; /* the JSON's own */
    const element_type *type;
    int dimensions;
    uint64_t extent[CLT__MAX_DIMENSIONS];
    uint64_t count;
    uint64_t begin, end; /* bytes of the data section */
} entry;

/* A file being read. */
typedef struct source {
    const char *path;
    const unsigned char *bytes;
    uint64_t size;
    uint64_t data_begin, data_size; /* the data section */
    json_t *header;
    entry *entries;
    size_t count;
} source;

/* A failure that concerns one tensor names the file and the tensor first. */
#define FAIL_TENSOR(error, from, tensor, format, ...) \
    FAIL(error, CLT_BAD_FILE, "%s: tensor '%s': " format, (from)->path, (tensor)->name, __VA_ARGS__)

/* *value becomes the JSON integer, unless it is something else or negative. */
static bool read_unsigned(const json_t *json, uint64_t *value)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0) return false;
    *value = (uint64_t)json_integer_value(json);
    return true;
}

static clt_status read_type(const source *from, const json_t *json, entry *tensor, clt_error *error)
{
    const char *name = json_string_value(json_object_get(json, "dtype"));
    if (!name) return FAIL_TENSOR(error, from, tensor, "its %s is missing or not a text", "dtype");
    tensor->type = find_type(name);
    if (!tensor->type)
        return FAIL_TENSOR(error, from, tensor, "has the dtype %s, which is none that cltrain knows", name);
    return CLT_OK;
}

static clt_status read_extents(const source *from, const json_t *json, entry *tensor, clt_error *error)
{
    const json_t *shape = json_object_get(json, "shape");
    if (!json_is_array(shape)) return FAIL_TENSOR(error, from, tensor, "its %s is missing or not a list", "shape");
    const size_t dimensions = json_array_size(shape);
    if (dimensions > CLT__MAX_DIMENSIONS)
        return FAIL_TENSOR(error, from, tensor, "has %zu dimensions, where at most %d can be read", dimensions,
                           CLT__MAX_DIMENSIONS);
    tensor->dimensions = (int)dimensions;
    tensor->count = 1;
    for (size_t i = 0; i < dimensions; i++) {
        if (!read_unsigned(json_array_get(shape, i), &tensor->extent[i]))
            return FAIL_TENSOR(error, from, tensor, "extent %zu of its shape is not a whole number from 0 up", i + 1);
        if (!clt__multiply(tensor->count, tensor->extent[i], &tensor->count))
            return FAIL_TENSOR(error, from, tensor, "its first %zu extents multiply to more than 64 bits hold", i + 1);
    }
    return CLT_OK;
}

static clt_status read_range(const source *from, const json_t *json, entry *tensor, clt_error *error)
{
    const json_t *offsets = json_object_get(json, "data_offsets");
    if (json_array_size(offsets) != 2 || !read_unsigned(json_array_get(offsets, 0), &tensor->begin) ||
        !read_unsigned(json_array_get(offsets, 1), &tensor->end))
        return FAIL_TENSOR(error, from, tensor, "its %s is not a list of two whole numbers from 0 up", "data_offsets");
    const uint64_t begin = tensor->begin, end = tensor->end;
    if (begin > end)
        return FAIL_TENSOR(error, from, tensor, "its data ends at %" PRIu64 ", before it begins at %" PRIu64, end,
                           begin);
    if (end > from->data_size)
        return FAIL_TENSOR(error, from, tensor,
                           "its data ends at %" PRIu64 ", beyond the %" PRIu64 " bytes of the file's data", end,
                           from->data_size);
    uint64_t needed;
    if (!clt__multiply(tensor->count, tensor->type->size, &needed) || needed != end - begin)
        return FAIL_TENSOR(error, from, tensor,
                           "has %" PRIu64 " bytes of data, where its shape needs %" PRIu64 " values of %s", end - begin,
                           tensor->count, tensor->type->name);
    return CLT_OK;
}

static clt_status read_entry(const source *from, const char *name, const json_t *json, entry *tensor, clt_error *error)
{
    tensor->name = name;
    if (!json_is_object(json))
        return FAIL_TENSOR(error, from, tensor, "its entry is not an object with %s", "dtype, shape and data_offsets");
    TRY(read_type(from, json, tensor, error));
    TRY(read_extents(from, json, tensor, error));
    return read_range(from, json, tensor, error);
}

static clt_status read_texts(const source *from, json_t *metadata, clt__safetensors *file, clt_error *error)
{
    if (!json_is_object(metadata))
        return FAIL(error, CLT_BAD_FILE, "%s: %s is not an object of texts", from->path, METADATA);
    const char *key;
    json_t *value;
    json_object_foreach (metadata, key, value) {
        if (!json_is_string(value))
            return FAIL(error, CLT_BAD_FILE, "%s: %s: the value of '%s' is not a text", from->path, METADATA, key);
        TRY(append_text(file, key, json_string_value(value), error));
    }
    sort_texts(file);
    return CLT_OK;
}

static clt_status read_entries(source *from, clt__safetensors *file, clt_error *error)
{
    TRY(clt__allocate(json_object_size(from->header), sizeof *from->entries, "a header's entries", &from->entries,
                      error));
    const char *name;
    json_t *json;
    json_object_foreach (from->header, name, json) {
        if (strcmp(name, METADATA) == 0)
            TRY(read_texts(from, json, file, error));
        else
            TRY(read_entry(from, name, json, &from->entries[from->count++], error));
    }
    return CLT_OK;
}

/* ---- reading: the file -------------------------------------------------------------------------------------- */

/*  | length, 8 bytes | header: JSON, `length` bytes | data section, to the end of the file |  */
static clt_status find_data(source *from, clt_error *error)
{
    if (from->size < PREFIX_SIZE)
        return FAIL(error, CLT_BAD_FILE, "%s: is %" PRIu64 " bytes long, where a safetensors file has at least %d",
                    from->path, from->size, PREFIX_SIZE);
    const uint64_t length = load(from->bytes, PREFIX_SIZE);
    if (length == 0 || length > HEADER_MAX)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 0: gives a header length of %" PRIu64 ", where 1 to %d are possible",
                    from->path, length, HEADER_MAX);
    if (length > from->size - PREFIX_SIZE)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: byte 0: gives a header length of %" PRIu64 ", where only %" PRIu64 " bytes follow", from->path,
                    length, from->size - PREFIX_SIZE);
    from->data_begin = PREFIX_SIZE + length;
    from->data_size = from->size - from->data_begin;
    return CLT_OK;
}

/* A tree of JSON is up to a hundred times as large as its text, so what no header holds is refused before there is one:
 * lists or objects within a tensor's lists, and (but for a few) more of them than so many bytes can have. */
static clt_status check_structure(const source *from, clt_error *error)
{
    enum {
        DEEPEST = 3,
        SLACK = 64,
        ENTRY_SIZE = sizeof "\"\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,0]}" - 1
    };
    const uint64_t most = SLACK + 3 * ((from->data_begin - PREFIX_SIZE) / ENTRY_SIZE);
    uint64_t depth = 0, opened = 0;
    bool quoted = false;
    for (uint64_t at = PREFIX_SIZE; at < from->data_begin; at++) {
        const unsigned char byte = from->bytes[at];
        if (quoted && byte == '\\')
            at++;
        else if (byte == '"')
            quoted = !quoted;
        else if (!quoted && (byte == '}' || byte == ']'))
            depth -= depth > 0;
        else if (!quoted && (byte == '{' || byte == '[') && (++depth > DEEPEST || ++opened > most))
            return FAIL(error, CLT_BAD_FILE,
                        "%s: byte %" PRIu64 ": the header opens more lists and objects than its tensors have",
                        from->path, at);
    }
    return CLT_OK;
}

static clt_status read_header(source *from, clt_error *error)
{
    const char *text = (const char *)from->bytes + PREFIX_SIZE;
    if (text[0] != '{')
        return FAIL(error, CLT_BAD_FILE, "%s: byte %d: the header begins with byte 0x%02x, where '{' is needed",
                    from->path, PREFIX_SIZE, from->bytes[PREFIX_SIZE]);
    TRY(check_structure(from, error));
    json_error_t why;
    from->header = json_loadb(text, (size_t)(from->data_begin - PREFIX_SIZE), JSON_REJECT_DUPLICATES, &why);
    if (!from->header)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %d: the header is not valid JSON (line %d, column %d): %s",
                    from->path, PREFIX_SIZE + why.position, why.line, why.column, why.text);
    return CLT_OK;
}

static int compare_unsigned(uint64_t left, uint64_t right)
{
    return (left > right) - (left < right);
}

/* Empty tensors share their place with others: the end, then the name, keeps the order the same on every machine. */
static int compare_entries(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    if (a->begin != b->begin) return compare_unsigned(a->begin, b->begin);
    if (a->end != b->end) return compare_unsigned(a->end, b->end);
    return strcmp(a->name, b->name);
}

/* The format wants each byte of the data section in exactly one tensor. Leaves the entries in the data's order. */
static clt_status check_cover(const source *from, clt_error *error)
{
    if (from->count) qsort(from->entries, from->count, sizeof *from->entries, compare_entries);
    uint64_t covered = 0;
    for (size_t i = 0; i < from->count; i++) {
        const entry *tensor = &from->entries[i];
        if (tensor->begin < covered)
            return FAIL_TENSOR(error, from, tensor, "its data begins at %" PRIu64 ", inside that of tensor '%s'",
                               tensor->begin, from->entries[i - 1].name);
        if (tensor->begin > covered)
            return FAIL(error, CLT_BAD_FILE,
                        "%s: byte %" PRIu64 ": %" PRIu64 " bytes before tensor '%s' belong to no tensor", from->path,
                        from->data_begin + covered, tensor->begin - covered, tensor->name);
        covered = tensor->end;
    }
    if (covered < from->data_size)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": the last %" PRIu64 " bytes belong to no tensor",
                    from->path, from->data_begin + covered, from->data_size - covered);
    return CLT_OK;
}

static clt_status read_values(const source *from, clt__safetensors *file, clt_error *error)
{
    for (size_t i = 0; i < from->count; i++) {
        const entry *tensor = &from->entries[i];
        if (!tensor->type->decode) continue;
        TRY(append_tensor(file, tensor->name, tensor->type->precision, tensor->dimensions, tensor->extent, error));
        tensor->type->decode(from->bytes + from->data_begin + tensor->begin, tensor->count,
                             file->tensors[file->tensor_count - 1].values);
    }
    return CLT_OK;
}

/* A length may look like another format's mark: what has a header's brace behind it is none of those. */
static clt_status check_kind(const source *from, clt_error *error)
{
    if (from->size > PREFIX_SIZE && from->bytes[PREFIX_SIZE] == '{') return CLT_OK;
    return clt__refuse_foreign(from->path, from->bytes, (size_t)from->size, error);
}

static clt_status read_source(source *from, clt__safetensors *file, clt_error *error)
{
    TRY(check_kind(from, error));
    TRY(find_data(from, error));
    TRY(read_header(from, error));
    TRY(read_entries(from, file, error));
    TRY(check_cover(from, error));
    return read_values(from, file, error);
}

clt_status clt__safetensors_read(const char *path, clt__safetensors *file, clt_error *error)
{
    *file = (clt__safetensors){0};
    char *bytes;
    size_t size;
    TRY(clt__file_read(path, &bytes, &size, error));
    source from = {.path = path, .bytes = (const unsigned char *)bytes, .size = size};
    const clt_status status = read_source(&from, file, error);
    json_decref(from.header);
    free(from.entries);
    free(bytes);
    if (status != CLT_OK) clt__safetensors_free(file);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

/* Doubles come first, so that every tensor begins at a multiple of its element's size: some readers map the file. */
static const clt_precision data_order[] = {CLT_F64, CLT_F32};
enum { PRECISIONS = sizeof data_order / sizeof data_order[0] };

static size_t stored_size(clt_precision precision)
{
    return precision == CLT_F64 ? 8 : 4;
}

static json_t *describe_texts(const clt__safetensors *file)
{
    json_t *texts = json_object();
    for (size_t i = 0; i < file->text_count; i++)
        if (json_object_set_new(texts, file->texts[i].key, json_string(file->texts[i].value))) {
            json_decref(texts);
            return NULL;
        }
    return texts;
}

static json_t *describe_tensor(const clt__stored_tensor *tensor, uint64_t begin)
{
    json_t *shape = json_array();
    for (int i = 0; i < tensor->dimensions; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)tensor->extent[i]))) {
            json_decref(shape);
            return NULL;
        }
    const uint64_t end = begin + tensor->count * stored_size(tensor->precision);
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->precision == CLT_F64 ? "F64" : "F32", "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)end);
}

/* False where memory ran out. */
static bool describe_file(const clt__safetensors *file, json_t *header)
{
    uint64_t begin = 0;
    if (file->text_count && json_object_set_new(header, METADATA, describe_texts(file))) return false;
    for (int order = 0; order < PRECISIONS; order++)
        for (size_t i = 0; i < file->tensor_count; i++) {
            const clt__stored_tensor *tensor = &file->tensors[i];
            if (tensor->precision != data_order[order]) continue;
            if (json_object_set_new(header, tensor->name, describe_tensor(tensor, begin))) return false;
            begin += tensor->count * stored_size(tensor->precision);
        }
    return true;
}

/* *text is freed with free(). */
static clt_status make_header(const char *path, const clt__safetensors *file, char **text, clt_error *error)
{
    json_t *header = json_object();
    *text = describe_file(file, header) ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!*text) return FAIL(error, CLT_NO_MEMORY, "%s: no host memory for its header", path);
    return CLT_OK;
}

/* The data begins at a multiple of 8: spaces fill up the header. */
static void write_header(FILE *stream, const char *text)
{
    const size_t length = strlen(text), padding = (PREFIX_SIZE - length % PREFIX_SIZE) % PREFIX_SIZE;
    unsigned char prefix[PREFIX_SIZE];
    store(prefix, PREFIX_SIZE, length + padding);
    (void)fwrite(prefix, 1, PREFIX_SIZE, stream);
    (void)fprintf(stream, "%s%*s", text, (int)padding, "");
}

void clt__safetensors_encode(clt_precision precision, const double *values, size_t count, unsigned char *bytes)
{
    for (size_t i = 0; i < count; i++)
        if (precision == CLT_F64)
            store(bytes + 8 * i, 8, bits_of_double(values[i]));
        else
            store(bytes + 4 * i, 4, bits_of_float((float)values[i]));
}

/* fwrite's result is not looked at: the stream remembers a failure, and clt__replace_commit reports it. */
static void write_tensor(FILE *stream, const clt__stored_tensor *tensor)
{
    enum { CHUNK = 1024 };
    unsigned char bytes[CHUNK * 8];
    const size_t size = stored_size(tensor->precision);
    for (uint64_t done = 0; done < tensor->count; done += CHUNK) {
        const size_t count = tensor->count - done < CHUNK ? (size_t)(tensor->count - done) : CHUNK;
        clt__safetensors_encode(tensor->precision, tensor->values + done, count, bytes);
        (void)fwrite(bytes, size, count, stream);
    }
}

static clt_status write_file(const char *path, const char *header, const clt__safetensors *file, clt_error *error)
{
    clt__replacement replacement;
    TRY(clt__replace_begin(path, &replacement, error));
    write_header(replacement.stream, header);
    for (int order = 0; order < PRECISIONS; order++)
        for (size_t i = 0; i < file->tensor_count; i++)
            if (file->tensors[i].precision == data_order[order]) write_tensor(replacement.stream, &file->tensors[i]);
    return clt__replace_commit(&replacement, error);
}

clt_status clt__safetensors_write(const char *path, const clt__safetensors *file, clt_error *error)
{
    char *header;
    TRY(make_header(path, file, &header, error));
    const clt_status status = write_file(path, header, file, error);
    free(header);
    return status;
}
