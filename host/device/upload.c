/* Writes beside the kernels. */
#include <stdlib.h>

#include "base/memory.h"
#include "device/opencl.h"

struct clt__upload {
    cl_event written;
};

static clt_status open_upload_queue(clt_device *device, clt_error *error)
{
    cl_int code;
    if (device->upload_queue) return CLT_OK;
    device->upload_queue = clCreateCommandQueue(device->context, device->id, 0, &code);
    if (code == CL_SUCCESS) return CLT_OK;
    device->upload_queue = NULL;
    return OPENCL_FAIL(error, code, "device %s: cannot create a queue for uploads", device->info.id);
}

/* Kernels that were enqueued before may still read what the upload overwrites. */
static cl_int enqueue(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                      cl_event *written)
{
    cl_event before;
    cl_int code = clEnqueueMarkerWithWaitList(device->queue, 0, NULL, &before);
    if (code != CL_SUCCESS) return code;
    code = clEnqueueWriteBuffer(device->upload_queue, buffer->memory, CL_FALSE, (size_t)offset, (size_t)bytes, from, 1,
                                &before, written);
    (void)clReleaseEvent(before);
    if (code != CL_SUCCESS) return code;
    code = clFlush(device->queue);
    if (code == CL_SUCCESS) code = clFlush(device->upload_queue);
    if (code == CL_SUCCESS) return code;
    (void)clWaitForEvents(1, written);
    (void)clReleaseEvent(*written);
    return code;
}

clt_status clt__upload_begin(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                             clt__upload **upload, clt_error *error)
{
    *upload = NULL;
    clt__upload *fresh;
    TRY(open_upload_queue(device, error));
    TRY(clt__allocate(1, sizeof *fresh, "an upload", &fresh, error));
    const cl_int code = enqueue(device, buffer, offset, bytes, from, &fresh->written);
    if (code != CL_SUCCESS) {
        free(fresh);
        return OPENCL_FAIL(error, code, "device %s: writing beside the kernels failed", device->info.id);
    }
    *upload = fresh;
    return CLT_OK;
}

clt_status clt__upload_join(clt_device *device, const clt__upload *upload, clt_error *error)
{
    const cl_int code = clEnqueueBarrierWithWaitList(device->queue, 1, &upload->written, NULL);
    return code == CL_SUCCESS ? CLT_OK
                              : OPENCL_FAIL(error, code, "device %s: waiting for a write failed", device->info.id);
}

void clt__upload_release(clt__upload *upload)
{
    if (!upload) return;
    (void)clWaitForEvents(1, &upload->written);
    (void)clReleaseEvent(upload->written);
    free(upload);
}
