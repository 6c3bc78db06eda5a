/* What arrays are called: x_train, trainImages, emnist-letters-test-labels, X. */
#ifndef CLT_DATA_ARRAY_NAMES_H
#define CLT_DATA_ARRAY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

typedef enum clt__array_part {
    CLT__PART_TRAIN,
    CLT__PART_TEST,
    CLT__PART_VALIDATION,
    CLT__PART_WHOLE /* no split is named */
} clt__array_part;

/* What a name says. */
typedef struct clt__array_title {
    bool labels; /* or targets; else images */
    clt__array_part part;
    size_t prefix; /* how many characters stand before */
    int rank;      /* of words for the same thing: the lowest is taken */
} clt__array_title;

/* The `length` characters of a name, without its ending. False where it is no name of images or labels. */
bool clt__read_array_title(const char *name, size_t length, clt__array_title *title);

/* The split that a name ends with, as in "mnist-train": false where it ends with none. Sets part and prefix. */
bool clt__read_split_name(const char *name, size_t length, clt__array_title *title);

/* The length of an IDX file's name without its ending: "train-images" of "train-images.idx3-ubyte.gz". 0 where it has
 * no such ending. */
size_t clt__idx_stem(const char *name);

#endif
