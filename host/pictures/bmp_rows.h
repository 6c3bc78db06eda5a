/* The pixels of BMP files, behind their header. */
#ifndef CLT_PICTURES_BMP_ROWS_H
#define CLT_PICTURES_BMP_ROWS_H

#include "pictures/picture.h"

typedef struct clt__bmp {
    const char *path;
    uint32_t header; /* its size tells its kind */
    uint32_t width, height, bits, packing;
    bool top_down;
    uint64_t palette_at, pixels_at; /* bytes of the file */
    uint8_t palette[256][3];
    unsigned colours;     /* that the palette has */
    bool grey;            /* they all are */
    uint32_t mask[4];     /* which bits of a pixel are red, green, blue and alpha */
    const uint8_t *bytes; /* from pixels_at on */
    size_t size;
} clt__bmp;

/* Bytes of a row that is not packed. */
static inline uint64_t clt__bmp_stride(const clt__bmp *bmp)
{
    return ((uint64_t)bmp->width * bmp->bits + 31) / 32 * 4;
}

/* Whether the bits of a mask lie side by side. */
bool clt__bmp_is_mask(uint32_t mask);

/* Colours of the palette, of 1, 4 or 8 bits; the same in run lengths; and pixels of 16, 24 or 32 bits. All rows that
 * are not packed are there. */
clt_status clt__bmp_read_colours(const clt__bmp *bmp, clt__picture *picture, clt_error *error);
clt_status clt__bmp_read_runs(const clt__bmp *bmp, clt__picture *picture, clt_error *error);
void clt__bmp_read_channels(const clt__bmp *bmp, clt__picture *picture);

#endif
