#include "data/npy.h"

#include <inttypes.h>
#include <string.h>

#include "base/content.h"
#include "base/memory.h"

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* The header's text, being parsed. */
typedef struct header {
    const char *start, *at, *end;
    size_t offset; /* of `start` in the file */
    clt__array *array;
} header;

/* ---- words of the dictionary -------------------------------------------------------------------------------- */

static clt_status fail_here(const header *h, const char *wanted, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: byte %zu: the NPY header is not right: %s is needed here", h->array->name,
                h->offset + (size_t)(h->at - h->start), wanted);
}

static void skip_blanks(header *h)
{
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\t' || *h->at == '\n')) h->at++;
}

/* Takes the character if it comes next. */
static bool takes(header *h, char wanted)
{
    skip_blanks(h);
    if (h->at == h->end || *h->at != wanted) return false;
    h->at++;
    return true;
}

static bool takes_word(header *h, const char *word)
{
    const size_t length = strlen(word);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < length || memcmp(h->at, word, length) != 0) return false;
    h->at += length;
    return true;
}

/* A Python string without escapes. */
static clt_status read_string(header *h, char *text, size_t room, clt_error *error)
{
    skip_blanks(h);
    const char quote = h->at < h->end ? *h->at : '\0';
    const char *begin = h->at + 1;
    const char *closing = quote == '\'' || quote == '"' ? memchr(begin, quote, (size_t)(h->end - begin)) : NULL;
    if (!closing || (size_t)(closing - begin) >= room) return fail_here(h, "a short text in quotes", error);
    memcpy(text, begin, (size_t)(closing - begin));
    text[closing - begin] = '\0';
    h->at = closing + 1;
    return CLT_OK;
}

/* ---- its values --------------------------------------------------------------------------------------------- */

/* The digits at `text`, 0 where there is anything else. */
static uint32_t read_size(const char *text)
{
    uint32_t size = 0;
    const size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 6 || text[digits]) return 0;
    for (; *text; text++) size = 10 * size + (uint32_t)(*text - '0');
    return size;
}

static bool is_known_type(char kind, uint32_t size)
{
    const bool power = size == 1 || size == 2 || size == 4 || size == 8;
    return (kind == 'b' && size == 1) || ((kind == 'u' || kind == 'i') && power) ||
           (kind == 'f' && power && size > 1) || ((kind == 'S' || kind == 'U') && size > 0);
}

static clt_status fail_type(const header *h, const char *type, clt_error *error)
{
    if (type[0] == '|' && type[1] == 'O')
        return FAIL(error, CLT_BAD_FILE,
                    "%s: is a pickled array of Python objects, where plain numbers are needed: "
                    "numpy.stack(list(array)) makes one array of many of one shape, array.astype(float) numbers, "
                    "array.astype(str) texts",
                    h->array->name);
    return FAIL(error, CLT_BAD_FILE,
                "%s: its values are of the type \"%s\", where integers of 1, 2, 4 or 8 bytes, floats of 2, 4 or 8, "
                "bool or, for labels, texts are needed",
                h->array->name, type);
}

static clt_status read_type(header *h, clt_error *error)
{
    char type[16] = "";
    if (takes(h, '['))
        return FAIL(error, CLT_BAD_FILE,
                    "%s: holds records of named fields, where plain numbers are needed: save each "
                    "field as an array of its own",
                    h->array->name);
    TRY(read_string(h, type, sizeof type, error));
    const uint32_t size = type[0] && strchr("<>|=", type[0]) && type[1] ? read_size(type + 2) : 0;
    if (!is_known_type(type[1], size)) return fail_type(h, type, error);
    h->array->kind = type[1];
    h->array->size = type[1] == 'U' ? 4 * size : size;
    h->array->swap = type[0] == '>';
    return CLT_OK;
}

static clt_status read_order(header *h, clt_error *error)
{
    h->array->fortran = takes_word(h, "True");
    return h->array->fortran || takes_word(h, "False") ? CLT_OK : fail_here(h, "True or False", error);
}

static clt_status read_extent(header *h, uint64_t *extent, clt_error *error)
{
    skip_blanks(h);
    const char *begin = h->at;
    *extent = 0;
    for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++) {
        const uint64_t digit = (uint64_t)(*h->at - '0');
        if (!clt__multiply(*extent, 10, extent) || *extent > INT64_MAX - digit)
            return fail_here(h, "an extent below 2^63", error);
        *extent += digit;
    }
    return h->at > begin ? CLT_OK : fail_here(h, "an extent", error);
}

