/* Image files, decoded to 8 bits a channel. */
#ifndef CLT_PICTURES_PICTURE_H
#define CLT_PICTURES_PICTURE_H

#include "base/error.h"

/* What a file's header says. */
typedef struct clt__picture_info {
    int width, height;
    int channels; /* 1: grey, 3: RGB */
} clt__picture_info;

/* How it should come. */
typedef struct clt__picture_wish {
    bool no_exif;                  /* as stored, not turned as EXIF says */
    int least_width, least_height; /* a JPEG may come smaller than it is, but no smaller than this; 0: whole */
} clt__picture_wish;

typedef struct clt__picture {
    clt__picture_info info;
    uint8_t *pixels; /* [height, width, channels], freed with free() */
} clt__picture;

/* Transparent pixels lie on black. A file that cannot be decoded is CLT_BAD_FILE. */
clt_status clt__picture_look(const char *path, const clt__picture_wish *wish, clt__picture_info *info,
                             clt_error *error);
clt_status clt__picture_read(const char *path, const clt__picture_wish *wish, clt__picture *picture, clt_error *error);

bool clt__picture_looks(const unsigned char *start, size_t size);

#endif
