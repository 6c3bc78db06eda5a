#include "data/picture_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static const char *const endings[] = {".png", ".jpg",  ".jpeg", ".jpe", ".jfif", ".webp",
                                      ".tif", ".tiff", ".gif",  ".bmp", ".dib"};

enum { ENDINGS = sizeof endings / sizeof *endings, LONGEST_ENDING = 8 };

bool clt__has_picture_ending(const char *name, size_t length)
{
    for (size_t i = 0; i < ENDINGS; i++) {
        const size_t own = strlen(endings[i]);
        if (length > own && strncasecmp(name + length - own, endings[i], own) == 0) return true;
    }
    return false;
}

/* ---- where to look */

clt_status clt__folder_of(const char *list, char **folder, clt_error *error)
{
    TRY(clt__copy_text(list, folder, error));
    char *slash = strrchr(*folder, '/');
    if (!slash)
        (void)strcpy(*folder, "."); /* a path has at least one character */
    else
        slash[slash == *folder] = '\0'; /* the root's slash stays */
    return CLT_OK;
}

/* train for train.csv */
static bool is_called_as(const char *folder, const char *list)
{
    const char *slash = strrchr(list, '/'), *name = slash ? slash + 1 : list;
    const size_t length = strlen(folder);
    return strncmp(name, folder, length) == 0 && name[length] == '.';
}

static clt_status find_beside(const char *list, const char *folder, clt__names *beside, clt_error *error)
{
    clt__names all = {0};
    clt_status status = clt__names_in_folder(folder, &all, error);
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < all.count && status == CLT_OK; i++)
            if (is_called_as(all.name[i], list) != others && clt__is_folder(folder, all.name[i]))
                status = clt__names_add(beside, all.name[i], strlen(all.name[i]), error);
    clt__names_free(&all);
    return status;
}

clt_status clt__picture_paths_open(const char *list, clt__picture_paths *paths, clt_error *error)
{
    *paths = (clt__picture_paths){.list = list};
    return clt__folder_of(list, &paths->folder, error);
}

/* Only where a path needs it: the folder may hold very many files. */
static clt_status look_beside(clt__picture_paths *paths, clt_error *error)
{
    if (paths->looked) return CLT_OK;
    paths->looked = true;
    return find_beside(paths->list, paths->folder, &paths->beside, error);
}

void clt__picture_paths_close(clt__picture_paths *paths)
{
    clt__names_free(&paths->beside);
    free(paths->folder);
    free(paths->found_in);
    *paths = (clt__picture_paths){0};
}

/* ---- one path */

/* Files that a path may stand for. */
typedef struct search {
    const clt__picture_paths *paths;
    char *found, *second; /* paths from the list's folder; the second only where there are two */
    bool by_ending;       /* it was found so */
} search;

static bool is_file(const clt__picture_paths *paths, const char *path)
{
    const char *folder = *path == '/' ? "" : paths->folder;
    return clt__is_there(folder, path) && !clt__is_folder(folder, path);
}

/* Looks for a path, which is freed or kept. */
static bool try_path(search *s, char *path)
{
    char **room = s->found ? &s->second : &s->found;
    if (s->second || !is_file(s->paths, path)) {
        free(path);
        return false;
    }
    *room = path;
    return true;
}

static clt_status try_ending(search *s, const char *path, const char *ending, bool upper, clt_error *error)
{
    const size_t length = strlen(path), room = length + LONGEST_ENDING;
    char *whole;
    TRY(clt__allocate(room, 1, "a file name", &whole, error));
    (void)snprintf(whole, room, "%s%s", path, ending);
    for (char *c = whole + length; upper && *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    s->by_ending = try_path(s, whole) || s->by_ending;
    return CLT_OK;
}

/* The path as it is, and where it has no image's ending with each of those. */
static clt_status try_with_endings(search *s, const char *path, clt_error *error)
{
    char *copy;
    TRY(clt__copy_text(path, &copy, error));
    if (try_path(s, copy) || clt__has_picture_ending(path, strlen(path))) return CLT_OK;
    for (size_t i = 0; i < ENDINGS; i++)
        for (int upper = 0; upper < 2; upper++) TRY(try_ending(s, path, endings[i], upper, error));
    return CLT_OK;
}

/* In the folder that is called as the list is; only where it is not there in all others. */
static clt_status try_beside(search *s, const char *path, size_t *in, clt_error *error)
{
    const clt__names *beside = &s->paths->beside;
    for (size_t i = 0; i < beside->count && !(s->found && is_called_as(beside->name[0], s->paths->list)); i++) {
        char *joined;
        const bool first = !s->found;
        TRY(clt__join(beside->name[i], path, &joined, error));
        const clt_status status = try_with_endings(s, joined, error);
        free(joined);
        TRY(status);
        if (first && s->found) *in = i;
    }
    return CLT_OK;
}

static char *with_slashes(char *path)
{
    for (char *c = path; *c; c++)
        if (*c == '\\') *c = '/';
    return path;
}

static clt_status count_find(clt__picture_paths *paths, const search *s, size_t in, bool by_slashes, clt_error *error)
{
    paths->by_slashes += by_slashes;
    paths->by_ending += s->by_ending;
    if (in == SIZE_MAX) return CLT_OK; /* not in a folder beside */
    paths->by_folder++;
    return paths->found_in ? CLT_OK : clt__copy_text(paths->beside.name[in], &paths->found_in, error);
}

static clt_status look_everywhere(clt__picture_paths *paths, search *s, char *text, size_t line, clt_error *error)
{
    size_t in = SIZE_MAX;
    const bool by_slashes = strchr(text, '\\');
    (void)with_slashes(text);
    TRY(try_with_endings(s, text, error));
    if (!s->found && *text != '/') {
        TRY(look_beside(paths, error));
        TRY(try_beside(s, text, &in, error));
    }
    if (s->second)
        return FAIL(error, CLT_BAD_FILE, "%s: line %zu: \"%s\" may be %s or %s, where one file is needed", paths->list,
                    line, text, s->found, s->second);
    return s->found ? count_find(paths, s, in, by_slashes, error) : CLT_OK;
}

clt_status clt__picture_path_find(clt__picture_paths *paths, const char *text, size_t line, char **path,
                                  clt_error *error)
{
    search s = {.paths = paths};
    char *changed = NULL;
    paths->total++;
    TRY(clt__copy_text(text, path, error));
    if (is_file(paths, text)) return CLT_OK;
    clt_status status = clt__copy_text(text, &changed, error);
    if (status == CLT_OK) status = look_everywhere(paths, &s, changed, line, error);
    free(changed);
    free(s.second);
    if (status != CLT_OK || s.found) {
        free(*path);
        *path = s.found;
    }
    if (status != CLT_OK) {
        free(s.found);
        *path = NULL;
    }
    return status;
}

void clt__picture_paths_tell(const clt__picture_paths *paths, const clt_options *options)
{
    char slashes[64] = "", folder[300] = "", ending[64] = "";
    if (paths->by_slashes) (void)snprintf(slashes, sizeof slashes, "; %zu are read with / for \\", paths->by_slashes);
    if (paths->by_folder)
        (void)snprintf(folder, sizeof folder, "; %zu are found in a folder beside the list, the first in %.200s/",
                       paths->by_folder, paths->found_in);
    if (paths->by_ending)
        (void)snprintf(ending, sizeof ending, "; %zu lack their ending, which is completed", paths->by_ending);
    if (*slashes || *folder || *ending)
        clt__options_note(options, "%s: of its %zu paths not all are there as they stand%s%s%s", paths->list,
                          paths->total, slashes, folder, ending);
}
