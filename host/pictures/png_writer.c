#include "pictures/png_writer.h"

#include <png.h>
#include <stdlib.h>

#include "base/memory.h"

clt_status clt__png_write(const uint8_t *pixels, int width, int height, int channels, uint8_t **file, size_t *size,
                          clt_error *error)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height};
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    TRY(clt__allocate(bytes, 1, "a PNG file", file, error));
    if (png_image_write_to_memory(&image, *file, &bytes, 0, pixels, 0, NULL)) {
        *size = bytes;
        return CLT_OK;
    }
    free(*file);
    *file = NULL;
    return FAIL(error, CLT_NO_MEMORY, "a picture of %d x %d cannot be made: %s", width, height, image.message);
}
