#include "pictures/codec.h"

#ifdef CLTRAIN_TIFF

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/memory.h"
#include "pictures/turn.h"

typedef struct tiff_reader {
    const clt__encoded *file;
    uint64_t at; /* the next byte to read */
    TIFF *tiff;
    tmsize_t most_memory; /* of one allocation */
    uint32_t width, height;
    uint16_t bits, samples, photometric, planar, orientation;
    uint32_t *raster; /* [height, width] red, green, blue, alpha from the lowest byte up, as it is stored */
    bool multiply;    /* its colours are not yet those on black */
    bool failed;
    char why[256];
} tiff_reader;

/* ---- what libtiff calls ------------------------------------------------------------------------------------- */

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t size)
{
    tiff_reader *reader = handle;
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
    tiff_reader *reader = handle;
    const uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? reader->at : reader->file->size;
    return reader->at = from + offset;
}

static toff_t size_of(thandle_t handle)
{
    const tiff_reader *reader = handle;
    return reader->file->size;
}

static int close_nothing(thandle_t handle)
{
    (void)handle;
    return 0;
}

/* Returning 1 keeps it from the handlers that all users of libtiff share. */
static int take_error(TIFF *tiff, void *user, const char *module, const char *format, va_list values)
{
    tiff_reader *reader = user;
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

static clt_status fail_tiff(const tiff_reader *reader, const char *why, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: corrupt TIFF: %s", reader->file->path, why);
}

static clt_status open_tiff(tiff_reader *reader, clt_error *error)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return FAIL(error, CLT_NO_MEMORY, "%s: no host memory for libtiff", reader->file->path);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, reader->most_memory);
    TIFFOpenOptionsSetErrorHandlerExtR(options, take_error, reader);
    TIFFOpenOptionsSetWarningHandlerExtR(options, take_warning, reader);
    reader->tiff = TIFFClientOpenExt("", "rm", reader, read_bytes, write_nothing, seek_to, close_nothing, size_of, NULL,
                                     NULL, options);
    TIFFOpenOptionsFree(options);
    return reader->tiff ? CLT_OK : fail_tiff(reader, reader->why, error);
}

static clt_status refuse(const tiff_reader *reader, const char *what, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: a TIFF %s, where whole numbers of 1, 2, 4, 8 or 16 bits are needed",
                reader->file->path, what);
}

/* What unpacks JBIG and LZMA takes any memory that the data claims. */
static clt_status check_packing(const tiff_reader *reader, uint16_t compression, clt_error *error)
{
    if (compression != COMPRESSION_JBIG && compression != COMPRESSION_LZMA) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: a TIFF that is packed as %s, where any other packing can be read",
                reader->file->path, compression == COMPRESSION_JBIG ? "JBIG" : "LZMA");
}

static clt_status check_samples(const tiff_reader *reader, clt_error *error)
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

static void read_tags(tiff_reader *reader)
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

static bool is_grey(const tiff_reader *reader)
{
    return reader->photometric == PHOTOMETRIC_MINISBLACK || reader->photometric == PHOTOMETRIC_MINISWHITE;
}

static int as_int(uint32_t value)
{
    return value > INT_MAX ? INT_MAX : (int)value; /* which is refused as too large */
}

static clt_status begin_tiff(tiff_reader *reader, clt__picture_info *info, clt_error *error)
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

static clt_status fail_pixels(const tiff_reader *reader, const char *why, clt_error *error)
{
    return fail_tiff(reader, reader->failed ? reader->why : *why ? why : "its pixels cannot be read", error);
}

/* libtiff's own way for pixels of every kind. Grey beside an alpha is left as it is. */
static clt_status fill_by_libtiff(tiff_reader *reader, clt_error *error)
{
    TIFFRGBAImage image;
    char why[1024] = "";
    if (!TIFFRGBAImageBegin(&image, reader->tiff, 1, why)) return fail_pixels(reader, why, error);
    image.req_orientation = image.orientation;
    reader->multiply = is_grey(reader) && image.isContig && image.alpha == EXTRASAMPLE_UNASSALPHA;
    const bool right = TIFFRGBAImageGet(&image, reader->raster, reader->width, reader->height);
    TIFFRGBAImageEnd(&image);
    return right && !reader->failed ? CLT_OK : fail_pixels(reader, why, error);
}

/* ---- grey of 16 bits, of which libtiff's way would cut the lower 8 off ----------------------------------------- */

/* A strip or a tile. */
typedef struct block {
    uint32_t width, height;
    size_t size; /* in bytes */
    bool is_tile;
} block;

