/* What the libFuzzer harnesses share. Each file fuzz_NAME.c is one: it defines `target`, and fuzz.c gives it
 * libFuzzer's inputs. A harness stops where the sanitizers, the memory that a parser holds, or its answers are not
 * right. */
#ifndef CLT_TESTS_FUZZ_H
#define CLT_TESTS_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "cltrain.h"

typedef struct fuzz_target {
    void (*run)(const uint8_t *bytes, size_t size);
    /* The parser may hold `base` bytes, and `factor` for each of the input's. */
    size_t base, factor;
} fuzz_target;

extern const fuzz_target target;

/* What a pixel of a picture that is made smaller may take: three bytes, three more in the data set, and where the
 * picture is but one row, three floats and two weights. */
enum { PIXEL = 3 + 3 + 3 * 4 + 2 * 4 };

/* Says what is wrong and stops; in place of assert, whose text would not have the values. */
#define REQUIRE(condition, ...)                                                                                 \
    do {                                                                                                        \
        if (!(condition)) {                                                                                     \
            (void)fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition), fprintf(stderr, __VA_ARGS__); \
            (void)fputc('\n', stderr);                                                                          \
            abort();                                                                                            \
        }                                                                                                       \
    } while (0)

/* Makes the file `name` of these bytes in a folder of this run's in TMPDIR, which fuzz.sh removes, and returns its
 * path. */
const char *fuzz_write(const char *name, const void *bytes, size_t size);
/* The path of `name` there. Valid until this has been called eight times more. */
const char *fuzz_path(const char *name);

/* Where the input is packed: it may hold `factor` bytes for each of so many. */
void fuzz_allow(size_t size);
/* The parser is done: what comes next may take any memory. */
void fuzz_end(void);

/* A failure has its sentence. */
void fuzz_check(clt_status status, const clt_error *error);
/* ... and no lack of memory: what a file claims is doubted first. */
void fuzz_check_file(clt_status status, const clt_error *error);

/* Opens a data set, or a file of images, looks at all of it, and closes it. Whether it could be opened. */
bool fuzz_open_set(const char *path, clt_split split, const clt_options *options);
bool fuzz_open_images(const char *path, const clt_options *options);

/* The input as a text, freed with free(). */
char *fuzz_text(const uint8_t *bytes, size_t size);

#endif
