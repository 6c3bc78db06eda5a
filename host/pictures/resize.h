/* Images of other sizes, channels and values. */
#ifndef CLT_PICTURES_RESIZE_H
#define CLT_PICTURES_RESIZE_H

#include "pictures/picture.h"

/* A part of a picture, in its pixels: the first of them reaches from 0 to 1. */
typedef struct clt__frame {
    double left, top, width, height;
} clt__frame;

/* Writes that part of the picture as [height, width, channels] to `to`. A triangle filter, as wide as a pixel of the
 * smaller of the two sizes, so that nothing is skipped where it shrinks; pixels outside the frame have no say. Grey is
 * 0.299 R + 0.587 G + 0.114 B. */
clt_status clt__picture_fit(const clt__picture *picture, const clt__frame *frame, const clt__picture_info *wanted,
                            uint8_t *to, clt_error *error);

/* Makes dark what is light. */
void clt__invert_bytes(uint8_t *pixels, size_t count);

#endif
