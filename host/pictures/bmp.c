/* BMP: the files of Windows and of OS/2. All numbers are little-endian.
 *
 *   byte 0   "BM", the file's size, 4 bytes, where the pixels begin
 *   byte 14  the header's size and the header: width, height (negative: the first row is the upper one), planes, bits
 *   then     masks of the channels, where the header has no room for them; the palette; rows of whole 4 bytes */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "pictures/bmp_rows.h"
#include "pictures/codec.h"

enum { FILE_HEADER = 14, OS2_HEADER = 12, WINDOWS_HEADER = 40 };
enum { PLAIN = 0, RLE8 = 1, RLE4 = 2, BIT_FIELDS = 3, ALPHA_FIELDS = 6 };

static uint32_t number_at(const clt__encoded *file, uint64_t at, int bytes)
{
    uint32_t value = 0;
    for (int i = bytes; i-- > 0;) value = value << 8 | file->bytes[at + (uint64_t)i];
    return value;
}

static clt_status need(const clt__encoded *file, uint64_t size, clt_error *error)
{
    if (size <= file->size) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: corrupt BMP: the file ends after %zu bytes, where its header needs %" PRIu64,
                file->path, file->size, size);
}

/* ---- the header ------------------------------------------------------------------------------------------------ */

static clt_status read_extents(const clt__encoded *file, clt__bmp *bmp, clt_error *error)
{
    const bool old = bmp->header == OS2_HEADER;
    int64_t height;
    if (old) {
        bmp->width = number_at(file, 18, 2);
        height = number_at(file, 20, 2);
    } else {
        bmp->width = number_at(file, 18, 4);
        height = (int32_t)number_at(file, 22, 4);
    }
    bmp->top_down = height < 0;
    bmp->height = (uint32_t)(height < 0 ? -height : height);
    bmp->bits = number_at(file, old ? 24 : 28, 2);
    bmp->packing = old ? PLAIN : number_at(file, 30, 4);
    if (bmp->width > INT_MAX || bmp->height > INT_MAX)
        return FAIL(error, CLT_BAD_FILE, "%s: corrupt BMP: its size is negative", file->path);
    return CLT_OK;
}

static bool is_packing_of(const clt__bmp *bmp)
{
    switch (bmp->packing) {
    case PLAIN:
        return bmp->bits == 1 || bmp->bits == 4 || bmp->bits == 8 || bmp->bits == 16 || bmp->bits == 24 ||
               bmp->bits == 32;
    case RLE8:
        return bmp->bits == 8 && !bmp->top_down;
    case RLE4:
        return bmp->bits == 4 && !bmp->top_down;
    case BIT_FIELDS: /* of OS/2's longer header something else */
        return (bmp->bits == 16 || bmp->bits == 32) && bmp->header != 64;
    case ALPHA_FIELDS:
        return bmp->bits == 16 || bmp->bits == 32;
    default:
        return false;
    }
}

/* The masks lie behind the shortest header, and longer ones have them in the same place. */
static clt_status read_masks(const clt__encoded *file, clt__bmp *bmp, clt_error *error)
{
    const bool given = bmp->packing == BIT_FIELDS || bmp->packing == ALPHA_FIELDS;
    const bool has_alpha = bmp->packing == ALPHA_FIELDS || bmp->header >= 56;
    const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
    const uint64_t at = FILE_HEADER + WINDOWS_HEADER, masks = has_alpha ? 4 : 3;
    if (given) TRY(need(file, at + 4 * masks, error));
    for (uint64_t i = 0; i < 3; i++) bmp->mask[i] = given ? number_at(file, at + 4 * i, 4) : usual[bmp->bits != 16][i];
    if (given && has_alpha) bmp->mask[3] = number_at(file, at + 12, 4);
    if (given && at + 4 * masks > bmp->palette_at) bmp->palette_at = at + 4 * masks;
    for (int i = 0; i < 4; i++)
        if (!clt__bmp_is_mask(bmp->mask[i]))
            return FAIL(error, CLT_BAD_FILE, "%s: corrupt BMP: a channel's bits do not lie together", file->path);
    return CLT_OK;
}

