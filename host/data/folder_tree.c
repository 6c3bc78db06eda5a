#include "data/folder_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/picture_paths.h"

/* ---- what is what */

bool clt__is_system_name(const char *name)
{
    static const char *const names[] = {"__MACOSX",
                                        "Thumbs.db",
                                        "ehthumbs.db",
                                        "desktop.ini",
                                        "Icon\r",
                                        "@eaDir",
                                        "#recycle",
                                        "$RECYCLE.BIN",
                                        "lost+found",
                                        "__pycache__",
                                        "System Volume Information"};
    if (*name == '.') return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0) return true;
    return false;
}

static const char *ending_of(const char *name)
{
    const char *point = strrchr(name, '.');
    return point && point > name ? point : "";
}

/* By its name or, where that does not tell, by its first bytes. */
static clt_status find_picture(const char *name, const char *path, bool *picture, clt_error *error)
{
    unsigned char start[32];
    size_t size;
    clt_error unreadable;
    *picture = clt__has_picture_ending(name, strlen(name));
    if (*picture) return CLT_OK;
    const clt_status status = clt__file_read_start(path, start, sizeof start, &size, &unreadable);
    if (status == CLT_OK) *picture = clt__picture_looks(start, size);
    return status == CLT_OK || status == CLT_BAD_FILE ? CLT_OK : clt__pass_on(&unreadable, error);
}

/* ---- counting what is passed over */

static clt_status count_file(clt__leftovers *left, const char *name, clt_error *error)
{
    char ending[sizeof left->files->ending] = "";
    const char *from = ending_of(name);
    for (size_t i = 0; from[i] && i + 1 < sizeof ending; i++) ending[i] = (char)tolower((unsigned char)from[i]);
    for (size_t i = 0; i < left->kinds; i++)
        if (strcmp(left->files[i].ending, ending) == 0) {
            left->files[i].count++;
            return CLT_OK;
        }
    TRY(clt__grow(&left->files, &left->capacity, left->kinds, sizeof *left->files, error));
    clt__ending_count *fresh = &left->files[left->kinds++];
    memcpy(fresh->ending, ending, sizeof ending);
    fresh->count = 1;
    return CLT_OK;
}

void clt__leftovers_free(clt__leftovers *left)
{
    free(left->files);
    *left = (clt__leftovers){0};
}

static int more_first(const void *left, const void *right)
{
    const clt__ending_count *a = left, *b = right;
    return a->count != b->count ? (a->count < b->count) - (a->count > b->count) : strcmp(a->ending, b->ending);
}

/* "80 files are no images: 20 .bmp, 60 without an ending" */
static clt_status print_files(const clt__leftovers *left, clt__text *text, clt_error *error)
{
    enum { MOST_KINDS = 12 };
    size_t files = 0, named = 0;
    for (size_t i = 0; i < left->kinds; i++) files += left->files[i].count;
    if (!files) return CLT_OK;
    qsort(left->files, left->kinds, sizeof *left->files, more_first);
    TRY(clt__text_print(text, error, "%zu file%s no image%s:", files, files == 1 ? " is" : "s are",
                        files == 1 ? "" : "s"));
    for (size_t i = 0; i < left->kinds && i < MOST_KINDS; i++) {
        const char *ending = left->files[i].ending;
        TRY(clt__text_print(text, error, "%s %zu %s", i ? "," : "", left->files[i].count,
                            *ending ? ending : "without an ending"));
        named += left->files[i].count;
    }
    return named == files ? CLT_OK : clt__text_print(text, error, ", %zu others", files - named);
}

static clt_status print_count(size_t count, const char *one, const char *several, clt__text *text, clt_error *error)
{
    if (!count) return CLT_OK;
    return clt__text_print(text, error, "%s%zu %s", text->length ? "; " : "", count, count == 1 ? one : several);
}

static clt_status print_leftovers(const clt__leftovers *left, clt__text *text, clt_error *error)
{
    TRY(print_files(left, text, error));
    TRY(print_count(left->classless, "image lies beside the folders of classes, and has no class",
                    "images lie beside the folders of classes, and have no class", text, error));
    TRY(print_count(left->system, "hidden or system file or folder", "hidden or system files and folders", text,
                    error));
    TRY(print_count(left->loops, "link to a folder that it lies in", "links to folders that they lie in", text, error));
    return print_count(left->odd, "pipe, socket or device", "pipes, sockets or devices", text, error);
}

clt_status clt__leftovers_tell(const clt__leftovers *left, const char *folder, const clt_options *options,
                               clt_error *error)
{
    clt__text text = {0};
    const clt_status status = print_leftovers(left, &text, error);
    if (status == CLT_OK && text.length) clt__options_note(options, "%s: not read: %s", folder, text.start);
    free(text.start);
    return status;
}

/* ---- walking */

/* A folder that is being walked through, and those it lies in. */
typedef struct level {
    const struct level *above;
    dev_t device;
    ino_t number;
} level;

static bool is_above(const level *at, const struct stat *about)
{
    for (; at; at = at->above)
        if (at->device == about->st_dev && at->number == about->st_ino) return true;
    return false;
}

typedef enum entry_kind { FILE_ENTRY, FOLDER_ENTRY, LOOP_ENTRY, ODD_ENTRY } entry_kind;

/* A link that leads nowhere is a file: if its name is an image's, that image is bad. */
static clt_status look_at(const char *path, const level *at, entry_kind *kind, clt_error *error)
{
    struct stat about;
    const bool there = stat(path, &about) == 0;
    const int code = there ? 0 : errno;
    if (!there && code != ENOENT && code != ELOOP)
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be looked at: %s", path, strerror(code));
    *kind = code == ELOOP ? LOOP_ENTRY : FILE_ENTRY;
    if (there && S_ISDIR(about.st_mode)) *kind = is_above(at, &about) ? LOOP_ENTRY : FOLDER_ENTRY;
    if (there && !S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode)) *kind = ODD_ENTRY;
    return CLT_OK;
}

