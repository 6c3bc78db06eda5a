/* Finding devices and opening one. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cache.h"
#include "device/probe.h"
#include "device/tuning.h"
#include "options/options.h"

/* ---- what a device says of itself. A device that cannot answer is described as far as it did. */

static uint64_t device_number(cl_device_id id, cl_device_info what)
{
    /* OpenCL's numbers are 4 or 8 bytes; the union is read by what came back. */
    union {
        cl_uint small;
        cl_ulong large;
    } value = {.large = 0};
    size_t bytes = 0;
    if (clGetDeviceInfo(id, what, sizeof value, &value, &bytes) != CL_SUCCESS) return 0;
    return bytes == sizeof value.small ? value.small : value.large;
}

static void device_text(cl_device_id id, cl_device_info what, char *text, size_t size)
{
    char all[1024] = "";
    if (clGetDeviceInfo(id, what, sizeof all - 1, all, NULL) != CL_SUCCESS) all[0] = 0;
    (void)snprintf(text, size, "%.*s", (int)size - 1, all + strspn(all, " "));
}

/* All of them, freed with free(); NULL where there is no answer. */
static char *device_extensions(cl_device_id id)
{
    size_t bytes = 0;
    if (clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, 0, NULL, &bytes) != CL_SUCCESS || !bytes) return NULL;
    char *all = calloc(bytes + 1, 1);
    if (all && clGetDeviceInfo(id, CL_DEVICE_EXTENSIONS, bytes, all, NULL) == CL_SUCCESS) return all;
    free(all);
    return NULL;
}

static bool device_has_extension(cl_device_id id, const char *extension)
{
    char *all = device_extensions(id);
    const bool found = all && strstr(all, extension);
    free(all);
    return found;
}

static uint64_t device_abilities(cl_device_id id)
{
    char version[256];
    char *all = device_extensions(id);
    device_text(id, CL_DEVICE_VERSION, version, sizeof version);
    const uint64_t hash = clt__cache_hash(version, strlen(version)) ^ (all ? clt__cache_hash(all, strlen(all)) : 0);
    free(all);
    return hash;
}

/* "OpenCL 1.2 ..." and later have what cltrain needs. */
static bool is_new_enough(cl_device_id id)
{
    char version[64];
    int major = 0, minor = 0;
    device_text(id, CL_DEVICE_VERSION, version, sizeof version);
    return sscanf(version, "OpenCL %d.%d", &major, &minor) == 2 && (major > 1 || minor >= 2);
}

static void platform_text(cl_platform_id platform, cl_platform_info what, char text[128])
{
    if (clGetPlatformInfo(platform, what, 127, text, NULL) != CL_SUCCESS) *text = 0;
}

