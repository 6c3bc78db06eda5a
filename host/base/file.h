/* Files read whole, and files replaced whole: the new content is written beside the old, synced, then renamed over it.
 */
#ifndef CLT_BASE_FILE_H
#define CLT_BASE_FILE_H

#include <stdio.h>

#include "base/error.h"

/* Reads all of `path`. *bytes is freed with free() and has a 0 after its last byte, not counted in *size. */
clt_status clt__file_read(const char *path, char **bytes, size_t *size, clt_error *error);

/* Opens a file to be read, and to be closed with fclose(). */
clt_status clt__file_open(const char *path, FILE **stream, clt_error *error);

/* Reads the first bytes, `room` of them where there are so many. */
clt_status clt__file_read_start(const char *path, void *start, size_t room, size_t *size, clt_error *error);

/* The error for what could not be opened, from errno. Where it is the process that has too little, as too few
 * descriptors, that is CLT_NO_MEMORY: nothing is wrong with the file. */
clt_status clt__fail_opening(const char *path, clt_error *error);

/* The size of the file that `path` leads to, which must be a regular one: reading a pipe or a device may never end. */
clt_status clt__file_measure(const char *path, uint64_t *size, clt_error *error);

/* A file being replaced. Until clt__replace_commit the old content stands, whatever happens. */
typedef struct clt__replacement {
    FILE *stream; /* write here */
    char *path;
    char *temporary;
} clt__replacement;

clt_status clt__replace_begin(const char *path, clt__replacement *replacement, clt_error *error);
/* Flushes, syncs, renames and syncs the folder. Ends the replacement, also when it fails. */
clt_status clt__replace_commit(clt__replacement *replacement, clt_error *error);
/* Removes the temporary file and ends the replacement. */
void clt__replace_abandon(clt__replacement *replacement);

/* Removes what replacements of `path` that never ended have left: nobody else may be replacing it. */
void clt__replace_clean(const char *path);

/* All of that at once: `path` holds these bytes, or what it held before. */
clt_status clt__file_write(const char *path, const void *bytes, size_t size, clt_error *error);

/* The path from the root, of what is there; freed with free(). NULL where it is not there, or there is no memory. */
char *clt__absolute_path(const char *path);

/* Makes a folder, and those that it lies in; one that is there is fine. */
clt_status clt__make_folders(const char *path, clt_error *error);

/* Locks a folder until clt__folder_unlock or the process's end, however that comes. An error where somebody else has
 * it. */
clt_status clt__folder_lock(const char *path, int *lock, clt_error *error);
/* Takes -1. */
void clt__folder_unlock(int lock);

#endif
