/* CIFAR: the input as a batch of CIFAR-10, as the class names beside it, and as the file of CIFAR-100. */
#include <unistd.h>

#include "fuzz.h"

static void run(const uint8_t *bytes, size_t size)
{
    static const uint8_t record[1 + 3 * 32 * 32] = {3};
    const char *batch = fuzz_write("data_batch_1.bin", bytes, size),
               *other = fuzz_write("test_batch.bin", record, sizeof record);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
    const char *names = fuzz_write("batches.meta.txt", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TEST, NULL);
    REQUIRE(unlink(batch) == 0 && unlink(other) == 0 && unlink(names) == 0, "%s", fuzz_path(""));
    (void)fuzz_write("test.bin", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TEST, NULL);
}

/* A line of the class names is a text of its own. */
const fuzz_target target = {.run = run, .base = 1 << 17, .factor = 32};
