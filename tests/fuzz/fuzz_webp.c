/* WebP: the input as an image as it is, and made smaller and grey. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("image.webp", bytes, size);
    if (fuzz_open_images(path, NULL)) (void)fuzz_open_images(path, &(clt_options){.size = {1, 5, 7}});
}

/* A byte can stand for 32768 pixels, as far as is believed: three bytes each here, four in libwebp and four where there
 * is an alpha. */
const fuzz_target target = {.run = run, .base = 8 << 20, .factor = 32768 * 16};
