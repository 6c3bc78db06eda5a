#include "data/idx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

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
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": the file ends inside its IDX header", in->path,
                    in->position);
    return CLT_OK;
}

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {
        [0x08] = "unsigned bytes",  [0x09] = "signed bytes",  [0x0b] = "16-bit integers",
        [0x0c] = "32-bit integers", [0x0d] = "32-bit floats", [0x0e] = "64-bit floats"};
    const bool known = type < sizeof names / sizeof names[0] && names[type];
    return known ? names[type] : "no type that IDX knows";
}

static clt_status read_magic(reader *in, int *dimensions, clt_error *error)
{
    uint8_t magic[4];
    TRY(read_header_bytes(in, magic, sizeof magic, error));
    if (magic[0] || magic[1])
        return FAIL(error, CLT_BAD_FILE, "%s: byte 0: not an IDX file: it begins with %02x %02x, where IDX has 00 00",
                    in->path, magic[0], magic[1]);
    if (magic[2] != 0x08)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 2: holds values of type 0x%02x (%s), where 0x08 (%s) is needed",
                    in->path, magic[2], type_name(magic[2]), type_name(0x08));
    if (magic[3] < 1 || magic[3] > CLT__IDX_MAX_DIMENSIONS)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 3: has %u dimensions, where 1 to %d are possible", in->path,
                    (unsigned)magic[3], CLT__IDX_MAX_DIMENSIONS);
    *dimensions = magic[3];
    return CLT_OK;
}

/* *size becomes the product of the extents. */
static clt_status read_extents(reader *in, clt__idx *idx, uint64_t *size, clt_error *error)
{
    uint8_t bytes[CLT__IDX_MAX_DIMENSIONS][4];
    TRY(read_header_bytes(in, bytes[0], (size_t)idx->dimensions * 4, error));
    *size = 1;
    for (int i = 0; i < idx->dimensions; i++) {
        const uint8_t *byte = bytes[i];
        idx->extent[i] = (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
        if (!clt__multiply(*size, idx->extent[i], size) || *size > PTRDIFF_MAX)
            return FAIL(error, CLT_BAD_FILE,
                        "%s: byte %d: dimension %d of %" PRIu32 " makes the data larger than this machine can address",
                        in->path, 4 + 4 * i, i + 1, idx->extent[i]);
    }
    return CLT_OK;
}

/* The buffer grows with what has arrived: a few bytes of header must not be able to ask for all the memory. */
static clt_status read_data(reader *in, uint64_t size, uint8_t **data, clt_error *error)
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
    uint8_t *fitted = realloc(*data, size ? (size_t)size : 1); /* the last doubling may have gone far beyond */
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

static clt_status read_content(reader *in, clt__idx *idx, clt_error *error)
{
    uint64_t size;
    TRY(read_magic(in, &idx->dimensions, error));
    TRY(read_extents(in, idx, &size, error));
    TRY(read_data(in, size, &idx->data, error));
    return expect_end(in, error);
}

clt_status clt__idx_read(const char *path, clt__idx *idx, clt_error *error)
{
    *idx = (clt__idx){0};
    reader in = {.path = path, .file = gzopen(path, "rb")};
    if (!in.file) return FAIL(error, CLT_BAD_FILE, "%s: cannot be opened: %s", path, strerror(errno));
    const clt_status status = read_content(&in, idx, error);
    (void)gzclose_r(in.file);
    if (status != CLT_OK) clt__idx_free(idx);
    return status;
}

void clt__idx_free(clt__idx *idx)
{
    free(idx->data);
    *idx = (clt__idx){0};
}
