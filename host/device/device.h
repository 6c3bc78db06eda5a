/* An opened device: buffers, kernels and one in-order queue. Only this folder knows OpenCL; nothing here waits for the
 * device unless it says so. The reference is a clt_device too, one without a queue: see clt__device_is_reference. */
#ifndef CLT_DEVICE_DEVICE_H
#define CLT_DEVICE_DEVICE_H

#include "base/error.h"
#include "base/text.h"

typedef struct clt__buffer clt__buffer;
typedef struct clt__kernel clt__kernel;

/* What a launch rule may depend on. */
typedef struct clt__limits {
    int real_bytes;         /* of one number in the precision asked for */
    int vector_width;       /* native vector width for the precision asked for, a power of two from 1 to 16 */
    int registers;          /* vector registers that a kernel may hope for */
    int patch_bytes;        /* vector schedule: local memory for a patch of images, what a core's own cache keeps */
    int winograd;           /* outputs on a side of the Winograd tiles to use where they pay: 4, 2, or 0 for none */
    clt_schedule schedule;  /* vector or tile */
    int work_group_items;   /* tile schedule: the most work-items of a work-group */
    int preferred_multiple; /* a work-group's items should be a multiple of this; 1 before clt__device_learn */
    int item_block;         /* tile schedule: the most rows, and the most outputs, that one work-item sums */
    int item_sums;          /* tile schedule: the most sums of one work-item */
    int slab;               /* tile schedule: the most terms of the sums in local memory at a time */
    int compute_units;
    int unit_lanes; /* work-items that one of them computes at once */
    uint64_t local_bytes;
    uint64_t allocation_bytes; /* the largest single buffer */
    uint64_t memory_bytes;
    uint64_t free_bytes; /* what may still be allocated of that */
    double heavy_flops;  /* from so much arithmetic on, and so much memory, an op is worth a program of its own */
    double heavy_bytes;
    bool shares_host_memory; /* what lies on the device takes memory from the host */
} clt__limits;

/* The most that is taken of a device, where that is less than it has: 0 leaves its own limit. */
typedef struct clt__caps {
    int64_t work_group_items; /* work-items of a work-group */
    int64_t local_bytes;      /* local memory of a work-group */
    int64_t allocation_bytes; /* the largest single buffer */
} clt__caps;

/* For what is opened on the device from now on. The reference has no limits. */
void clt__device_set_caps(clt_device *device, const clt__caps *caps);

bool clt__device_is_reference(const clt_device *device);
clt__limits clt__device_limits(const clt_device *device, clt_precision precision);

/* Limits that ask the least of a device's compiler: short vectors, no local memory, no work-groups. */
clt__limits clt__plain_limits(const clt__limits *limits);

/* Asks what only a compiled kernel tells, before any launches are found: the preferred multiple, for the tile schedule.
 */
clt_status clt__device_learn(clt_device *device, clt_error *error);

/* The programs built so far are not kept on disk: they were built to be tried. */
void clt__device_drop_programs(clt_device *device);

/* What the cache on disk remembers not to build is built when it is asked for again. False where nothing was
 * remembered. */
bool clt__device_forget_refusals(clt_device *device);

/* The device's own, under whatever schedule: what clt__limits has under the vector schedule. */
int clt__native_vector_width(const clt_device *device, clt_precision precision);

/* Tells the caller's note function. */
void clt__device_note(const clt_device *device, const char *sentence);

/* Replaces an embedded kernel source by `text` for programs built from now on (tests hand in broken kernels this way).
 * `text` must outlive the device, or the next call; a NULL name takes the embedded sources again. */
void clt__device_replace_source(clt_device *device, const char *name, const char *text);

/* Hands everything enqueued to the device, which may have waited for more. */
clt_status clt__device_flush(clt_device *device, clt_error *error);

/* Waits until everything enqueued has ended. */
clt_status clt__device_finish(clt_device *device, clt_error *error);

/* ---- buffers: sizes and offsets in bytes */

