/* Timing kernels by the device's own clock. */
#include "device/profile.h"

#include <stdlib.h>

#include "base/memory.h"
#include "device/opencl.h"

/* While a device is profiled its queue is another, which keeps an event of each kernel. */
struct clt__profile {
    cl_command_queue usual, queue;
    cl_event *event;
    size_t count, capacity;
};

static clt_status check(const clt_device *device, const char *call, cl_int code, clt_error *error)
{
    return code == CL_SUCCESS ? CLT_OK
                              : OPENCL_FAIL(error, call, code, "device %s: timing kernels failed", device->info.id);
}

clt_status clt__profile_begin(clt_device *device, clt_error *error)
{
    clt__profile *fresh;
    cl_int code;
    TRY(clt__allocate(1, sizeof *fresh, "a profile", &fresh, error));
    fresh->usual = device->queue;
    fresh->queue = clCreateCommandQueue(device->context, device->id, CL_QUEUE_PROFILING_ENABLE, &code);
    if (code != CL_SUCCESS) {
        free(fresh);
        return check(device, "clCreateCommandQueue", code, error);
    }
    device->queue = fresh->queue;
    device->profile = fresh;
    return CLT_OK;
}

clt_status clt__profile_event(clt_device *device, cl_event **event, clt_error *error)
{
    clt__profile *p = device->profile;
    *event = NULL;
    if (!p) return CLT_OK;
    TRY(clt__grow(&p->event, &p->capacity, p->count, sizeof *p->event, error));
    *event = &p->event[p->count++];
    **event = NULL;
    return CLT_OK;
}

static clt_status add_event(const clt_device *device, cl_event event, double *seconds, clt_error *error)
{
    cl_ulong begin = 0, end = 0;
    TRY(check(device, "clGetEventProfilingInfo",
              clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof begin, &begin, NULL), error));
    TRY(check(device, "clGetEventProfilingInfo",
              clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL), error));
    *seconds += end > begin ? 1e-9 * (double)(end - begin) : 0;
    return CLT_OK;
}

clt_status clt__profile_end(clt_device *device, double *seconds, clt_error *error)
{
    clt__profile *p = device->profile;
    *seconds = 0;
    clt_status status = check(device, "clFinish", clFinish(p->queue), error);
    for (size_t i = 0; i < p->count; i++) {
        if (!p->event[i]) continue;
        if (status == CLT_OK) status = add_event(device, p->event[i], seconds, error);
        (void)clReleaseEvent(p->event[i]);
    }
    device->queue = p->usual;
    device->profile = NULL;
    (void)clReleaseCommandQueue(p->queue);
    free(p->event);
    free(p);
    return status;
}
