/* What launchers of parallel programs tell the processes that they start. */
#ifndef CLT_TEAM_LAUNCHER_H
#define CLT_TEAM_LAUNCHER_H

#include "base/error.h"

/* How many processes were started together: 0 where no launcher did, 1 where it does not say. */
int clt__launched(void);

/* This process's number among those on its host, 0 where nothing tells. */
int clt__local_rank(void);

enum { CLT__TEAM_TIMEOUT = 600 }; /* seconds that a rank is waited for, where nothing is said */

#endif
