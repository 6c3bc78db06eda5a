/* A device that does everything that is asked of it but compute: buffers are memory, programs build, kernels do
 * nothing. One call may be told to fail, and it counts what has not been released.
 *
 * It is linked into a test in the OpenCL library's place, or preloaded before it, and then the environment tells it
 * what to do: STUB_FAULT=clEnqueueReadBuffer:3:-5    the third such call gives -5; "3+": that one and all after it
 *   STUB_FAULT=any:100+:-2                 so do all calls from the hundredth on: the device has vanished
 *   STUB_PLATFORMS=0, STUB_DEVICES=0       there is no platform; the platform has no device
 *   STUB_BREAKS=6                          the probe (kernels/probe.cl) finds its check 6 wrong
 * and at the end it says on standard error what was not released.
 *
 * A write that does not block is done as late as OpenCL permits: when something waits for it. */
#include "stub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/params.h"

#define EXPORT __attribute__((visibility("default")))
#define STUB_TEXT(name) #name,

enum { GROUP_ITEMS = 1024, LOCAL_BYTES = 32768, BUFFER_BYTES = 1 << 28 };

stub_state stub;
static const char *const names[] = {STUB_FUNCTIONS(STUB_TEXT) "any"};

const char *stub_name(stub_function function)
{
    return names[function];
}

void stub_begin(const stub_fault *fault)
{
    stub = (stub_state){.fault = *fault};
}

static int number_of(const char *variable, int otherwise)
{
    const char *value = getenv(variable);
    return value ? atoi(value) : otherwise;
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *fault = getenv("STUB_FAULT");
    char name[64], plus[2] = "";
    long number;
    int code;
    if (!fault) return;
    if (sscanf(fault, "%63[^:]:%ld%1[+]:%d", name, &number, plus, &code) != 4 &&
        sscanf(fault, "%63[^:]:%ld:%d", name, &number, &code) != 3)
        abort();
    stub.fault = (stub_fault){.number = number, .code = code, .from_then_on = *plus != 0};
    while (strcmp(names[stub.fault.function], name) != 0)
        if (++stub.fault.function > STUB_ANY) abort();
}

__attribute__((destructor)) static void report(void)
{
    if (stub.objects) (void)fprintf(stderr, "stub: %ld OpenCL objects were not released\n", stub.objects);
}

/* Counts a call. What it should give: CL_SUCCESS, or the fault. */
static cl_int count_locked(stub_function function)
{
    const stub_fault *fault = &stub.fault;
    stub.calls[function]++;
    stub.calls[STUB_ANY]++;
    if (!fault->number || (fault->function != STUB_ANY && fault->function != function)) return CL_SUCCESS;
    const long now = stub.calls[fault->function];
    if (fault->from_then_on ? now < fault->number : now != fault->number) return CL_SUCCESS;
    if (!stub.struck) stub.struck_function = function;
    stub.struck = true;
    return fault->code;
}

/* Programs are built by several threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static cl_int count_call(stub_function function)
{
    (void)pthread_mutex_lock(&lock);
    const cl_int code = count_locked(function);
    (void)pthread_mutex_unlock(&lock);
    return code;
}

#define ENTER(name)                                        \
    do {                                                   \
        const cl_int fault_code = count_call(STUB_##name); \
        if (fault_code != CL_SUCCESS) return fault_code;   \
    } while (0)

#define ENTER_MAKING(name, code)                \
    do {                                        \
        *(code) = count_call(STUB_##name);      \
        if (*(code) != CL_SUCCESS) return NULL; \
    } while (0)

/* What cltrain must never do, whatever failed. */
static void misuse(const char *what)
{
    (void)fprintf(stderr, "stub: %s\n", what);
    abort();
}

/* ---- objects: each holds the one that it was made from */

typedef enum kind { CONTEXT = 1, QUEUE, BUFFER, PROGRAM, KERNEL, EVENT } kind;

typedef struct object {
    kind kind;
    int references;
    struct object *parent;
} object;

struct _cl_context {
    object base;
};
struct _cl_command_queue {
    object base;
};
struct _cl_mem {
    object base;
    char *bytes;
    size_t size;
    cl_mem whole, older; /* of a part: what it is of, the part that was made before it */
    cl_mem newest;       /* part of it */
};
struct _cl_program {
    object base;
    bool built;
};
struct _cl_kernel {
    object base;
    size_t local_bytes[32]; /* of each argument */
    bool probes;            /* it is kernels/probe.cl's */
    cl_mem last_buffer;     /* that was set as an argument */
};
/* Of a write, or of nothing. */
struct _cl_event {
    object base;
    cl_mem memory;
    size_t offset, size;
    const void *from;
    cl_int status;
};

