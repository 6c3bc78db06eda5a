/* What the files of this room share. */
#ifndef CLT_ENGINE_INTERNAL_H
#define CLT_ENGINE_INTERNAL_H

#include "engine/engine.h"

/* An op made ready for the device. */
typedef struct clt__ready {
    clt__kernel *kernel[CLT__MAX_LAUNCHES];
    clt__launch_plan plan;
    bool plain;       /* its fast kernel does not build on this device */
    clt__sizes sizes; /* the op's, with what the plan set */
} clt__ready;

struct clt__engine {
    clt_device *device;
    const clt__tape *tape;
    clt_precision precision;
    /* A row for each tensor of the tape; a tensor inside a root has a part of the root's memory. */
    clt__buffer **buffer; /* device */
    clt__array *array;    /* reference */
    clt__ready *ready;    /* device: a row for each op */
    clt__buffer *scratch; /* device: shared by all ops, for they run one after another */
    uint64_t scratch_reals;
};

/* plan.c: the launch plan of an op on this device, and its sizes with what the plan set: by the limits that were tuned
 * for it, if any. */
clt_status clt__plan_op(const clt_device *device, clt_precision precision, const clt__op *op, bool plain,
                        int most_items, clt__sizes *sizes, clt__launch_plan *plan, clt_error *error);

enum { CLT__FRONT = CLT__BUFFER_ALIGNMENT }; /* elements before a root's first; a multiple of the alignment in bytes */

/* Of a root's whole memory on a device, its guards included. */
uint64_t clt__root_bytes(const clt__tensor *root, clt_precision precision);

/* Bytes from the start of a root's memory to the first element of a tensor in it. */
uint64_t clt__tensor_offset(const clt__engine *engine, int tensor);

/* The buffer that holds a tensor's root and its guards. */
clt__buffer *clt__root_memory(const clt__engine *engine, int tensor);

clt_status clt__enqueue_op(clt__engine *engine, size_t index, clt_error *error);

#endif
