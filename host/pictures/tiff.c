#include "pictures/codec.h"

#ifdef CLTRAIN_TIFF

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "pictures/tiff_reader.h"
#include "pictures/turn.h"

/* ---- what libtiff calls ------------------------------------------------------------------------------------- */

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t size)
{
    clt__tiff_reader *reader = handle;
    if (size <= 0 || reader->at >= reader->file->size) return 0;
    const uint64_t left = reader->file->size - reader->at;
    if ((uint64_t)size > left) size = (tmsize_t)left;
    memcpy(to, reader->file->bytes + reader->at, (size_t)size);
    reader->at += (uint64_t)size;
    return size;
}

static tmsize_t write_nothing(thandle_t handle, void *from, tmsize_t size)
{
    (void)handle;
    (void)from;
    (void)size;
    return 0;
}

static toff_t seek_to(thandle_t handle, toff_t offset, int whence)
{
    clt__tiff_reader *reader = handle;
    const uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reader->at : reader->file->size;
    return reader->at = from + offset;
}

static toff_t size_of(thandle_t handle)
{
    const clt__tiff_reader *reader = handle;
    return reader->file->size;
}

/* libtiff 4.5 misreads tiles that are not packed where it has to copy them from a file. It only reads there. */
static int map_memory(thandle_t handle, void **begin, toff_t *size)
{
    const clt__tiff_reader *reader = handle;
    *begin = (void *)reader->file->bytes;
    *size = reader->file->size;
    return 1;
}

static void unmap_nothing(thandle_t handle, void *begin, toff_t size)
{
    (void)handle;
    (void)begin;
    (void)size;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

/* Returning 1 keeps it from the handlers that all users of libtiff share. */
static int take_error(TIFF *tiff, void *user, const char *module, const char *format, va_list values)
{
    clt__tiff_reader *reader = user;
    (void)tiff;
    (void)module;
    if (!reader->failed) (void)vsnprintf(reader->why, sizeof reader->why, format, values);
    reader->failed = true;
    return 1;
}

/* libjpeg goes on with grey where data is missing, and only warns. Other warnings concern no pixel. */
static int take_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list values)
{
    const bool concerns_pixels = module && (strcmp(module, "JPEGLib") == 0 || strcmp(module, "LibJpeg") == 0);
    return concerns_pixels ? take_error(tiff, user, module, format, values) : 1;
}

/* ---- the header --------------------------------------------------------------------------------------------- */

static clt_status fail_tiff(const clt__tiff_reader *reader, const char *why, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: corrupt TIFF: %s", reader->file->path, why);
}

static clt_status open_tiff(clt__tiff_reader *reader, clt_error *error)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return FAIL(error, CLT_NO_MEMORY, "%s: no host memory for libtiff", reader->file->path);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, reader->most_memory);
    TIFFOpenOptionsSetErrorHandlerExtR(options, take_error, reader);
    TIFFOpenOptionsSetWarningHandlerExtR(options, take_warning, reader);
    reader->tiff = TIFFClientOpenExt("", "r", reader, read_bytes, write_nothing, seek_to, close_nothing, size_of,
                                     map_memory, unmap_nothing, options);
    TIFFOpenOptionsFree(options);
    return reader->tiff ? CLT_OK : fail_tiff(reader, reader->why, error);
}

static clt_status refuse(const clt__tiff_reader *reader, const char *what, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: a TIFF %s, where whole numbers of 1, 2, 4, 8 or 16 bits are needed",
                reader->file->path, what);
}

/* What unpacks JBIG and LZMA takes any memory that the data claims. */
static clt_status check_packing(const clt__tiff_reader *reader, uint16_t compression, clt_error *error)
{
    if (compression != COMPRESSION_JBIG && compression != COMPRESSION_LZMA) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: a TIFF that is packed as %s, where any other packing can be read",
                reader->file->path, compression == COMPRESSION_JBIG ? "JBIG" : "LZMA");
}

static clt_status check_samples(const clt__tiff_reader *reader, clt_error *error)
{
    enum { MOST_SAMPLES = 16 };
    uint16_t format = SAMPLEFORMAT_UINT;
    char why[1024] = "";
    (void)TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_SAMPLEFORMAT, &format);
    if (format == SAMPLEFORMAT_IEEEFP) return refuse(reader, "of floating-point numbers", error);
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
        return refuse(reader, "of signed or complex numbers", error);
    if (reader->bits > 16) return refuse(reader, "of more than 16 bits a sample", error);
    if (reader->samples > MOST_SAMPLES)
        return FAIL(error, CLT_BAD_FILE, "%s: a TIFF of %d samples a pixel, where at most %d are read",
                    reader->file->path, (int)reader->samples, (int)MOST_SAMPLES);
    if (!TIFFRGBAImageOK(reader->tiff, why)) return fail_tiff(reader, why, error);
    return CLT_OK;
}

static void read_tags(clt__tiff_reader *reader)
{
    reader->photometric = PHOTOMETRIC_RGB;
    (void)TIFFGetField(reader->tiff, TIFFTAG_IMAGEWIDTH, &reader->width);
    (void)TIFFGetField(reader->tiff, TIFFTAG_IMAGELENGTH, &reader->height);
    (void)TIFFGetField(reader->tiff, TIFFTAG_PHOTOMETRIC, &reader->photometric);
    (void)TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_BITSPERSAMPLE, &reader->bits);
    (void)TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_SAMPLESPERPIXEL, &reader->samples);
    (void)TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_PLANARCONFIG, &reader->planar);
    (void)TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_ORIENTATION, &reader->orientation);
    if (reader->file->wish.no_exif || reader->orientation < CLT__UPRIGHT || reader->orientation > CLT__LAST_ORIENTATION)
        reader->orientation = CLT__UPRIGHT;
}

