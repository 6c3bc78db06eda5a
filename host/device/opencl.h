/* What the files of this folder share: the OpenCL headers, the device itself, and errors with OpenCL's own names. */
#ifndef CLT_DEVICE_OPENCL_H
#define CLT_DEVICE_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "device/device.h"
#include "device/pretend.h"

/* What `cltrain tune` chose for one op: see tuning.h. */
typedef struct clt__tuned clt__tuned;

/* profile.c: a device's kernels being timed. */
typedef struct clt__profile clt__profile;

typedef struct clt__program {
    const char *file;
    char *source, *options; /* the whole text, includes spliced in */
    cl_program program;
    char *refusal; /* the compiler's log where it does not build; `program` is then NULL */
    bool cached;   /* it, or the refusal, came from the cache on disk */
    bool trial;    /* it is not worth keeping there */
} clt__program;

struct clt_device {
    clt_device_info info;
    int double_vector_width; /* info has the one for float */
    int work_group_items;    /* of the largest work-group */
    int preferred_multiple;  /* of a work-group's items; 0: not known yet */
    int vendor;              /* CL_DEVICE_VENDOR_ID */
    uint64_t abilities;      /* a hash of its version and extensions, which the driver's options may change */
    size_t fitting;          /* usable devices that fit the name by which it was opened, if it had one */
    clt_schedule schedule;   /* as asked for: AUTO leaves it to info */
    clt__caps caps;          /* as asked for: 0 leaves the device's own, which the others of these say */
    uint64_t allocation_bytes;
    int winograd;             /* clt__limits */
    uint64_t allocated_bytes; /* by buffers that are there now */
    bool shares_host_memory;
    const clt__speed *pretended; /* of a GPU that is not there, else NULL */
    cl_device_id id;             /* NULL for the reference and for what is pretended, as all below */
    cl_device_id part;           /* the same, where it is a part of a device that was cut for it, else NULL */
    cl_context context;
    cl_command_queue queue;
    cl_command_queue upload_queue; /* NULL until the first upload */
    clt__profile *profile;         /* NULL while kernels are not timed */
    clt__program *programs;
    size_t program_count, program_capacity;
    bool doubts_refusals;   /* those of the cache are not believed */
    char *cache_folder;     /* cache.h; NULL for no cache */
    clt_note_function note; /* may be NULL */
    void *note_user;
    bool builds_alone; /* programs one at a time */
    bool reads_header; /* known_drivers.h, as the next */
    bool keeps_built;
    clt__tuned *tuned;
    size_t tuned_count, tuned_capacity;
    const char *replaced_name, *replaced_text; /* see clt__device_replace_source */
};

struct clt__buffer {
    cl_mem memory;
    clt_device *device; /* whose memory it takes */
    uint64_t bytes;     /* 0 for a part of another buffer */
};

struct clt__kernel {
    cl_kernel kernel;
    char name[64];
};

/* A device that is cltrain's own, no OpenCL device: all but these of *info are 0. */
void clt__describe_own(clt_device_info *info, const char *id, const char *name, const char *type);

/* device_list.c: a name that says parts of a device. */
typedef struct clt__device_part {
    char of[128];      /* the device */
    int parts, number; /* number: -1 for all of them */
} clt__device_part;

/* False where the name says none. */
bool clt__part_of_device(const char *name, clt__device_part *part);
/* An open device, which has no context yet, becomes one part of it. It keeps the number of compute units that the whole
 * has: launches, and so the bits of results, are those of the whole. */
clt_status clt__open_part(clt_device *device, const clt__device_part *part, clt_error *error);
/* The device for this process among those that a launcher started on this host. */
clt_status clt__local_device(char name[16], clt_error *error);

/* Where the event of a kernel that is about to be enqueued goes: NULL for nowhere. */
clt_status clt__profile_event(clt_device *device, cl_event **event, clt_error *error);

/* A limit of the device, or what was asked for in its place: see clt__caps. */
static inline uint64_t clt__lower_limit(uint64_t own, int64_t asked)
{
    return asked > 0 && (uint64_t)asked < own ? (uint64_t)asked : own;
}

enum {
    CLT__VENDOR_NVIDIA = 0x10de,
    CLT__VENDOR_AMD = 0x1002,
    CLT__VENDOR_INTEL = 0x8086
}; /* numbers of the PCI consortium */

enum { CLT__PLATFORM_NOT_FOUND = -1001 }; /* CL_PLATFORM_NOT_FOUND_KHR of CL/cl_ext.h */

/* "CL_OUT_OF_RESOURCES" for -5; "an unknown OpenCL error" for what has no name in OpenCL 1.2. */
const char *clt__opencl_name(cl_int code);

/* FAIL with OpenCL's code; the sentence ends in the function that gave it and the code's name.
 * CL_MEM_OBJECT_ALLOCATION_FAILURE and its like become CLT_NO_MEMORY. */
clt_status clt__opencl_fail(clt_error *error, const char *call, cl_int code, const char *source_file, int source_line,
                            const char *format, ...) CLT__PRINTF(6, 7);

#define OPENCL_FAIL(error, call, code, ...) clt__opencl_fail(error, call, code, __FILE__, __LINE__, __VA_ARGS__)

#endif
