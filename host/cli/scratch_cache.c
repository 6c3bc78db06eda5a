#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "cli/scratch_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache_home.h"
#include "cli/output.h"

enum { PATH_ROOM = 4096 };

/* Nobody else may have put programs there. */
static bool is_mine(const char *folder)
{
    struct stat about;
    return lstat(folder, &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid() &&
           (about.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* The same one from run to run, if it can be had. */
static bool make_in(const char *parent, char path[PATH_ROOM])
{
    if (!parent || *parent != '/') return false;
    int length = snprintf(path, PATH_ROOM, "%s/cltrain-cache-%lu", parent, (unsigned long)geteuid());
    if (length < 0 || length >= PATH_ROOM) return false;
    (void)mkdir(path, S_IRWXU);
    if (is_mine(path)) return true;
    length = snprintf(path, PATH_ROOM, "%s/cltrain-cache-XXXXXX", parent);
    return length > 0 && length < PATH_ROOM && mkdtemp(path);
}

void use_scratch_cache(void)
{
    char path[PATH_ROOM];
    char *home = clt__cache_home();
    const bool writable = home && clt__can_write_to(home);
    if (!writable && (make_in(getenv("TMPDIR"), path) || make_in("/tmp", path))) {
        (void)setenv("XDG_CACHE_HOME", path, 1);
        print_note("%s cannot be written; drivers keep compiled kernels in %s, and so does cltrain unless "
                   "CLTRAIN_CACHE_DIR says "
                   "otherwise",
                   home ? home : "the home folder", path);
    } else if (!writable) {
        print_note("%s cannot be written, nor a temporary folder: compiled kernels are not kept",
                   home ? home : "the home folder");
    }
    free(home);
}
