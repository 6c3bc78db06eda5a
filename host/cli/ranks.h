/* Ranks of one training or evaluation: processes that a launcher has started, or this one's threads with a device each.
 */
#ifndef CLTRAIN_CLI_RANKS_H
#define CLTRAIN_CLI_RANKS_H

#include "cli/command_line.h"

/* Joins the processes that a launcher has started with this one, if it has: the options then have a collective. Only
 * the first of them prints anything but errors. */
clt_status join_processes(clt_options *options, clt_error *error);
/* Whether another process tells why this one fails. */
bool others_tell(const clt_error *error);
/* The process ends with this error, or well: says so to the others, and ends those that cannot know. */
void leave_processes(const clt_error *error, int exit_code);

/* What a rank does on its device. `options` are the caller's, but for the collective; of ranks other than 0 they tell
 * nobody anything. */
typedef clt_status (*rank_body)(void *user, int rank, const clt_options *options, clt_device *device, clt_error *error);

/* Runs it on the device that the options name, or on each of several, which are ranks then. Rank 0 is this thread. */
clt_status run_on_devices(const clt_options *options, rank_body body, void *user, clt_error *error);

#endif
