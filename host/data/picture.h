/* Image files: PNG and JPEG, decoded to 8 bits a channel, and resized. */
#ifndef CLT_DATA_PICTURE_H
#define CLT_DATA_PICTURE_H

#include "base/error.h"

/* What a file's header says. */
typedef struct clt__picture_info {
    int width, height;
    int channels; /* 1: grey, 3: RGB */
} clt__picture_info;

typedef struct clt__picture {
    clt__picture_info info;
    uint8_t *pixels; /* [height, width, channels], freed with free() */
} clt__picture;

/* Transparent pixels lie on black. A file that cannot be decoded is CLT_BAD_FILE. */
clt_status clt__picture_look(const char *path, clt__picture_info *info, clt_error *error);
clt_status clt__picture_read(const char *path, clt__picture *picture, clt_error *error);

/* Writes the picture as [height, width, channels] to `to`. A triangle filter, as wide as a pixel of the smaller of the
 * two sizes, so that nothing is skipped where it shrinks; grey is 0.299 R + 0.587 G + 0.114 B. */
clt_status clt__picture_fit(const clt__picture *picture, const clt__picture_info *wanted, uint8_t *to,
                            clt_error *error);

bool clt__picture_looks(const unsigned char *start, size_t size);

#endif
