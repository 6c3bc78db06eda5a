/* Lists of image files, each with its label and what its header says. */
#ifndef CLT_DATA_PICTURE_LIST_H
#define CLT_DATA_PICTURE_LIST_H

#include "options/options.h"
#include "pictures/picture.h"

typedef struct clt__picture_entry {
    char *path;
    int32_t label;
    clt__picture_info info;
    char *bad;      /* why it cannot be read, NULL: it can, as far as is known */
    bool lacks_end; /* it was read, and all pixels are there */
} clt__picture_entry;

typedef struct clt__picture_list {
    clt__picture_entry *entry;
    size_t count, capacity;
} clt__picture_list;

/* The path FOLDER/NAME, or NAME itself where it is absolute or `folder` is NULL. */
clt_status clt__picture_list_add(clt__picture_list *list, const char *folder, const char *name, int32_t label,
                                 clt_error *error);
void clt__picture_list_free(clt__picture_list *list);

/* How many are bad, and which is the first. */
size_t clt__picture_list_bad(const clt__picture_list *list, size_t *first);

/* What is to be said of the bad ones, if there are any: an error that counts and names them; where they are to be
 * skipped, and not all are bad, a note. `options` may be NULL: then there is nobody to be told. */
clt_status clt__picture_list_judge(const clt__picture_list *list, bool skip, const clt_options *options,
                                   clt_error *error);

/* A note where the ends of some are missing. */
void clt__picture_list_tell_ends(const clt__picture_list *list, const clt_options *options);

/* Only those that are not bad stay. */
void clt__picture_list_drop_bad(clt__picture_list *list);

#endif
