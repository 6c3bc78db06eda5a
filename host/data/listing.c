#include "data/listing.h"

#include <stdlib.h>
#include <string.h>

#include "data/picture_paths.h"
#include "data/picture_set.h"

clt_status clt__listing_add(clt__listing *listing, const char *file, size_t length, char *label, size_t line,
                            clt_error *error)
{
    TRY(clt__text_labels_add(&listing->labels, label, line, error));
    return clt__names_add(&listing->files, file, length, error);
}

void clt__listing_free(clt__listing *listing)
{
    clt__names_free(&listing->files);
    clt__text_labels_free(&listing->labels);
}

static size_t find_unlabelled(const clt__text_labels *labels)
{
    size_t i = 0;
    while (i < labels->count && labels->entry[i].text) i++;
    return i;
}

bool clt__listing_is_labelled(const clt__listing *listing)
{
    return find_unlabelled(&listing->labels) == listing->labels.count;
}

/* ---- opening one */

typedef struct reading {
    const clt__listing *listing;
    const clt__text_classes *classes; /* NULL: labels do not matter */
    clt__picture_paths paths;
    clt__picture_list list;
} reading;

static clt_status add_file(reading *r, size_t index, clt_error *error)
{
    char *path;
    int32_t label = 0;
    const clt__text_labels *labels = &r->listing->labels;
    if (r->classes) TRY(clt__text_class(r->classes, labels, index, &label, error));
    TRY(clt__picture_path_find(&r->paths, r->listing->files.name[index], labels->entry[index].line, &path, error));
    const clt_status status = clt__picture_list_add(&r->list, r->paths.folder, path, label, error);
    free(path);
    return status;
}

static clt_status read_files(reading *r, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    for (size_t i = 0; i < r->listing->files.count; i++) TRY(add_file(r, i, error));
    clt__picture_paths_tell(&r->paths, options);
    return (r->classes ? clt__pictures_open : clt__pictures_open_unlabelled)(r->listing->labels.file, &r->list, options,
                                                                             dataset, error);
}

static clt_status open_files(const clt__listing *listing, const clt__text_classes *classes, const clt_options *options,
                             clt_dataset **dataset, clt_error *error)
{
    reading r = {.listing = listing, .classes = classes};
    TRY(clt__picture_paths_open(listing->labels.file, &r.paths, error));
    const clt_status status = read_files(&r, options, dataset, error);
    clt__picture_list_free(&r.list);
    clt__picture_paths_close(&r.paths);
    return status;
}

static clt_status find_classes(const clt__listing *train, clt__text_classes *classes, clt_error *error)
{
    char *folder;
    TRY(clt__folder_of(train->labels.file, &folder, error));
    const clt_status status = clt__text_classes_find(&train->labels, folder, classes, error);
    free(folder);
    return status;
}

clt_status clt__listing_open(const clt__listing *listing, const clt__listing *train, const clt_options *options,
                             clt_dataset **dataset, clt_error *error)
{
    clt__text_classes classes;
    TRY(find_classes(train, &classes, error));
    const clt_status status = open_files(listing, &classes, options, dataset, error);
    if (status == CLT_OK) {
        (*dataset)->classes = classes.count;
        (*dataset)->class_names = classes.names;
        classes.names = (clt__names){0};
    }
    clt__text_classes_free(&classes);
    return status;
}

clt_status clt__listing_open_images(const clt__listing *listing, const clt_options *options, clt_dataset **dataset,
                                    clt_error *error)
{
    return open_files(listing, NULL, options, dataset, error);
}
