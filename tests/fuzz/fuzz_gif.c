/* GIF: the input as an image as it is, and made smaller and RGB. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("image.gif", bytes, size);
    if (fuzz_open_images(path, NULL)) (void)fuzz_open_images(path, &(clt_options){.size = {3, 5, 7}});
}

/* A code of 12 bits can stand for nearly 4096 pixels. */
const fuzz_target target = {.run = run, .base = 1 << 20, .factor = 2731 * PIXEL};
