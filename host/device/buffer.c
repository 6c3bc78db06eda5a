/* Device memory. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/opencl.h"

clt_status clt__buffer_create(clt_device *device, uint64_t bytes, const char *what, clt__buffer **buffer,
                              clt_error *error)
{
    *buffer = NULL;
    if (!device->context)
        return FAIL(error, CLT_NO_DEVICE, "device %s (%s) cannot compute: it is there for plans alone", device->info.id,
                    device->info.name);
    const uint64_t most = clt__device_limits(device, CLT_F32).allocation_bytes;
    if (bytes > most)
        return FAIL(error, CLT_NO_MEMORY, "%s takes %" PRIu64 " bytes, device %s allocates at most %" PRIu64 " at once",
                    what, bytes, device->info.id, most);
    clt__buffer *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a buffer", &fresh, error));
    cl_int code;
    fresh->memory = clCreateBuffer(device->context, CL_MEM_READ_WRITE, (size_t)bytes, NULL, &code);
    if (code != CL_SUCCESS) {
        free(fresh);
        return OPENCL_FAIL(error, "clCreateBuffer", code, "device %s has no %" PRIu64 " bytes for %s", device->info.id,
                           bytes, what);
    }
    fresh->device = device;
    fresh->bytes = bytes;
    device->allocated_bytes += bytes;
    *buffer = fresh;
    return CLT_OK;
}

clt_status clt__buffer_part(clt_device *device, clt__buffer *whole, uint64_t offset, uint64_t bytes, clt__buffer **part,
                            clt_error *error)
{
    *part = NULL;
    clt__buffer *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a buffer", &fresh, error));
    const cl_buffer_region region = {(size_t)offset, (size_t)bytes};
    cl_int code;
    fresh->memory = clCreateSubBuffer(whole->memory, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    if (code != CL_SUCCESS) {
        free(fresh);
        return OPENCL_FAIL(error, "clCreateSubBuffer", code, "device %s: cannot take %" PRIu64 " bytes of a buffer",
                           device->info.id, bytes);
    }
    fresh->device = device;
    *part = fresh;
    return CLT_OK;
}

void clt__buffer_release(clt__buffer *buffer)
{
    if (!buffer) return;
    (void)clReleaseMemObject(buffer->memory);
    buffer->device->allocated_bytes -= buffer->bytes;
    free(buffer);
}

clt_status clt__buffer_write(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, const void *from,
                             clt_error *error)
{
    if (!bytes) return CLT_OK;
    const cl_int code = clEnqueueWriteBuffer(device->queue, buffer->memory, CL_TRUE, (size_t)offset, (size_t)bytes,
                                             from, 0, NULL, NULL);
    return code == CL_SUCCESS
               ? CLT_OK
               : OPENCL_FAIL(error, "clEnqueueWriteBuffer", code, "device %s: writing failed", device->info.id);
}

clt_status clt__buffer_read(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes, void *to,
                            clt_error *error)
{
    if (!bytes) return CLT_OK;
    const cl_int code =
        clEnqueueReadBuffer(device->queue, buffer->memory, CL_TRUE, (size_t)offset, (size_t)bytes, to, 0, NULL, NULL);
    return code == CL_SUCCESS
               ? CLT_OK
               : OPENCL_FAIL(error, "clEnqueueReadBuffer", code, "device %s: reading failed", device->info.id);
}

clt_status clt__buffer_fill(clt_device *device, clt__buffer *buffer, uint64_t offset, uint64_t bytes,
                            const void *pattern, size_t pattern_bytes, clt_error *error)
{
    if (!bytes) return CLT_OK;
    const cl_int code = clEnqueueFillBuffer(device->queue, buffer->memory, pattern, pattern_bytes, (size_t)offset,
                                            (size_t)bytes, 0, NULL, NULL);
    return code == CL_SUCCESS
               ? CLT_OK
               : OPENCL_FAIL(error, "clEnqueueFillBuffer", code, "device %s: filling failed", device->info.id);
}
