/* Data sets of IDX files, a folder with one file of images and one of labels for each split. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "data/format.h"
#include "data/idx.h"

/* The extents of images in an IDX file: [h, w], [count, h, w] or [count, c, h, w]. */
static clt_status claim_of(const char *path, const clt__idx *idx, clt__claim *images, clt_error *error)
{
    const uint32_t *extent = idx->extent;
    *images = (clt__claim){.name = path, .status = CLT_BAD_FILE, .count = 1, .channels = 1};
    if (idx->dimensions < 2)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 3: has 1 dimension, where images have 2, 3 or 4", path);
    if (idx->dimensions >= 3) images->count = extent[0];
    if (idx->dimensions == 4) images->channels = extent[1];
    images->height = extent[idx->dimensions - 2];
    images->width = extent[idx->dimensions - 1];
    return CLT_OK;
}

static clt_status reorder(clt_dataset *dataset, const uint8_t *images, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape);
    TRY(clt__dataset_allocate_bytes(dataset, error));
    for (size_t n = 0; n < dataset->count; n++)
        clt__to_pixels(images + n * size, dataset->shape, dataset->bytes + n * size);
    return CLT_OK;
}

/* Images of one channel are in order as they are: the data set takes them over, for a large file should not lie in
 * memory twice. */
static clt_status dataset_of(const char *path, clt__idx *idx, clt_dataset **dataset, clt_error *error)
{
    clt__claim images;
    TRY(claim_of(path, idx, &images, error));
    clt_dataset *fresh;
    TRY(clt__dataset_create(&images, &fresh, error));
    if (images.channels > 1) return clt__dataset_finish(reorder(fresh, idx->data, error), fresh, dataset);
    fresh->bytes = idx->data;
    idx->data = NULL;
    return clt__dataset_finish(CLT_OK, fresh, dataset);
}

static clt_status open_images(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    (void)options;
    clt__idx idx;
    TRY(clt__idx_read(path, &idx, error));
    const clt_status status = dataset_of(path, &idx, dataset, error);
    clt__idx_free(&idx);
    return status;
}

static clt_status label_with(clt_dataset *dataset, const char *path, const clt__idx *idx, clt_error *error)
{
    if (idx->dimensions != 1)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 3: has %d dimensions, where labels have 1", path, idx->dimensions);
    if (idx->extent[0] != dataset->count)
        return FAIL(error, CLT_BAD_FILE, "%s: holds %" PRIu32 " labels, where %s holds %zu images", path,
                    idx->extent[0], dataset->name, dataset->count);
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, path, &dataset->labels, error));
    for (size_t n = 0; n < dataset->count; n++) {
        dataset->labels[n] = idx->data[n];
        if (dataset->classes <= idx->data[n]) dataset->classes = idx->data[n] + 1;
    }
    return CLT_OK;
}

static clt_status open_labels(clt_dataset *dataset, const char *path, clt_error *error)
{
    clt__idx idx;
    TRY(clt__idx_read(path, &idx, error));
    const clt_status status = label_with(dataset, path, &idx, error);
    clt__idx_free(&idx);
    return status;
}

/* ---- the files of a folder ---------------------------------------------------------------------------------- */

/* The names one file may go by, each without ".gz". */
enum { NAMES_MAX = 8, NAME_ROOM = 32 };

typedef struct candidates {
    char name[NAMES_MAX][NAME_ROOM];
    int count;
} candidates;

/* PREFIX-images-idx3-ubyte and its relatives. Colour images have four dimensions, so theirs is called idx4. */
static void list_names(clt_split split, bool labels, candidates *list)
{
    static const char *const prefixes[2][2] = {[CLT_TRAIN] = {"train"}, [CLT_TEST] = {"t10k", "test"}};
    static const char *const kinds[2][4] = {
        {"images-idx3", "images.idx3", "images-idx4", "images.idx4"},
        {"labels-idx1", "labels.idx1"},
    };
    list->count = 0;
    for (int p = 0; p < 2 && prefixes[split][p]; p++)
        for (int k = 0; k < 4 && kinds[labels][k]; k++)
            (void)snprintf(list->name[list->count++], NAME_ROOM, "%s-%s-ubyte", prefixes[split][p], kinds[labels][k]);
}

static clt_status fail_finding(const char *folder, const candidates *list, clt_status missing, clt_error *error)
{
    char names[NAMES_MAX * (NAME_ROOM + 2)] = "";
    for (int i = 0; i < list->count; i++) {
        if (i > 0) strcat(names, i + 1 < list->count ? ", " : " or ");
        strcat(names, list->name[i]);
    }
    return FAIL(error, missing, "%s: the folder holds no %s, with or without .gz", folder, names);
}

/* *path, freed with free(), becomes the first candidate that is there; `missing` is the status where none is. */
static clt_status find_file(const char *folder, const candidates *list, clt_status missing, char **path,
                            clt_error *error)
{
    const size_t room = strlen(folder) + 1 + NAME_ROOM + sizeof ".gz";
    TRY(clt__allocate(room, 1, "a file name", path, error));
    for (int i = 0; i < 2 * list->count; i++) {
        struct stat about;
        (void)snprintf(*path, room, "%s/%s%s", folder, list->name[i / 2], i % 2 ? ".gz" : "");
        /* A file that is there but out of reach is found too: opening it then says why it cannot be read. */
        if (stat(*path, &about) == 0 || errno != ENOENT) return CLT_OK;
    }
    free(*path);
    *path = NULL;
    return fail_finding(folder, list, missing, error);
}

static clt_status open_pair(const char *images, const char *labels, clt_dataset **dataset, clt_error *error)
{
    clt_dataset *fresh;
    TRY(open_images(images, NULL, &fresh, error));
    return clt__dataset_finish(open_labels(fresh, labels, error), fresh, dataset);
}

static clt_status open_folder(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                              clt_error *error)
{
    (void)options;
    candidates names;
    char *images = NULL, *labels = NULL;
    list_names(split, false, &names);
    clt_status status = find_file(path, &names, CLT_NO_FILE, &images, error);
    list_names(split, true, &names);
    if (status == CLT_OK)
        status = find_file(path, &names, CLT_BAD_FILE, &labels, error); /* images alone are no split */
    if (status == CLT_OK) status = open_pair(images, labels, dataset, error);
    free(images);
    free(labels);
    return status;
}

/* ---- the format --------------------------------------------------------------------------------------------- */

static bool has_any(const char *folder, clt_split split, bool labels)
{
    candidates names;
    list_names(split, labels, &names);
    for (int i = 0; i < names.count; i++) {
        char zipped[NAME_ROOM + sizeof ".gz"];
        (void)snprintf(zipped, sizeof zipped, "%s.gz", names.name[i]);
        if (clt__is_there(folder, names.name[i]) || clt__is_there(folder, zipped)) return true;
    }
    return false;
}

static bool looks(const clt__data_source *source)
{
    return source->folder && (has_any(source->path, CLT_TRAIN, false) || has_any(source->path, CLT_TEST, false));
}

static bool looks_like_images(const clt__data_source *source)
{
    return source->size >= 2 && source->start[0] == 0 && source->start[1] == 0;
}

const clt__data_format clt__idx_format = {
    .looks = looks, .open = open_folder, .looks_like_images = looks_like_images, .open_images = open_images};
