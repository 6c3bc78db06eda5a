/* A list of image files, of which there is one: the input as the list, and as classes.txt beside a list. */
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
    static const char list[] = "1.png 0\n1.png cat\n";
    if (size > 1 && memcmp(bytes, "PK", 2) == 0) return; /* an archive, for fuzz_npz */
    (void)fuzz_write("1.png", image, sizeof image);
    (void)fuzz_write("classes.txt", "cat\ndog\n", 8);
    (void)fuzz_open_set(fuzz_write("list.txt", bytes, size), CLT_TRAIN, NULL);
    (void)fuzz_open_set(fuzz_path("list.txt"), CLT_TRAIN, &(clt_options){.size = {3, 2, 2}, .skip_bad = true});
    (void)fuzz_open_images(fuzz_path("list.txt"), NULL);
    (void)fuzz_write("classes.txt", bytes, size);
    (void)fuzz_open_set(fuzz_write("list.txt", list, strlen(list)), CLT_TRAIN, NULL);
}

/* A line has a path of its own, and makes a picture. */
const fuzz_target target = {.run = run, .base = 1 << 20, .factor = 64};
