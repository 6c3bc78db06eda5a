/* Images become PNG files in memory. */
#ifndef CLT_PICTURES_PNG_WRITER_H
#define CLT_PICTURES_PNG_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Of bytes [height, width, channels], 1 (grey) or 3 (RGB) of them. *file is freed with free(). */
clt_status clt__png_write(const uint8_t *pixels, int width, int height, int channels, uint8_t **file, size_t *size,
                          clt_error *error);

#endif