static void *make(kind what, size_t size, object *parent)
{
    object *fresh = calloc(1, size);
    if (!fresh) abort();
    *fresh = (object){what, 1, parent};
    (void)pthread_mutex_lock(&lock);
    if (parent) parent->references++;
    stub.objects++;
    (void)pthread_mutex_unlock(&lock);
    return fresh;
}

static void *check(void *given, kind wanted)
{
    const object *o = given;
    if (!o || o->kind != wanted || o->references < 1) misuse("an object that is not what it should be");
    return given;
}

static void release_locked(object *o)
{
    if (--o->references) return;
    object *parent = o->parent;
    if (o->kind == BUFFER && (!parent || parent->kind != BUFFER)) free(((cl_mem)o)->bytes);
    free(o);
    stub.objects--;
    if (parent) release_locked(parent);
}

static void release(object *o)
{
    (void)pthread_mutex_lock(&lock);
    release_locked(o);
    (void)pthread_mutex_unlock(&lock);
}

/* ---- writes that wait */

static cl_event waiting[16];
static int waiting_count, joined_count; /* joined: of those, what the other queue's commands come after */

/* The first `count` of them, in their order. */
static void do_writes(int count)
{
    for (int i = 0; i < count; i++) {
        cl_event e = waiting[i];
        e->status = count_call(STUB_upload);
        if (e->status == CL_SUCCESS) memcpy(e->memory->bytes + e->offset, e->from, e->size);
        release(&e->memory->base);
        release(&e->base);
    }
    waiting_count -= count;
    joined_count = joined_count > count ? joined_count - count : 0;
    memmove(waiting, waiting + count, (size_t)waiting_count * sizeof *waiting);
}

/* How many come up to and with this one: 0 where it is done. */
static int waiting_for(cl_event event)
{
    for (int i = 0; i < waiting_count; i++)
        if (waiting[i] == event) return i + 1;
    return 0;
}

static void put_off(cl_event e, cl_mem memory, size_t offset, size_t size, const void *from)
{
    if (waiting_count == (int)(sizeof waiting / sizeof *waiting)) do_writes(waiting_count);
    e->memory = memory;
    e->offset = offset;
    e->size = size;
    e->from = from;
    e->base.references++;
    memory->base.references++;
    waiting[waiting_count++] = e;
}

/* ---- platform and device */

static cl_int answer(const void *value, size_t bytes, size_t room, void *to, size_t *size)
{
    if (to && room < bytes) return CL_INVALID_VALUE;
    if (to) memcpy(to, value, bytes);
    if (size) *size = bytes;
    return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t room, void *to, size_t *size)
{
    return answer(text, strlen(text) + 1, room, to, size);
}

static int the_platform, the_device;

EXPORT cl_int CL_API_CALL clGetPlatformIDs(cl_uint room, cl_platform_id *platforms, cl_uint *count)
{
    ENTER(clGetPlatformIDs);
    *count = (cl_uint)number_of("STUB_PLATFORMS", 1);
    if (!*count) return -1001; /* CL_PLATFORM_NOT_FOUND_KHR */
    if (room) platforms[0] = (cl_platform_id)(void *)&the_platform;
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t room, void *to,
                                            size_t *size)
{
    (void)platform;
    (void)what;
    ENTER(clGetPlatformInfo);
    return answer_text("Stub", room, to, size);
}

EXPORT cl_int CL_API_CALL clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint room,
                                         cl_device_id *devices, cl_uint *count)
{
    (void)platform;
    (void)type;
    ENTER(clGetDeviceIDs);
    *count = (cl_uint)number_of("STUB_DEVICES", 1);
    if (!*count) return CL_DEVICE_NOT_FOUND;
    if (room) devices[0] = (cl_device_id)(void *)&the_device;
    return CL_SUCCESS;
}

static cl_int answer_number(cl_ulong value, bool large, size_t room, void *to, size_t *size)
{
    const cl_uint small = (cl_uint)value;
    return large ? answer(&value, sizeof value, room, to, size) : answer(&small, sizeof small, room, to, size);
}