/* Where pixels begin tells how much of the palette there is. */
static clt_status read_palette(const clt__encoded *file, clt__bmp *bmp, clt_error *error)
{
    const uint64_t entry = bmp->header == OS2_HEADER ? 3 : 4, most = 1U << bmp->bits;
    const uint32_t said = bmp->header == OS2_HEADER ? 0 : number_at(file, 46, 4);
    uint64_t colours = said && said < most ? said : most;
    if (bmp->pixels_at >= bmp->palette_at && (bmp->pixels_at - bmp->palette_at) / entry < colours)
        colours = (bmp->pixels_at - bmp->palette_at) / entry;
    TRY(need(file, bmp->palette_at + colours * entry, error));
    bmp->colours = (unsigned)colours;
    bmp->grey = true;
    for (uint64_t i = 0; i < colours; i++) {
        const uint8_t *bgr = file->bytes + bmp->palette_at + i * entry;
        for (int c = 0; c < 3; c++) bmp->palette[i][c] = bgr[2 - c];
        if (bgr[0] != bgr[1] || bgr[1] != bgr[2]) bmp->grey = false;
    }
    if (bmp->pixels_at < bmp->palette_at) bmp->pixels_at = bmp->palette_at + colours * entry;
    return CLT_OK;
}

static clt_status read_header(const clt__encoded *file, clt__bmp *bmp, clt_error *error)
{
    TRY(need(file, FILE_HEADER + OS2_HEADER, error));
    *bmp = (clt__bmp){.path = file->path, .header = number_at(file, 14, 4), .pixels_at = number_at(file, 10, 4)};
    if (bmp->header != OS2_HEADER && bmp->header < WINDOWS_HEADER)
        return FAIL(error, CLT_BAD_FILE, "%s: corrupt BMP: a header of %" PRIu32 " bytes", file->path, bmp->header);
    bmp->palette_at = FILE_HEADER + (uint64_t)bmp->header;
    TRY(need(file, bmp->palette_at, error));
    TRY(read_extents(file, bmp, error));
    if (!is_packing_of(bmp))
        return FAIL(error, CLT_BAD_FILE,
                    "%s: a BMP of %u bits a pixel in the packing %" PRIu32
                    ", where 1, 4, 8, 16, 24 or 32 bits and none, run lengths or bit fields are read",
                    file->path, bmp->bits, bmp->packing);
    TRY(bmp->bits <= 8 ? read_palette(file, bmp, error) : read_masks(file, bmp, error));
    if (bmp->pixels_at < bmp->palette_at) bmp->pixels_at = bmp->palette_at;
    return CLT_OK;
}

/* ---- the size -------------------------------------------------------------------------------------------------- */

/* Rows that are not packed have all their bytes, but for those that fill up the last. */
static clt_status check_rows(const clt__encoded *file, const clt__bmp *bmp, clt_error *error)
{
    const uint64_t needed =
        bmp->pixels_at + clt__bmp_stride(bmp) * (bmp->height - 1) + ((uint64_t)bmp->width * bmp->bits + 7) / 8;
    if (needed <= file->whole) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE,
                "%s: corrupt BMP: the file ends after %" PRIu64 " bytes, where an image of %" PRIu32 " x %" PRIu32
                " needs %" PRIu64,
                file->path, file->whole, bmp->width, bmp->height, needed);
}

static clt_status begin_bmp(const clt__encoded *file, clt__bmp *bmp, clt__picture_info *info, clt_error *error)
{
    enum { DENSEST_RUNS = 128 }; /* two bytes for at most 255 pixels */
    TRY(read_header(file, bmp, error));
    const bool packed = bmp->packing == RLE8 || bmp->packing == RLE4;
    *info = (clt__picture_info){
        .width = (int)bmp->width, .height = (int)bmp->height, .channels = bmp->bits <= 8 && bmp->grey ? 1 : 3};
    TRY(clt__check_picture_size(file, info, packed ? DENSEST_RUNS : 8, error));
    return packed ? CLT_OK : check_rows(file, bmp, error);
}

static clt_status look_at_bmp(const clt__encoded *file, clt__picture_info *info, clt_error *error)
{
    clt__bmp bmp;
    return begin_bmp(file, &bmp, info, error);
}

static clt_status read_bmp(const clt__encoded *file, clt__picture *picture, clt_error *error)
{
    clt__bmp bmp;
    TRY(begin_bmp(file, &bmp, &picture->info, error));
    TRY(clt__allocate_pixels(file, picture, error));
    const uint64_t begin = bmp.pixels_at < file->size ? bmp.pixels_at : file->size;
    bmp.bytes = file->bytes + begin;
    bmp.size = file->size - (size_t)begin;
    if (bmp.packing == RLE8 || bmp.packing == RLE4) return clt__bmp_read_runs(&bmp, picture, error);
    if (bmp.bits <= 8) return clt__bmp_read_colours(&bmp, picture, error);
    clt__bmp_read_channels(&bmp, picture);
    return CLT_OK;
}

const clt__codec clt__bmp_codec = {"BMP", "", look_at_bmp, read_bmp};
