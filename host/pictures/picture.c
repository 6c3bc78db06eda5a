#include "pictures/picture.h"

#include <stdlib.h>
#include <string.h>

#include "base/content.h"
#include "base/file.h"
#include "base/memory.h"
#include "pictures/codec.h"

/* A few bytes must not be able to ask for all the memory. */
clt_status clt__check_picture_size(const clt__encoded *file, const clt__picture_info *info, clt_error *error)
{
    enum { MOST_PIXELS = 1 << 28 };
    const uint64_t pixels = (uint64_t)info->width * (uint64_t)info->height;
    if (pixels == 0 || pixels > MOST_PIXELS || pixels / file->densest > file->size)
        return FAIL(error, CLT_BAD_FILE, "%s: claims to be an image of %d x %d in %zu bytes", file->path, info->width,
                    info->height, file->size);
    return CLT_OK;
}

clt_status clt__allocate_pixels(const clt__encoded *file, const clt__picture_info *info, uint8_t **pixels,
                                clt_error *error)
{
    TRY(clt__check_picture_size(file, info, error));
    return clt__allocate((uint64_t)info->width * (uint64_t)info->height, (size_t)info->channels, file->path, pixels,
                         error);
}

static const clt__codec *const codecs[] = {&clt__png_codec, &clt__jpeg_codec};

static const clt__codec *find_codec(const unsigned char *start, size_t size)
{
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (size >= codecs[i]->magic_size && memcmp(start, codecs[i]->magic, codecs[i]->magic_size) == 0)
            return codecs[i];
    return NULL;
}

bool clt__picture_looks(const unsigned char *start, size_t size)
{
    return find_codec(start, size);
}

static clt_status load(const char *path, char **bytes, clt__encoded *file, const clt__codec **codec, clt_error *error)
{
    uint64_t size;
    *file = (clt__encoded){.path = path};
    *bytes = NULL;
    TRY(clt__file_measure(path, &size, error)); /* a list of images may name what never ends */
    TRY(clt__file_read(path, bytes, &file->size, error));
    file->bytes = (const uint8_t *)*bytes;
    *codec = find_codec(file->bytes, file->size);
    if (*codec) file->densest = (*codec)->densest(file->bytes, file->size);
    if (*codec) return CLT_OK;
    const char *is = clt__content_or_other(file->bytes, file->size);
    free(*bytes);
    *bytes = NULL;
    return FAIL(error, CLT_BAD_FILE, "%s: is %s, where a PNG or JPEG picture is needed", path, is);
}

clt_status clt__picture_look(const char *path, const clt__picture_wish *wish, clt__picture_info *info, clt_error *error)
{
    char *bytes;
    clt__encoded file;
    const clt__codec *codec;
    (void)wish;
    TRY(load(path, &bytes, &file, &codec, error));
    clt_status status = codec->look(&file, info, error);
    if (status == CLT_OK) status = clt__check_picture_size(&file, info, error);
    free(bytes);
    return status;
}

clt_status clt__picture_read(const char *path, const clt__picture_wish *wish, clt__picture *picture, clt_error *error)
{
    char *bytes;
    clt__encoded file;
    const clt__codec *codec;
    (void)wish;
    *picture = (clt__picture){.pixels = NULL};
    TRY(load(path, &bytes, &file, &codec, error));
    const clt_status status = codec->read(&file, picture, error);
    free(bytes);
    if (status != CLT_OK) {
        free(picture->pixels);
        picture->pixels = NULL;
    }
    return status;
}
