/* A folder for each split, in it a folder for each class, in that image files; or the classes' folders alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/folder_tree.h"
#include "data/format.h"
#include "data/picture_set.h"

/* ---- splits */

/* What the folder of a split may be called, in any case of letters; the first that is there is taken. */
static const char *const split_names[][8] = {
    [CLT_TRAIN] = {"train", "training"},
    [CLT_TEST] = {"test", "testing", "val", "valid", "validation"},
};

/* The names of folders in `path` that are such a split's, in that order. */
static clt_status find_splits(const char *path, clt_split split, clt__names *found, clt_error *error)
{
    clt__names all = {0};
    clt_status status = clt__names_in_folder(path, &all, error);
    for (const char *const *wanted = split_names[split]; *wanted && status == CLT_OK; wanted++)
        for (size_t i = 0; i < all.count && status == CLT_OK; i++)
            if (strcasecmp(all.name[i], *wanted) == 0 && clt__is_folder(path, all.name[i]))
                status = clt__names_add(found, all.name[i], strlen(all.name[i]), error);
    clt__names_free(&all);
    return status;
}

static bool has_splits(const char *path)
{
    clt__names found = {0};
    bool any = false;
    for (int split = CLT_TRAIN; split <= CLT_TEST && !any; split++) {
        (void)find_splits(path, (clt_split)split, &found, NULL);
        any = found.count > 0;
    }
    clt__names_free(&found);
    return any;
}

/* *folder, freed with free(), is the split's; NULL where there is none. */
static clt_status find_split(const char *path, clt_split split, const clt_options *options, char **folder,
                             clt_error *error)
{
    clt__names found = {0};
    *folder = NULL;
    clt_status status = find_splits(path, split, &found, error);
    if (status == CLT_OK && found.count) status = clt__join(path, found.name[0], folder, error);
    for (size_t i = 1; i < found.count && status == CLT_OK && options; i++)
        clt__options_note(options, "%s: holds %s and %s: %s is not used", path, found.name[0], found.name[i],
                          found.name[i]);
    clt__names_free(&found);
    return status;
}

/* ---- one split */

typedef struct reading {
    const clt_options *options;
    bool trains;        /* else a class may be empty */
    clt__names classes; /* of the training images */
    clt__picture_list list;
    clt__leftovers left;
} reading;

static clt_status add_class(reading *r, const char *folder, const char *name, clt_error *error)
{
    char *path;
    const size_t before = r->list.count;
    const int label = clt__names_find(&r->classes, name, strlen(name));
    if (label < 0)
        return FAIL(error, CLT_BAD_FILE, "%s/%s: is a folder of a class that the training images do not have", folder,
                    name);
    TRY(clt__join(folder, name, &path, error));
    clt_status status = clt__add_pictures_below(folder, path, label, &r->list, &r->left, error);
    if (status == CLT_OK && r->list.count == before) {
        if (r->trains && !r->options->skip_bad)
            status = FAIL(error, CLT_BAD_FILE,
                          "%s: the class's folder holds no image; remove it, or train without images of that class "
                          "(--skip-bad)",
                          path);
        else
            clt__options_note(r->options, "%s: the class's folder holds no image", path);
    }
    free(path);
    return status;
}

static clt_status add_classes(reading *r, const char *folder, clt_error *error)
{
    clt__names present = {0};
    clt_status status = clt__class_folders(folder, &present, &r->left, error);
    for (size_t i = 0; i < present.count && status == CLT_OK; i++)
        status = add_class(r, folder, present.name[i], error);
    if (status == CLT_OK) status = clt__leftovers_tell(&r->left, folder, r->options, error);
    clt__names_free(&present);
    return status;
}

/* The training set's folders are the classes: another split may lack some. */
static clt_status find_classes(reading *r, const char *path, const char *folder, clt_error *error)
{
    clt__leftovers untold = {0};
    char *train;
    TRY(find_split(path, CLT_TRAIN, NULL, &train, error));
    const char *from = train ? train : folder;
    clt_status status = clt__class_folders(from, &r->classes, &untold, error);
    if (status == CLT_OK && r->classes.count == 0)
        status = FAIL(error, CLT_BAD_FILE, "%s: holds no folder, where one for each class is needed%s", from,
                      untold.classless ? ": its images have no class" : "");
    clt__leftovers_free(&untold);
    free(train);
    return status;
}

static clt_status read_folder(reading *r, const char *path, const char *folder, clt_dataset **dataset, clt_error *error)
{
    TRY(find_classes(r, path, folder, error));
    TRY(add_classes(r, folder, error));
    TRY(clt__pictures_open(folder, &r->list, r->options, dataset, error));
    (*dataset)->classes = (int)r->classes.count;
    (*dataset)->class_names = r->classes;
    r->classes = (clt__names){0};
    return CLT_OK;
}

static clt_status open_folder(const char *path, const char *folder, bool trains, const clt_options *options,
                              clt_dataset **dataset, clt_error *error)
{
    reading r = {.options = options, .trains = trains};
    const clt_status status = read_folder(&r, path, folder, dataset, error);
    clt__names_free(&r.classes);
    clt__picture_list_free(&r.list);
    clt__leftovers_free(&r.left);
    return status;
}

/* ---- the format */

static clt_status open_split(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    char *folder;
    TRY(find_split(path, split, options, &folder, error));
    if (!folder)
        return FAIL(error, CLT_NO_FILE, "%s: holds no folder %s", path,
                    split == CLT_TRAIN ? "train or training" : "test, testing, val, valid or validation");
    const clt_status status = open_folder(path, folder, split == CLT_TRAIN, options, dataset, error);
    free(folder);
    return status;
}

static clt_status open_any(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                           clt_error *error)
{
    if (has_splits(path)) return open_split(path, split, options, dataset, error);
    TRY(open_folder(path, path, split == CLT_TRAIN, options, dataset, error));
    (*dataset)->whole = true;
    return CLT_OK;
}

/* Two folders with images: one alone may be a folder around the data set. */
static bool holds_classes(const char *path)
{
    clt__names folders = {0};
    clt__leftovers left = {0};
    int with_pictures = 0;
    (void)clt__class_folders(path, &folders, &left, NULL);
    for (size_t i = 0; i < folders.count && with_pictures < 2; i++) {
        char *folder;
        if (clt__join(path, folders.name[i], &folder, NULL) != CLT_OK) break;
        with_pictures += clt__has_pictures_below(folder);
        free(folder);
    }
    clt__leftovers_free(&left);
    clt__names_free(&folders);
    return with_pictures == 2;
}

static bool looks(const clt__data_source *source)
{
    return source->folder && (has_splits(source->path) || holds_classes(source->path));
}

const clt__data_format clt__class_folders_format = {
    .name = "image files in folders of classes", .looks = looks, .open = open_any};