static void count_entry(clt__leftovers *left, entry_kind kind)
{
    left->loops += kind == LOOP_ENTRY;
    left->odd += kind == ODD_ENTRY;
}

enum { MOST_ABOVE = 64 };

/* The folder and those that it lies in: levels[0] is the lowest. How many there are. */
static int find_levels(const char *folder, level levels[MOST_ABOVE])
{
    clt__text path = {0};
    struct stat about;
    int count = 0;
    clt_status status = clt__text_print(&path, NULL, "%s", folder);
    while (status == CLT_OK && count < MOST_ABOVE && stat(path.start, &about) == 0) {
        if (count && is_above(&levels[count - 1], &about)) break; /* the root lies in itself */
        levels[count] = (level){NULL, about.st_dev, about.st_ino};
        if (count++) levels[count - 2].above = &levels[count - 1];
        status = clt__text_print(&path, NULL, "/..");
    }
    free(path.start);
    return count;
}

typedef struct walk {
    clt__picture_list *list; /* NULL: the first image ends the walk */
    int32_t label;
    clt__leftovers *left;
    bool found;
} walk;

static clt_status list_folder(const char *path, clt__names *names, clt_error *error)
{
    DIR *folder = opendir(path);
    if (!folder) return clt__fail_opening(path, error);
    clt_status status = CLT_OK;
    errno = 0;
    for (const struct dirent *entry; status == CLT_OK && (entry = readdir(folder)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = clt__names_add(names, entry->d_name, strlen(entry->d_name), error);
    if (status == CLT_OK && errno) status = FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", path, strerror(errno));
    (void)closedir(folder);
    clt__names_sort(names);
    return status;
}

static clt_status take_file(walk *w, const char *folder, const char *name, const char *path, clt_error *error)
{
    bool picture;
    TRY(find_picture(name, path, &picture, error));
    if (!picture) return count_file(w->left, name, error);
    w->found = true;
    return w->list ? clt__picture_list_add(w->list, folder, name, w->label, error) : CLT_OK;
}

static clt_status walk_through(walk *w, const char *folder, const level *above, clt_error *error);

static clt_status take_entry(walk *w, const char *folder, const char *name, const level *at, clt_error *error)
{
    char *path;
    entry_kind kind;
    if (clt__is_system_name(name)) {
        w->left->system++;
        return CLT_OK;
    }
    TRY(clt__join(folder, name, &path, error));
    clt_status status = look_at(path, at, &kind, error);
    if (status == CLT_OK && kind == FILE_ENTRY) status = take_file(w, folder, name, path, error);
    if (status == CLT_OK && kind == FOLDER_ENTRY) status = walk_through(w, path, at, error);
    if (status == CLT_OK) count_entry(w->left, kind);
    free(path);
    return status;
}

static clt_status walk_through(walk *w, const char *folder, const level *above, clt_error *error)
{
    struct stat about;
    clt__names names = {0};
    if (stat(folder, &about)) return clt__fail_opening(folder, error);
    const level here = {above, about.st_dev, about.st_ino};
    clt_status status = list_folder(folder, &names, error);
    for (size_t i = 0; i < names.count && status == CLT_OK && (w->list || !w->found); i++)
        status = take_entry(w, folder, names.name[i], &here, error);
    clt__names_free(&names);
    return status;
}

clt_status clt__add_pictures_below(const char *split, const char *folder, int32_t label, clt__picture_list *list,
                                   clt__leftovers *left, clt_error *error)
{
    walk w = {.list = list, .label = label, .left = left};
    level levels[MOST_ABOVE];
    return walk_through(&w, folder, find_levels(split, levels) ? levels : NULL, error);
}

bool clt__has_pictures_below(const char *folder)
{
    clt__leftovers left = {0};
    walk w = {.left = &left};
    (void)walk_through(&w, folder, NULL, NULL);
    clt__leftovers_free(&left);
    return w.found;
}

/* ---- classes */

/* A file beside the folders of classes. */
static clt_status count_classless(clt__leftovers *left, const char *name, const char *path, clt_error *error)
{
    bool picture;
    TRY(find_picture(name, path, &picture, error));
    if (!picture) return count_file(left, name, error);
    left->classless++;
    return CLT_OK;
}

static clt_status sort_out(const char *folder, const char *name, const level *at, clt__names *classes,
                           clt__leftovers *left, clt_error *error)
{
    char *path;
    entry_kind kind;
    TRY(clt__join(folder, name, &path, error));
    clt_status status = look_at(path, at, &kind, error);
    if (status == CLT_OK && kind == FOLDER_ENTRY) status = clt__names_add(classes, name, strlen(name), error);
    if (status == CLT_OK && kind == FILE_ENTRY) status = count_classless(left, name, path, error);
    if (status == CLT_OK) count_entry(left, kind);
    free(path);
    return status;
}

clt_status clt__class_folders(const char *folder, clt__names *classes, clt__leftovers *left, clt_error *error)
{
    clt__names all = {0};
    level levels[MOST_ABOVE];
    const level *at = find_levels(folder, levels) ? levels : NULL;
    clt_status status = list_folder(folder, &all, error);
    for (size_t i = 0; i < all.count && status == CLT_OK; i++)
        if (clt__is_system_name(all.name[i]))
            left->system++;
        else
            status = sort_out(folder, all.name[i], at, classes, left, error);
    clt__names_free(&all);
    return status;
}
