/* Data sets of image files, each with its label. */
#ifndef CLT_DATA_PICTURE_SET_H
#define CLT_DATA_PICTURE_SET_H

#include "data/dataset.h"
#include "options/options.h"

typedef struct clt__picture_entry {
    char *path;
    int32_t label;
    bool bad; /* cannot be decoded */
} clt__picture_entry;

typedef struct clt__picture_list {
    clt__picture_entry *entry;
    size_t count, capacity;
} clt__picture_list;

/* The path FOLDER/NAME, or NAME itself where it is absolute. */
clt_status clt__picture_list_add(clt__picture_list *list, const char *folder, const char *name, int32_t label,
                                 clt_error *error);
void clt__picture_list_free(clt__picture_list *list);

/* Reads all of them, as the options say. `name` is the data set's; its classes remain to be set. */
clt_status clt__pictures_open(const char *name, clt__picture_list *list, const clt_options *options,
                              clt_dataset **dataset, clt_error *error);

#endif
