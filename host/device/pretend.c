/* Pretended devices. */
#include "device/pretend.h"

#include <stdio.h>

#include "base/memory.h"
#include "device/opencl.h"

/* What its driver would say of a GPU, and what its data sheet does. A compute unit is what the driver calls one: see
 * lanes_of_unit in device.c. */
typedef struct gpu {
    const char *id, *name;
    int vendor, compute_units, preferred_multiple, work_group_items;
    bool fp64;
    uint64_t local_bytes, memory_bytes;
    clt__speed speed;
} gpu;

#define GIB(n) (UINT64_C(n) << 30)

/* Sources: NVIDIA's H100 white paper and GA106's; AMD's pages of the RX 6800 and the MI50; Intel's of the A770. ROCm
 * counts pairs of RDNA's compute units. */
/* clang-format off */
static const gpu gpus[] = {
    /*                         id         name                        vendor              units  multiple  items  fp64    local   memory GiB      clock    bytes/s  resident */
    [CLT__PRETEND_H100]    = {"h100",    "NVIDIA H100 SXM",          CLT__VENDOR_NVIDIA,   132,      32,  1024, true,  49152, GIB(80), { 1.98e9,  3.35e12, 2048}},
    [CLT__PRETEND_RTX3060] = {"rtx3060", "NVIDIA GeForce RTX 3060",  CLT__VENDOR_NVIDIA,    28,      32,  1024, true,  49152, GIB(12), {1.777e9,    360e9, 1536}},
    [CLT__PRETEND_RX6800]  = {"rx6800",  "AMD Radeon RX 6800",       CLT__VENDOR_AMD,       30,      32,   256, true,  65536, GIB(16), {2.105e9,    512e9, 2048}},
    [CLT__PRETEND_MI50]    = {"mi50",    "AMD Radeon Instinct MI50", CLT__VENDOR_AMD,       60,      64,   256, true,  65536, GIB(16), {1.725e9,   1024e9, 2560}},
    [CLT__PRETEND_ARC770]  = {"arc770",  "Intel Arc A770",           CLT__VENDOR_INTEL,    512,      16,  1024, false, 65536, GIB(16), {  2.1e9,    560e9, 2048}},
};
/* clang-format on */

clt_status clt__device_pretend(unsigned which, clt_device **device, clt_error *error)
{
    const gpu *g = &gpus[which];
    clt_device *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a device", &fresh, error));
    *fresh = (clt_device){.pretended = &g->speed,
                          .double_vector_width = 1,
                          .work_group_items = g->work_group_items,
                          .preferred_multiple = g->preferred_multiple,
                          .vendor = g->vendor,
                          .allocation_bytes = g->memory_bytes / 4,
                          .winograd = 4};
    clt_device_info *info = &fresh->info;
    char name[sizeof info->name];
    (void)snprintf(name, sizeof name, "%s, pretended", g->name);
    clt__describe_own(info, g->id, name, "gpu");
    info->compute_units = g->compute_units;
    info->vector_width = 1;
    info->memory_bytes = g->memory_bytes;
    info->local_memory_bytes = g->local_bytes;
    info->schedule = CLT_SCHEDULE_TILE;
    info->fp64 = g->fp64;
    *device = fresh;
    return CLT_OK;
}

const clt__speed *clt__device_speed(const clt_device *device)
{
    return device->pretended;
}
