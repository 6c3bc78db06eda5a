#include <inttypes.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "pictures/codec.h"

typedef struct png_reader {
    const clt__encoded *file;
    size_t at; /* the next byte to read */
    png_structp png;
    png_infop info;
    jmp_buf failed;
    bool shown; /* no pixel is missing */
    char why[128];
} png_reader;

/* ---- what libpng calls -------------------------------------------------------------------------------------- */

static void stop_png(png_structp png, png_const_charp why)
{
    png_reader *reader = png_get_error_ptr(png);
    (void)snprintf(reader->why, sizeof reader->why, "%s", why);
    longjmp(reader->failed, 1);
}

static void ignore_warning(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void read_from_memory(png_structp png, png_bytep to, size_t size)
{
    png_reader *reader = png_get_io_ptr(png);
    if (size > reader->file->size - reader->at) png_error(png, "the file ends too early");
    memcpy(to, reader->file->bytes + reader->at, size);
    reader->at += size;
}

/* ---- the header --------------------------------------------------------------------------------------------- */

/* libpng takes the memory that a chunk's length asks for before it reads on. */
static clt_status check_chunks(const clt__encoded *file, clt_error *error)
{
    enum { SIGNATURE = 8, AROUND = 12 /* a length and a name before the data, a checksum after it */ };
    for (uint64_t at = SIGNATURE; at + AROUND <= file->size;) {
        const uint8_t *chunk = file->bytes + at;
        const uint64_t left = file->whole - at - AROUND;
        const uint32_t length =
            (uint32_t)chunk[0] << 24 | (uint32_t)chunk[1] << 16 | (uint32_t)chunk[2] << 8 | chunk[3];
        if (memcmp(chunk + 4, "IEND", 4) == 0) break;
        if (length > left)
            return FAIL(error, CLT_BAD_FILE,
                        "%s: byte %" PRIu64 ": corrupt PNG: a chunk of %" PRIu32 " bytes, where %" PRIu64 " follow",
                        file->path, at, length, left);
        at += AROUND + length;
    }
    return CLT_OK;
}

/* The bytes are the pixels: what says which light they mean is not looked at. */
static void limit_png(const png_reader *reader)
{
    enum { MOST_PIXELS_ACROSS = 1 << 28 };
    const uint64_t whole = reader->file->whole;
    png_set_user_limits(reader->png, MOST_PIXELS_ACROSS, MOST_PIXELS_ACROSS);
    png_set_chunk_malloc_max(reader->png, whole < PNG_UINT_31_MAX ? (png_alloc_size_t)whole : PNG_UINT_31_MAX);
    png_set_chunk_cache_max(reader->png, 1);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

/* Deflate makes at most 1032 bytes of one. */
static uint64_t densest_png(const png_reader *reader)
{
    enum { MOST_INFLATED = 1032 };
    const unsigned bits =
        (unsigned)png_get_bit_depth(reader->png, reader->info) * png_get_channels(reader->png, reader->info);
    return 8 * MOST_INFLATED / bits;
}

static clt_status begin_png(png_reader *reader, clt__picture_info *info, clt_error *error)
{
    limit_png(reader);
    png_set_read_fn(reader->png, reader, read_from_memory);
    png_read_info(reader->png, reader->info);
    const bool colour = png_get_color_type(reader->png, reader->info) & PNG_COLOR_MASK_COLOR;
    *info = (clt__picture_info){.width = (int)png_get_image_width(reader->png, reader->info),
                                .height = (int)png_get_image_height(reader->png, reader->info),
                                .channels = colour ? 3 : 1};
    return clt__check_picture_size(reader->file, info, densest_png(reader), error);
}

/* ---- the pixels --------------------------------------------------------------------------------------------- */

/* Whatever a pixel is stored as, a byte a channel comes of it. */
static void set_transformations(const png_reader *reader)
{
    const png_color_16 black = {0};
    png_set_expand(reader->png);
    png_set_scale_16(reader->png);
    if (png_get_valid(reader->png, reader->info, PNG_INFO_tRNS) ||
        png_get_color_type(reader->png, reader->info) & PNG_COLOR_MASK_ALPHA)
        png_set_background_fixed(reader->png, &black, PNG_BACKGROUND_GAMMA_SCREEN, 0, 0);
}

static clt_status decode_png(png_reader *reader, clt__picture *picture, clt_error *error)
{
    TRY(begin_png(reader, &picture->info, error));
    TRY(clt__allocate_pixels(reader->file, picture, error));
    set_transformations(reader);
    const int passes = png_set_interlace_handling(reader->png);
    png_read_update_info(reader->png, reader->info);
    const size_t row = (size_t)picture->info.width * (size_t)picture->info.channels;
    if (png_get_rowbytes(reader->png, reader->info) != row) png_error(reader->png, "rows of an unknown kind");
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < picture->info.height; y++)
            png_read_row(reader->png, picture->pixels + (size_t)y * row, NULL);
    reader->shown = true;
    png_read_end(reader->png, NULL);
    return CLT_OK;
}

/* What comes after the last row may be anything. */
static clt_status end_png(const png_reader *reader, clt__picture *picture, clt_error *error)
{
    picture->info.lacks_end = reader->shown;
    return reader->shown ? CLT_OK : FAIL(error, CLT_BAD_FILE, "%s: corrupt PNG: %s", reader->file->path, reader->why);
}

/* The header alone, or with `whole` all of it. What libpng calls an error comes back to setjmp. */
static clt_status use_png(const clt__encoded *file, bool whole, clt__picture *picture, clt_error *error)
{
    png_reader reader = {.file = file};
    clt_status status;
    TRY(check_chunks(file, error));
    if (setjmp(reader.failed)) {
        status = end_png(&reader, picture, error);
    } else {
        reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, stop_png, ignore_warning);
        reader.info = reader.png ? png_create_info_struct(reader.png) : NULL;
        if (!reader.info)
            status = FAIL(error, CLT_NO_MEMORY, "%s: no host memory for libpng", file->path);
        else
            status = whole ? decode_png(&reader, picture, error) : begin_png(&reader, &picture->info, error);
    }
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    return status;
}

static clt_status look_at_png(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    clt__picture picture = {.pixels = NULL};
    TRY(use_png(file, false, &picture, error));
    *info = picture.info;
    return CLT_OK;
}

static clt_status read_png(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    return use_png(file, true, picture, error);
}

const clt__codec clt__png_codec = {"PNG", "libpng", look_at_png, read_png};

/* ---- writing ------------------------------------------------------------------------------------------------- */

clt_status clt__picture_encode(const uint8_t *pixels, int width, int height, int channels, bool fast, uint8_t **png,
                               size_t *size, clt_error *error)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY,
                       .flags = fast ? PNG_IMAGE_FLAG_FAST : 0,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height};
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(image);
    TRY(clt__allocate(room, 1, "a PNG file", png, error));
    if (!png_image_write_to_memory(&image, *png, &room, 0, pixels, 0, NULL)) {
        free(*png);
        return FAIL(error, CLT_NO_MEMORY, "a PNG file of %dx%d pixels cannot be made: %s", width, height,
                    image.message);
    }
    *size = room;
    return CLT_OK;
}
