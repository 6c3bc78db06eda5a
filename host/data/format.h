/* The formats of data sets: a row for each in formats.c's table. */
#ifndef CLT_DATA_FORMAT_H
#define CLT_DATA_FORMAT_H

#include "data/dataset.h"
#include "options/options.h"

/* What the path of a data set leads to. */
typedef struct clt__data_source {
    const char *path;
    int missing; /* the errno of looking for it; 0: it is there */
    bool folder;
    unsigned char start[4096]; /* a file's first bytes, and a 0 after them */
    size_t size;               /* how many */
} clt__data_source;

/* Where a member is NULL the format has no such thing. */
typedef struct clt__data_format {
    const char *name; /* what a data set of it is: "IDX files" */
    bool (*looks)(const clt__data_source *source);
    clt_status (*open)(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                       clt_error *error);
    /* One file of images without labels. */
    bool (*looks_like_images)(const clt__data_source *source);
    clt_status (*open_images)(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error);
} clt__data_format;

extern const clt__data_format clt__idx_format, clt__cifar_format, clt__stl_format, clt__npy_format, clt__npz_format,
    clt__picture_format, clt__picture_folder_format, clt__class_folders_format, clt__list_format, clt__csv_format;

/* What is known and not read: opening it says what it is. */
extern const clt__data_format clt__other_cifar_format, clt__unnamed_arrays_format;

#endif
