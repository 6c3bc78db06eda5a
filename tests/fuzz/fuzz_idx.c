/* IDX: the input as images, and as labels beside two images. */
#include "fuzz.h"

static void run(const uint8_t *bytes, size_t size)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 200};
    (void)fuzz_open_images(fuzz_write("images", bytes, size), NULL);
    (void)fuzz_write("train-images-idx3-ubyte", images, sizeof images);
    (void)fuzz_write("train-labels-idx1-ubyte", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
}

/* The buffer begins with 64 KiB and doubles as bytes arrive. */
const fuzz_target target = {.run = run, .base = 1 << 18, .factor = 5};
