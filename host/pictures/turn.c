#include "pictures/turn.h"

#include <string.h>

/* ---- turning ------------------------------------------------------------------------------------------------ */

/* What makes the shown picture of the stored one: rows become columns, then it is mirrored. */
typedef struct turn {
    bool swap, mirror_x, mirror_y;
} turn;

static const turn turns[CLT__LAST_ORIENTATION + 1] = {
    [2] = {.mirror_x = true},
    [3] = {.mirror_x = true, .mirror_y = true},
    [4] = {.mirror_y = true},
    [5] = {.swap = true},
    [6] = {.swap = true, .mirror_x = true},
    [7] = {.swap = true, .mirror_x = true, .mirror_y = true},
    [8] = {.swap = true, .mirror_y = true},
};

clt__picture_info clt__turned(clt__picture_info stored, int orientation)
{
    clt__picture_info shown = stored;
    if (turns[orientation].swap) shown.width = stored.height, shown.height = stored.width;
    return shown;
}

static ptrdiff_t offset_of(const clt__picture_info *shown, int x, int y)
{
    return ((ptrdiff_t)y * shown->width + x) * shown->channels;
}

void clt__place_row(const uint8_t *row, int y, int orientation, clt__picture *shown)
{
    const turn *how = &turns[orientation];
    const clt__picture_info *info = &shown->info;
    const int length = how->swap ? info->height : info->width;
    int first_x = how->swap ? y : 0, first_y = how->swap ? 0 : y;
    ptrdiff_t step = how->swap ? offset_of(info, 0, 1) : info->channels;
    if (how->mirror_x) first_x = info->width - 1 - first_x;
    if (how->mirror_y) first_y = info->height - 1 - first_y;
    if (how->swap ? how->mirror_y : how->mirror_x) step = -step;
    ptrdiff_t at = offset_of(info, first_x, first_y);
    for (int x = 0; x < length; x++, at += step)
        for (int c = 0; c < info->channels; c++) shown->pixels[at + c] = *row++;
}

/* ---- EXIF --------------------------------------------------------------------------------------------------- */

/* A TIFF file without a picture, in either order of bytes. */
typedef struct tag_reader {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
} tag_reader;

/* 0 beyond the end. */
static uint32_t number_at(const tag_reader *tags, size_t at, int bytes)
{
    uint32_t value = 0;
    if (at > tags->size || tags->size - at < (size_t)bytes) return 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | tags->bytes[at + (size_t)(tags->big_endian ? i : bytes - 1 - i)];
    return value;
}

static int find_orientation(const tag_reader *tags)
{
    enum { ORIENTATION = 0x112, SHORT = 3, ENTRY = 12 };
    const size_t directory = number_at(tags, 4, 4), entries = number_at(tags, directory, 2);
    for (size_t i = 0, at = directory + 2; i < entries && at < tags->size; i++, at += ENTRY) {
        if (number_at(tags, at, 2) != ORIENTATION || number_at(tags, at + 2, 2) != SHORT) continue;
        const uint32_t value = number_at(tags, at + 8, 2);
        return value >= CLT__UPRIGHT && value <= CLT__LAST_ORIENTATION ? (int)value : CLT__UPRIGHT;
    }
    return CLT__UPRIGHT;
}

int clt__exif_orientation(const uint8_t *exif, size_t size)
{
    enum { NAME = 6, HEADER = 8 };
    if (size < NAME + HEADER || memcmp(exif, "Exif\0", NAME) != 0) return CLT__UPRIGHT;
    const tag_reader tags = {exif + NAME, size - NAME, exif[NAME] == 'M'};
    const bool right = memcmp(tags.bytes, tags.big_endian ? "MM\0*" : "II*\0", 4) == 0;
    return right ? find_orientation(&tags) : CLT__UPRIGHT;
}