EXPORT cl_int CL_API_CALL clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t room, void *to, size_t *size)
{
    (void)device;
    ENTER(clGetDeviceInfo);
    const size_t sizes[3] = {GROUP_ITEMS, GROUP_ITEMS, GROUP_ITEMS};
    switch (what) {
    case CL_DEVICE_NAME:
        return answer_text("Stub device", room, to, size);
    case CL_DRIVER_VERSION:
        return answer_text("1", room, to, size);
    case CL_DEVICE_VERSION:
        return answer_text("OpenCL 1.2 stub", room, to, size);
    case CL_DEVICE_EXTENSIONS:
        return answer_text("cl_khr_fp64", room, to, size);
    case CL_DEVICE_TYPE:
        return answer_number(CL_DEVICE_TYPE_CPU, true, room, to, size);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
        return answer(sizes, sizeof sizes, room, to, size);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return answer(sizes, sizeof *sizes, room, to, size);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
        return answer_number((cl_ulong)4 * BUFFER_BYTES, true, room, to, size);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        return answer_number(BUFFER_BYTES, true, room, to, size);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return answer_number(LOCAL_BYTES, true, room, to, size);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
        return answer_number(2, false, room, to, size);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
        return answer_number(1024, false, room, to, size);
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE:
        return answer_number(4, false, room, to, size);
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_ENDIAN_LITTLE:
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
        return answer_number(1, false, room, to, size);
    default:
        return CL_INVALID_VALUE;
    }
}

/* ---- context and queues */

EXPORT cl_context CL_API_CALL clCreateContext(const cl_context_properties *properties, cl_uint count,
                                              const cl_device_id *devices,
                                              void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *),
                                              void *user, cl_int *code)
{
    (void)properties;
    (void)count;
    (void)devices;
    (void)notify;
    (void)user;
    ENTER_MAKING(clCreateContext, code);
    return make(CONTEXT, sizeof(struct _cl_context), NULL);
}

EXPORT cl_int CL_API_CALL clReleaseContext(cl_context context)
{
    const cl_int code = count_call(STUB_clReleaseContext);
    release(check(context, CONTEXT));
    return code;
}

EXPORT cl_command_queue CL_API_CALL clCreateCommandQueue(cl_context context, cl_device_id device,
                                                         cl_command_queue_properties properties, cl_int *code)
{
    (void)device;
    (void)properties;
    ENTER_MAKING(clCreateCommandQueue, code);
    return make(QUEUE, sizeof(struct _cl_command_queue), check(context, CONTEXT));
}

/* What is enqueued is still done. */
EXPORT cl_int CL_API_CALL clReleaseCommandQueue(cl_command_queue queue)
{
    const cl_int code = count_call(STUB_clReleaseCommandQueue);
    do_writes(waiting_count);
    release(check(queue, QUEUE));
    return code;
}

EXPORT cl_int CL_API_CALL clFlush(cl_command_queue queue)
{
    ENTER(clFlush);
    (void)check(queue, QUEUE);
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clFinish(cl_command_queue queue)
{
    ENTER(clFinish);
    (void)check(queue, QUEUE);
    do_writes(waiting_count);
    return CL_SUCCESS;
}

/* ---- buffers */

EXPORT cl_mem CL_API_CALL clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code)
{
    (void)flags;
    (void)host;
    ENTER_MAKING(clCreateBuffer, code);
    if (size == 0 || size > BUFFER_BYTES) misuse("a buffer of no bytes, or of more than the device allocates");
    if (size > stub.buffer_bytes) stub.buffer_bytes = size;
    cl_mem memory = make(BUFFER, sizeof *memory, check(context, CONTEXT));
    memory->bytes = calloc(size, 1);
    memory->size = size;
    return memory;
}

EXPORT cl_mem CL_API_CALL clCreateSubBuffer(cl_mem whole, cl_mem_flags flags, cl_buffer_create_type type,
                                            const void *region, cl_int *code)
{
    (void)flags;
    (void)type;
    ENTER_MAKING(clCreateSubBuffer, code);
    const cl_buffer_region *part = region;
    cl_mem memory = make(BUFFER, sizeof *memory, check(whole, BUFFER));
    if (part->origin + part->size > whole->size || part->origin % 128) misuse("a part that reaches out of its buffer");
    memory->bytes = whole->bytes + part->origin;
    memory->size = part->size;
    memory->whole = whole;
    memory->older = whole->newest;
    whole->newest = memory;
    return memory;
}

/* OpenCL lets parts go in any order. One driver at least does not: host/engine/on_device.c. */
EXPORT cl_int CL_API_CALL clReleaseMemObject(cl_mem memory)
{
    const cl_int code = count_call(STUB_clReleaseMemObject);
    (void)check(memory, BUFFER);
    cl_mem whole = memory->whole;
    if (memory->newest) misuse("a buffer that goes before its parts");
    if (whole && whole->newest != memory) misuse("a part that goes before one that was made after it");
    if (whole) whole->newest = memory->older;
    release(check(memory, BUFFER));
    return code;
}

