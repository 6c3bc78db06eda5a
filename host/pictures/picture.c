#include "pictures/picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/content.h"
#include "base/file.h"
#include "base/memory.h"
#include "pictures/codec.h"

/* ---- what codecs share -------------------------------------------------------------------------------------- */

/* A few bytes must not be able to ask for all the memory. */
clt_status clt__check_picture_size(const clt__encoded *file, const clt__picture_info *info, uint64_t densest,
                                   clt_error *error)
{
    enum { MOST_PIXELS = 1 << 28 };
    const uint64_t pixels = (uint64_t)info->width * (uint64_t)info->height;
    if (pixels == 0 || pixels > MOST_PIXELS || pixels / densest > file->whole)
        return FAIL(error, CLT_BAD_FILE, "%s: claims to be an image of %d x %d in %" PRIu64 " bytes", file->path,
                    info->width, info->height, file->whole);
    return CLT_OK;
}

clt_status clt__allocate_pixels(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    const clt__picture_info *info = &picture->info;
    return clt__allocate((uint64_t)info->width * (uint64_t)info->height, (size_t)info->channels, file->path,
                         &picture->pixels, error);
}

/* ---- which codec -------------------------------------------------------------------------------------------- */

/* By what base/content.c calls such a file. */
static const struct {
    const char *content;
    const clt__codec *codec;
} table[] = {
    {"a PNG picture", &clt__png_codec},   {"a JPEG picture", &clt__jpeg_codec},    {"a WebP picture", &clt__webp_codec},
    {"a TIFF picture", &clt__tiff_codec}, {"a BigTIFF picture", &clt__tiff_codec}, {"a GIF picture", &clt__gif_codec},
    {"a BMP picture", &clt__bmp_codec},
};

static const clt__codec *find_codec(const unsigned char *start, size_t size)
{
    const char *content = clt__content_name(start, size);
    for (size_t i = 0; content && i < sizeof table / sizeof *table; i++)
        if (strcmp(content, table[i].content) == 0) return table[i].codec;
    return NULL;
}

bool clt__picture_looks(const unsigned char *start, size_t size)
{
    return find_codec(start, size);
}

static clt_status choose_codec(const clt__encoded *file, const clt__codec **codec, clt_error *error)
{
    *codec = find_codec(file->bytes, file->size);
    if (!*codec)
        return FAIL(error, CLT_BAD_FILE, "%s: is %s, where a picture (PNG, JPEG, WebP, TIFF, GIF, BMP) is needed",
                    file->path, clt__content_or_other(file->bytes, file->size));
    if (!(*codec)->read)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: is a %s picture, which this build of cltrain cannot read: it was built without %s", file->path,
                    (*codec)->name, (*codec)->library);
    return CLT_OK;
}

/* ---- in memory ---------------------------------------------------------------------------------------------- */

static clt__encoded make_encoded(const char *path, const void *bytes, size_t size, uint64_t whole,
                                 const clt__picture_wish *wish)
{
    return (clt__encoded){path, bytes, size, whole, wish ? *wish : (clt__picture_wish){0}};
}

static clt_status look_at(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    const clt__codec *codec;
    *info = (clt__picture_info){0};
    TRY(choose_codec(file, &codec, error));
    return codec->look(file, info, error);
}

clt_status clt__picture_look_in(const uint8_t *bytes, size_t size, const char *path, const clt__picture_wish *wish,
                                clt__picture_info *info, clt_error *error)
{
    const clt__encoded file = make_encoded(path, bytes, size, size, wish);
    return look_at(&file, info, error);
}

clt_status clt__picture_read_in(const uint8_t *bytes, size_t size, const char *path, const clt__picture_wish *wish,
                                clt__picture *picture, clt_error *error)
{
    const clt__encoded file = make_encoded(path, bytes, size, size, wish);
    const clt__codec *codec;
    *picture = (clt__picture){.pixels = NULL};
    TRY(choose_codec(&file, &codec, error));
    const clt_status status = codec->read(&file, picture, error);
    if (status != CLT_OK) {
        free(picture->pixels);
        picture->pixels = NULL;
    }
    return status;
}

/* ---- files -------------------------------------------------------------------------------------------------- */

/* A list of images may name what never ends. */
static clt_status read_all(const char *path, char **bytes, size_t *size, clt_error *error)
{
    uint64_t measured;
    TRY(clt__file_measure(path, &measured, error));
    return clt__file_read(path, bytes, size, error);
}

/* Most headers lie in the first bytes: of a folder of large photos little is read. */
clt_status clt__picture_look(const char *path, const clt__picture_wish *wish, clt__picture_info *info, clt_error *error)
{
    enum { START = 16 << 10 };
    uint8_t start[START];
    uint64_t whole;
    size_t size;
    char *bytes;
    TRY(clt__file_measure(path, &whole, error));
    TRY(clt__file_read_start(path, start, sizeof start, &size, error));
    const bool all = size < sizeof start;
    const clt__encoded beginning = make_encoded(path, start, size, all ? size : whole, wish);
    const clt_status first = look_at(&beginning, info, all ? error : NULL);
    if (all || first == CLT_OK) return first;
    TRY(read_all(path, &bytes, &size, error));
    const clt_status status = clt__picture_look_in((const uint8_t *)bytes, size, path, wish, info, error);
    free(bytes);
    return status;
}

clt_status clt__picture_read(const char *path, const clt__picture_wish *wish, clt__picture *picture, clt_error *error)
{
    char *bytes;
    size_t size;
    *picture = (clt__picture){.pixels = NULL};
    TRY(read_all(path, &bytes, &size, error));
    const clt_status status = clt__picture_read_in((const uint8_t *)bytes, size, path, wish, picture, error);
    free(bytes);
    return status;
}
