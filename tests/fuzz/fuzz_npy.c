/* NPY: the input as images in both orders, as the images of both splits, and as labels or targets beside two images. */
#include "fuzz.h"
#include "options/options.h"

static void run(const uint8_t *bytes, size_t size)
{
    static const char images[] =
        "\x93NUMPY\1\0\100\0{'descr': '|u1', 'fortran_order': False, 'shape': (2,1,1)}      xy";
    static const char labels[] =
        "\x93NUMPY\1\0\100\0{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}         \1\2";
    const char *path = fuzz_write("some.npy", bytes, size);
    (void)fuzz_open_images(path, &(clt_options){.layout = CLT__NCHW});
    (void)fuzz_open_images(path, &(clt_options){.layout = CLT__NHWC, .transpose = true});
    (void)fuzz_write("x_train.npy", bytes, size);
    (void)fuzz_write("x_test.npy", bytes, size);
    (void)fuzz_write("y_train.npy", labels, sizeof labels - 1);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
    (void)fuzz_write("x_train.npy", images, sizeof images - 1);
    (void)fuzz_write("y_train.npy", bytes, size);
    (void)fuzz_write("y_test.npy", bytes, size);
    (void)fuzz_open_set(fuzz_path(""), CLT_TRAIN, NULL);
}

/* The files of both splits, a double for each half, labels of 32 bits for each byte, and a name for each text. What is
 * no NPY file is read as IDX. */
const fuzz_target target = {.run = run, .base = 1 << 18, .factor = 24};
