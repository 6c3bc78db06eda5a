/* Lists of devices, and parts of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/opencl.h"
#include "team/launcher.h"

/* ---- parts: "0:0/2" is a device in two parts, "0:0/2/1" the second of them */

bool clt__part_of_device(const char *name, clt__device_part *part)
{
    char *end;
    const char *slash = name ? strchr(name, '/') : NULL;
    *part = (clt__device_part){.number = -1};
    if (!slash || slash == name || (size_t)(slash - name) >= sizeof part->of) return false;
    memcpy(part->of, name, (size_t)(slash - name));
    const long parts = strtol(slash + 1, &end, 10);
    if (end == slash + 1 || parts < 1 || parts > 1024) return false;
    part->parts = (int)parts;
    if (!*end) return true;
    const char *last = end + 1;
    if (*end != '/') return false;
    const long number = strtol(last, &end, 10);
    if (end == last || *end || number < 0 || number > 1024) return false;
    part->number = (int)number;
    return true;
}

clt_status clt__open_part(clt_device *device, const clt__device_part *part, clt_error *error)
{
    cl_device_id parts[1024];
    const int units = device->info.compute_units / part->parts;
    cl_uint count = 0;
    const cl_device_partition_property equally[] = {CL_DEVICE_PARTITION_EQUALLY, (cl_device_partition_property)units,
                                                    0};
    if (part->number >= part->parts)
        return FAIL(error, CLT_NO_DEVICE, "device %s in %d parts has the parts 0 to %d, not %d", device->info.id,
                    part->parts, part->parts - 1, part->number);
    if (units < 1)
        return FAIL(error, CLT_NO_DEVICE, "device %s has %d compute units: it cannot be cut into %d parts",
                    device->info.id, device->info.compute_units, part->parts);
    const cl_int code = clCreateSubDevices(device->id, equally, 1024, parts, &count);
    if (code != CL_SUCCESS || count < (cl_uint)part->parts)
        return OPENCL_FAIL(error, "clCreateSubDevices", code, "device %s cannot be cut into %d parts", device->info.id,
                           part->parts);
    for (cl_uint i = 0; i < count; i++)
        if (i != (cl_uint)part->number) (void)clReleaseDevice(parts[i]);
    device->id = device->part = parts[part->number];
    const size_t length = strlen(device->info.id);
    (void)snprintf(device->info.id + length, sizeof device->info.id - length, "/%d/%d", part->parts, part->number);
    return CLT_OK;
}

/* ---- lists */

static clt_status add(clt__text *list, int *count, clt_error *error, const char *name)
{
    TRY(clt__text_print(list, error, "%s%s", *count ? "," : "", name));
    (*count)++;
    return CLT_OK;
}

static clt_status add_parts(const clt__device_part *part, clt__text *list, int *count, clt_error *error)
{
    for (int i = 0; i < part->parts; i++) {
        char name[sizeof part->of + 32];
        (void)snprintf(name, sizeof name, "%s/%d/%d", part->of, part->parts, i);
        TRY(add(list, count, error, name));
    }
    return CLT_OK;
}

/* The usable ones of every platform: GPUs, if there are any. */
static clt_status list_all(clt__text *list, int *count, clt_error *error)
{
    clt_devices *devices;
    bool gpus = false;
    TRY(clt_devices_find(&devices, error));
    const size_t all = clt_devices_count(devices);
    for (size_t i = 0; i < all; i++) {
        const clt_device_info *info = clt_devices_at(devices, i);
        gpus = gpus || (info->usable && strcmp(info->type, "gpu") == 0);
    }
    clt_status status = CLT_OK;
    for (size_t i = 0; i < all && status == CLT_OK; i++) {
        const clt_device_info *info = clt_devices_at(devices, i);
        const bool is_one = info->usable && strcmp(info->type, "reference") != 0;
        if (is_one && (!gpus || strcmp(info->type, "gpu") == 0)) status = add(list, count, error, info->id);
    }
    clt_devices_close(devices);
    if (status == CLT_OK && !*count)
        return FAIL(error, CLT_NO_DEVICE, "no OpenCL device was found, --device reference needs none");
    return status;
}

clt_status clt__local_device(char name[16], clt_error *error)
{
    clt__text list = {0};
    char part[CLT__LIST_PART];
    int count = 0;
    TRY(list_all(&list, &count, error));
    const char *rest = list.start;
    for (int i = clt__local_rank() % count; i >= 0; i--) (void)clt__next_part(&rest, part);
    free(list.start);
    (void)snprintf(name, 16, "%.15s", part);
    return CLT_OK;
}

static clt_status expand(const char *name, clt__text *list, int *count, clt_error *error)
{
    clt__device_part part;
    if (strcmp(name, "all") == 0) return list_all(list, count, error);
    if (clt__part_of_device(name, &part) && part.number < 0) return add_parts(&part, list, count, error);
    return add(list, count, error, name);
}

clt_status clt_devices_expand(const char *names, char **list, int *count, clt_error *error)
{
    clt__text text = {0};
    char part[CLT__LIST_PART];
    clt_status status = CLT_OK;
    *count = 0;
    *list = NULL;
    while (status == CLT_OK && clt__next_part(&names, part)) status = expand(part, &text, count, error);
    if (status == CLT_OK)
        *list = text.start;
    else
        free(text.start);
    return status;
}
