/* A picture of many images: rows of them, each row below a line of text. */
#ifndef CLT_PICTURES_CONTACT_SHEET_H
#define CLT_PICTURES_CONTACT_SHEET_H

#include "base/error.h"

typedef struct clt__contact_sheet {
    clt_shape image;             /* what it is given */
    int tile_width, tile_height; /* an image as it is shown */
    int rows, columns;           /* of images */
    int width, height;           /* pixels */
    uint8_t *pixels;             /* [height, width, 3] */
} clt__contact_sheet;

/* White, with room for rows of images of this shape (1 or 3 channels; of others the first is shown). */
clt_status clt__sheet_open(clt__contact_sheet *sheet, clt_shape image, int rows, int columns, clt_error *error);

void clt__sheet_write_text(clt__contact_sheet *sheet, int row, const char *text);

/* The same over one image, no wider than that. */
void clt__sheet_write_over(clt__contact_sheet *sheet, int row, int column, const char *text);

/* Shows [height, width, channels]. */
clt_status clt__sheet_show(clt__contact_sheet *sheet, int row, int column, const uint8_t *pixels, clt_error *error);

/* As a PNG file. */
clt_status clt__sheet_save(const clt__contact_sheet *sheet, const char *path, clt_error *error);

void clt__sheet_close(clt__contact_sheet *sheet);

#endif