static char *range(cl_mem memory, size_t offset, size_t size)
{
    (void)check(memory, BUFFER);
    if (offset + size > memory->size) misuse("a range that reaches out of its buffer");
    return memory->bytes + offset;
}

EXPORT cl_int CL_API_CALL clEnqueueReadBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocks, size_t offset,
                                              size_t size, void *to, cl_uint events, const cl_event *before,
                                              cl_event *event)
{
    (void)queue;
    (void)blocks;
    (void)events;
    (void)before;
    (void)event;
    ENTER(clEnqueueReadBuffer);
    do_writes(joined_count);
    memcpy(to, range(memory, offset, size), size);
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clEnqueueWriteBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocks, size_t offset,
                                               size_t size, const void *from, cl_uint events, const cl_event *before,
                                               cl_event *event)
{
    ENTER(clEnqueueWriteBuffer);
    char *to = range(memory, offset, size);
    for (cl_uint i = 0; i < events; i++) (void)check(before[i], EVENT);
    if (blocks) {
        memcpy(to, from, size);
        return CL_SUCCESS;
    }
    *event = make(EVENT, sizeof(struct _cl_event), check(queue, QUEUE));
    put_off(*event, memory, offset, size, from);
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clEnqueueFillBuffer(cl_command_queue queue, cl_mem memory, const void *pattern,
                                              size_t pattern_size, size_t offset, size_t size, cl_uint events,
                                              const cl_event *before, cl_event *event)
{
    (void)queue;
    (void)events;
    (void)before;
    (void)event;
    ENTER(clEnqueueFillBuffer);
    char *to = range(memory, offset, size);
    for (size_t i = 0; i < size; i += pattern_size) memcpy(to + i, pattern, pattern_size);
    return CL_SUCCESS;
}

/* ---- events */

EXPORT cl_int CL_API_CALL clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint events, const cl_event *before,
                                                      cl_event *event)
{
    (void)events;
    (void)before;
    ENTER(clEnqueueMarkerWithWaitList);
    *event = make(EVENT, sizeof(struct _cl_event), check(queue, QUEUE));
    return CL_SUCCESS;
}

/* Some drivers go on after a barrier though what it waited for failed. */
EXPORT cl_int CL_API_CALL clEnqueueBarrierWithWaitList(cl_command_queue queue, cl_uint events, const cl_event *before,
                                                       cl_event *event)
{
    (void)event;
    ENTER(clEnqueueBarrierWithWaitList);
    (void)check(queue, QUEUE);
    for (cl_uint i = 0; i < events; i++) {
        const int count = waiting_for(check(before[i], EVENT));
        if (count > joined_count) joined_count = count;
    }
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clWaitForEvents(cl_uint count, const cl_event *events)
{
    ENTER(clWaitForEvents);
    for (cl_uint i = 0; i < count; i++) {
        const cl_event event = check(events[i], EVENT);
        do_writes(waiting_for(event));
        if (event->status < 0) return CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
    }
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clReleaseEvent(cl_event event)
{
    const cl_int code = count_call(STUB_clReleaseEvent);
    release(check(event, EVENT));
    return code;
}

/* Every kernel takes a microsecond. */
EXPORT cl_int CL_API_CALL clGetEventProfilingInfo(cl_event event, cl_profiling_info what, size_t room, void *to,
                                                  size_t *size)
{
    const cl_ulong time = what == CL_PROFILING_COMMAND_END ? 1000 : 0;
    (void)check(event, EVENT);
    ENTER(clGetEventProfilingInfo);
    return answer(&time, sizeof time, room, to, size);
}

/* ---- programs: the binary is always the same */

static const unsigned char binary[] = "a program of the stub";

EXPORT cl_program CL_API_CALL clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                                        const size_t *lengths, cl_int *code)
{
    (void)count;
    (void)texts;
    (void)lengths;
    ENTER_MAKING(clCreateProgramWithSource, code);
    return make(PROGRAM, sizeof(struct _cl_program), check(context, CONTEXT));
}

EXPORT cl_program CL_API_CALL clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices,
                                                        const size_t *lengths, const unsigned char **binaries,
                                                        cl_int *status, cl_int *code)
{
    (void)count;
    (void)devices;
    ENTER_MAKING(clCreateProgramWithBinary, code);
    const bool same = *lengths == sizeof binary && memcmp(*binaries, binary, sizeof binary) == 0;
    *code = *status = same ? CL_SUCCESS : CL_INVALID_BINARY;
    return same ? make(PROGRAM, sizeof(struct _cl_program), check(context, CONTEXT)) : NULL;
}

