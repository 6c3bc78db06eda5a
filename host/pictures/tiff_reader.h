/* A TIFF file that is being read. */
#ifndef CLT_PICTURES_TIFF_READER_H
#define CLT_PICTURES_TIFF_READER_H

#include <tiffio.h>

#include "pictures/codec.h"

typedef struct clt__tiff_reader {
    const clt__encoded *file;
    uint64_t at; /* the next byte to read */
    TIFF *tiff;
    tmsize_t most_memory; /* of one allocation */
    uint32_t width, height;
    uint16_t bits, samples, photometric, planar, orientation;
    uint32_t *raster; /* [height, width] red, green, blue, alpha from the lowest byte up, as it is stored */
    bool multiply;    /* its colours are not yet those on black */
    bool failed;
    char why[256];
} clt__tiff_reader;

/* What libtiff said of its pixels, else `why`. */
clt_status clt__tiff_fail_pixels(const clt__tiff_reader *reader, const char *why, clt_error *error);

/* The raster of grey of 16 bits, of which libtiff's own way would cut the lower 8 off. */
clt_status clt__tiff_fill_deep_grey(clt__tiff_reader *reader, clt_error *error);

#endif
