/* Where shards wait for each other on their way through the tape: what each has found becomes a row of a tensor that
 * all read, in the order of the shards, whichever rank has them. */
#ifndef CLT_SESSION_SYNCS_H
#define CLT_SESSION_SYNCS_H

#include "engine/engine.h"
#include "options/options.h"

typedef struct clt__syncs clt__syncs;

/* Of resolved options. NULL where shards of the tape do not wait. */
clt_status clt__syncs_open(const clt__tape *tape, clt__engine *engine, const clt_options *options, clt__syncs **syncs,
                           clt_error *error);
void clt__syncs_close(clt__syncs *syncs); /* takes NULL */

/* Begins to read what this rank's shard number `own`, counted from its first, has found: the engine uses its bank. */
clt_status clt__syncs_read(clt__syncs *syncs, const clt__sync *sync, int own, clt_error *error);

/* All ranks' rows come to the device. Rows of shards that have found nothing this time are what they were before.
 * Waits.
 */
clt_status clt__syncs_end(clt__syncs *syncs, const clt__sync *sync, clt_error *error);

#endif
