#include <png.h>
#include <string.h>

#include "pictures/codec.h"

/* Deflate makes at most 1032 bytes of one; how many bits of these a pixel has, the header says after its extents. */
static uint64_t densest_png(const uint8_t *bytes, size_t size)
{
    enum { DEPTH_AT = 24, COLOUR_AT = 25, MOST_INFLATED = 1032 };
    static const uint8_t samples[] = {[0] = 1, [2] = 3, [3] = 1, [4] = 2, [6] = 4};
    if (size <= COLOUR_AT) return 1; /* too short for a header: it is not got as far as pixels */
    const uint64_t colour = bytes[COLOUR_AT] < sizeof samples ? samples[bytes[COLOUR_AT]] : 0,
                   bits = bytes[DEPTH_AT] * colour;
    return bits && bits <= 8 * MOST_INFLATED ? 8 * MOST_INFLATED / bits : 1;
}

/* libpng takes the memory that a chunk's length asks for before it reads on. */
static clt_status check_chunks(const clt__encoded *file, clt_error *error)
{
    enum { SIGNATURE = 8, AROUND = 12 /* a length and a name before the data, a checksum after it */ };
    for (size_t at = SIGNATURE; file->size - at >= AROUND;) {
        const uint8_t *chunk = file->bytes + at;
        const size_t left = file->size - at - AROUND,
                     length = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
        if (memcmp(chunk + 4, "IEND", 4) == 0) break;
        if (length > left)
            return FAIL(error, CLT_BAD_FILE, "%s: byte %zu: corrupt PNG: a chunk of %zu bytes, where %zu follow",
                        file->path, at, length, left);
        at += AROUND + length;
    }
    return CLT_OK;
}

static clt_status fail_png(const clt__encoded *file, png_image *image, clt_error *error)
{
    const clt_status status = FAIL(error, CLT_BAD_FILE, "%s: corrupt PNG: %s", file->path, image->message);
    png_image_free(image);
    return status;
}

static clt_status begin_png(const clt__encoded *file, png_image *image, clt__picture_info *info, clt_error *error)
{
    *image = (png_image){.version = PNG_IMAGE_VERSION};
    TRY(check_chunks(file, error));
    if (!png_image_begin_read_from_memory(image, file->bytes, file->size)) return fail_png(file, image, error);
    image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16 bits are scaled down, not taken for linear light */
    const bool colour = image->format & PNG_FORMAT_FLAG_COLOR;
    image->format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    /* libpng lets no extent through that does not fit into 31 bits. */
    *info = (clt__picture_info){(int)image->width, (int)image->height, colour ? 3 : 1};
    return CLT_OK;
}

static clt_status look_at_png(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    png_image image;
    TRY(begin_png(file, &image, info, error));
    png_image_free(&image);
    return CLT_OK;
}

static clt_status read_png(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    static const png_color black;
    png_image image;
    TRY(begin_png(file, &image, &picture->info, error));
    const clt_status status = clt__allocate_pixels(file, &picture->info, &picture->pixels, error);
    if (status == CLT_OK && !png_image_finish_read(&image, &black, picture->pixels, 0, NULL))
        return fail_png(file, &image, error);
    png_image_free(&image);
    return status;
}

const clt__codec clt__png_codec = {
    {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, 8, densest_png, look_at_png, read_png};
