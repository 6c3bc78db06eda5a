/* Writes and reads beside the kernels. */
#include <stdlib.h>

#include "base/memory.h"
#include "device/opencl.h"

struct clt__upload {
    clt_device *device;
    cl_event ended;
};

static clt_status open_upload_queue(clt_device *device, clt_error *error)
{
    cl_int code;
    if (device->upload_queue) return CLT_OK;
    device->upload_queue = clCreateCommandQueue(device->context, device->id, 0, &code);
    if (code == CL_SUCCESS) return CLT_OK;
    device->upload_queue = NULL;
    return OPENCL_FAIL(error, "clCreateCommandQueue", code, "device %s: cannot create a queue for uploads",
                       device->info.id);
}

static clt_status check(const clt_device *device, const char *call, cl_int code, clt_error *error)
{
    if (code == CL_SUCCESS) return CLT_OK;
    return OPENCL_FAIL(error, call, code, "device %s: a transfer beside the kernels failed", device->info.id);
}

/* Kernels that were enqueued before may still read what an upload overwrites, or write what a download reads. Of `from`
 * and `to` one is NULL. */
static clt_status enqueue(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                          void *to, cl_event *ended, clt_error *error)
{
    cl_event before;
    TRY(check(device, "clEnqueueMarkerWithWaitList", clEnqueueMarkerWithWaitList(device->queue, 0, NULL, &before),
              error));
    const cl_int code = from ? clEnqueueWriteBuffer(device->upload_queue, buffer->memory, CL_FALSE, (size_t)offset,
                                                    (size_t)bytes, from, 1, &before, ended)
                             : clEnqueueReadBuffer(device->upload_queue, buffer->memory, CL_FALSE, (size_t)offset,
                                                   (size_t)bytes, to, 1, &before, ended);
    (void)clReleaseEvent(before);
    return check(device, from ? "clEnqueueWriteBuffer" : "clEnqueueReadBuffer", code, error);
}

static clt_status flush(const clt_device *device, clt_error *error)
{
    TRY(check(device, "clFlush", clFlush(device->queue), error));
    return check(device, "clFlush", clFlush(device->upload_queue), error);
}

static clt_status begin(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                        void *to, clt__upload **upload, clt_error *error)
{
    *upload = NULL;
    clt__upload *fresh;
    TRY(open_upload_queue(device, error));
    TRY(clt__allocate(1, sizeof *fresh, "an upload", &fresh, error));
    fresh->device = device;
    clt_status status = enqueue(device, buffer, offset, bytes, from, to, &fresh->ended, error);
    if (status != CLT_OK) {
        free(fresh);
        return status;
    }
    status = flush(device, error);
    if (status == CLT_OK)
        *upload = fresh;
    else
        (void)clt__upload_end(fresh, NULL);
    return status;
}

clt_status clt__upload_begin(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                             clt__upload **upload, clt_error *error)
{
    return begin(device, buffer, offset, bytes, from, NULL, upload, error);
}

clt_status clt__download_begin(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, void *to,
                               clt__upload **download, clt_error *error)
{
    return begin(device, buffer, offset, bytes, NULL, to, download, error);
}

bool clt__upload_is_done(const clt__upload *upload)
{
    cl_int state = CL_COMPLETE;
    (void)clGetEventInfo(upload->ended, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
    return state <= CL_COMPLETE; /* errors are negative */
}

clt_status clt__upload_join(clt_device *device, const clt__upload *upload, clt_error *error)
{
    return check(device, "clEnqueueBarrierWithWaitList",
                 clEnqueueBarrierWithWaitList(device->queue, 1, &upload->ended, NULL), error);
}

clt_status clt__upload_end(clt__upload *upload, clt_error *error)
{
    if (!upload) return CLT_OK;
    const cl_int code = clWaitForEvents(1, &upload->ended);
    /* The host's memory of it may not go away before it has ended, whatever became of the waiting. */
    if (code != CL_SUCCESS) (void)clFinish(upload->device->upload_queue);
    const clt_status status = check(upload->device, "clWaitForEvents", code, error);
    (void)clReleaseEvent(upload->ended);
    free(upload);
    return status;
}
