/* BMP: the input as an image as it is, and made smaller and RGB. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("image.bmp", bytes, size);
    if (fuzz_open_images(path, NULL)) (void)fuzz_open_images(path, &(clt_options){.size = {3, 5, 7}});
}

/* Two bytes can stand for 255 pixels. */
const fuzz_target target = {.run = run, .base = 1 << 20, .factor = 128 * PIXEL};
