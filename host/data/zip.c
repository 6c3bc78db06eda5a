#include "data/zip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/content.h"
#include "base/file.h"
#include "base/memory.h"

/* The fixed parts of the records, in bytes. */
enum { END_SIZE = 22, END64_SIZE = 56, LOCATOR_SIZE = 20, ENTRY_SIZE = 46, LOCAL_SIZE = 30, MOST_COMMENT = 65535 };

static const uint32_t end_mark = 0x06054b50, end64_mark = 0x06064b50, locator_mark = 0x07064b50,
                      entry_mark = 0x02014b50, local_mark = 0x04034b50;

/* `count` bytes, the lowest first. */
static uint64_t number(const unsigned char *at, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* Exactly `size` bytes at `offset`, which must lie in the archive. */
static clt_status read_at(const clt__zip *zip, uint64_t offset, void *bytes, size_t size, clt_error *error)
{
    if (offset > zip->size || zip->size - offset < size)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": a part of the zip archive lies beyond its end",
                    zip->path, offset);
    if (fseeko(zip->stream, (off_t)offset, SEEK_SET) || fread(bytes, 1, size, zip->stream) != size)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": cannot be read: %s", zip->path, offset,
                    errno ? strerror(errno) : "the file became shorter");
    return CLT_OK;
}

/* ---- the directory ------------------------------------------------------------------------------------------ */

typedef struct directory {
    uint64_t entries, size, offset;
} directory;

/* Where the end record lies: a comment of any length may follow it. */
static clt_status find_end(const clt__zip *zip, uint64_t *at, clt_error *error)
{
    const size_t room = zip->size < END_SIZE + MOST_COMMENT ? (size_t)zip->size : END_SIZE + MOST_COMMENT;
    unsigned char *tail;
    TRY(clt__allocate(room, 1, zip->path, &tail, error));
    clt_status status = read_at(zip, zip->size - room, tail, room, error);
    bool found = false;
    for (size_t i = room >= END_SIZE ? room - END_SIZE + 1 : 0; status == CLT_OK && !found && i-- > 0;) {
        found = number(tail + i, 4) == end_mark && number(tail + i + 20, 2) == room - i - END_SIZE;
        *at = zip->size - room + i;
    }
    free(tail);
    if (status == CLT_OK && !found)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": the zip archive has no directory at its end", zip->path,
                    zip->size);
    return status;
}

/* ZIP64 has numbers of 64 bits in a record before the end record, and a locator between the two. */
static clt_status read_end64(const clt__zip *zip, uint64_t end, directory *list, clt_error *error)
{
    unsigned char locator[LOCATOR_SIZE], record[END64_SIZE];
    if (end < LOCATOR_SIZE) return CLT_OK;
    TRY(read_at(zip, end - LOCATOR_SIZE, locator, sizeof locator, error));
    if (number(locator, 4) != locator_mark) return CLT_OK;
    TRY(read_at(zip, number(locator + 8, 8), record, sizeof record, error));
    if (number(record, 4) != end64_mark)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": the ZIP64 end record is not there", zip->path,
                    number(locator + 8, 8));
    *list = (directory){number(record + 32, 8), number(record + 40, 8), number(record + 48, 8)};
    return CLT_OK;
}

/* What is called an archive and is none is told by what it is. */
static clt_status check_start(const clt__zip *zip, clt_error *error)
{
    unsigned char start[512];
    const size_t size = zip->size < sizeof start ? (size_t)zip->size : sizeof start;
    TRY(read_at(zip, 0, start, size, error));
    if (size >= 2 && memcmp(start, "PK", 2) == 0) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: is %s, where a zip archive is needed", zip->path,
                clt__content_or_other(start, size));
}

static clt_status find_directory(const clt__zip *zip, directory *list, clt_error *error)
{
    unsigned char record[END_SIZE];
    uint64_t end = 0;
    TRY(find_end(zip, &end, error));
    TRY(read_at(zip, end, record, sizeof record, error));
    *list = (directory){number(record + 10, 2), number(record + 12, 4), number(record + 16, 4)};
    TRY(read_end64(zip, end, list, error));
    if (list->offset > end || end - list->offset < list->size || list->size / ENTRY_SIZE < list->entries)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: byte %" PRIu64 ": the zip archive's directory of %" PRIu64 " entries does not fit into it",
                    zip->path, end, list->entries);
    return CLT_OK;
}

