#include "data/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/content.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

clt_status clt__names_add(clt__names *names, const char *text, size_t length, clt_error *error)
{
    char *copy;
    TRY(clt__grow(&names->name, &names->capacity, names->count, sizeof *names->name, error));
    TRY(clt__allocate(length + 1, 1, "a name", &copy, error));
    memcpy(copy, text, length);
    names->name[names->count++] = copy;
    return CLT_OK;
}

clt_status clt__names_copy(const clt__names *from, clt__names *to, clt_error *error)
{
    for (size_t i = 0; i < from->count; i++) TRY(clt__names_add(to, from->name[i], strlen(from->name[i]), error));
    return CLT_OK;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void clt__names_sort(clt__names *names)
{
    if (names->count) qsort(names->name, names->count, sizeof *names->name, compare);
}

int clt__names_find(const clt__names *names, const char *name, size_t length)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->name[i]) == length && memcmp(names->name[i], name, length) == 0) return (int)i;
    return -1;
}

const char *clt__names_at(const clt__names *names, int index)
{
    return index >= 0 && (size_t)index < names->count ? names->name[index] : NULL;
}

bool clt__names_equal(const clt__names *a, const clt__names *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->name[i], b->name[i]) != 0) return false;
    return true;
}

void clt__names_make_utf8(clt__names *names)
{
    for (size_t i = 0; i < names->count; i++) clt__make_utf8(names->name[i]);
}

void clt__names_free(clt__names *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->name[i]);
    free(names->name);
    *names = (clt__names){0};
}

/* ---- folders ------------------------------------------------------------------------------------------------ */

static clt_status read_folder(DIR *folder, const char *path, clt__names *names, clt_error *error)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry && errno) return FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", path, strerror(errno));
        if (!entry) return CLT_OK;
        if (*entry->d_name != '.') TRY(clt__names_add(names, entry->d_name, strlen(entry->d_name), error));
    }
}

clt_status clt__names_in_folder(const char *path, clt__names *names, clt_error *error)
{
    DIR *folder = opendir(path);
    if (!folder) return clt__fail_opening(path, error);
    const clt_status status = read_folder(folder, path, names, error);
    (void)closedir(folder);
    clt__names_sort(names);
    return status;
}

static clt_status add_lines(const char *text, clt__names *names, clt_error *error)
{
    while (*text) {
        const size_t whole = strcspn(text, "\n"), length = whole && text[whole - 1] == '\r' ? whole - 1 : whole;
        if (length) TRY(clt__names_add(names, text, length, error));
        text += whole + (text[whole] == '\n');
    }
    return CLT_OK;
}

clt_status clt__names_in_file(const char *folder, const char *file, clt__names *names, clt_error *error)
{
    char *path, *text = NULL;
    size_t size;
    if (!clt__is_there(folder, file)) return CLT_OK;
    TRY(clt__join(folder, file, &path, error));
    clt_status status = clt__file_read(path, &text, &size, error);
    if (status == CLT_OK) status = add_lines(text, names, error);
    free(text);
    free(path);
    return status;
}

clt_status clt__join(const char *folder, const char *name, char **path, clt_error *error)
{
    const size_t room = strlen(folder) + 1 + strlen(name) + 1;
    TRY(clt__allocate(room, 1, "a file name", path, error));
    (void)snprintf(*path, room, "%s/%s", folder, name);
    return CLT_OK;
}

const char *clt__name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A path that cannot even be written down is not there. */
static bool look_at(const char *folder, const char *name, struct stat *about)
{
    char *path;
    if (clt__join(folder, name, &path, NULL) != CLT_OK) return false;
    const bool there = stat(path, about) == 0 || errno != ENOENT;
    free(path);
    return there;
}

const char *clt__content_of(const char *path)
{
    unsigned char start[512];
    uint64_t whole;
    size_t got;
    if (clt__file_measure(path, &whole, NULL) != CLT_OK) return NULL;
    if (clt__file_read_start(path, start, sizeof start, &got, NULL) != CLT_OK) return NULL;
    return got ? clt__content_name(start, got) : "an empty file";
}

bool clt__is_there(const char *folder, const char *name)
{
    struct stat about = {0};
    return look_at(folder, name, &about);
}

bool clt__is_folder(const char *folder, const char *name)
{
    struct stat about = {0};
    return look_at(folder, name, &about) && S_ISDIR(about.st_mode);
}
