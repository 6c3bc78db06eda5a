/* The formats of image files: a row for each, in picture.c's table. */
#ifndef CLT_PICTURES_CODEC_H
#define CLT_PICTURES_CODEC_H

#include "pictures/picture.h"

/* A whole file in memory. */
typedef struct clt__encoded {
    const char *path;
    const uint8_t *bytes;
    size_t size;
    uint64_t densest; /* how many pixels a byte can stand for, at most */
} clt__encoded;

typedef struct clt__codec {
    unsigned char magic[8];
    size_t magic_size;
    uint64_t (*densest)(const uint8_t *bytes, size_t size);
    clt_status (*look)(const clt__encoded *file, clt__picture_info *info, clt_error *error);
    clt_status (*read)(const clt__encoded *file, clt__picture *picture, clt_error *error);
} clt__codec;

extern const clt__codec clt__png_codec, clt__jpeg_codec;

/* Refuses an image that is larger than so few bytes can say. */
clt_status clt__check_picture_size(const clt__encoded *file, const clt__picture_info *info, clt_error *error);

/* Room for the pixels of an image of such a size. */
clt_status clt__allocate_pixels(const clt__encoded *file, const clt__picture_info *info, uint8_t **pixels,
                                clt_error *error);

#endif