/* Those of size, packed size and offset that did not fit into 32 bits stand in an extra field, in that order. */
static clt_status read_zip64(const clt__zip *zip, const unsigned char *extra, size_t size, clt__zip_member *member,
                             clt_error *error)
{
    uint64_t *const wide[] = {&member->size, &member->packed, &member->offset};
    while (size >= 4) {
        const size_t length = (size_t)number(extra + 2, 2);
        if (length > size - 4) break;
        size_t at = 4;
        for (int i = 0; i < 3 && number(extra, 2) == 1; i++)
            if (*wide[i] == UINT32_MAX && at + 8 <= 4 + length) {
                *wide[i] = number(extra + at, 8);
                at += 8;
            }
        extra += 4 + length;
        size -= 4 + length;
    }
    return member->packed > zip->size || member->offset > zip->size
               ? FAIL(error, CLT_BAD_FILE, "%s: %s lies beyond the end of the zip archive", zip->path, member->name)
               : CLT_OK;
}

/* The entry at *at of the directory; moves *at on. */
static clt_status read_entry(clt__zip *zip, const unsigned char *list, size_t size, size_t *at, clt_error *error)
{
    const unsigned char *entry = list + *at;
    if (size - *at < ENTRY_SIZE || number(entry, 4) != entry_mark)
        return FAIL(error, CLT_BAD_FILE, "%s: entry %zu of the zip archive's directory is not right", zip->path,
                    zip->members);
    const size_t name = (size_t)number(entry + 28, 2), extra = (size_t)number(entry + 30, 2),
                 whole = ENTRY_SIZE + name + extra + (size_t)number(entry + 32, 2);
    if (size - *at < whole)
        return FAIL(error, CLT_BAD_FILE, "%s: entry %zu of the zip archive's directory is cut off", zip->path,
                    zip->members);
    TRY(clt__grow(&zip->member, &zip->capacity, zip->members, sizeof *zip->member, error));
    clt__zip_member *member = &zip->member[zip->members];
    *member = (clt__zip_member){.method = (int)number(entry + 10, 2),
                                .encrypted = number(entry + 8, 2) & 1,
                                .sum = (uint32_t)number(entry + 16, 4),
                                .packed = number(entry + 20, 4),
                                .size = number(entry + 24, 4),
                                .offset = number(entry + 42, 4)};
    TRY(clt__allocate(name + 1, 1, "a name", &member->name, error));
    memcpy(member->name, entry + ENTRY_SIZE, name);
    zip->members++;
    *at += whole;
    return read_zip64(zip, entry + ENTRY_SIZE + name, extra, member, error);
}

static clt_status read_directory(clt__zip *zip, clt_error *error)
{
    directory list;
    unsigned char *bytes;
    TRY(find_directory(zip, &list, error));
    TRY(clt__allocate(list.size, 1, zip->path, &bytes, error));
    clt_status status = read_at(zip, list.offset, bytes, (size_t)list.size, error);
    size_t at = 0;
    for (uint64_t i = 0; i < list.entries && status == CLT_OK; i++)
        status = read_entry(zip, bytes, (size_t)list.size, &at, error);
    free(bytes);
    return status;
}

static clt_status measure(clt__zip *zip, clt_error *error)
{
    const off_t end = fseeko(zip->stream, 0, SEEK_END) ? -1 : ftello(zip->stream);
    if (end < 0) return FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", zip->path, strerror(errno));
    zip->size = (uint64_t)end;
    return CLT_OK;
}

clt_status clt__zip_open(const char *path, clt__zip *zip, clt_error *error)
{
    *zip = (clt__zip){.path = path};
    TRY(clt__file_open(path, &zip->stream, error));
    clt_status status = measure(zip, error);
    if (status == CLT_OK) status = check_start(zip, error);
    if (status == CLT_OK) status = read_directory(zip, error);
    if (status != CLT_OK) clt__zip_close(zip);
    return status;
}

const clt__zip_member *clt__zip_find(const clt__zip *zip, const char *name)
{
    for (size_t i = 0; i < zip->members; i++)
        if (strcmp(zip->member[i].name, name) == 0) return &zip->member[i];
    return NULL;
}

void clt__zip_close(clt__zip *zip)
{
    for (size_t i = 0; i < zip->members; i++) free(zip->member[i].name);
    free(zip->member);
    if (zip->stream) (void)fclose(zip->stream);
    *zip = (clt__zip){0};
}

/* ---- members ------------------------------------------------------------------------------------------------ */

/* zlib counts its buffers in unsigned int, so large ones go in parts. */
static unsigned part_of(uint64_t left)
{
    enum { LARGEST_PART = 1 << 30 };
    return left < LARGEST_PART ? (unsigned)left : LARGEST_PART;
}

