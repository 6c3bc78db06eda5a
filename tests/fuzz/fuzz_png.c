/* PNG: the input as an image as it is, and made smaller and RGB. */
#include "fuzz.h"

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("image.png", bytes, size);
    if (fuzz_open_images(path, NULL)) (void)fuzz_open_images(path, &(clt_data_options){.size = {3, 5, 7}});
}

/* Deflate makes at most 1032 bytes of one; a bit of these can be a pixel of three bytes. libpng lets a chunk of text
 * or of a colour profile take 8 MB. */
const fuzz_target target = {.run = run, .base = 20 << 20, .factor = 2 * 24 * 1032};
