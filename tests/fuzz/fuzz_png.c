/* PNG: the input as an image as it is, and made smaller and RGB. */
#include <zlib.h>

#include "fuzz.h"
#include "options/options.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed);

/* Gives every chunk the checksum that it should have. */
static void sum_chunks(uint8_t *bytes, size_t size)
{
    enum { SIGNATURE = 8, NAME = 4, AROUND = 12 };
    for (size_t at = SIGNATURE; at + AROUND <= size;) {
        uint8_t *chunk = bytes + at;
        const size_t length = (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
        if (length > size - at - AROUND) return;
        const unsigned long sum = crc32(0, chunk + NAME, (unsigned)(NAME + length));
        for (int i = 0; i < 4; i++) chunk[2 * NAME + length + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += AROUND + length;
    }
}

/* libpng looks no further than a checksum that is wrong, so most of the inputs have right ones. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
    const size_t mutated = LLVMFuzzerMutate(bytes, size, most);
    if (seed % 8) sum_chunks(bytes, mutated);
    return mutated;
}

static void run(const uint8_t *bytes, size_t size)
{
    const char *path = fuzz_write("image.png", bytes, size);
    if (fuzz_open_images(path, NULL)) (void)fuzz_open_images(path, &(clt_options){.size = {3, 5, 7}});
}

/* Deflate makes at most 1032 bytes of one; a bit of these can be a pixel of three bytes. libpng lets a chunk of text
 * or of a colour profile take 8 MB. */
const fuzz_target target = {.run = run, .base = 20 << 20, .factor = 2 * 24 * 1032};
