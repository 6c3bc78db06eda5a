/* STL-10: the input as images, as labels beside an image, and as the names of the classes. */
#include <unistd.h>

#include "fuzz.h"

static void run(const uint8_t *bytes, size_t size)
{
    static const uint8_t image[3 * 96 * 96] = {3};
    (void)fuzz_write("train_X.bin", bytes, size);
    (void)fuzz_write("train_y.bin", "\1", 1);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
    (void)fuzz_write("train_X.bin", image, sizeof image);
    (void)fuzz_write("train_y.bin", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
    (void)fuzz_write("train_y.bin", "\1", 1);
    const char *names = fuzz_write("class_names.txt", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
    REQUIRE(unlink(names) == 0, "%s", names);
}

/* A line of the class names is a text of its own. */
const fuzz_target target = {.run = run, .base = 1 << 18, .factor = 32};
