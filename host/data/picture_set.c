#include "data/picture_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/format.h"
#include "pictures/resize.h"

/* ---- lists -------------------------------------------------------------------------------------------------- */

clt_status clt__picture_list_add(clt__picture_list *list, const char *folder, const char *name, int32_t label,
                                 clt_error *error)
{
    char *path;
    TRY(clt__grow(&list->entry, &list->capacity, list->count, sizeof *list->entry, error));
    TRY(*name == '/' ? clt__copy_text(name, &path, error) : clt__join(folder, name, &path, error));
    list->entry[list->count++] = (clt__picture_entry){.path = path, .label = label};
    return CLT_OK;
}

void clt__picture_list_free(clt__picture_list *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->entry[i].path);
    free(list->entry);
    *list = (clt__picture_list){0};
}

/* ---- bad files ---------------------------------------------------------------------------------------------- */

typedef struct bad_files {
    size_t count;
    char first[1024];  /* what is wrong with it */
    char others[1024]; /* the paths of some more, each after a comma */
} bad_files;

/* A file that cannot be decoded is remembered; any other failure is passed on. */
static clt_status remember(bad_files *bad, clt__picture_entry *entry, clt_status status, const clt_error *why,
                           clt_error *error)
{
    enum { MOST_NAMED = 8 };
    if (status == CLT_OK) return CLT_OK;
    if (status != CLT_BAD_FILE) {
        if (error) *error = *why;
        return status;
    }
    entry->bad = true;
    const size_t length = strlen(bad->others), room = sizeof bad->others - length;
    if (bad->count == 0)
        (void)snprintf(bad->first, sizeof bad->first, "%.*s", (int)sizeof bad->first - 1, why->message);
    else if (bad->count < MOST_NAMED && strlen(entry->path) + 3 < room)
        (void)snprintf(bad->others + length, room, ", %s", entry->path);
    bad->count++;
    return CLT_OK;
}

static clt_status judge(const bad_files *bad, const clt__picture_list *list, const clt_options *options,
                        clt_error *error)
{
    if (bad->count == 0) return CLT_OK;
    if (!options->skip_bad || bad->count == list->count)
        return FAIL(error, CLT_BAD_FILE, "%s; %zu of %zu image files are bad%s%s%s", bad->first, bad->count,
                    list->count, *bad->others ? " (also" : "", *bad->others ? bad->others + 1 : "",
                    *bad->others ? ")" : "");
    clt__options_note(options, "%zu of %zu image files are left out, the first of them for this: %s", bad->count,
                      list->count, bad->first);
    return CLT_OK;
}

/* ---- the common size ---------------------------------------------------------------------------------------- */

static clt_status check_options(const char *name, const clt_options *options, clt_error *error)
{
    const clt_shape size = options->size;
    if ((size.channels != 0 && size.channels != 1 && size.channels != 3) || size.height < 0 || size.width < 0 ||
        !size.height != !size.width)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "%s: image files cannot be made %dx%dx%d, where 1 or 3 channels and a height and a width are needed", name,
            size.channels, size.height, size.width);
    return CLT_OK;
}

/* What the headers say: every bad one is remembered, the first good one sets the size. */
static clt_status survey(clt__picture_list *list, const clt_options *options, clt__picture_info *common, bad_files *bad,
                         clt_error *error)
{
    const char *first = NULL;
    *common = (clt__picture_info){.channels = 1};
    for (size_t i = 0; i < list->count; i++) {
        clt__picture_entry *entry = &list->entry[i];
        clt__picture_info info;
        clt_error why;
        const clt_status status = clt__picture_look(entry->path, NULL, &info, &why);
        TRY(remember(bad, entry, status, &why, error));
        if (entry->bad) continue;
        if (info.channels > common->channels) common->channels = info.channels;
        if (first && !options->size.height && (info.width != common->width || info.height != common->height))
            return FAIL(error, CLT_BAD_FILE,
                        "%s: is %d high and %d wide, where %s is %d high and %d wide: a size to which all are resized "
                        "is needed (--size HxW)",
                        entry->path, info.height, info.width, first, common->height, common->width);
        if (!first) common->width = info.width, common->height = info.height;
        if (!first) first = entry->path;
    }
    if (options->size.height) common->width = options->size.width, common->height = options->size.height;
    if (options->size.channels) common->channels = options->size.channels;
    return CLT_OK;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static clt_status read_one(const char *path, const clt__picture_info *wanted, uint8_t *to, clt_error *error)
{
    clt__picture picture;
    TRY(clt__picture_read(path, NULL, &picture, error));
    const clt__frame whole = {0, 0, picture.info.width, picture.info.height};
    const clt_status status = clt__picture_fit(&picture, &whole, wanted, to, error);
    free(picture.pixels);
    return status;
}

static clt_status read_all(clt__picture_list *list, const clt__picture_info *common, bad_files *bad,
                           clt_dataset *dataset, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape);
    size_t filled = 0;
    TRY(clt__dataset_allocate_bytes(dataset, error));
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, "the labels", &dataset->labels, error));
    for (size_t i = 0; i < list->count; i++) {
        clt__picture_entry *entry = &list->entry[i];
        clt_error why;
        if (entry->bad) continue;
        const clt_status status = read_one(entry->path, common, dataset->bytes + filled * size, &why);
        TRY(remember(bad, entry, status, &why, error));
        if (entry->bad) continue;
        dataset->labels[filled++] = entry->label;
    }
    dataset->count = filled;
    return CLT_OK;
}

clt_status clt__pictures_open(const char *name, clt__picture_list *list, const clt_options *options,
                              clt_dataset **dataset, clt_error *error)
{
    bad_files bad = {0};
    clt__picture_info common;
    clt_dataset *fresh;
    TRY(check_options(name, options, error));
    TRY(survey(list, options, &common, &bad, error));
    if (list->count && bad.count == list->count) return judge(&bad, list, options, error);
    const clt__claim images = {name,          CLT_BAD_FILE, list->count - bad.count, common.channels,
                               common.height, common.width};
    TRY(clt__dataset_create(&images, &fresh, error));
    clt_status status = read_all(list, &common, &bad, fresh, error);
    if (status == CLT_OK) status = judge(&bad, list, options, error);
    return clt__dataset_finish(status, fresh, dataset);
}

/* ---- a single file ------------------------------------------------------------------------------------------ */

static bool looks_like_picture(const clt__data_source *source)
{
    return clt__picture_looks(source->start, source->size);
}

/* Its label is taken away again: there is none. A file that is all there is cannot be left out. */
static clt_status open_picture(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt_options alone = *options;
    clt__picture_list list = {0};
    alone.skip_bad = false;
    clt_status status = clt__picture_list_add(&list, ".", path, 0, error);
    if (status == CLT_OK) status = clt__pictures_open(path, &list, &alone, dataset, error);
    clt__picture_list_free(&list);
    if (status != CLT_OK) return status;
    free((*dataset)->labels);
    (*dataset)->labels = NULL;
    return CLT_OK;
}

const clt__data_format clt__picture_format = {.looks_like_images = looks_like_picture, .open_images = open_picture};