EXPORT cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices,
                                         const char *options, void(CL_CALLBACK *notify)(cl_program, void *), void *user)
{
    (void)count;
    (void)devices;
    (void)options;
    (void)notify;
    (void)user;
    (void)check(program, PROGRAM);
    ENTER(clBuildProgram);
    program->built = true;
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clGetProgramInfo(cl_program program, cl_program_info what, size_t room, void *to,
                                           size_t *size)
{
    (void)check(program, PROGRAM);
    ENTER(clGetProgramInfo);
    const size_t bytes = sizeof binary;
    if (what == CL_PROGRAM_BINARY_SIZES) return answer(&bytes, sizeof bytes, room, to, size);
    if (what != CL_PROGRAM_BINARIES) return CL_INVALID_VALUE;
    memcpy(*(unsigned char **)to, binary, sizeof binary);
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what,
                                                size_t room, void *to, size_t *size)
{
    (void)check(program, PROGRAM);
    (void)device;
    (void)what;
    ENTER(clGetProgramBuildInfo);
    return answer_text("<kernel>:3:5: error: what the stub says; <kernel>:6:1: and of <kernel>:0", room, to, size);
}

EXPORT cl_int CL_API_CALL clReleaseProgram(cl_program program)
{
    const cl_int code = count_call(STUB_clReleaseProgram);
    release(check(program, PROGRAM));
    return code;
}

/* ---- kernels */

EXPORT cl_kernel CL_API_CALL clCreateKernel(cl_program program, const char *name, cl_int *code)
{
    (void)check(program, PROGRAM);
    ENTER_MAKING(clCreateKernel, code);
    if (!program->built) misuse("a kernel of a program that is not built");
    cl_kernel kernel = make(KERNEL, sizeof(struct _cl_kernel), &program->base);
    kernel->probes = strcmp(name, "probe") == 0;
    return kernel;
}

EXPORT cl_int CL_API_CALL clReleaseKernel(cl_kernel kernel)
{
    const cl_int code = count_call(STUB_clReleaseKernel);
    release(check(kernel, KERNEL));
    return code;
}

EXPORT cl_int CL_API_CALL clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    (void)check(kernel, KERNEL);
    ENTER(clSetKernelArg);
    if (index >= 32) return CL_INVALID_ARG_INDEX;
    kernel->local_bytes[index] = value || size == sizeof(cl_mem) ? 0 : size; /* a NULL of a pointer's size: no buffer */
    if (value && size == sizeof(cl_mem)) memcpy(&kernel->last_buffer, value, size);
    return CL_SUCCESS;
}

EXPORT cl_int CL_API_CALL clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device,
                                                   cl_kernel_work_group_info what, size_t room, void *to, size_t *size)
{
    (void)check(kernel, KERNEL);
    (void)device;
    ENTER(clGetKernelWorkGroupInfo);
    const size_t items = what == CL_KERNEL_WORK_GROUP_SIZE ? GROUP_ITEMS : 32;
    return answer(&items, sizeof items, room, to, size);
}

/* The one kernel that does something: it finds all right but what STUB_BREAKS, a check's number, says. */
static void pass_probe(cl_mem ok, size_t items)
{
    const int broken = number_of("STUB_BREAKS", -1);
    cl_int *right = (cl_int *)((cl_mem)check(ok, BUFFER))->bytes;
    for (size_t i = 0; i < PROBE_CHECKS * items; i++) right[i] = (int)(i / items) != broken;
}

EXPORT cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                                 const size_t *offset, const size_t *global, const size_t *local,
                                                 cl_uint events, const cl_event *before, cl_event *event)
{
    (void)offset;
    (void)events;
    (void)before;
    (void)check(queue, QUEUE);
    (void)check(kernel, KERNEL);
    ENTER(clEnqueueNDRangeKernel);
    size_t items = local ? 1 : GROUP_ITEMS, bytes = 0; /* without a size, the device takes the largest */
    for (cl_uint i = 0; i < dimensions; i++) {
        if (global[i] == 0 || (local && (local[i] == 0 || global[i] % local[i]))) return CL_INVALID_WORK_GROUP_SIZE;
        if (local) items *= local[i];
    }
    for (int i = 0; i < 32; i++) bytes += kernel->local_bytes[i];
    if (items > GROUP_ITEMS) return CL_INVALID_WORK_GROUP_SIZE;
    if (bytes > LOCAL_BYTES) return CL_OUT_OF_RESOURCES;
    if (items > stub.group_items) stub.group_items = items;
    if (bytes > stub.local_bytes) stub.local_bytes = bytes;
    if (kernel->probes) pass_probe(kernel->last_buffer, items);
    if (event) *event = make(EVENT, sizeof(struct _cl_event), check(queue, QUEUE));
    return CL_SUCCESS;
}
