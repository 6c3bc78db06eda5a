/* How the images of a step are mixed in pairs. */
#ifndef CLT_SESSION_MIXING_H
#define CLT_SESSION_MIXING_H

#include "kernels/params.h"
#include "options/options.h"

/* Sets what `step`, whose other fields are set, says of mixing: the same for all micro-batches of a batch. */
void clt__draw_mix(const clt__augment *augment, clt_shape image, uint64_t seed, int32_t step[STEP_LENGTH]);

#endif
