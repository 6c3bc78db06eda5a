/* Opening data sets of any format: what is there tells which it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/format.h"

/* In the order in which they are asked. A CSV file may have blanks, so that it looks like a list too; a list's folder
 * may hold its images in folders called train and test. */
static const clt__data_format *const formats[] = {&clt__idx_format,  &clt__cifar_format,        &clt__npy_format,
                                                  &clt__npz_format,  &clt__picture_format,      &clt__csv_format,
                                                  &clt__list_format, &clt__class_folders_format};

static clt_status read_start(clt__data_source *source, clt_error *error)
{
    FILE *stream = fopen(source->path, "rb");
    if (!stream) return FAIL(error, CLT_BAD_FILE, "%s: cannot be opened: %s", source->path, strerror(errno));
    source->size = fread(source->start, 1, sizeof source->start - 1, stream);
    const bool failed = ferror(stream);
    const int code = errno;
    (void)fclose(stream);
    return failed ? FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", source->path, strerror(code)) : CLT_OK;
}

static clt_status look(const char *path, clt__data_source *source, clt_error *error)
{
    struct stat about;
    *source = (clt__data_source){.path = path, .missing = stat(path, &about) ? errno : 0};
    source->folder = !source->missing && S_ISDIR(about.st_mode);
    return source->missing || source->folder ? CLT_OK : read_start(source, error);
}

static clt_status fail_missing(const clt__data_source *source, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: cannot be opened: %s", source->path, strerror(source->missing));
}

static clt_status open_as(const clt__data_format *format, const char *path, clt_split split, const clt_options *options,
                          clt_dataset **dataset, clt_error *error)
{
    TRY(format->open(path, split, options, dataset, error));
    clt__names_make_utf8(&(*dataset)->class_names);
    return CLT_OK;
}

clt_status clt_dataset_open(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                            clt_error *error)
{
    clt__data_source source;
    clt_options none;
    options = clt__options_or_default(options, &none);
    *dataset = NULL;
    TRY(look(path, &source, error));
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->open && formats[i]->looks(&source))
            return open_as(formats[i], path, split, options, dataset, error);
    if (source.missing) return fail_missing(&source, error);
    if (!source.folder)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: is no data set that cltrain reads, where a file is an NPZ, CSV or list file", path);
    return FAIL(error, CLT_NO_FILE,
                "%s: the folder holds no data set that cltrain reads: IDX files (train-images-idx3-ubyte), CIFAR's "
                "(data_batch_1.bin, train.bin), NPY files (x_train.npy), train.txt, train.csv, or image files in "
                "train/CLASS/",
                path);
}

clt_status clt_dataset_open_images(const char *path, const clt_options *options, clt_dataset **dataset,
                                   clt_error *error)
{
    clt__data_source source;
    clt_options none;
    options = clt__options_or_default(options, &none);
    *dataset = NULL;
    TRY(look(path, &source, error));
    if (source.missing) return fail_missing(&source, error);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->open_images && formats[i]->looks_like_images(&source))
            return formats[i]->open_images(path, options, dataset, error);
    /* A file that is none of them may be gzip; what is wrong with it, the IDX reader says best. */
    return clt__idx_format.open_images(path, options, dataset, error);
}
