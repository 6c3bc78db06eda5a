#include "onnx/model_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { DEEPEST = 32, OLDEST_IR = 3, NEWEST_IR = 13, OLDEST_OPSET = 1, NEWEST_OPSET = 25 };

/* ---- nesting: the unpacker calls itself for each message in a message, so that a file made on purpose could have it
 * use up the stack */

typedef struct span {
    const uint8_t *at, *end;
} span;

static bool read_varint(span *bytes, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
        const uint8_t byte = *bytes->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

/* One field: its number and, where it has a length, its bytes. False at the end, and where it makes no sense: the
 * unpacker says so then. */
static bool next_field(span *bytes, uint32_t *number, span *content)
{
    enum { VARINT, FIXED64, WITH_LENGTH, FIXED32 = 5 };
    uint64_t tag, length = 0;
    *content = (span){0};
    if (!read_varint(bytes, &tag)) return false;
    *number = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case VARINT:
        return read_varint(bytes, &length);
    case FIXED64:
        length = 8;
        break;
    case FIXED32:
        length = 4;
        break;
    case WITH_LENGTH:
        if (!read_varint(bytes, &length)) return false;
        break;
    default:
        return false;
    }
    if (length > (uint64_t)(bytes->end - bytes->at)) return false;
    if ((tag & 7) == WITH_LENGTH) *content = (span){bytes->at, bytes->at + length};
    bytes->at += length;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than DEEPEST */
static bool is_deeper(const ProtobufCMessageDescriptor *message, span bytes, int deepest)
{
    uint32_t number;
    span content;
    if (deepest == 0) return true;
    while (bytes.at < bytes.end && next_field(&bytes, &number, &content)) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(message, number);
        if (field && field->type == PROTOBUF_C_TYPE_MESSAGE && content.at &&
            is_deeper(field->descriptor, content, deepest - 1))
            return true;
    }
    return false;
}

/* ---- memory */

typedef struct quota {
    uint64_t left;
    bool exceeded;
} quota;

static void *take(void *data, size_t size)
{
    quota *q = data;
    if (size > q->left) {
        q->exceeded = true;
        return NULL;
    }
    q->left -= size;
    return malloc(size);
}

static void give(void *data, void *memory)
{
    (void)data;
    free(memory);
}

/* What is not read again: the models' own sizes make sixteen times the file a bound that none of them meets. */
static clt_status unpack(const char *path, const char *bytes, size_t size, Onnx__ModelProto **message, clt_error *error)
{
    enum { SMALL = 1 << 24, TIMES = 16 };
    quota q = {.left = SMALL + (uint64_t)TIMES * size};
    ProtobufCAllocator allocator = {.alloc = take, .free = give, .allocator_data = &q};
    const span all = {(const uint8_t *)bytes, (const uint8_t *)bytes + size};
    if (is_deeper(&onnx__model_proto__descriptor, all, DEEPEST))
        return FAIL(error, CLT_BAD_FILE, "%s: its messages are nested more than %d deep, which no ONNX model needs",
                    path, (int)DEEPEST);
    *message = onnx__model_proto__unpack(&allocator, size, all.at);
    if (*message) return CLT_OK;
    if (q.exceeded)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: unpacked it would take more than %d times its size, as no ONNX model does", path, (int)TIMES);
    return FAIL(error, CLT_BAD_FILE, "%s: is no ONNX model, or damaged: its %zu bytes are not the messages of one",
                path, size);
}

/* ---- versions */

static clt_status check(const clt__onnx_file *file, clt_error *error)
{
    const Onnx__ModelProto *m = file->message;
    if (!m->graph) return FAIL(error, CLT_BAD_FILE, "%s: is an ONNX model without a graph", file->path);
    if (m->ir_version < OLDEST_IR || m->ir_version > NEWEST_IR)
        return FAIL(error, CLT_BAD_FILE, "%s: is of ONNX's IR version %lld: %d to %d are read", file->path,
                    (long long)m->ir_version, (int)OLDEST_IR, (int)NEWEST_IR);
    if (clt__onnx_opset(file) >= OLDEST_OPSET && clt__onnx_opset(file) <= NEWEST_OPSET) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: uses ONNX's opset %lld: %d to %d are read", file->path,
                (long long)clt__onnx_opset(file), (int)OLDEST_OPSET, (int)NEWEST_OPSET);
}

int64_t clt__onnx_opset(const clt__onnx_file *file)
{
    const Onnx__ModelProto *m = file->message;
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *domain = m->opset_import[i]->domain;
        if (!domain || !*domain || strcmp(domain, "ai.onnx") == 0) return m->opset_import[i]->version;
    }
    return 0;
}

/* ---- all of it */

static clt_status find_folder(const char *path, char **folder, clt_error *error)
{
    const char *slash = strrchr(path, '/');
    TRY(clt__copy_text(path, folder, error));
    (*folder)[slash ? slash + 1 - path : 0] = 0;
    return CLT_OK;
}

clt_status clt__onnx_file_read(const char *path, clt__onnx_file *file, clt_error *error)
{
    char *bytes;
    size_t size;
    *file = (clt__onnx_file){.path = path};
    TRY(clt__file_read(path, &bytes, &size, error));
    clt_status status = unpack(path, bytes, size, &file->message, error);
    free(bytes);
    if (status == CLT_OK) status = check(file, error);
    if (status == CLT_OK) status = find_folder(path, &file->folder, error);
    if (status != CLT_OK) clt__onnx_file_free(file);
    return status;
}

void clt__onnx_file_free(clt__onnx_file *file)
{
    if (file->message) onnx__model_proto__free_unpacked(file->message, NULL);
    free(file->folder);
    *file = (clt__onnx_file){0};
}
