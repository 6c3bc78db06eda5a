/* CSV: the input as one file, with and without a size, a column for the labels and labels at all; as rows of pixels, or
 * as names of image files, of which there is one; and as the test file beside a train file. */
#include <string.h>

#include "fuzz.h"
#include "options/options.h"

static const uint8_t image[] = {0x89, 'P',  'N',  'G',  '\r', '\n', 0x1a, '\n', 0,    0,    0,    13,   'I',  'H',
                                'D',  'R',  0,    0,    0,    1,    0,    0,    0,    1,    8,    0,    0,    0,
                                0,    0x3a, 0x7e, 0x9b, 0x55, 0,    0,    0,    10,   'I',  'D',  'A',  'T',  0x78,
                                0x9c, 0x63, 0x60, 0,    0,    0,    2,    0,    1,    0x48, 0xaf, 0xa4, 0x71, 0,
                                0,    0,    0,    'I',  'E',  'N',  'D',  0xae, 0x42, 0x60, 0x82};

static void run(const uint8_t *bytes, size_t size)
{
    static const char train[] = "0,1,2,3,4\n1,5,6,7,8\n";
    if (size > 1 && memcmp(bytes, "PK", 2) == 0) return; /* an archive, for fuzz_npz */
    (void)fuzz_write("1.png", image, sizeof image);
    const char *path = fuzz_write("set.csv", bytes, size);
    (void)fuzz_open_set(path, CLT_TRAIN, NULL);
    (void)fuzz_open_set(path, CLT_TRAIN, &(clt_options){.size = {0, 2, 2}, .label_column = "-1"});
    (void)fuzz_open_images(path, NULL);
    (void)fuzz_open_set(fuzz_write("set.dat", bytes, size), CLT_TRAIN, NULL);
    (void)fuzz_write("train.csv", train, strlen(train));
    (void)fuzz_write("test.csv", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
    (void)fuzz_open_set(fuzz_path(""), CLT_TEST, NULL);
}

/* A line has a label of its own, and maybe a path, and makes a picture. */
const fuzz_target target = {.run = run, .base = 1 << 20, .factor = 64};
