/* CSV: the input as one file, with and without a size, and as the test file beside a train file. */
#include <string.h>

#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    static const char train[] = "0,1,2,3,4\n1,5,6,7,8\n";
    if (size > 1 && memcmp(bytes, "PK", 2) == 0) return; /* an archive, for fuzz_npz */
    const char *path = fuzz_write("set.csv", bytes, size);
    (void)fuzz_open_set(path, CLT_TRAIN, NULL);
    (void)fuzz_open_set(path, CLT_TRAIN, &(clt_options){.size = {0, 2, 2}});
    (void)fuzz_write("train.csv", train, strlen(train));
    (void)fuzz_write("test.csv", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
}

/* Two bytes of text can make a double. */
const fuzz_target target = {.run = run, .base = 1 << 16, .factor = 12};