clt_status clt__buffer_create(clt_device *device, uint64_t bytes, const char *what, clt__buffer **buffer,
                              clt_error *error);
/* A part of another buffer, which must outlive it. `offset` is a multiple of CLT__BUFFER_ALIGNMENT. */
clt_status clt__buffer_part(clt_device *device, clt__buffer *whole, uint64_t offset, uint64_t bytes, clt__buffer **part,
                            clt_error *error);
void clt__buffer_release(clt__buffer *buffer);

enum { CLT__BUFFER_ALIGNMENT = 1024 };

/* Both wait. */
clt_status clt__buffer_write(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                             clt_error *error);
clt_status clt__buffer_read(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, void *to,
                            clt_error *error);
/* Repeats a pattern of a power of two bytes, up to 128; does not wait, and the pattern may go away at once. */
clt_status clt__buffer_fill(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes,
                            const void *pattern, size_t pattern_bytes, clt_error *error);

/* A write on a queue of its own, beside the kernels of the device's queue. It begins once what was enqueued there
 * before it has ended; `from` stays the caller's and must stay as it is until the upload is ended. */
typedef struct clt__upload clt__upload;

clt_status clt__upload_begin(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                             clt__upload **upload, clt_error *error);
/* The same for a read, which `to` must outlive. */
clt_status clt__download_begin(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, void *to,
                               clt__upload **download, clt_error *error);
/* Does not wait. */
bool clt__upload_is_done(const clt__upload *upload);
/* What is enqueued from now on comes after the upload. */
clt_status clt__upload_join(clt_device *device, const clt__upload *upload, clt_error *error);
/* Waits for the upload, or download, and frees it, also where it failed: only this tells that. Takes NULL. */
clt_status clt__upload_end(clt__upload *upload, clt_error *error);

/* ---- kernels */

/* CLT_BAD_KERNEL where it does not build, which is remembered, on disk too. Builds `file` with `defines` ("-DROWS=12
 * -DCOLS=2"), unless that program is already built, and makes the kernel. */
clt_status clt__kernel_create(clt_device *device, const char *file, const char *name, clt_precision precision,
                              const char *defines, clt__kernel **kernel, clt_error *error);
void clt__kernel_release(clt__kernel *kernel);

/* Builds, several at a time, those of these programs that are not yet built, so that clt__kernel_create finds them; one
 * that does not build is no error yet. The options' progress function (they may be NULL) hears how far it is, and
 * may stop it: CLT_STOPPED. */
typedef struct clt__program_wanted {
    const char *file;
    char *defines;
} clt__program_wanted;
clt_status clt__programs_build(clt_device *device, clt_precision precision, const clt__program_wanted *wanted,
                               size_t count, const clt_options *options, clt_error *error);

/* The text and the build options of such a program. */
enum { CLT__MOST_OPTIONS = 960 };
clt_status clt__program_source(const clt_device *device, const char *file, clt__text *to, clt_error *error);
clt_status clt__program_options(const char *file, clt_precision precision, const char *defines, char *options,
                                size_t size, clt_error *error);

/* How many work-items of this kernel a work-group may have. */
clt_status clt__kernel_group_items(const clt_device *device, const clt__kernel *kernel, size_t *most, clt_error *error);

/* Arguments are set once, in order; a NULL buffer is OpenCL's NULL pointer. */
clt_status clt__kernel_set_value(clt__kernel *kernel, unsigned index, size_t bytes, const void *value,
                                 clt_error *error);
clt_status clt__kernel_set_buffer(clt__kernel *kernel, unsigned index, const clt__buffer *buffer, clt_error *error);
clt_status clt__kernel_set_local(clt__kernel *kernel, unsigned index, size_t bytes, clt_error *error);

/* A local size of 0 leaves the choice to the device. */
clt_status clt__kernel_enqueue(clt_device *device, clt__kernel *kernel, const size_t global[3], const size_t local[3],
                               clt_error *error);

#endif
