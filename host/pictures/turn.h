/* Pictures that are stored turned or mirrored. */
#ifndef CLT_PICTURES_TURN_H
#define CLT_PICTURES_TURN_H

#include "pictures/picture.h"

/* EXIF's numbers, which are TIFF's: upright is 1. */
enum { CLT__UPRIGHT = 1, CLT__LAST_ORIENTATION = 8 };

/* The size as it is shown of what is stored in this size. */
clt__picture_info clt__turned(clt__picture_info stored, int orientation);

/* Puts row `y` of what is stored where it is shown. */
void clt__place_row(const uint8_t *row, int y, int orientation, clt__picture *shown);

/* What the EXIF data of a JPEG, which begins with "Exif", says; upright where it is wrong or says nothing. */
int clt__exif_orientation(const uint8_t *exif, size_t size);

#endif
