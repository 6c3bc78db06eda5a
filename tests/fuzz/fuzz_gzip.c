/* gzip: the input as a packed IDX file of images, and as one of labels. */
#include "fuzz.h"

static void run(const uint8_t *bytes, size_t size)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 200};
    (void)fuzz_open_images(fuzz_write("images.gz", bytes, size), NULL);
    (void)fuzz_write("t10k-images-idx3-ubyte", images, sizeof images);
    (void)fuzz_write("t10k-labels-idx1-ubyte.gz", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TEST, NULL);
}

/* Deflate makes at most 1032 bytes of one, and the buffer doubles as these arrive. */
const fuzz_target target = {.run = run, .base = 1 << 18, .factor = 4 * 1032};
