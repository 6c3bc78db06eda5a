#include "pictures/codec.h"

#ifdef CLTRAIN_TIFF

#include <stdlib.h>

#include "base/memory.h"
#include "pictures/tiff_reader.h"

/* A strip or a tile. */
typedef struct block {
    uint32_t width, height;
    size_t size; /* in bytes */
    bool is_tile;
} block;

static clt_status measure_blocks(const clt__tiff_reader *reader, block *one, clt_error *error)
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
        return clt__tiff_fail_pixels(reader, "its parts are too large", error);
    return CLT_OK;
}

static void put_block(clt__tiff_reader *reader, const block *one, uint32_t left, uint32_t top, const uint16_t *from)
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

static bool has_loose_alpha(const clt__tiff_reader *reader)
{
    uint16_t count = 0, *kinds = NULL;
    return TIFFGetField(reader->tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) && count &&
           kinds[0] == EXTRASAMPLE_UNASSALPHA;
}

static clt_status fill_by_blocks(clt__tiff_reader *reader, const block *one, uint16_t *room, clt_error *error)
{
    TIFF *tiff = reader->tiff;
    const tmsize_t size = (tmsize_t)one->size;
    for (uint32_t y = 0; y < reader->height; y += one->height)
        for (uint32_t x = 0; x < reader->width; x += one->width) {
            const tmsize_t got = one->is_tile ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x, y, 0, 0), room, size)
                                              : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, 0), room, size);
            if (got <= 0 || reader->failed) return clt__tiff_fail_pixels(reader, "", error);
            put_block(reader, one, x, y, room);
        }
    return CLT_OK;
}

clt_status clt__tiff_fill_deep_grey(clt__tiff_reader *reader, clt_error *error)
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

#endif