/* The buffer grows with what has been inflated: what the directory says must not be able to ask for all the memory. */
static clt_status inflate_all(const clt__zip_member *member, z_stream *stream, unsigned char **to, bool *whole,
                              clt_error *error)
{
    enum { FIRST_ROOM = 1 << 16 };
    uint64_t packed = member->packed;
    const size_t size = (size_t)member->size;
    size_t held = 0, capacity = size < FIRST_ROOM ? size : FIRST_ROOM;
    int code = Z_OK;
    TRY(clt__allocate(capacity, 1, member->name, to, error));
    while (code == Z_OK) {
        if (held < size) TRY(clt__grow(to, &capacity, held, 1, error));
        if (!stream->avail_in) stream->avail_in = part_of(packed), packed -= stream->avail_in;
        const unsigned room = part_of((capacity < size ? capacity : size) - held);
        stream->next_out = *to + held;
        stream->avail_out = room;
        code = inflate(stream, Z_NO_FLUSH); /* Z_BUF_ERROR where there is neither data nor room */
        held += room - stream->avail_out;
    }
    *whole = code == Z_STREAM_END && packed == 0 && !stream->avail_in && held == size;
    return CLT_OK;
}

static clt_status unpack(const clt__zip *zip, const clt__zip_member *member, unsigned char *from, unsigned char **to,
                         clt_error *error)
{
    z_stream stream = {.next_in = from};
    bool whole = false;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return FAIL(error, CLT_NO_MEMORY, "%s: no host memory to unpack %s", zip->path, member->name);
    const clt_status status = inflate_all(member, &stream, to, &whole, error);
    char why[128];
    (void)snprintf(why, sizeof why, "%s", stream.msg ? stream.msg : "its size is not what the directory says");
    (void)inflateEnd(&stream);
    if (status != CLT_OK || whole) return status;
    return FAIL(error, CLT_BAD_FILE, "%s: %s: corrupt deflated data: %s", zip->path, member->name, why);
}

/* What the directory says of a member must be possible before memory is asked for. */
static clt_status check_member(const clt__zip *zip, const clt__zip_member *member, clt_error *error)
{
    enum { MOST_DEFLATED = 1032 }; /* bytes that one deflated byte can stand for */
    if (member->encrypted) return FAIL(error, CLT_BAD_FILE, "%s: %s is encrypted", zip->path, member->name);
    if (member->method != 0 && member->method != 8)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: %s is packed by zip's method %d, where 0 (stored) and 8 (deflated) are known", zip->path,
                    member->name, member->method);
    const bool possible =
        member->method == 0 ? member->size == member->packed : member->size / MOST_DEFLATED <= member->packed;
    if (!possible)
        return FAIL(error, CLT_BAD_FILE, "%s: %s: %" PRIu64 " bytes cannot be packed into %" PRIu64, zip->path,
                    member->name, member->size, member->packed);
    return CLT_OK;
}

/* Where the packed data begins: after a local header with lengths of its own. */
static clt_status find_data(const clt__zip *zip, const clt__zip_member *member, uint64_t *offset, clt_error *error)
{
    unsigned char local[LOCAL_SIZE];
    TRY(read_at(zip, member->offset, local, sizeof local, error));
    if (number(local, 4) != local_mark)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": the header of %s is not there", zip->path,
                    member->offset, member->name);
    *offset = member->offset + LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2);
    return CLT_OK;
}

static clt_status read_deflated(const clt__zip *zip, const clt__zip_member *member, uint64_t offset,
                                unsigned char **bytes, clt_error *error)
{
    unsigned char *packed;
    TRY(clt__allocate(member->packed, 1, zip->path, &packed, error));
    clt_status status = read_at(zip, offset, packed, (size_t)member->packed, error);
    if (status == CLT_OK) status = unpack(zip, member, packed, bytes, error);
    free(packed);
    return status;
}

static clt_status read_content(const clt__zip *zip, const clt__zip_member *member, uint64_t offset,
                               unsigned char **bytes, clt_error *error)
{
    if (member->method == 8) {
        TRY(read_deflated(zip, member, offset, bytes, error));
    } else {
        TRY(clt__allocate(member->size, 1, member->name, bytes, error));
        TRY(read_at(zip, offset, *bytes, (size_t)member->size, error));
    }
    if (crc32_z(0, *bytes, (size_t)member->size) != member->sum)
        return FAIL(error, CLT_BAD_FILE, "%s: %s: its content does not have the checksum that the directory says",
                    zip->path, member->name);
    return CLT_OK;
}

clt_status clt__zip_read(const clt__zip *zip, const clt__zip_member *member, char **bytes, clt_error *error)
{
    uint64_t offset = 0;
    unsigned char *content = NULL;
    *bytes = NULL;
    TRY(check_member(zip, member, error));
    TRY(find_data(zip, member, &offset, error));
    if (offset > zip->size || zip->size - offset < member->packed)
        return FAIL(error, CLT_BAD_FILE, "%s: %s lies beyond the end of the zip archive", zip->path, member->name);
    const clt_status status = read_content(zip, member, offset, &content, error);
    if (status == CLT_OK)
        *bytes = (char *)content;
    else
        free(content);
    return status;
}
