/* What the tests share: a temporary folder, files of given bytes, models and data, and a look at error messages. */
#ifndef CLT_TESTS_SUPPORT_H
#define CLT_TESTS_SUPPORT_H

/* cmocka.h needs these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "options/options.h"

/* Group setup and teardown: make a temporary folder, and remove it with all that is in it. */
int make_folder(void **state);
int remove_folder(void **state);

/* The path of `name` in the temporary folder. Valid until path_in has been called 64 times more. */
const char *path_in(const char *name);

/* Makes the file `name` of these bytes in the temporary folder, plain or gzip, and returns its path. */
const char *write_bytes(const char *name, const void *bytes, size_t size);
const char *write_gzip(const char *name, const void *bytes, size_t size);

/* Makes a grey (1 channel) or RGB (3) PNG file. */
const char *save_png(const char *name, int channels, int width, int height, const uint8_t *pixels);

const char *write_text(const char *name, const char *text);

/* Makes a folder below the temporary one: one that may be there, or one that must not. */
const char *make_subfolder(const char *name);
const char *fresh_folder(const char *name);

/* A file that is put together in memory. */
typedef struct blob {
    uint8_t bytes[1 << 16];
    size_t size;
} blob;

void blob_put(blob *to, const void *bytes, size_t size);
/* The number in so many bytes, the lowest first. */
void blob_put_little(blob *to, uint64_t value, int bytes);
const char *write_blob(const char *name, const blob *file);

/* All the bytes of `path`, freed with free(). */
uint8_t *read_bytes(const char *path, size_t *size);

/* How many files and folders the temporary folder holds. */
int count_files(void);

/* The call failed with `wanted`, and its message begins with `start` (a path, or NULL) and contains `part`. */
void assert_failed(clt_status status, clt_status wanted, const clt_error *error, const char *start, const char *part);

/* The call succeeded; where it did not, prints the message. */
void assert_ok(clt_status status, const clt_error *error);

/* A model of this net (loss NULL: what the net says), a device (NULL: the default one), and images of bytes: image i
 * has the label i % classes, and noise around a pattern of its class. The test fails where they cannot be made. */
clt_model *make_model(const char *net, const char *loss, clt_precision precision, uint64_t seed);
/* Whether run.sh --thorough asks. Compiling kernels takes most of the time, so what is much like something else is left
 * to it. */
bool thorough(void);

clt_device *open_called(const char *name);

/* The default device as one of at most four units, of at least four lanes, under the vector schedule: for tests of that
 * schedule, which a GPU has but does not choose. */
clt_device *open_vector_device(void);
clt_dataset *make_images(size_t count, clt_shape shape, int classes, uint64_t seed);

/* The options as they are where none is given, but for the batch size, and the seed too. Valid until the next call. */
const clt_options *batches_of(int batch_size);
const clt_options *seeded(int batch_size, uint64_t seed);

/* The options as they are where none is given, but that the notes of what is called with them go to notes_told, a line
 * each, which is empty at first. */
extern char notes_told[8192];
clt_options telling(void);

/* Some note has said that. */
void assert_told(const char *part);

void assert_sizes(const clt_dataset *dataset, size_t count, int channels, int height, int width);

/* Numbers evenly from [-1, 1): the same seed gives the same ones. */
void fill_random(double *values, size_t count, uint64_t seed);

#endif
