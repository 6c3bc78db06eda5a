#include "pictures/bmp_rows.h"

#include <inttypes.h>
#include <string.h>

#include "pictures/codec.h"

/* Where row `y` of the file belongs. */
static uint8_t *row_of(const clt__bmp *bmp, const clt__picture *picture, uint32_t y)
{
    const size_t shown = bmp->top_down ? y : bmp->height - 1 - y;
    return picture->pixels + shown * bmp->width * (size_t)picture->info.channels;
}

/* ---- colours of a palette -------------------------------------------------------------------------------------- */

static clt_status put_colour(const clt__bmp *bmp, unsigned colour, int channels, uint8_t *to, clt_error *error)
{
    if (colour >= bmp->colours)
        return FAIL(error, CLT_BAD_FILE, "%s: corrupt BMP: a pixel has the colour %u of a palette of %u", bmp->path,
                    colour, bmp->colours);
    memcpy(to, bmp->palette[colour], (size_t)channels);
    return CLT_OK;
}

clt_status clt__bmp_read_colours(const clt__bmp *bmp, clt__picture *picture, clt_error *error)
{
    const int channels = picture->info.channels;
    const unsigned mask = (1U << bmp->bits) - 1;
    for (uint32_t y = 0; y < bmp->height; y++) {
        const uint8_t *from = bmp->bytes + y * clt__bmp_stride(bmp);
        uint8_t *to = row_of(bmp, picture, y);
        for (uint32_t x = 0; x < bmp->width; x++, to += channels) {
            const uint64_t bit = (uint64_t)x * bmp->bits;
            const unsigned colour = from[bit / 8] >> (8 - bmp->bits - bit % 8) & mask;
            TRY(put_colour(bmp, colour, channels, to, error));
        }
    }
    return CLT_OK;
}

/* ---- run lengths ----------------------------------------------------------------------------------------------- */

/* A count and what to repeat; or 0 and what is meant: */
enum { END_OF_ROW = 0, END_OF_PICTURE = 1, MOVE = 2 /* else as many pixels as they are */ };

typedef struct run_reader {
    const clt__bmp *bmp;
    clt__picture *picture;
    size_t at; /* the next byte to read */
    uint32_t x, y;
} run_reader;

static clt_status fail_runs(const run_reader *reader, const char *why, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: byte %" PRIu64 ": corrupt BMP: %s", reader->bmp->path,
                reader->bmp->pixels_at + reader->at, why);
}

static size_t bytes_left(const run_reader *reader)
{
    return reader->bmp->size - reader->at;
}

/* Pixel i of a run; a byte has two of 4 bits. */
static unsigned colour_of(const clt__bmp *bmp, const uint8_t *bytes, unsigned i, bool repeated)
{
    if (bmp->bits == 8) return bytes[repeated ? 0 : i];
    const unsigned both = bytes[repeated ? 0 : i / 2];
    return i % 2 ? both & 15 : both >> 4;
}

/* Some programs fill rows up beyond their end. */
static clt_status put_run(run_reader *reader, const uint8_t *bytes, unsigned count, bool repeated, clt_error *error)
{
    const clt__bmp *bmp = reader->bmp;
    const int channels = reader->picture->info.channels;
    if (reader->y >= bmp->height) return fail_runs(reader, "a run lies outside the picture", error);
    if (count > bmp->width - reader->x) count = bmp->width - reader->x;
    uint8_t *to = row_of(bmp, reader->picture, reader->y) + (size_t)reader->x * (size_t)channels;
    for (unsigned i = 0; i < count; i++, to += channels)
        TRY(put_colour(bmp, colour_of(bmp, bytes, i, repeated), channels, to, error));
    reader->x += count;
    return CLT_OK;
}

/* They fill whole pairs of bytes. */
static clt_status put_single_pixels(run_reader *reader, unsigned count, clt_error *error)
{
    const size_t size = reader->bmp->bits == 8 ? count : (count + 1) / 2, filled = size + size % 2;
    if (bytes_left(reader) < size) return fail_runs(reader, "the file ends in a run", error);
    TRY(put_run(reader, reader->bmp->bytes + reader->at, count, false, error));
    reader->at += filled < bytes_left(reader) ? filled : bytes_left(reader);
    return CLT_OK;
}

