/* What ranks that train together do with a clt_collective, whatever it is made of. */
#ifndef CLT_TEAM_TEAM_H
#define CLT_TEAM_TEAM_H

#include "base/error.h"

/* Of one rank. */
extern const clt_collective clt__alone;

/* `bytes` of every rank's `own`, in the order of the ranks, in `all` of every rank. */
clt_status clt__team_gather(const clt_collective *team, const void *own, size_t bytes, void *all, clt_error *error);

/* The same of as many bytes of each rank as `bytes` tells, [size]. */
clt_status clt__team_gather_parts(const clt_collective *team, const void *own, const size_t *bytes, void *all,
                                  clt_error *error);

/* Fails on all ranks where one has found that, from what all said: the first with its own sentence, others as
 * CLT_STOPPED. */
clt_status clt__team_first_tells(const clt_collective *team, clt_status found, clt_error *error);

/* Fails so where `own`, of as many bytes on every rank, is not the same on all; `what` names it. */
clt_status clt__team_compare(const clt_collective *team, const void *own, size_t bytes, const char *what,
                             clt_error *error);

/* Whether *well holds on every rank: then it holds on all, else on none. `team` may be NULL. */
clt_status clt__team_all(const clt_collective *team, bool *well, clt_error *error);

/* Where a rank stands, for sentences: "rank 1 (host b)". */
const char *clt__team_name(const clt_collective *team, int rank);

/* Parts of `count` things that rank `rank` has, as even as may be: from its begin to the next rank's. */
size_t clt__team_begin_of(const clt_collective *team, size_t count, int rank);

#endif
