/* Data sets of IDX files, a folder with one file of images and one of labels for each split. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/array_images.h"
#include "data/array_set.h"
#include "data/format.h"
#include "data/idx.h"

/* ---- one file of images ------------------------------------------------------------------------------------- */

static clt_status open_images(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt__array x, none = {0};
    TRY(clt__idx_read(path, &x, error));
    const clt_status status = clt__array_to_images(&x, &none, options, dataset, error);
    clt__array_free(&x);
    return status;
}

static bool looks_like_images(const clt__data_source *source)
{
    return source->size >= 2 && source->start[0] == 0 && source->start[1] == 0;
}

/* ---- the files of a folder ---------------------------------------------------------------------------------- */

/* What unpacking may leave in place of a file is a folder of its name, with the file in it. */
static clt_status find_inside(char **path, const char *name, clt_error *error)
{
    clt__names inside = {0};
    char *file = NULL;
    clt_status status = clt__names_in_folder(*path, &inside, error);
    const int same = status == CLT_OK ? clt__names_find(&inside, name, strlen(name)) : -1;
    const char *found = same >= 0 ? inside.name[same] : inside.count == 1 ? inside.name[0] : NULL;
    if (status == CLT_OK && found) status = clt__join(*path, found, &file, error);
    clt__names_free(&inside);
    if (!file) return status;
    free(*path);
    *path = file;
    return status;
}

/* A file that is there but out of reach is found too: opening it then says why it cannot be read. */
static clt_status add_file(clt__array_list *list, const char *name, clt_error *error)
{
    enum { PLAIN, PACKED, IN_A_FOLDER };
    const size_t start = strlen(list->start), stem = clt__idx_stem(name);
    clt__array_title title;
    char *path;
    if (stem <= start || !clt__read_array_title(name + start, stem - start, &title)) return CLT_OK;
    const bool inside = clt__is_folder(list->folder, name), packed = strstr(name + stem, ".gz");
    TRY(clt__join(list->folder, name, &path, error));
    clt_status status = inside ? find_inside(&path, name, error) : CLT_OK;
    if (status == CLT_OK)
        status = clt__array_list_add(list, path, NULL, name + start, &title,
                                     inside   ? IN_A_FOLDER
                                     : packed ? PACKED
                                              : PLAIN,
                                     error);
    free(path);
    return status;
}

/* PATH is a folder, or what its files' names begin with, or one of them, which the others are looked for beside. */
static clt_status make_list(const char *path, bool is_file, clt__array_list *list, clt_error *error)
{
    const char *name = clt__name_in(path);
    clt__array_title title = {.prefix = SIZE_MAX};
    if (is_file && !clt__read_array_title(name, clt__idx_stem(name), &title)) return CLT_OK;
    TRY(clt__array_list_begin(list, path, title.prefix, error));
    return clt__array_list_fill(list, add_file, error);
}

static bool looks(const clt__data_source *source)
{
    clt__array_list list = {0};
    const bool found = make_list(source->path, !source->folder && !source->missing, &list, NULL) == CLT_OK &&
                       clt__array_list_is_set(&list);
    clt__array_list_free(&list);
    return found;
}

/* ---- labels ------------------------------------------------------------------------------------------------- */

/* QMNIST has eight integers for each image: the class, and who wrote it. */
static void take_first_column(clt__array *labels, const clt_options *options)
{
    enum { COLUMNS = 8 };
    if (labels->dimensions != 2 || labels->extent[1] != COLUMNS || labels->kind != 'i' || labels->size != 4 ||
        clt__array_is_one_hot(labels))
        return;
    for (uint64_t n = 0; n < labels->extent[0]; n++) memmove(labels->bytes + 4 * n, labels->bytes + 4 * COLUMNS * n, 4);
    labels->dimensions = 1;
    labels->count = labels->extent[0];
    clt__options_note(options, "%s: has 8 columns, as QMNIST's labels have: the first is the class", labels->name);
}

static clt_status load(const clt__array_place *place, clt__array *array, clt_error *error)
{
    return clt__idx_read(place->file, array, error);
}

static const clt__array_kind idx = {
    .load = load,
    .arrange_labels = take_first_column,
    .missing = {{"the folder holds no train-images-idx3-ubyte, train-images.idx3-ubyte, train-images-idx4-ubyte or "
                 "train-images.idx4-ubyte, with or without .gz",
                 "the folder holds no t10k-images-idx3-ubyte, t10k-images.idx3-ubyte, t10k-images-idx4-ubyte, "
                 "t10k-images.idx4-ubyte, test-images-idx3-ubyte, test-images.idx3-ubyte, test-images-idx4-ubyte or "
                 "test-images.idx4-ubyte, with or without .gz"},
                {"the folder holds no train-labels-idx1-ubyte or train-labels.idx1-ubyte, with or without .gz",
                 "the folder holds no t10k-labels-idx1-ubyte, t10k-labels.idx1-ubyte, test-labels-idx1-ubyte or "
                 "test-labels.idx1-ubyte, with or without .gz"}},
};

static clt_status open_split(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    clt__array_list list = {0};
    const bool is_file = clt__is_there(path, "") && !clt__is_folder(path, ".");
    clt_status status = make_list(path, is_file, &list, error);
    if (status == CLT_OK) status = clt__array_set_open(&list, &idx, split, options, dataset, error);
    clt__array_list_free(&list);
    return status;
}

const clt__data_format clt__idx_format = {.name = "IDX files",
                                          .looks = looks,
                                          .open = open_split,
                                          .looks_like_images = looks_like_images,
                                          .open_images = open_images};
