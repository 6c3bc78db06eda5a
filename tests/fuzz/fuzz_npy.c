/* NPY: the input as images in both orders, and as labels or targets beside two images. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    static const char images[] = "\x93NUMPY\1\0\70\0{'descr': '|u1', 'fortran_order': 0, 'shape': (2,1,1)}    xy";
    const char *path = fuzz_write("images.npy", bytes, size);
    (void)fuzz_open_images(path, &(clt_options){.layout = CLT__NCHW});
    (void)fuzz_open_images(path, &(clt_options){.layout = CLT__NHWC});
    (void)fuzz_write("x_train.npy", images, sizeof images - 1);
    (void)fuzz_write("y_train.npy", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
}

/* The file, a double for each float, and labels of 32 bits for each byte. What is no NPY file is read as IDX. */
const fuzz_target target = {.run = run, .base = 1 << 18, .factor = 8};
