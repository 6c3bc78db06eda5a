/* Timing one op. (bench.c) */
#ifndef CLT_TOOLS_TIMING_H
#define CLT_TOOLS_TIMING_H

#include "engine/engine.h"

/* Seconds of one run of op `index`, the mean of `times` runs, by the device's clock: what it costs to launch kernels is
 * not in them. Waits for the device. */
clt_status clt__time_op(clt__engine *engine, size_t index, int times, double *seconds, clt_error *error);

/* The same, the median of a few rounds of some runs each, about 20 ms in all. */
clt_status clt__measure_op(clt__engine *engine, size_t index, double *seconds, clt_error *error);

/* Sorts them. */
double clt__median(double *values, size_t count);

#endif
