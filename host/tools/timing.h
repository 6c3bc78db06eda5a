/* Timing one op. */
#ifndef CLT_TOOLS_TIMING_H
#define CLT_TOOLS_TIMING_H

#include "engine/engine.h"

/* Seconds of one run of op `index`, the mean of `times` runs, by the device's clock: what it costs to launch kernels is
 * not in them. Waits for the device. (bench.c) */
clt_status clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error);

#endif
