/* NPZ: the input as an archive of arrays. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("set.npz", bytes, size);
    (void)fuzz_open_set(path, CLT_TRAIN, NULL);
    (void)fuzz_open_set(path, CLT_TEST, &(clt_options){.layout = CLT__NHWC});
}

/* As deflate packs, and each float becomes a double. */
const fuzz_target target = {.run = run, .base = 1 << 18, .factor = 4 * 1032};
