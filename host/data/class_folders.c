/* A folder for each split, in it a folder for each class, in that image files. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/format.h"
#include "data/picture_set.h"

/* The split's folder: test before val, for a data set that has both keeps test for the end. */
static const char *folder_of(const char *path, clt_split split)
{
    if (split == CLT_TRAIN) return clt__is_folder(path, "train") ? "train" : NULL;
    if (clt__is_folder(path, "test")) return "test";
    return clt__is_folder(path, "val") ? "val" : NULL;
}

static bool is_picture_name(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg"};
    const char *point = strrchr(name, '.');
    for (size_t i = 0; point && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(point, endings[i]) == 0) return true;
    return false;
}

static clt_status keep_folders(const char *path, const clt__names *all, clt__names *folders, clt_error *error)
{
    for (size_t i = 0; i < all->count; i++)
        if (clt__is_folder(path, all->name[i])) TRY(clt__names_add(folders, all->name[i], strlen(all->name[i]), error));
    return CLT_OK;
}

static clt_status list_folders(const char *path, clt__names *folders, clt_error *error)
{
    clt__names all = {0};
    clt_status status = clt__names_in_folder(path, &all, error);
    if (status == CLT_OK) status = keep_folders(path, &all, folders, error);
    clt__names_free(&all);
    return status;
}

/* The training set's folders are the classes: another split may lack some. */
static clt_status list_classes(const char *path, clt_split split, clt__names *classes, clt_error *error)
{
    char *folder;
    const char *train = folder_of(path, CLT_TRAIN);
    TRY(clt__join(path, train ? train : folder_of(path, split), &folder, error));
    clt_status status = list_folders(folder, classes, error);
    if (status == CLT_OK && classes->count == 0)
        status = FAIL(error, CLT_BAD_FILE, "%s: holds no folder, where one for each class is needed", folder);
    free(folder);
    return status;
}

static clt_status add_files(const char *folder, int label, const clt_options *options, clt__picture_list *list,
                            clt_error *error)
{
    const size_t before = list->count;
    clt__names names = {0};
    clt_status status = clt__names_in_folder(folder, &names, error);
    for (size_t i = 0; i < names.count && status == CLT_OK; i++)
        if (is_picture_name(names.name[i])) status = clt__picture_list_add(list, folder, names.name[i], label, error);
    clt__names_free(&names);
    if (status != CLT_OK || list->count > before) return status;
    if (!options->skip_bad)
        return FAIL(error, CLT_BAD_FILE, "%s: the class's folder holds no .png, .jpg or .jpeg file", folder);
    clt__options_note(options, "%s: the class's folder holds no .png, .jpg or .jpeg file", folder);
    return CLT_OK;
}

static clt_status add_class(const char *folder, const char *name, const clt__names *classes, const clt_options *options,
                            clt__picture_list *list, clt_error *error)
{
    char *path;
    const int label = clt__names_find(classes, name, strlen(name));
    if (label < 0)
        return FAIL(error, CLT_BAD_FILE, "%s/%s: is a folder of a class that the training images do not have", folder,
                    name);
    TRY(clt__join(folder, name, &path, error));
    const clt_status status = add_files(path, label, options, list, error);
    free(path);
    return status;
}

static clt_status add_classes(const char *folder, const clt__names *classes, const clt_options *options,
                              clt__picture_list *list, clt_error *error)
{
    clt__names present = {0};
    clt_status status = list_folders(folder, &present, error);
    for (size_t i = 0; i < present.count && status == CLT_OK; i++)
        status = add_class(folder, present.name[i], classes, options, list, error);
    clt__names_free(&present);
    return status;
}

static clt_status open_split(const char *folder, clt__names *classes, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    clt__picture_list list = {0};
    clt_status status = add_classes(folder, classes, options, &list, error);
    if (status == CLT_OK) status = clt__pictures_open(folder, &list, options, dataset, error);
    clt__picture_list_free(&list);
    if (status != CLT_OK) return status;
    (*dataset)->classes = (int)classes->count;
    (*dataset)->class_names = *classes;
    *classes = (clt__names){0};
    return CLT_OK;
}

static clt_status open_folder(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                              clt_error *error)
{
    const char *name = folder_of(path, split);
    char *folder;
    clt__names classes = {0};
    if (!name)
        return FAIL(error, CLT_NO_FILE, "%s: holds no folder %s", path, split == CLT_TRAIN ? "train" : "test or val");
    TRY(clt__join(path, name, &folder, error));
    clt_status status = list_classes(path, split, &classes, error);
    if (status == CLT_OK) status = open_split(folder, &classes, options, dataset, error);
    clt__names_free(&classes);
    free(folder);
    return status;
}

static bool looks(const clt__data_source *source)
{
    return source->folder && (folder_of(source->path, CLT_TRAIN) || folder_of(source->path, CLT_TEST));
}

const clt__data_format clt__class_folders_format = {.looks = looks, .open = open_folder};
