/* Where a user's programs keep what they can make again. */
#ifndef CLT_BASE_CACHE_HOME_H
#define CLT_BASE_CACHE_HOME_H

#include <stdbool.h>

/* $XDG_CACHE_HOME, else $HOME/.cache, freed with free(); NULL where neither is an absolute path (XDG Base Directory
 * Specification). */
char *clt__cache_home(void);

/* Whether files can be made in the folder, which is made if it is not there. */
bool clt__can_write_to(const char *folder);

#endif