static clt_status read_shape(header *h, clt_error *error)
{
    clt__array *array = h->array;
    if (!takes(h, '(')) return fail_here(h, "a tuple", error);
    for (array->dimensions = 0; !takes(h, ')'); array->dimensions++) {
        if (array->dimensions == CLT__ARRAY_MAX_DIMENSIONS)
            return FAIL(error, CLT_BAD_FILE, "%s: the array has more than %d dimensions", h->array->name,
                        CLT__ARRAY_MAX_DIMENSIONS);
        TRY(read_extent(h, &array->extent[array->dimensions], error));
        const bool comma = takes(h, ',');
        skip_blanks(h);
        const bool closes = h->at < h->end && *h->at == ')';
        if (!comma && (!closes || array->dimensions == 0)) return fail_here(h, "a comma", error); /* (3) is no tuple */
    }
    return CLT_OK;
}

static clt_status read_entry(header *h, unsigned *seen, clt_error *error)
{
    static const struct {
        const char *key;
        clt_status (*read)(header *, clt_error *);
    } entries[] = {{"descr", read_type}, {"fortran_order", read_order}, {"shape", read_shape}};
    char key[32];
    TRY(read_string(h, key, sizeof key, error));
    if (!takes(h, ':')) return fail_here(h, "a colon", error);
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(key, entries[i].key) == 0 && !(*seen & 1u << i)) {
            *seen |= 1u << i;
            return entries[i].read(h, error);
        }
    return FAIL(error, CLT_BAD_FILE,
                "%s: the NPY header says \"%s\", where descr, fortran_order and shape are needed, once each",
                h->array->name, key);
}

static clt_status read_dictionary(header *h, clt_error *error)
{
    unsigned seen = 0;
    if (!takes(h, '{')) return fail_here(h, "a dictionary", error);
    while (!takes(h, '}')) {
        TRY(read_entry(h, &seen, error));
        skip_blanks(h);
        if (!takes(h, ',') && (h->at == h->end || *h->at != '}')) return fail_here(h, "a comma", error);
    }
    skip_blanks(h);
    if (h->at < h->end) return fail_here(h, "the header's end", error);
    if (seen != 7)
        return FAIL(error, CLT_BAD_FILE, "%s: the NPY header lacks descr, fortran_order or shape", h->array->name);
    return CLT_OK;
}

/* ---- the file ----------------------------------------------------------------------------------------------- */

bool clt__npy_looks(const unsigned char *start, size_t size)
{
    return size >= sizeof magic && memcmp(start, magic, sizeof magic) == 0;
}

static clt_status fail_magic(const char *name, const unsigned char *bytes, size_t size, clt_error *error)
{
    const char *content = size ? clt__content_name(bytes, size) : "an empty file";
    return FAIL(error, CLT_BAD_FILE, "%s: byte 0: is not an NPY file%s%s", name, content ? " but " : "",
                content ? content : "");
}

/* Where the dictionary lies. */
static clt_status find_header(const char *name, const unsigned char *bytes, size_t size, header *h, clt_error *error)
{
    if (!clt__npy_looks(bytes, size)) return fail_magic(name, bytes, size, error);
    const int major = size > 6 ? bytes[6] : 0, minor = size > 7 ? bytes[7] : 0;
    const size_t begin = major == 1 ? 10 : 12;
    if (size >= 8 && (major < 1 || major > 3 || minor != 0))
        return FAIL(error, CLT_BAD_FILE, "%s: byte 6: is of NPY's version %d.%d, where 1.0, 2.0 and 3.0 are known",
                    name, major, minor);
    uint64_t length = 0;
    for (size_t i = 8; i < begin && i < size; i++) length |= (uint64_t)bytes[i] << 8 * (i - 8);
    if (size < begin || size - begin < length)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %zu: the file ends inside its NPY header", name, size);
    h->offset = begin;
    h->start = h->at = (const char *)bytes + begin;
    h->end = h->start + length;
    return CLT_OK;
}

static clt_status check_size(const header *h, const unsigned char *bytes, size_t size, clt_error *error)
{
    clt__array *array = h->array;
    const size_t before = (size_t)((const unsigned char *)h->end - bytes);
    uint64_t wanted;
    array->count = 1;
    bool fits = true;
    for (int d = 0; d < array->dimensions && fits; d++)
        fits = clt__multiply(array->count, array->extent[d], &array->count);
    fits = fits && clt__multiply(array->count, (uint64_t)array->size, &wanted);
    if (!fits)
        return FAIL(error, CLT_BAD_FILE, "%s: its NPY header promises more than 2^64 bytes of data", h->array->name);
    if (size - before != wanted)
        return FAIL(error, CLT_BAD_FILE, "%s: byte %zu: holds %zu bytes of data, where its header promises %" PRIu64,
                    h->array->name, size, size - before, wanted);
    array->data = bytes + before;
    return CLT_OK;
}

clt_status clt__npy_parse(clt__array *array, size_t size, clt_error *error)
{
    header h = {.array = array};
    const unsigned char *bytes = (const unsigned char *)array->bytes;
    TRY(find_header(array->name, bytes, size, &h, error));
    TRY(read_dictionary(&h, error));
    return check_size(&h, bytes, size, error);
}
