/* Paths of image files as lists have them: from other systems, without the folder, without the ending. */
#ifndef CLT_DATA_PICTURE_PATHS_H
#define CLT_DATA_PICTURE_PATHS_H

#include "data/names.h"
#include "options/options.h"

/* Whether a name ends as image files' names do. */
bool clt__has_picture_ending(const char *name, size_t length);

/* Where the files of one list are looked for, and how they were found. */
typedef struct clt__picture_paths {
    const char *list;  /* its path */
    char *folder;      /* that it lies in */
    bool looked;       /* for the folders beside it: */
    clt__names beside; /* first the one that is called as the list is */
    size_t total, by_slashes, by_folder, by_ending;
    char *found_in; /* the first folder beside the list that had one */
} clt__picture_paths;

/* The folder that a list lies in; freed with free(). */
clt_status clt__folder_of(const char *list, char **folder, clt_error *error);

clt_status clt__picture_paths_open(const char *list, clt__picture_paths *paths, clt_error *error);
void clt__picture_paths_close(clt__picture_paths *paths);

/* The file that `text` in this line of the list stands for, from the list's folder; `text` itself where there is none,
 * and an error where it may be several. Freed with free(). */
clt_status clt__picture_path_find(clt__picture_paths *paths, const char *text, size_t line, char **path,
                                  clt_error *error);

/* A note that counts what was not there as it stands. */
void clt__picture_paths_tell(const clt__picture_paths *paths, const clt_options *options);

#endif
