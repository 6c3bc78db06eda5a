/* CIFAR's versions that are not read, so that a sentence can say so: Python's pickles and MATLAB's files have the
 * binary version's names without its ending. */
#include <string.h>

#include "data/format.h"

static bool has_file(const char *folder, const char *name)
{
    return clt__is_there(folder, name) && !clt__is_folder(folder, name);
}

static const char *version_in(const char *folder)
{
    if (has_file(folder, "data_batch_1") || has_file(folder, "test_batch")) return "CIFAR-10's Python version";
    if (has_file(folder, "meta") && has_file(folder, "train")) return "CIFAR-100's Python version";
    if (has_file(folder, "data_batch_1.mat")) return "CIFAR-10's MATLAB version";
    return has_file(folder, "meta.mat") && has_file(folder, "train.mat") ? "CIFAR-100's MATLAB version" : NULL;
}

/* A pickle of one of those names. */
static bool is_pickle(const clt__data_source *source)
{
    const char *name = clt__name_in(source->path);
    const bool pickle = source->size > 2 && source->start[0] == 0x80 && source->start[1] <= 5;
    return pickle && (strncmp(name, "data_batch_", strlen("data_batch_")) == 0 || strcmp(name, "test_batch") == 0 ||
                      strcmp(name, "train") == 0 || strcmp(name, "test") == 0);
}

static bool looks(const clt__data_source *source)
{
    return source->folder ? version_in(source->path) != NULL : is_pickle(source);
}

static clt_status refuse(const char *path, CLT__UNUSED clt_split split, CLT__UNUSED const clt_options *options,
                         CLT__UNUSED clt_dataset **dataset, clt_error *error)
{
    const char *version = clt__is_folder(path, ".") ? version_in(path) : NULL;
    return FAIL(error, CLT_BAD_FILE,
                "%s: holds %s, where the binary version is read: unpack cifar-10-binary.tar.gz or "
                "cifar-100-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html",
                path, version ? version : "pickled images of CIFAR's Python version");
}

const clt__data_format clt__other_cifar_format = {
    .name = "CIFAR, but not its binary version", .looks = looks, .open = refuse};
