/* Measures what a device can do at most: arithmetic in registers, copying from memory to memory, launching. */
#include "device/peak.h"

#include <stdio.h>

#include "base/clock.h"

enum { ROUNDS = 5, STEPS = 20000, CHAINS = 16, COPY_VECTORS = 256, LAUNCHES = 1000 };

/* How many work-items fill the device, and how. One with vectors runs an item at a time on each core, which reads on
 * where it is; one without has groups of items that read side by side. */
typedef struct shape {
    size_t items, group;
    bool side_by_side;
} shape;

static shape shape_of(const clt__limits *limits)
{
    enum { GROUP = 256, OF_LANE = 16, OF_CORE = 64 };
    size_t group = 1;
    if (limits->vector_width > 1) return (shape){(size_t)limits->compute_units * OF_CORE, 1, false};
    while (group * 2 <= GROUP && group * 2 <= (size_t)limits->work_group_items) group *= 2;
    const size_t items = (size_t)limits->compute_units * (size_t)limits->unit_lanes * OF_LANE;
    return (shape){(items + group - 1) / group * group, group, true};
}

/* The best of a few runs, after one that does not count. */
static clt_status time_best(clt_device *device, clt__kernel *kernel, const shape *s, double *best, clt_error *error)
{
    size_t most, group = s->group;
    TRY(clt__kernel_group_items(device, kernel, &most, error));
    while (group > most && group > 1) group /= 2;
    const size_t global[3] = {s->items, 1, 1}, local[3] = {group, 1, 1};
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
    const shape s = shape_of(limits);
    const int steps = STEPS, share = 99;
    clt__kernel *kernel = NULL;
    clt__buffer *out = NULL;
    double best;
    clt_status status = clt__buffer_create(device, s.items * (uint64_t)(limits->vector_width * limits->real_bytes),
                                           "a measurement", &out, error);
    if (status == CLT_OK)
        status = clt__kernel_create(device, "peak.cl", "peak_arithmetic", precision, defines, &kernel, error);
    if (status == CLT_OK) status = clt__kernel_set_value(kernel, 0, sizeof steps, &steps, error);
    if (status == CLT_OK) status = clt__kernel_set_value(kernel, 1, sizeof share, &share, error);
    if (status == CLT_OK) status = clt__kernel_set_buffer(kernel, 2, out, error);
    if (status == CLT_OK) status = time_best(device, kernel, &s, &best, error);
    if (status == CLT_OK) *flops = 2.0 * STEPS * CHAINS * limits->vector_width * (double)s.items / best;
    clt__kernel_release(kernel);
    clt__buffer_release(out);
    return status;
}

static clt_status set_copy(clt__kernel *kernel, int count, int step, int apart, const clt__buffer *from,
                           const clt__buffer *to, clt_error *error)
{
    TRY(clt__kernel_set_value(kernel, 0, sizeof count, &count, error));
    TRY(clt__kernel_set_value(kernel, 1, sizeof step, &step, error));
    TRY(clt__kernel_set_value(kernel, 2, sizeof apart, &apart, error));
    TRY(clt__kernel_set_buffer(kernel, 3, from, error));
    return clt__kernel_set_buffer(kernel, 4, to, error);
}

/* Copies of no vectors, so many that the last is what waiting takes. */
static clt_status time_launches(clt_device *device, clt__kernel *kernel, double *seconds, clt_error *error)
{
    const size_t global[3] = {1, 1, 1}, local[3] = {1, 1, 1};
    const double begin = clt__seconds();
    for (int i = 0; i < LAUNCHES; i++) TRY(clt__kernel_enqueue(device, kernel, global, local, error));
    TRY(clt__device_finish(device, error));
    *seconds = (clt__seconds() - begin) / LAUNCHES;
    return CLT_OK;
}

/* More than caches hold, where there is so much. */
static uint64_t copied_bytes(const clt__limits *limits)
{
    uint64_t size = limits->vector_width > 1 ? 64 << 20 : 512 << 20;
    if (size > limits->allocation_bytes) size = limits->allocation_bytes;
    return size > limits->free_bytes / 4 ? limits->free_bytes / 4 : size;
}

static clt_status time_copies(clt_device *device, const clt__limits *limits, clt__kernel *kernel, clt__peak *peak,
                              clt_error *error)
{
    const uint64_t vector = (uint64_t)limits->vector_width * (uint64_t)limits->real_bytes;
    shape s = shape_of(limits);
    const size_t all = (size_t)(copied_bytes(limits) / vector);
    int count = COPY_VECTORS;
    if (!s.side_by_side) s.items = all > COPY_VECTORS ? all / COPY_VECTORS : 1;
    if (s.side_by_side) count = all > s.items ? (int)(all / s.items) : 1;
    const uint64_t bytes = s.items * (uint64_t)count * vector;
    const int step = s.side_by_side ? (int)s.items : 1, apart = s.side_by_side ? 1 : count;
    clt__buffer *from = NULL, *to = NULL;
    double best;
    clt_status status = clt__buffer_create(device, bytes, "a measurement", &from, error);
    if (status == CLT_OK) status = clt__buffer_create(device, bytes, "a measurement", &to, error);
    if (status == CLT_OK) status = clt__buffer_fill(device, from, 0, bytes, "", 1, error);
    if (status == CLT_OK) status = set_copy(kernel, count, step, apart, from, to, error);
    if (status == CLT_OK) status = time_best(device, kernel, &s, &best, error);
    if (status == CLT_OK) peak->bytes = 2.0 * (double)bytes / best;
    if (status == CLT_OK) status = set_copy(kernel, 0, 1, 1, from, to, error);
    if (status == CLT_OK) status = time_launches(device, kernel, &peak->launch_seconds, error);
    clt__buffer_release(from);
    clt__buffer_release(to);
    return status;
}

clt_status clt__device_peak(clt_device *device, clt_precision precision, clt__peak *peak, clt_error *error)
{
    clt__limits limits = clt__device_limits(device, precision);
    limits.vector_width = clt__native_vector_width(device, precision); /* what it can do, whatever the schedule uses */
    char defines[32];
    (void)snprintf(defines, sizeof defines, "-DVEC=%d", limits.vector_width);
    TRY(measure_arithmetic(device, &limits, precision, defines, &peak->flops, error));
    clt__kernel *kernel;
    TRY(clt__kernel_create(device, "peak.cl", "peak_copy", precision, defines, &kernel, error));
    const clt_status status = time_copies(device, &limits, kernel, peak, error);
    clt__kernel_release(kernel);
    return status;
}
