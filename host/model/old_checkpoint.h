/* Checkpoints of format 1, which cltrain 0.1 wrote. */
#ifndef CLT_MODEL_OLD_CHECKPOINT_H
#define CLT_MODEL_OLD_CHECKPOINT_H

#include <jansson.h>
#include <stdbool.h>

/* Makes the options in the metadata of format 1 those of today: enumerations become names, lists the texts that the
 * command line takes. False where they are not what that format has, or there is no memory. */
bool clt__modernize(json_t *metadata);

#endif
