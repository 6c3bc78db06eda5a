/* Folders of images as people have them: what is in there besides images is counted, not read. */
#ifndef CLT_DATA_FOLDER_TREE_H
#define CLT_DATA_FOLDER_TREE_H

#include "data/names.h"
#include "data/picture_list.h"

/* How many files of one ending. */
typedef struct clt__ending_count {
    char ending[16]; /* ".txt", in small letters; "" */
    size_t count;
} clt__ending_count;

/* What is passed over. */
typedef struct clt__leftovers {
    clt__ending_count *files; /* that are no images */
    size_t kinds, capacity;
    size_t system;    /* hidden files and folders, and what operating systems leave */
    size_t loops;     /* links to a folder that they lie in */
    size_t odd;       /* pipes, sockets and the like */
    size_t classless; /* images beside the folders of classes */
} clt__leftovers;

void clt__leftovers_free(clt__leftovers *left);

/* One note of all that was passed over in the folder; none where that is nothing. */
clt_status clt__leftovers_tell(const clt__leftovers *left, const char *folder, const clt_options *options,
                               clt_error *error);

/* Adds the images in a class's folder, at any depth, in the order of their sorted names. `split` is the folder that the
 * class lies in. */
clt_status clt__add_pictures_below(const char *split, const char *folder, int32_t label, clt__picture_list *list,
                                   clt__leftovers *left, clt_error *error);

/* The sorted names of the folders in a folder, without those of the system; what lies beside them is counted. */
clt_status clt__class_folders(const char *folder, clt__names *classes, clt__leftovers *left, clt_error *error);

/* Whether there is an image in the folder, at any depth. */
bool clt__has_pictures_below(const char *folder);

/* Names of what is hidden, and of what operating systems leave in folders. */
bool clt__is_system_name(const char *name);

#endif