static clt_status measure_blocks(const tiff_reader *reader, block *one, clt_error *error)
{
    TIFF *tiff = reader->tiff;
    *one = (block){.width = reader->width, .height = reader->height, .is_tile = TIFFIsTiled(tiff)};
    if (one->is_tile) {
        (void)TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &one->width);
        (void)TIFFGetField(tiff, TIFFTAG_TILELENGTH, &one->height);
    } else {
        (void)TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &one->height);
        if (one->height > reader->height) one->height = reader->height;
    }
    const tmsize_t size = one->is_tile ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    const uint16_t samples = reader->planar == PLANARCONFIG_CONTIG ? reader->samples : 1;
    one->size = (size_t)size;
    if (size <= 0 || size > reader->most_memory || one->height == 0 ||
        (uint64_t)size < (uint64_t)one->width * one->height * samples * 2)
        return fail_pixels(reader, "its parts are too large", error);
    return CLT_OK;
}

static void put_block(tiff_reader *reader, const block *one, uint32_t left, uint32_t top, const uint16_t *from)
{
    const uint16_t step = reader->planar == PLANARCONFIG_CONTIG ? reader->samples : 1;
    const bool has_alpha = step > 1 && reader->multiply, inverted = reader->photometric == PHOTOMETRIC_MINISWHITE;
    for (uint32_t y = top; y < reader->height && y - top < one->height; y++) {
        const uint16_t *pixel = from + (size_t)(y - top) * one->width * step;
        uint32_t *to = reader->raster + (size_t)y * reader->width;
        for (uint32_t x = left; x < reader->width && x - left < one->width; x++, pixel += step) {
            const uint32_t value = inverted ? 0xffffU - *pixel : *pixel, alpha = has_alpha ? pixel[1] : 0xffff;
            to[x] = (value * 255 + 32895) >> 16 | ((alpha * 255 + 32895) >> 16) << 24;
        }
    }
}

static bool has_loose_alpha(const tiff_reader *reader)
{
    uint16_t count = 0, *kinds = NULL;
    return TIFFGetField(reader->tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) && count &&
           kinds[0] == EXTRASAMPLE_UNASSALPHA;
}

static clt_status fill_by_blocks(tiff_reader *reader, const block *one, uint16_t *room, clt_error *error)
{
    TIFF *tiff = reader->tiff;
    const tmsize_t size = (tmsize_t)one->size;
    for (uint32_t y = 0; y < reader->height; y += one->height)
        for (uint32_t x = 0; x < reader->width; x += one->width) {
            const tmsize_t got = one->is_tile ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, 0), room, size)
                                              : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, 0), room, size);
            if (got <= 0 || reader->failed) return fail_pixels(reader, "", error);
            put_block(reader, one, x, y, room);
        }
    return CLT_OK;
}

static clt_status fill_with_deep_grey(tiff_reader *reader, clt_error *error)
{
    block one;
    uint16_t *room;
    TRY(measure_blocks(reader, &one, error));
    TRY(clt__allocate(one.size, 1, reader->file->path, &room, error));
    reader->multiply = has_loose_alpha(reader);
    const clt_status status = fill_by_blocks(reader, &one, room, error);
    free(room);
    return status;
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

static void place_rows(const tiff_reader *reader, uint8_t *row, clt__picture *picture)
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

static clt_status decode_tiff(tiff_reader *reader, clt__picture *picture, clt_error *error)
{
    uint8_t *row;
    TRY(clt__allocate_pixels(reader->file, picture, error));
    TRY(clt__allocate((uint64_t)reader->width * reader->height, sizeof *reader->raster, reader->file->path,
                      &reader->raster, error));
    TRY(reader->bits == 16 && is_grey(reader) ? fill_with_deep_grey(reader, error) : fill_by_libtiff(reader, error));
    TRY(clt__allocate(reader->width, (size_t)picture->info.channels, "a row", &row, error));
    place_rows(reader, row, picture);
    free(row);
    return CLT_OK;
}

static void close_tiff(const tiff_reader *reader)
{
    if (reader->tiff) TIFFClose(reader->tiff);
    free(reader->raster);
}

/* What the tags take, and strips or tiles of a small picture. */
enum { ENOUGH_MEMORY = 16 << 20 };

static clt_status look_at_tiff(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    tiff_reader reader = {.file = file, .most_memory = ENOUGH_MEMORY};
    const clt_status status = begin_tiff(&reader, info, error);
    close_tiff(&reader);
    return status;
}

static clt_status read_tiff(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    enum { PIXEL = 8 }; /* four channels of 16 bits */
    TRY(look_at_tiff(file, &picture->info, error));
    const tmsize_t pixels = (tmsize_t)picture->info.width * picture->info.height;
    tiff_reader reader = {.file = file, .most_memory = ENOUGH_MEMORY + PIXEL * pixels};
    clt_status status = begin_tiff(&reader, &picture->info, error);
    if (status == CLT_OK) status = decode_tiff(&reader, picture, error);
    close_tiff(&reader);
    return status;
}

const clt__codec clt__tiff_codec = {"TIFF", "libtiff", look_at_tiff, read_tiff};

#else

const clt__codec clt__tiff_codec = {"TIFF", "libtiff", NULL, NULL};

#endif
