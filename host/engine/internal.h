/* What the files of this room share. */
#ifndef CLT_ENGINE_INTERNAL_H
#define CLT_ENGINE_INTERNAL_H

#include "engine/engine.h"

/* An op made ready for the device. */
typedef struct clt__ready {
    clt__kernel *kernel[CLT__MAX_LAUNCHES];
    clt__launches launches;
    size_t first;     /* the op whose launches run it: itself, or one that it is merged with */
    bool plain;       /* its fast kernel does not build on this device */
    int bank;         /* whose memory the kernels' arguments are */
    clt__sizes sizes; /* the op's, with what the launch rule set */
} clt__ready;

/* Where an engine's tensors are and who computes: on_device.c or on_reference.c. What their functions do is said with
 * the engine's own in engine.h. */
typedef struct clt__backend {
    bool in_double; /* reals are kept as double, whatever the precision */
    clt_status (*open)(clt__engine *engine, const clt_options *options, clt_error *error);
    void (*close)(clt__engine *engine);                                     /* also where `open` failed half-way */
    void (*use_bank)(clt__engine *engine);                                  /* engine->bank */
    clt_status (*run)(clt__engine *engine, size_t index, clt_error *error); /* unless one before has run it, too */
    clt_status (*flush)(clt__engine *engine, clt_error *error);
    clt_status (*finish)(clt__engine *engine, clt_error *error);
    void (*count_work)(const clt__engine *engine, size_t index, clt__work *work); /* launches and arithmetic */
    clt_status (*read)(clt__engine *engine, int tensor, int first, int count, void *to, clt_error *error);
    clt_status (*write)(clt__engine *engine, int tensor, int first, int count, const void *from, clt_error *error);
    clt_status (*begin_write)(clt__engine *engine, int tensor, int first, int count, clt__transfer *transfer,
                              clt_error *error); /* of transfer->values */
    clt_status (*begin_read)(clt__engine *engine, int tensor, int first, int count, void *to, clt__upload **transfer,
                             clt_error *error);
    clt_status (*write_kept)(clt__engine *engine, int tensor, int first, int count, const void *from, clt_error *error);
    clt_status (*set)(clt__engine *engine, int tensor, int count, const void *from, clt_error *error);
    clt_status (*most_scratch)(clt_device *device, const clt__tape *tape, clt_precision precision, uint64_t *reals,
                               clt_error *error);
} clt__backend;

extern const clt__backend clt__on_device, clt__on_reference;

const clt__backend *clt__backend_of(const clt_device *device);

struct clt__engine {
    const clt__backend *backend;
    clt_device *device;
    const clt__tape *tape;
    clt_precision precision;
    /* A row for each tensor of the tape; a tensor inside a root has a part of the root's memory. */
    clt__buffer **buffer;       /* device: of the bank in use */
    clt__array *array;          /* reference: so too */
    clt__buffer **banks_buffer; /* of all banks, one after another; what is not banked is the first one's */
    clt__array *banks_array;
    int bank;             /* in use */
    clt__ready *ready;    /* device: a row for each op */
    clt__buffer *scratch; /* device: shared by all ops, for they run one after another */
    uint64_t scratch_reals;
    clt__witness witness; /* NULL, or who is told what was found wrong */
    void *witness_user;
};

int clt__engine_banks(const clt__engine *engine);

/* On a device: enqueues what runs the op, whatever else that runs. */
clt_status clt__enqueue_op(clt__engine *engine, size_t index, clt_error *error);

/* Values of a tensor of halves become what halves hold; those of others stay. */
void clt__round_values(clt__type type, double *values, size_t count);

/* Bytes of a tensor's element on the device, and as the engine's callers see it. */
size_t clt__tensor_element_bytes(const clt__engine *engine, int tensor);
size_t clt__outside_bytes(const clt__engine *engine, int tensor);

enum { CLT__FRONT = CLT__BUFFER_ALIGNMENT }; /* elements before a root's first; a multiple of the alignment in bytes */

/* Of a root's whole memory on a device, its guards included. */
uint64_t clt__root_bytes(const clt__tensor *root, clt_precision precision);

/* Bytes from the start of a root's memory to the first element of a tensor in it. */
uint64_t clt__tensor_offset(const clt__engine *engine, int tensor);

/* The buffer that holds a tensor's root and its guards. */
clt__buffer *clt__root_memory(const clt__engine *engine, int tensor);

#endif