static void describe(cl_platform_id platform, cl_device_id id, int platform_index, int device_index,
                     clt_device_info *info)
{
    memset(info, 0, sizeof *info);
    (void)snprintf(info->id, sizeof info->id, "%d:%d", platform_index, device_index);
    device_text(id, CL_DEVICE_NAME, info->name, sizeof info->name);
    device_text(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    platform_text(platform, CL_PLATFORM_NAME, info->platform);
    const uint64_t type = device_number(id, CL_DEVICE_TYPE);
    const char *kind = type & CL_DEVICE_TYPE_GPU ? "gpu" : type & CL_DEVICE_TYPE_CPU ? "cpu" : "accelerator";
    (void)snprintf(info->type, sizeof info->type, "%s", kind);
    info->compute_units = (int)device_number(id, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->vector_width = (int)device_number(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
    info->memory_bytes = device_number(id, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->local_memory_bytes = device_number(id, CL_DEVICE_LOCAL_MEM_SIZE);
    info->schedule = type & CL_DEVICE_TYPE_GPU || info->vector_width <= 1 ? CLT_SCHEDULE_TILE : CLT_SCHEDULE_VECTOR;
    info->fp64 = device_has_extension(id, "cl_khr_fp64");
    const char *reason = !device_number(id, CL_DEVICE_AVAILABLE)            ? "the device says that it is not available"
                         : !device_number(id, CL_DEVICE_COMPILER_AVAILABLE) ? "the device has no kernel compiler"
                         : !device_number(id, CL_DEVICE_ENDIAN_LITTLE)      ? "the device is big-endian"
                         : !is_new_enough(id)                               ? "the device's OpenCL is older than 1.2"
                                                                            : "";
    (void)snprintf(info->reason, sizeof info->reason, "%s", reason);
    info->usable = !*reason;
}

/* What the caller, else the environment, calls the device; NULL for neither. */
static const char *wanted_name(const char *name)
{
    if (!name) name = getenv("CLTRAIN_DEVICE");
    return name && *name ? name : NULL;
}

static bool is_reference(const char *name)
{
    return name && strcmp(name, "reference") == 0;
}

void clt__describe_own(clt_device_info *info, const char *id, const char *name, const char *type)
{
    memset(info, 0, sizeof *info);
    (void)snprintf(info->id, sizeof info->id, "%s", id);
    (void)snprintf(info->name, sizeof info->name, "%s", name);
    (void)snprintf(info->platform, sizeof info->platform, "cltrain");
    (void)snprintf(info->driver, sizeof info->driver, "%s", CLT_VERSION);
    (void)snprintf(info->type, sizeof info->type, "%s", type);
}

static void describe_reference(clt_device_info *info)
{
    clt__describe_own(info, "reference", "plain C, in double", "reference");
    info->compute_units = info->vector_width = 1;
    info->fp64 = info->usable = true;
    info->is_default = is_reference(wanted_name(NULL));
}

/* ---- listing */

typedef struct found {
    cl_device_id id; /* NULL: a platform that shows none */
    clt_device_info info;
    char version[128]; /* of the platform, which may have its usual name: "OpenCL 3.0 PoCL 3.1 ..." */
} found;

typedef struct found_list {
    found *entry;
    size_t count, capacity;
    const char *failed_call; /* what kept platforms or devices out of the list, if anything did */
    cl_int code;
} found_list;

/* Having nothing to list is no failure. */
static bool lists(found_list *list, const char *call, cl_int code)
{
    if (code == CL_SUCCESS) return true;
    if (code == CL_DEVICE_NOT_FOUND || code == CLT__PLATFORM_NOT_FOUND) return false;
    list->failed_call = call;
    list->code = code;
    return false;
}

/* A platform that shows no device is an entry, too, so that one sees its driver. */
static clt_status add_empty_platform(cl_platform_id platform, int platform_index, found_list *list, clt_error *error)
{
    TRY(clt__grow(&list->entry, &list->capacity, list->count, sizeof *list->entry, error));
    found *entry = &list->entry[list->count++];
    clt_device_info *info = &entry->info;
    *entry = (found){.id = NULL};
    (void)snprintf(info->id, sizeof info->id, "%d:-", platform_index);
    (void)snprintf(info->name, sizeof info->name, "no device");
    (void)snprintf(info->type, sizeof info->type, "-");
    platform_text(platform, CL_PLATFORM_NAME, info->platform);
    (void)snprintf(info->reason, sizeof info->reason,
                   "the driver shows no device: it finds no hardware, lacks rights, or a folder that it can write its "
                   "cache to");
    return CLT_OK;
}

static clt_status find_platform_devices(cl_platform_id platform, int platform_index, found_list *list, clt_error *error)
{
    cl_device_id ids[64];
    cl_uint count = 0;
    const cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 64, ids, &count);
    if (code == CL_DEVICE_NOT_FOUND || (code == CL_SUCCESS && count == 0))
        return add_empty_platform(platform, platform_index, list, error);
    if (!lists(list, "clGetDeviceIDs", code)) return CLT_OK;
    for (cl_uint i = 0; i < count && i < 64; i++) {
        TRY(clt__grow(&list->entry, &list->capacity, list->count, sizeof *list->entry, error));
        found *entry = &list->entry[list->count++];
        *entry = (found){.id = ids[i]};
        platform_text(platform, CL_PLATFORM_VERSION, entry->version);
        describe(platform, ids[i], platform_index, (int)i, &entry->info);
    }
    return CLT_OK;
}

static clt_status find_devices(found_list *list, clt_error *error)
{
    cl_platform_id platforms[64];
    cl_uint count = 0;
    if (!lists(list, "clGetPlatformIDs", clGetPlatformIDs(64, platforms, &count))) return CLT_OK;
    for (cl_uint i = 0; i < count && i < 64; i++) TRY(find_platform_devices(platforms[i], (int)i, list, error));
    return CLT_OK;
}

/* ---- choosing */

static bool contains_ignoring_case(const char *text, const char *part)
{
    for (; *text; text++) {
        size_t i = 0;
        while (part[i] && text[i] && (text[i] | 0x20) == (part[i] | 0x20)) i++;
        if (!part[i]) return true;
    }
    return false;
}

/* Digits alone are a place in the list, and nothing else: names are full of digits. */
static bool is_called(const found_list *list, size_t i, const char *name)
{
    const clt_device_info *info = &list->entry[i].info;
    if (!name) return true;
    if (!name[strspn(name, "0123456789")]) return strtoull(name, NULL, 10) == i;
    return strcmp(info->id, name) == 0 || strcmp(info->type, name) == 0 || contains_ignoring_case(info->name, name) ||
           contains_ignoring_case(info->platform, name) || contains_ignoring_case(list->entry[i].version, name);
}

/* The first usable device of that name; without a name a GPU comes before any other. NULL where there is none. */
static found *find_called(const found_list *list, const char *name)
{
    found *first = NULL;
    for (size_t i = 0; i < list->count; i++) {
        found *entry = &list->entry[i];
        if (!entry->info.usable || !is_called(list, i, name)) continue;
        if (name || strcmp(entry->info.type, "gpu") == 0) return entry;
        if (!first) first = entry;
    }
    return first;
}

static size_t count_usable(const found_list *list, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) count += list->entry[i].info.usable && is_called(list, i, name);
    return count;
}

static clt_status fail_to_list(const found_list *list, clt_error *error)
{
    (void)OPENCL_FAIL(error, list->failed_call, list->code,
                      "no OpenCL device was found, --device reference needs none");
    if (error) error->status = CLT_NO_DEVICE;
    return CLT_NO_DEVICE;
}

/* "0:0 (pthread-...), 1:0 (...)", as far as there is room. */
static void list_names(const found_list *list, char *text, size_t room)
{
    size_t length = 0;
    *text = 0;
    for (size_t i = 0; i < list->count && length + 1 < room; i++)
        length += (size_t)snprintf(text + length, room - length, "%s%s (%.60s, %.60s)", i ? ", " : "",
                                   list->entry[i].info.id, list->entry[i].info.name, list->entry[i].info.platform);
}

/* Why there is none to choose. */
static clt_status fail_to_choose(const found_list *list, const char *name, clt_error *error)
{
    char names[600];
    const clt_device_info *empty = NULL;
    size_t devices = 0;
    for (size_t i = 0; i < list->count; i++) {
        const found *entry = &list->entry[i];
        if (!entry->id) empty = &entry->info;
        devices += entry->id != NULL;
        if (entry->id && is_called(list, i, name))
            return FAIL(error, CLT_NO_DEVICE, "device %s (%s) cannot be used: %s", entry->info.id, entry->info.name,
                        entry->info.reason);
    }
    if (devices == 0 && list->failed_call) return fail_to_list(list, error);
    if (devices == 0 && empty)
        return FAIL(error, CLT_NO_DEVICE, "no OpenCL device was found, --device reference needs none: %s: %s",
                    empty->platform, empty->reason);
    if (devices == 0)
        return FAIL(error, CLT_NO_DEVICE,
                    "no OpenCL device was found: install a driver (Debian: pocl-opencl-icd makes the CPU a device), or "
                    "use --device reference");
    list_names(list, names, sizeof names);
    return FAIL(error, CLT_NO_DEVICE, "no OpenCL device is called \"%s\", nor is its platform: there are %s", name,
                names);
}

/* What clt_device_open(NULL) picks. */
static void mark_default(const found_list *list)
{
    const char *name = wanted_name(NULL);
    found *chosen = is_reference(name) ? NULL : find_called(list, name);
    if (chosen) chosen->info.is_default = true;
}

struct clt_devices {
    size_t count;
    clt_device_info info[];
};

static clt_status list_devices(const found_list *all, clt_devices **devices, clt_error *error)
{
    TRY(clt__allocate(1, sizeof **devices + (all->count + 1) * sizeof(clt_device_info), "the list of devices", devices,
                      error));
    for (size_t i = 0; i < all->count; i++) (*devices)->info[i] = all->entry[i].info;
    describe_reference(&(*devices)->info[all->count]);
    (*devices)->count = all->count + 1;
    return CLT_OK;
}

clt_status clt_devices_find(clt_devices **devices, clt_error *error)
{
    found_list all = {0};
    *devices = NULL;
    clt_status status = find_devices(&all, error);
    if (status == CLT_OK) mark_default(&all);
    if (status == CLT_OK) status = list_devices(&all, devices, error);
    free(all.entry);
    return status;
}

size_t clt_devices_count(const clt_devices *devices)
{
    return devices->count;
}

const clt_device_info *clt_devices_at(const clt_devices *devices, size_t index)
{
    return index < devices->count ? &devices->info[index] : NULL;
}

void clt_devices_close(clt_devices *devices)
{
    free(devices);
}

/* ---- opening */

/* Of one dimension alone, which is all that kernels/group_tile.h uses. */
static int largest_work_group(cl_device_id id)
{
    size_t sizes[16] = {0}, most = 0;
    if (clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof most, &most, NULL) != CL_SUCCESS) return 1;
    if (clGetDeviceInfo(id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof sizes, sizes, NULL) != CL_SUCCESS) return 1;
    if (sizes[0] < most) most = sizes[0];
    return most < 1 ? 1 : most > INT_MAX ? INT_MAX : (int)most;
}

static clt_status open_queue(clt_device *device, clt_error *error)
{
    cl_int code;
    device->context = clCreateContext(NULL, 1, &device->id, NULL, NULL, &code);
    if (code != CL_SUCCESS)
        return OPENCL_FAIL(error, "clCreateContext", code, "device %s: cannot create a context", device->info.id);
    device->queue = clCreateCommandQueue(device->context, device->id, 0, &code);
    if (code != CL_SUCCESS)
        return OPENCL_FAIL(error, "clCreateCommandQueue", code, "device %s: cannot create a queue", device->info.id);
    return CLT_OK;
}

/* `part`: of it, or NULL. */
static clt_status open_chosen(const found *chosen, const clt__device_part *part, clt_device *device, clt_error *error)
{
    device->info = chosen->info;
    device->id = chosen->id;
    device->double_vector_width = (int)device_number(device->id, CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE);
    device->work_group_items = largest_work_group(device->id);
    device->vendor = (int)device_number(device->id, CL_DEVICE_VENDOR_ID);
    device->allocation_bytes = device_number(device->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    device->winograd = 4;
    device->shares_host_memory = device_number(device->id, CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
    const uint64_t alignment = device_number(device->id, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8;
    if (alignment > CLT__BUFFER_ALIGNMENT)
        return FAIL(error, CLT_NO_DEVICE, "device %s wants parts of buffers at multiples of %llu bytes, more than %d",
                    device->info.id, (unsigned long long)alignment, (int)CLT__BUFFER_ALIGNMENT);
    device->cache_folder = clt__cache_folder();
    device->abilities = device_abilities(device->id);
    TRY(clt__tuning_load(device, error));
    if (part) TRY(clt__open_part(device, part, error));
    TRY(open_queue(device, error));
    return clt__probe(device, error);
}

static clt_status check_single(const char *name, const clt__device_part *part, clt_error *error)
{
    if (!name || (!strchr(name, ',') && strcmp(name, "all") != 0 && !(part->parts && part->number < 0))) return CLT_OK;
    return FAIL(error, CLT_NO_DEVICE, "\"%s\" names several devices, where one is taken: train and eval take several",
                name);
}

clt_status clt_device_open(const char *name, clt_device **device, clt_error *error)
{
    *device = NULL;
    clt__device_part part;
    char local[16];
    name = wanted_name(name);
    if (name && strcmp(name, "local") == 0) {
        TRY(clt__local_device(local, error));
        name = local;
    }
    const bool is_part = clt__part_of_device(name, &part);
    TRY(check_single(name, &part, error));
    if (is_part) name = part.of;
    clt_device *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a device", &fresh, error));
    clt_status status = CLT_OK;
    if (is_reference(name)) {
        describe_reference(&fresh->info);
    } else {
        found_list list = {0};
        const found *chosen = NULL;
        status = find_devices(&list, error);
        if (status == CLT_OK) chosen = find_called(&list, name);
        if (name) fresh->fitting = count_usable(&list, name);
        if (status == CLT_OK && !chosen) status = fail_to_choose(&list, name, error);
        if (status == CLT_OK) mark_default(&list);
        if (status == CLT_OK) status = open_chosen(chosen, is_part ? &part : NULL, fresh, error);
        free(list.entry);
    }
    if (status != CLT_OK) {
        clt_device_close(fresh);
        return status;
    }
    *device = fresh;
    return CLT_OK;
}

static void note_choice(const clt_device *device, const char *name)
{
    char sentence[400];
    (void)snprintf(sentence, sizeof sentence, "%zu devices fit \"%.60s\": %s (%.100s, %.100s) is taken",
                   device->fitting, name, device->info.id, device->info.name, device->info.platform);
    clt__device_note(device, sentence);
}

static void note_faults(const clt_device *device)
{
    char sentence[800];
    const clt_device_info *info = &device->info;
    (void)snprintf(
        sentence, sizeof sentence,
        "the driver of device %s (%.100s, %.60s %.40s) %.300s: `cltrain verify` tells whether what you do is right "
        "all the same",
        info->id, info->name, info->platform, info->driver, info->faults);
    clt__device_note(device, sentence);
}

clt_status clt_device_open_with(const clt_options *options, clt_device **device, clt_error *error)
{
    clt_options none;
    options = clt__options_or_default(options, &none);
    TRY(options->pretend ? clt__device_pretend(options->pretend, device, error)
                         : clt_device_open(options->device, device, error));
    clt_device_set_notes(*device, options->note, options->note_user);
    clt_device_set_schedule(*device, (clt_schedule)options->schedule);
    if (*(*device)->info.faults) note_faults(*device);
    if ((*device)->fitting > 1) note_choice(*device, wanted_name(options->device));
    clt__device_set_caps(*device, &(clt__caps){options->limit_workgroup, options->limit_local, options->limit_alloc});
    return CLT_OK;
}

/* Only now, at the end: some drivers' binaries hold what they compiled for kernels and launches, and for some drivers
 * it takes long to make them. */
static void store_program(const clt_device *device, const clt__program *program)
{
    if (program->cached || program->trial) return;
    if (program->refusal)
        clt__cache_store_refusal(device, program->source, program->options, program->refusal);
    else if (!device->keeps_built)
        clt__cache_store(device, program->source, program->options, program->program);
}

void clt_device_close(clt_device *device)
{
    if (!device) return;
    for (size_t i = 0; i < device->program_count; i++) {
        store_program(device, &device->programs[i]);
        if (device->programs[i].program) (void)clReleaseProgram(device->programs[i].program);
        free(device->programs[i].refusal);
        free(device->programs[i].source);
        free(device->programs[i].options);
    }
    free(device->programs);
    clt__tuning_free(device);
    free(device->cache_folder);
    if (device->upload_queue) (void)clReleaseCommandQueue(device->upload_queue);
    if (device->queue) (void)clReleaseCommandQueue(device->queue);
    if (device->context) (void)clReleaseContext(device->context);
    if (device->part) (void)clReleaseDevice(device->part);
    free(device);
}

const clt_device_info *clt_device_describe(const clt_device *device)
{
    return &device->info;
}

bool clt__device_is_reference(const clt_device *device)
{
    return !device->queue && !device->pretended;
}

static int power_of_two_up_to_16(int width)
{
    int power = 1;
    while (power * 2 <= width && power < 16) power *= 2;
    return power;
}

/* Stays in a core's second-level cache beside the weights that it meets. */
enum { PATCH_BYTES = 192 * 1024 };

int clt__native_vector_width(const clt_device *device, clt_precision precision)
{
    return power_of_two_up_to_16(precision == CLT_F64 ? device->double_vector_width : device->info.vector_width);
}

void clt_device_set_schedule(clt_device *device, clt_schedule schedule)
{
    device->schedule = schedule;
}

void clt__device_set_caps(clt_device *device, const clt__caps *caps)
{
    device->caps = *caps;
}

/* A compute unit is another thing with each vendor, and OpenCL has no question for it. NVIDIA's is a multiprocessor of
 * 128 lanes. AMD's is a compute unit of 64 lanes, whose work-groups are multiples of 64, or a pair of newer ones, whose
 * are of 32. Intel's is a vector engine of 8 lanes; 16 of them share a local memory, and are one here. */
enum { ENGINES = 16 };

static bool is_intel_gpu(const clt_device *device)
{
    return device->vendor == CLT__VENDOR_INTEL && strcmp(device->info.type, "gpu") == 0;
}

static int units_of(const clt_device *device)
{
    const int units = is_intel_gpu(device) ? device->info.compute_units / ENGINES : device->info.compute_units;
    return units > 0 ? units : 1;
}

static int lanes_of_unit(const clt_device *device)
{
    return device->vendor == CLT__VENDOR_AMD && device->preferred_multiple >= 64 ? 64 : 128;
}

/* Tiles of the tile schedule: 128 x 128 outputs by 16 x 16 work-items of 8 x 8 sums, which with what they multiply take
 * 128 registers. Larger groups share little more and wait for each other longer. */
enum { WORK_GROUP_ITEMS = 256, ITEM_BLOCK = 8, SLAB = 8 };

/* Intel's compiler finds no registers for more sums than 32 in most kernels. */
static int most_sums(const clt_device *device)
{
    return is_intel_gpu(device) ? 32 : ITEM_BLOCK * ITEM_BLOCK;
}

clt__limits clt__device_limits(const clt_device *device, clt_precision precision)
{
    const clt_schedule schedule = device->schedule == CLT_SCHEDULE_AUTO ? device->info.schedule : device->schedule;
    const uint64_t items = clt__lower_limit((uint64_t)device->work_group_items, device->caps.work_group_items);
    clt__limits limits = {
        .real_bytes = precision == CLT_F64 ? 8 : 4,
        .vector_width = schedule == CLT_SCHEDULE_TILE ? 1 : clt__native_vector_width(device, precision),
        .patch_bytes = PATCH_BYTES,
        .winograd = device->winograd,
        .schedule = schedule,
        .work_group_items = items < WORK_GROUP_ITEMS ? (int)items : WORK_GROUP_ITEMS,
        .preferred_multiple = device->preferred_multiple > 0 ? device->preferred_multiple : 1,
        .item_block = ITEM_BLOCK,
        .item_sums = most_sums(device),
        .slab = SLAB,
        .compute_units = units_of(device),
        .unit_lanes = lanes_of_unit(device),
        .local_bytes = clt__lower_limit(device->info.local_memory_bytes, device->caps.local_bytes),
        .allocation_bytes = clt__lower_limit(device->allocation_bytes, device->caps.allocation_bytes),
        .memory_bytes = device->info.memory_bytes,
        .shares_host_memory = device->shares_host_memory,
    };
    /* A sixteenth is left to the driver, and to what else uses the device. The reference takes what the host gives. */
    const uint64_t most = limits.memory_bytes / 16 * 15;
    limits.free_bytes = most > device->allocated_bytes ? most - device->allocated_bytes : 0;
    if (clt__device_is_reference(device)) limits.free_bytes = limits.allocation_bytes = UINT64_MAX;
    /* About 10 us of a device's time, a CPU's or a GPU's. */
    limits.heavy_flops = schedule == CLT_SCHEDULE_TILE ? 1e8 : 2e6;
    limits.heavy_bytes = schedule == CLT_SCHEDULE_TILE ? 5e6 : 1e6;
    /* OpenCL does not tell how many registers there are. CPUs with 64-byte vectors (AVX-512) have 32, those with
     * shorter ones may have 16 (AVX2). */
    const int vector_bytes = limits.vector_width * limits.real_bytes;
    limits.registers = vector_bytes >= 64 ? 32 : 16;
    return limits;
}

clt__limits clt__plain_limits(const clt__limits *limits)
{
    clt__limits plain = *limits;
    plain.schedule = CLT_SCHEDULE_VECTOR;
    plain.vector_width = plain.work_group_items = 1;
    plain.registers = 8;
    plain.winograd = 0;
    plain.local_bytes = 0;
    return plain;
}

void clt__device_drop_programs(clt_device *device)
{
    for (size_t i = 0; i < device->program_count; i++) device->programs[i].trial = true;
}

void clt_device_set_notes(clt_device *device, clt_note_function note, void *user)
{
    device->note = note;
    device->note_user = user;
}

void clt__device_note(const clt_device *device, const char *sentence)
{
    if (device->note) device->note(device->note_user, sentence);
}

void clt__device_replace_source(clt_device *device, const char *name, const char *text)
{
    device->replaced_name = name;
    device->replaced_text = text;
}

clt_status clt__device_flush(clt_device *device, clt_error *error)
{
    const cl_int code = clFlush(device->queue);
    return code == CL_SUCCESS ? CLT_OK
                              : OPENCL_FAIL(error, "clFlush", code, "device %s: starting failed", device->info.id);
}

clt_status clt__device_finish(clt_device *device, clt_error *error)
{
    const cl_int code = clFinish(device->queue);
    return code == CL_SUCCESS ? CLT_OK
                              : OPENCL_FAIL(error, "clFinish", code, "device %s: waiting failed", device->info.id);
}
