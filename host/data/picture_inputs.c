/* Image files without labels, for predicting: one, or all those in a folder. */
#include "data/folder_tree.h"
#include "data/format.h"
#include "data/picture_set.h"

static bool looks_like_picture(const clt__data_source *source)
{
    return clt__picture_looks(source->start, source->size);
}

/* A file that is all there is cannot be left out. */
static clt_status open_picture(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt_options alone = *options;
    clt__picture_list list = {0};
    alone.skip_bad = false;
    alone.data_cache = INT64_MAX; /* it is decoded at once, so that what is wrong with it is known */
    alone.given[CLT__OPTION_data_cache] = true;
    clt_status status = clt__picture_list_add(&list, NULL, path, 0, error);
    if (status == CLT_OK) status = clt__pictures_open_unlabelled(path, &list, &alone, dataset, error);
    clt__picture_list_free(&list);
    return status;
}

/* ---- a folder */

static bool looks_like_folder(const clt__data_source *source)
{
    return source->folder;
}

static clt_status open_folder(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt__picture_list list = {0};
    clt__leftovers left = {0};
    clt_status status = clt__add_pictures_below(path, path, 0, &list, &left, error);
    if (status == CLT_OK) status = clt__leftovers_tell(&left, path, options, error);
    if (status == CLT_OK && !list.count) status = FAIL(error, CLT_BAD_FILE, "%s: the folder holds no image", path);
    if (status == CLT_OK) status = clt__pictures_open_unlabelled(path, &list, options, dataset, error);
    clt__leftovers_free(&left);
    clt__picture_list_free(&list);
    return status;
}

const clt__data_format clt__picture_format = {
    .name = "an image file", .looks_like_images = looks_like_picture, .open_images = open_picture};
const clt__data_format clt__picture_folder_format = {
    .name = "image files in a folder", .looks_like_images = looks_like_folder, .open_images = open_folder};
