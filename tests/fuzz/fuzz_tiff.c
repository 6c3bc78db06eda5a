/* TIFF: the input as an image as it is, and made smaller and RGB. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("image.tif", bytes, size);
    if (fuzz_open_images(path, NULL)) (void)fuzz_open_images(path, &(clt_options){.size = {3, 5, 7}});
}

/* A byte can stand for 32768 pixels, as far as is believed: libtiff makes four bytes of each, after as many as eight.
 * What libtiff takes at once has a limit of 16 MB and what the pixels need. */
const fuzz_target target = {.run = run, .base = 96 << 20, .factor = 32768 * 24};
