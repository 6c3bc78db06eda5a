/* The memory plan: tensors that are never needed at the same time share memory.
 *
 *   op            0    1    2    3    4
 *   conv1         [---------]                      conv1 and conv1.gradient may lie in the same place: when the one is
 *   pool1              [---------]                 written, the other has been read for the last time
 *   conv1.gradient               [----]
 */
#ifndef CLT_NET_MEMORY_PLAN_H
#define CLT_NET_MEMORY_PLAN_H

#include "engine/tape.h"

/* Moves every tensor of the tape that holds something only between two of its ops into roots of at most `most` elements
 * (one more where a single tensor is larger). `lasting` lists the `count` tensors that must stay as they are until the
 * tape's end; parameters, data and whatever an op finds before any op has written it last anyway. `merges`: ops that
 * may be merged need what they read and write at the same time. */
clt_status clt__share_memory(clt__tape *tape, const int *lasting, size_t count, bool merges, uint64_t most,
                             clt_error *error);

#endif
