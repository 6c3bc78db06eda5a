/* gzip: the input as a packed IDX file of images, and as one of labels. */
#include <zlib.h>

#include "fuzz.h"

/* How many bytes the file holds, as far as it can be read. */
static size_t count_content(const char *path)
{
    char bytes[4096];
    size_t count = 0;
    gzFile file = gzopen(path, "rb");
    REQUIRE(file, "%s", path);
    for (int got; (got = gzread(file, bytes, sizeof bytes)) > 0;) count += (size_t)got;
    (void)gzclose_r(file);
    return count;
}

static void run(const uint8_t *bytes, size_t size)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 200};
    const char *path = fuzz_write("images.gz", bytes, size);
    fuzz_allow(count_content(path));
    (void)fuzz_open_images(path, NULL);
    (void)fuzz_write("t10k-images-idx3-ubyte", images, sizeof images);
    (void)fuzz_write("t10k-labels-idx1-ubyte.gz", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TEST, NULL);
}

/* As IDX: for a byte of content. */
const fuzz_target target = {.run = run, .base = 1 << 18, .factor = 5};
