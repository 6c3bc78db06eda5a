/* Which arrays lie in a folder or an archive, by what they are called, and the data set that they make. */
#ifndef CLT_DATA_ARRAY_LIST_H
#define CLT_DATA_ARRAY_LIST_H

#include "data/array_names.h"
#include "data/names.h"
#include "options/options.h"

/* An array that is there. */
typedef struct clt__array_place {
    char *file;
    char *member; /* of that archive; NULL: the file is the array */
    char *prefix; /* of its name: the arrays of one data set share it */
    clt__array_title title;
    int rank; /* the lowest of those that say the same is taken */
} clt__array_place;

typedef struct clt__array_list {
    const char *path; /* what the caller gave */
    char *folder;     /* where files are looked for */
    char *start;      /* what their names begin with */
    clt__array_place *place;
    size_t count, capacity;
    clt__names others;  /* arrays whose names say nothing */
    clt_error broken;   /* what is wrong with the first archive that cannot be opened; CLT_OK where all can */
    const char *prefix; /* of the data set: clt__array_list_choose's */
    bool whole;         /* it has no splits */
} clt__array_list;

/* A list of what lies in FOLDER; or, where `path` is none, of what is called NAME... in the folder before it. `start`
 * is the length of NAME, SIZE_MAX for all of it. */
clt_status clt__array_list_begin(clt__array_list *list, const char *path, size_t start, clt_error *error);
void clt__array_list_free(clt__array_list *list);

/* Adds what a file of the list's folder holds. */
typedef clt_status (*clt__add_arrays)(clt__array_list *list, const char *name, clt_error *error);
clt_status clt__array_list_fill(clt__array_list *list, clt__add_arrays add, clt_error *error);

/* An array of this title, which was read from `name`; `worse` of several files of one name is the worse. */
clt_status clt__array_list_add(clt__array_list *list, const char *file, const char *member, const char *name,
                               const clt__array_title *title, int worse, clt_error *error);

/* Whether it has images of a split, or images and labels of none: features.npy beside folders of pictures is no data
 * set. */
bool clt__array_list_is_set(const clt__array_list *list);

/* Finds out which of the arrays are the data set: an error where they make several. */
clt_status clt__array_list_choose(clt__array_list *list, clt_error *error);

/* The split's images, or their labels; NULL where there are none. What is left out for them is noted. */
const clt__array_place *clt__array_list_find(const clt__array_list *list, bool labels, clt_split split,
                                             const clt_options *options);

/* The names that are there, for messages: "x, y, ..."; freed with free(). */
clt_status clt__array_list_names(const clt__array_list *list, char **names, clt_error *error);

#endif
