#define _XOPEN_SOURCE 700 /* realpath */
#define _DEFAULT_SOURCE   /* flock */

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* ---- reading ------------------------------------------------------------------------------------------------ */

clt_status clt__fail_opening(const char *path, clt_error *error)
{
    const bool lacks = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    return FAIL(error, lacks ? CLT_NO_MEMORY : CLT_BAD_FILE, "%s: cannot be opened: %s", path, strerror(errno));
}

clt_status clt__file_open(const char *path, FILE **stream, clt_error *error)
{
    *stream = fopen(path, "rb");
    return *stream ? CLT_OK : clt__fail_opening(path, error);
}

clt_status clt__file_read_start(const char *path, void *start, size_t room, size_t *size, clt_error *error)
{
    FILE *stream;
    *size = 0;
    TRY(clt__file_open(path, &stream, error));
    *size = fread(start, 1, room, stream);
    const bool failed = ferror(stream);
    const int code = errno;
    (void)fclose(stream);
    return failed ? FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", path, strerror(code)) : CLT_OK;
}

/* The file's size is only the first guess at the room needed: pipes and /proc tell none, and a file may still grow. */
static clt_status read_stream(FILE *stream, const char *path, uint64_t expected, char **bytes, size_t *size,
                              clt_error *error)
{
    /* One byte more than expected: it lets the first read see the end, and it holds the closing 0. */
    size_t capacity = (size_t)expected + 1;
    TRY(clt__allocate(expected + 1, 1, path, bytes, error));
    *size = 0;
    for (;;) {
        *size += fread(*bytes + *size, 1, capacity - *size, stream);
        if (ferror(stream)) return FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", path, strerror(errno));
        if (*size < capacity) return CLT_OK;
        TRY(clt__grow(bytes, &capacity, *size, 1, error));
    }
}

static clt_status read_open_file(FILE *stream, const char *path, char **bytes, size_t *size, clt_error *error)
{
    struct stat about;
    if (fstat(fileno(stream), &about))
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", path, strerror(errno));
    return read_stream(stream, path, (uint64_t)about.st_size, bytes, size, error);
}

clt_status clt__file_read(const char *path, char **bytes, size_t *size, clt_error *error)
{
    *bytes = NULL;
    *size = 0;
    FILE *stream;
    TRY(clt__file_open(path, &stream, error));
    const clt_status status = read_open_file(stream, path, bytes, size, error);
    (void)fclose(stream);
    if (status != CLT_OK) {
        free(*bytes);
        *bytes = NULL;
        *size = 0;
    }
    return status;
}

clt_status clt__file_measure(const char *path, uint64_t *size, clt_error *error)
{
    struct stat about;
    if (stat(path, &about)) return clt__fail_opening(path, error);
    if (!S_ISREG(about.st_mode)) return FAIL(error, CLT_BAD_FILE, "%s: is not a file", path);
    *size = (uint64_t)about.st_size;
    return CLT_OK;
}

char *clt__absolute_path(const char *path)
{
    return realpath(path, NULL);
}

/* ---- replacing ---------------------------------------------------------------------------------------------- */

/* The file that `path` leads to: renaming over a link would replace the link and leave the file behind it old. */
static clt_status follow_link(const char *path, char **target, clt_error *error)
{
    struct stat about;
    if (lstat(path, &about) || !S_ISLNK(about.st_mode)) return clt__copy_text(path, target, error);
    *target = realpath(path, NULL);
    if (!*target) return FAIL(error, CLT_BAD_FILE, "%s: cannot be followed as a link: %s", path, strerror(errno));
    return CLT_OK;
}

/* Creates PATH.tmp-PID-N with the first N that is free: a crashed run, or another thread, may have left or use some. */
static clt_status create_temporary(clt__replacement *replacement, int *descriptor, clt_error *error)
{
    enum { ATTEMPTS = 100 };
    const size_t room = strlen(replacement->path) + 48;
    TRY(clt__allocate(room, 1, "a file name", &replacement->temporary, error));
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        (void)snprintf(replacement->temporary, room, "%s.tmp-%ld-%d", replacement->path, (long)getpid(), attempt);
        *descriptor = open(replacement->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*descriptor >= 0) return CLT_OK;
        if (errno != EEXIST) break;
    }
    const int code = errno;
    /* Not ours: clt__replace_abandon must not remove it. */
    free(replacement->temporary);
    replacement->temporary = NULL;
    return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: no temporary file can be made beside it: %s",
                replacement->path, strerror(code));
}

/* Devices and pipes must not be renamed over, and the new file keeps the old one's permissions. */
static clt_status begin_beside(clt__replacement *replacement, clt_error *error)
{
    const char *path = replacement->path;
    struct stat old;
    const bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode))
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: a %s stands there, where only a file can be replaced",
                    path, S_ISDIR(old.st_mode) ? "folder" : "device or pipe");
    int descriptor;
    TRY(create_temporary(replacement, &descriptor, error));
    if (exists && fchmod(descriptor, old.st_mode & 0777)) {
        const int code = errno;
        (void)close(descriptor);
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: its permissions cannot be kept: %s", path,
                    strerror(code));
    }
    replacement->stream = fdopen(descriptor, "wb");
    if (!replacement->stream) {
        (void)close(descriptor);
        return FAIL(error, CLT_NO_MEMORY, "%s: cannot be written: no host memory for a stream", path);
    }
    return CLT_OK;
}

