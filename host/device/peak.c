/* Measures what a device can do at most: arithmetic in registers, and copying from memory to memory. */
#include <stdio.h>

#include "base/clock.h"
#include "device/peak.h"

enum { ROUNDS = 5, STEPS = 20000, CHAINS = 16, COPY_VECTORS = 256 };

/* The best of a few runs, after one that does not count. */
static clt_status time_best(clt_device *device, clt__kernel *kernel, size_t items, double *best, clt_error *error)
{
    const size_t global[3] = {items, 1, 1}, local[3] = {0, 0, 0};
    *best = 1e30;
    for (int round = 0; round <= ROUNDS; round++) {
        const double begin = clt__seconds();
        TRY(clt__kernel_enqueue(device, kernel, global, local, error));
        TRY(clt__device_finish(device, error));
        const double took = clt__seconds() - begin;
        if (round && took < *best) *best = took;
    }
    return CLT_OK;
}

static clt_status measure_arithmetic(clt_device *device, const clt__limits *limits, clt_precision precision,
                                     const char *defines, double *flops, clt_error *error)
{
    const size_t items = (size_t)limits->compute_units * 64;
    const int steps = STEPS;
    clt__kernel *kernel = NULL;
    clt__buffer *out = NULL;
    double best;
    clt_status status = clt__buffer_create(device, items * (uint64_t)(limits->vector_width * limits->real_bytes),
                                           "a measurement", &out, error);
    if (status == CLT_OK)
        status = clt__kernel_create(device, "peak.cl", "peak_arithmetic", precision, defines, &kernel, error);
    if (status == CLT_OK) status = clt__kernel_set_value(kernel, 0, sizeof steps, &steps, error);
    if (status == CLT_OK) status = clt__kernel_set_buffer(kernel, 1, out, error);
    if (status == CLT_OK) status = time_best(device, kernel, items, &best, error);
    if (status == CLT_OK) *flops = 2.0 * STEPS * CHAINS * limits->vector_width * (double)items / best;
    clt__kernel_release(kernel);
    clt__buffer_release(out);
    return status;
}

static clt_status measure_copy(clt_device *device, const clt__limits *limits, clt_precision precision,
                               const char *defines, double *bytes, clt_error *error)
{
    const uint64_t item = (uint64_t)COPY_VECTORS * (uint64_t)(limits->vector_width * limits->real_bytes);
    uint64_t size = 64 << 20; /* more than caches hold */
    if (size > limits->allocation_bytes) size = limits->allocation_bytes;
    if (size > limits->free_bytes / 2) size = limits->free_bytes / 2;
    const size_t items = size > item ? (size_t)(size / item) : 1;
    const int count = COPY_VECTORS;
    clt__kernel *kernel = NULL;
    clt__buffer *from = NULL, *to = NULL;
    double best;
    clt_status status = clt__buffer_create(device, items * item, "a measurement", &from, error);
    if (status == CLT_OK) status = clt__buffer_create(device, items * item, "a measurement", &to, error);
    if (status == CLT_OK) status = clt__buffer_fill(device, from, 0, items * item, "", 1, error);
    if (status == CLT_OK)
        status = clt__kernel_create(device, "peak.cl", "peak_copy", precision, defines, &kernel, error);
    if (status == CLT_OK) status = clt__kernel_set_value(kernel, 0, sizeof count, &count, error);
    if (status == CLT_OK) status = clt__kernel_set_buffer(kernel, 1, from, error);
    if (status == CLT_OK) status = clt__kernel_set_buffer(kernel, 2, to, error);
    if (status == CLT_OK) status = time_best(device, kernel, items, &best, error);
    if (status == CLT_OK) *bytes = 2.0 * (double)(items * item) / best;
    clt__kernel_release(kernel);
    clt__buffer_release(from);
    clt__buffer_release(to);
    return status;
}

clt_status clt__device_peak(clt_device *device, clt_precision precision, double *flops, double *bytes, clt_error *error)
{
    clt__limits limits = clt__device_limits(device, precision);
    limits.vector_width = clt__native_vector_width(device, precision); /* what it can do, whatever the schedule uses */
    char defines[32];
    (void)snprintf(defines, sizeof defines, "-DVEC=%d", limits.vector_width);
    TRY(measure_arithmetic(device, &limits, precision, defines, flops, error));
    return measure_copy(device, &limits, precision, defines, bytes, error);
}