static clt_status move(run_reader *reader, clt_error *error)
{
    if (bytes_left(reader) < 2) return fail_runs(reader, "the file ends in a run", error);
    const uint8_t *by = reader->bmp->bytes + reader->at;
    if (by[0] > reader->bmp->width - reader->x || reader->y + by[1] >= reader->bmp->height)
        return fail_runs(reader, "a run begins outside the picture", error);
    reader->x += by[0];
    reader->y += by[1];
    reader->at += 2;
    return CLT_OK;
}

static clt_status take_run(run_reader *reader, bool *ended, clt_error *error)
{
    const uint8_t *pair = reader->bmp->bytes + reader->at;
    reader->at += 2;
    if (pair[0]) return put_run(reader, pair + 1, pair[0], true, error);
    switch (pair[1]) {
    case END_OF_ROW:
        reader->x = 0;
        reader->y++;
        return CLT_OK;
    case END_OF_PICTURE:
        *ended = true;
        return CLT_OK;
    case MOVE:
        return move(reader, error);
    default:
        return put_single_pixels(reader, pair[1], error);
    }
}

/* Pixels that no run names have the palette's first colour. */
static clt_status fill(const clt__bmp *bmp, clt__picture *picture, clt_error *error)
{
    const int channels = picture->info.channels;
    const size_t pixels = (size_t)bmp->width * bmp->height;
    uint8_t *to = picture->pixels;
    for (size_t i = 0; i < pixels; i++, to += channels) TRY(put_colour(bmp, 0, channels, to, error));
    return CLT_OK;
}

clt_status clt__bmp_read_runs(const clt__bmp *bmp, clt__picture *picture, clt_error *error)
{
    run_reader reader = {.bmp = bmp, .picture = picture};
    bool ended = false;
    TRY(fill(bmp, picture, error));
    while (!ended && bytes_left(&reader) >= 2) TRY(take_run(&reader, &ended, error));
    const bool whole = reader.y >= bmp->height || (reader.y == bmp->height - 1 && reader.x == bmp->width);
    if (!ended && !whole) return fail_runs(&reader, "the file ends before the picture does", error);
    picture->info.lacks_end = !ended;
    return CLT_OK;
}

/* ---- channels -------------------------------------------------------------------------------------------------- */

bool clt__bmp_is_mask(uint32_t mask)
{
    while (mask && mask % 2 == 0) mask /= 2;
    return (mask & (mask + 1)) == 0;
}

static uint32_t pixel_at(const clt__bmp *bmp, const uint8_t *row, uint32_t x)
{
    const size_t bytes = bmp->bits / 8;
    uint32_t pixel = 0;
    for (size_t i = bytes; i-- > 0;) pixel = pixel << 8 | row[x * bytes + i];
    return pixel;
}

/* A channel of any number of bits, made 8. */
static unsigned channel_of(uint32_t pixel, uint32_t mask)
{
    if (!mask) return 0;
    const uint32_t lowest = mask & (~mask + 1), most = mask / lowest;
    return (unsigned)(((uint64_t)((pixel & mask) / lowest) * 255 + most / 2) / most);
}

/* Many programs leave an alpha that has a mask at 0, and mean nothing by it. */
static bool has_alpha(const clt__bmp *bmp)
{
    for (uint32_t y = 0; y < bmp->height && bmp->mask[3]; y++)
        for (uint32_t x = 0; x < bmp->width; x++)
            if (pixel_at(bmp, bmp->bytes + y * clt__bmp_stride(bmp), x) & bmp->mask[3]) return true;
    return false;
}

void clt__bmp_read_channels(const clt__bmp *bmp, clt__picture *picture)
{
    const bool transparent = has_alpha(bmp);
    for (uint32_t y = 0; y < bmp->height; y++) {
        const uint8_t *from = bmp->bytes + y * clt__bmp_stride(bmp);
        uint8_t *to = row_of(bmp, picture, y);
        for (uint32_t x = 0; x < bmp->width; x++) {
            const uint32_t pixel = pixel_at(bmp, from, x);
            const unsigned alpha = transparent ? channel_of(pixel, bmp->mask[3]) : 255;
            for (int c = 0; c < 3; c++) *to++ = clt__on_black(channel_of(pixel, bmp->mask[c]), alpha);
        }
    }
}