clt_status clt__replace_begin(const char *path, clt__replacement *replacement, clt_error *error)
{
    *replacement = (clt__replacement){0};
    clt_status status = follow_link(path, &replacement->path, error);
    if (status == CLT_OK) status = begin_beside(replacement, error);
    if (status != CLT_OK) clt__replace_abandon(replacement);
    return status;
}

/* Everything written must be on the disk before the rename, or a power cut could leave an empty file under the name. */
static clt_status sync_stream(const clt__replacement *replacement, clt_error *error)
{
    FILE *stream = replacement->stream;
    if (ferror(stream))
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: a write to its temporary file failed",
                    replacement->path);
    if (fflush(stream) || fsync(fileno(stream)))
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: %s", replacement->path, strerror(errno));
    return CLT_OK;
}

static clt_status open_folder_of(const char *path, int *descriptor, clt_error *error)
{
    char *folder;
    TRY(clt__copy_text(path, &folder, error));
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    *descriptor = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC);
    const int code = errno;
    free(folder);
    if (*descriptor < 0)
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: its folder cannot be opened: %s", path,
                    strerror(code));
    return CLT_OK;
}

static clt_status rename_and_sync(clt__replacement *replacement, int folder, clt_error *error)
{
    if (rename(replacement->temporary, replacement->path))
        return FAIL(error, CLT_BAD_FILE, "%s: cannot be replaced: %s", replacement->path, strerror(errno));
    free(replacement->temporary);
    replacement->temporary = NULL;
    /* EINVAL: a file system that cannot sync folders, where there is nothing more to do. */
    if (fsync(folder) && errno != EINVAL)
        return FAIL(error, CLT_BAD_FILE, "%s: is replaced, but its folder cannot be synced: %s", replacement->path,
                    strerror(errno));
    return CLT_OK;
}

clt_status clt__replace_commit(clt__replacement *replacement, clt_error *error)
{
    clt_status status = sync_stream(replacement, error);
    const bool closed = fclose(replacement->stream) == 0;
    replacement->stream = NULL;
    if (status == CLT_OK && !closed)
        status = FAIL(error, CLT_BAD_FILE, "%s: cannot be written: %s", replacement->path, strerror(errno));
    int folder = -1;
    if (status == CLT_OK) status = open_folder_of(replacement->path, &folder, error);
    if (status == CLT_OK) status = rename_and_sync(replacement, folder, error);
    if (folder >= 0) (void)close(folder);
    clt__replace_abandon(replacement);
    return status;
}

void clt__replace_abandon(clt__replacement *replacement)
{
    if (replacement->stream) (void)fclose(replacement->stream);
    if (replacement->temporary) (void)unlink(replacement->temporary);
    free(replacement->temporary);
    free(replacement->path);
    *replacement = (clt__replacement){0};
}

clt_status clt__file_write(const char *path, const void *bytes, size_t size, clt_error *error)
{
    clt__replacement replacement;
    TRY(clt__replace_begin(path, &replacement, error));
    (void)fwrite(bytes, 1, size, replacement.stream); /* the commit sees what failed */
    return clt__replace_commit(&replacement, error);
}

/* Whether `name` is FILE.tmp-PID-N. */
static bool is_temporary_of(const char *name, const char *file)
{
    const size_t length = strlen(file);
    long pid;
    int attempt, end = 0;
    return strncmp(name, file, length) == 0 && sscanf(name + length, ".tmp-%ld-%d%n", &pid, &attempt, &end) == 2 &&
           !name[length + (size_t)end];
}

void clt__replace_clean(const char *path)
{
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    char name[4096 + 256];
    if (strlen(path) >= 4096) return;
    (void)snprintf(name, sizeof name, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
    DIR *folder = opendir(name);
    const size_t start = strlen(name);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!is_temporary_of(entry->d_name, file)) continue;
        (void)snprintf(name + start, sizeof name - start, "%s", entry->d_name);
        (void)unlink(name);
    }
    if (folder) (void)closedir(folder);
}

static clt_status make_folder(const char *path, clt_error *error)
{
    struct stat about;
    if (mkdir(path, 0777) == 0) return CLT_OK;
    const int code = errno;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: cannot make this folder: %s", path, strerror(code));
}

clt_status clt__make_folders(const char *path, clt_error *error)
{
    char *part;
    clt_status status = CLT_OK;
    TRY(clt__copy_text(path, &part, error));
    for (char *slash = part; status == CLT_OK && *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        status = make_folder(part, error);
        *slash = '/';
    }
    free(part);
    return status == CLT_OK ? make_folder(path, error) : status;
}

clt_status clt__folder_lock(const char *path, int *lock, clt_error *error)
{
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return clt__fail_opening(path, error);
    if (flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        (void)close(folder);
        return FAIL(error, CLT_BAD_FILE, "%s: another training writes to this folder", path);
    }
    *lock = folder; /* a file system without locks keeps nobody out */
    return CLT_OK;
}

void clt__folder_unlock(int lock)
{
    if (lock >= 0) (void)close(lock);
}