static bool is_grey(const clt__tiff_reader *reader)
{
    return reader->photometric == PHOTOMETRIC_MINISBLACK || reader->photometric == PHOTOMETRIC_MINISWHITE;
}

static int as_int(uint32_t value)
{
    return value > INT_MAX ? INT_MAX : (int)value; /* which is refused as too large */
}

static clt_status begin_tiff(clt__tiff_reader *reader, clt__picture_info *info, clt_error *error)
{
    uint16_t compression = COMPRESSION_NONE;
    TRY(open_tiff(reader, error));
    read_tags(reader);
    (void)TIFFGetFieldDefaulted(reader->tiff, TIFFTAG_COMPRESSION, &compression);
    TRY(check_packing(reader, compression, error));
    TRY(check_samples(reader, error));
    const clt__picture_info stored = {
        .width = as_int(reader->width), .height = as_int(reader->height), .channels = is_grey(reader) ? 1 : 3};
    const uint64_t plain = reader->bits < 8 ? 8 : 1;
    *info = clt__turned(stored, reader->orientation);
    return clt__check_picture_size(reader->file, info, compression == COMPRESSION_NONE ? plain : CLT__DENSEST_BELIEVED,
                                   error);
}

/* ---- the pixels --------------------------------------------------------------------------------------------- */

clt_status clt__tiff_fail_pixels(const clt__tiff_reader *reader, const char *why, clt_error *error)
{
    return fail_tiff(reader, reader->failed ? reader->why : *why ? why : "its pixels cannot be read", error);
}

/* libtiff's own way for pixels of every kind. Grey beside an alpha is left as it is. */
static clt_status fill_by_libtiff(clt__tiff_reader *reader, clt_error *error)
{
    TIFFRGBAImage image;
    char why[1024] = "";
    if (!TIFFRGBAImageBegin(&image, reader->tiff, 1, why)) return clt__tiff_fail_pixels(reader, why, error);
    image.req_orientation = image.orientation;
    reader->multiply = is_grey(reader) && image.isContig && image.alpha == EXTRASAMPLE_UNASSALPHA;
    const bool right = TIFFRGBAImageGet(&image, reader->raster, reader->width, reader->height);
    TIFFRGBAImageEnd(&image);
    return right && !reader->failed ? CLT_OK : clt__tiff_fail_pixels(reader, why, error);
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

static void place_rows(const clt__tiff_reader *reader, uint8_t *row, clt__picture *picture)
{
    const uint32_t *pixel = reader->raster;
    const int channels = picture->info.channels;
    for (uint32_t y = 0; y < reader->height; y++) {
        uint8_t *to = row;
        for (uint32_t x = 0; x < reader->width; x++, pixel++)
            for (int c = 0; c < channels; c++)
                *to++ = clt__on_black(*pixel >> (8 * c) & 0xff, reader->multiply ? TIFFGetA(*pixel) : 255);
        clt__place_row(row, (int)y, reader->orientation, picture);
    }
}

static clt_status decode_tiff(clt__tiff_reader *reader, clt__picture *picture, clt_error *error)
{
    uint8_t *row;
    TRY(clt__allocate_pixels(reader->file, picture, error));
    TRY(clt__allocate((uint64_t)reader->width * reader->height, sizeof *reader->raster, reader->file->path,
                      &reader->raster, error));
    TRY(reader->bits == 16 && is_grey(reader) ? clt__tiff_fill_deep_grey(reader, error)
                                              : fill_by_libtiff(reader, error));
    TRY(clt__allocate(reader->width, (size_t)picture->info.channels, "a row", &row, error));
    place_rows(reader, row, picture);
    free(row);
    return CLT_OK;
}

static void close_tiff(const clt__tiff_reader *reader)
{
    if (reader->tiff) TIFFClose(reader->tiff);
    free(reader->raster);
}

/* What the tags take, and strips or tiles of a small picture. */
enum { ENOUGH_MEMORY = 16 << 20 };

static clt_status look_at_tiff(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    clt__tiff_reader reader = {.file = file, .most_memory = ENOUGH_MEMORY};
    const clt_status status = begin_tiff(&reader, info, error);
    close_tiff(&reader);
    return status;
}

static clt_status read_tiff(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    enum { PIXEL = 8 }; /* four channels of 16 bits */
    TRY(look_at_tiff(file, &picture->info, error));
    const tmsize_t pixels = (tmsize_t)picture->info.width * picture->info.height;
    clt__tiff_reader reader = {.file = file, .most_memory = ENOUGH_MEMORY + PIXEL * pixels};
    clt_status status = begin_tiff(&reader, &picture->info, error);
    if (status == CLT_OK) status = decode_tiff(&reader, picture, error);
    close_tiff(&reader);
    return status;
}

const clt__codec clt__tiff_codec = {"TIFF", "libtiff", look_at_tiff, read_tiff};

#else

const clt__codec clt__tiff_codec = {"TIFF", "libtiff", NULL, NULL};

#endif
