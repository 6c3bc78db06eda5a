/* The formats of image files: a row for each, in picture.c's table. */
#ifndef CLT_PICTURES_CODEC_H
#define CLT_PICTURES_CODEC_H

#include "pictures/picture.h"

/* A file in memory: all of it, or for looking its beginning alone. */
typedef struct clt__encoded {
    const char *path;
    const uint8_t *bytes;
    size_t size;    /* of what is in memory */
    uint64_t whole; /* of the file */
    clt__picture_wish wish;
} clt__encoded;

/* Where a library is missing `look` and `read` are NULL. */
typedef struct clt__codec {
    const char *name, *library;
    /* Fails too where only the beginning is there and that does not tell. */
    clt_status (*look)(const clt__encoded *file, clt__picture_info *info, clt_error *error);
    clt_status (*read)(const clt__encoded *file, clt__picture *picture, clt_error *error);
} clt__codec;

extern const clt__codec clt__png_codec, clt__jpeg_codec, clt__webp_codec, clt__tiff_codec, clt__gif_codec,
    clt__bmp_codec;

/* Some formats say a picture of one colour in no bytes at all. This many pixels a byte we believe. */
enum { CLT__DENSEST_BELIEVED = 1 << 15 };

/* Refuses an image that is larger than so few bytes can say. Each codec does so before it asks for memory. `densest`:
 * how many pixels a byte can stand for. */
clt_status clt__check_picture_size(const clt__encoded *file, const clt__picture_info *info, uint64_t densest,
                                   clt_error *error);

/* Room for the pixels of an image whose size was checked, all of them black. */
clt_status clt__allocate_pixels(const clt__encoded *file, clt__picture *picture, clt_error *error);

/* What a viewer shows of a value that lies on black. */
static inline uint8_t clt__on_black(unsigned value, unsigned alpha)
{
    return (uint8_t)((value * alpha + 127) / 255);
}

#endif
