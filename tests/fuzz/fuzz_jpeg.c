/* JPEG: the input as an image as it is, and made smaller and grey. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("image.jpg", bytes, size);
    if (fuzz_open_images(path, NULL)) (void)fuzz_open_images(path, &(clt_options){.size = {1, 5, 7}});
}

/* A byte can stand for 512 pixels; libjpeg holds a progressive image's coefficients, of 16 bits, beside them. */
const fuzz_target target = {.run = run, .base = 4 << 20, .factor = 512 * 16};
