/* Image files, decoded to 8 bits a channel: PNG, JPEG, WebP, TIFF, GIF, BMP. Of a file of several pictures the first
 * one is read. Any thread may call these functions. */
#ifndef CLT_PICTURES_PICTURE_H
#define CLT_PICTURES_PICTURE_H

#include "base/error.h"

typedef struct clt__picture_info {
    int width, height; /* as a viewer shows it */
    int channels;      /* 1: grey, 3: RGB */
    bool lacks_end;    /* all pixels are there, and what should come after them is not: known when they are read */
} clt__picture_info;

typedef struct clt__picture {
    clt__picture_info info;
    uint8_t *pixels; /* [height, width, channels], freed with free() */
} clt__picture;

typedef struct clt__picture_wish {
    bool no_exif;                  /* as stored, not turned as a JPEG's EXIF data or a TIFF's tag say */
    int least_width, least_height; /* a JPEG may come smaller than it is, but no smaller than this; 0: whole */
} clt__picture_wish;

/* The size that the header says, and the picture, whose info is the size that it came in. Transparent pixels lie on
 * black. `wish` may be NULL. A file that cannot be decoded is CLT_BAD_FILE. */
clt_status clt__picture_look(const char *path, const clt__picture_wish *wish, clt__picture_info *info,
                             clt_error *error);
clt_status clt__picture_read(const char *path, const clt__picture_wish *wish, clt__picture *picture, clt_error *error);

/* The same of a file's bytes in memory; `path` is for messages. */
clt_status clt__picture_look_in(const uint8_t *bytes, size_t size, const char *path, const clt__picture_wish *wish,
                                clt__picture_info *info, clt_error *error);
clt_status clt__picture_read_in(const uint8_t *bytes, size_t size, const char *path, const clt__picture_wish *wish,
                                clt__picture *picture, clt_error *error);

/* Makes a PNG file's bytes, freed with free(), of pixels [height, width, channels], 1 (grey) or 3 (RGB) of them.
 * `fast`: sooner, and larger. */
clt_status clt__picture_encode(const uint8_t *pixels, int width, int height, int channels, bool fast, uint8_t **png,
                               size_t *size, clt_error *error);

/* Whether a file that begins so is one of these formats. */
bool clt__picture_looks(const unsigned char *start, size_t size);

#endif
