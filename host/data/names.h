/* Lists of names: classes, the files of a folder. */
#ifndef CLT_DATA_NAMES_H
#define CLT_DATA_NAMES_H

#include "base/error.h"

typedef struct clt__names {
    char **name;
    size_t count, capacity;
} clt__names;

/* A copy of the `length` characters at `text` goes to the end. */
clt_status clt__names_add(clt__names *names, const char *text, size_t length, clt_error *error);
clt_status clt__names_copy(const clt__names *from, clt__names *to, clt_error *error);
void clt__names_sort(clt__names *names);
/* The position of `name`, -1 where it is not there. */
int clt__names_find(const clt__names *names, const char *name, size_t length);
/* NULL where there is none of that number. */
const char *clt__names_at(const clt__names *names, int index);
/* Whether both hold the same names in the same order. */
bool clt__names_equal(const clt__names *a, const clt__names *b);
/* Makes every name UTF-8, as JSON needs it: in one that is not, each byte that is no ASCII becomes a question mark. */
void clt__names_make_utf8(clt__names *names);
void clt__names_free(clt__names *names);

/* The names of what is in a folder, sorted; those that begin with a point are left out. */
clt_status clt__names_in_folder(const char *folder, clt__names *names, clt_error *error);

/* The lines of FOLDER/FILE that are not empty; none where there is no such file. */
clt_status clt__names_in_file(const char *folder, const char *file, clt__names *names, clt_error *error);

/* FOLDER/NAME, freed with free(). */
clt_status clt__join(const char *folder, const char *name, char **path, clt_error *error);

/* What a file holds, as "a web page"; NULL where that is not known. */
const char *clt__content_of(const char *path);

/* What stands behind the path's last slash. */
const char *clt__name_in(const char *path);

/* Whether the folder has something of that name, be it out of reach; and whether that is a folder. */
bool clt__is_there(const char *folder, const char *name);
bool clt__is_folder(const char *folder, const char *name);

#endif
