#include "base/cache_home.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

char *clt__cache_home(void)
{
    clt__text path = {0};
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    clt_status status = CLT_BAD_FILE;
    if (cache && *cache == '/')
        status = clt__text_print(&path, NULL, "%s", cache);
    else if (home && *home == '/')
        status = clt__text_print(&path, NULL, "%s/.cache", home);
    if (status == CLT_OK) return path.start;
    free(path.start);
    return NULL;
}

bool clt__can_write_to(const char *folder)
{
    return clt__make_folders(folder, NULL) == CLT_OK && access(folder, W_OK | X_OK) == 0;
}
