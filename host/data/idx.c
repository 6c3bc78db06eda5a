#include "data/idx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/content.h"
#include "base/file.h"
#include "base/memory.h"

/* zlib reads a file without the gzip magic as it is, so one reader serves both. */
typedef struct reader {
    const char *path;
    gzFile file;
    uint64_t position; /* bytes of content read */
} reader;

/* Why the last read failed, without the path that zlib writes before it. */
static clt_status fail_reading(reader *in, clt_error *error)
{
    int code;
    const char *why = gzerror(in->file, &code);
    if (code == Z_ERRNO) return FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", in->path, strerror(errno));
    const size_t prefix = strlen(in->path);
    if (strncmp(why, in->path, prefix) == 0 && strncmp(why + prefix, ": ", 2) == 0) why += prefix + 2;
    return FAIL(error, CLT_BAD_FILE, "%s: byte %lld: corrupt gzip stream: %s", in->path, (long long)gzoffset(in->file),
                why);
}

/* Reads up to `wanted` bytes; fewer only at the end of the file. */
static clt_status read_some(reader *in, void *bytes, size_t wanted, size_t *got, clt_error *error)
{
    enum { LARGEST_READ = 1 << 30 }; /* gzread counts in int */
    *got = 0;
    while (*got < wanted) {
        const size_t room = wanted - *got < LARGEST_READ ? wanted - *got : LARGEST_READ;
        const int count = gzread(in->file, (char *)bytes + *got, (unsigned)room);
        int code;
        (void)gzerror(in->file, &code);
        /* A gzip stream that was cut off gives what it has, and tells only here. */
        if (count < 0 || code == Z_BUF_ERROR) return fail_reading(in, error);
        if (count == 0) break;
        *got += (size_t)count;
    }
    in->position += *got;
    return CLT_OK;
}

static clt_status read_header_bytes(reader *in, uint8_t *bytes, size_t wanted, clt_error *error)
{
    size_t got;
    TRY(read_some(in, bytes, wanted, &got, error));
    if (got < wanted)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": the file ends inside its IDX header%s", in->path,
                    in->position, in->position ? "" : ": it is empty");
    return CLT_OK;
}

/* What lies there in place of an IDX file, of which `magic` was read. */
static clt_status fail_magic(reader *in, const uint8_t magic[4], clt_error *error)
{
    uint8_t start[512];
    size_t got;
    memcpy(start, magic, 4);
    TRY(read_some(in, start + 4, sizeof start - 4, &got, error));
    const char *content = clt__content_name(start, 4 + got);
    if (start[0] == 0x1f && start[1] == 0x8b && !gzdirect(in->file))
        return FAIL(error, CLT_BAD_FILE, "%s: is packed by gzip twice: unpack it once (gunzip)", in->path);
    if (content) return FAIL(error, CLT_BAD_FILE, "%s: byte 0: not an IDX file but %s", in->path, content);
    return FAIL(error, CLT_BAD_FILE, "%s: byte 0: not an IDX file: it begins with %02x %02x, where IDX has 00 00",
                in->path, magic[0], magic[1]);
}

static clt_status read_type(const reader *in, uint8_t type, clt__array *array, clt_error *error)
{
    static const struct {
        char kind;
        uint8_t size;
    } types[] = {[0x08] = {'u', 1}, [0x09] = {'i', 1}, [0x0b] = {'i', 2},
                 [0x0c] = {'i', 4}, [0x0d] = {'f', 4}, [0x0e] = {'f', 8}};
    if (type >= sizeof types / sizeof *types || !types[type].size)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: byte 2: holds values of type 0x%02x, where IDX has 0x08 (unsigned bytes), 0x09 (signed ones), "
                    "0x0b and 0x0c (integers of 2 and 4 bytes), 0x0d and 0x0e (floats of 4 and 8)",
                    in->path, type);
    array->kind = types[type].kind;
    array->size = types[type].size;
    array->swap = true;
    return CLT_OK;
}

static clt_status read_magic(reader *in, clt__array *array, clt_error *error)
{
    uint8_t magic[4];
    TRY(read_header_bytes(in, magic, sizeof magic, error));
    if (magic[0] || magic[1]) return fail_magic(in, magic, error);
    TRY(read_type(in, magic[2], array, error));
    if (magic[3] < 1 || magic[3] > CLT__ARRAY_MAX_DIMENSIONS)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 3: has %u dimensions, where 1 to %d are possible", in->path,
                    (unsigned)magic[3], CLT__ARRAY_MAX_DIMENSIONS);
    array->dimensions = magic[3];
    return CLT_OK;
}

/* *size becomes the bytes of all values. */
static clt_status read_extents(reader *in, clt__array *array, uint64_t *size, clt_error *error)
{
    uint8_t bytes[CLT__ARRAY_MAX_DIMENSIONS][4];
    TRY(read_header_bytes(in, bytes[0], (size_t)array->dimensions * 4, error));
    array->count = 1;
    for (int i = 0; i < array->dimensions; i++) {
        const uint8_t *byte = bytes[i];
        const uint32_t extent = (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
        array->extent[i] = extent;
        if (!clt__multiply(array->count, extent, &array->count) || !clt__multiply(array->count, array->size, size) ||
            *size > PTRDIFF_MAX)
            return FAIL(error, CLT_BAD_FILE,
                        "%s: byte %d: dimension %d of %" PRIu32 " makes the data larger than this machine can address",
                        in->path, 4 + 4 * i, i + 1, extent);
    }
    return CLT_OK;
}

/* The buffer grows with what has arrived: a few bytes of header must not be able to ask for all the memory. */
static clt_status read_data(reader *in, uint64_t size, char **data, clt_error *error)
{
    enum { FIRST_ROOM = 1 << 16 };
    size_t capacity = size < FIRST_ROOM ? (size_t)size : FIRST_ROOM;
    TRY(clt__allocate(capacity, 1, in->path, data, error));
    size_t held = 0;
    while (held < size) {
        TRY(clt__grow(data, &capacity, held, 1, error));
        const size_t wanted = (capacity < size ? capacity : (size_t)size) - held;
        size_t got;
        TRY(read_some(in, *data + held, wanted, &got, error));
        held += got;
        if (got < wanted)
            return FAIL(error, CLT_BAD_FILE,
                        "%s: byte %" PRIu64 ": the data ends after %zu bytes, where its header promises %" PRIu64,
                        in->path, in->position, held, size);
    }
    char *fitted = realloc(*data, size ? (size_t)size : 1); /* the last doubling may have gone far beyond */
    if (fitted) *data = fitted;
    return CLT_OK;
}

/* Reading on past the data also lets zlib check the sum at the end of a gzip stream. */
static clt_status expect_end(reader *in, clt_error *error)
{
    const uint64_t end = in->position;
    uint8_t byte;
    size_t got;
    TRY(read_some(in, &byte, 1, &got, error));
    if (got)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": trailing bytes, where the header lets the file end",
                    in->path, end);
    return CLT_OK;
}

static clt_status read_content(reader *in, clt__array *array, clt_error *error)
{
    uint64_t size;
    TRY(clt__copy_text(in->path, &array->name, error));
    TRY(read_magic(in, array, error));
    TRY(read_extents(in, array, &size, error));
    TRY(read_data(in, size, &array->bytes, error));
    array->data = (const unsigned char *)array->bytes;
    return expect_end(in, error);
}

clt_status clt__idx_read(const char *path, clt__array *array, clt_error *error)
{
    *array = (clt__array){0};
    reader in = {.path = path, .file = gzopen(path, "rb")};
    if (!in.file) return clt__fail_opening(path, error);
    const clt_status status = read_content(&in, array, error);
    (void)gzclose_r(in.file);
    if (status != CLT_OK) clt__array_free(array);
    return status;
}
