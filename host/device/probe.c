/* The probe: kernels/probe.cl, and what follows from it. */
#include "device/probe.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/cache.h"
#include "device/known_drivers.h"
#include "kernels/params.h"

enum { LOOPS = 70000 };

/* What fails, a bit a check, in float and in double. */
typedef struct faults {
    unsigned single, real_double;
} faults;

enum { NO_DOUBLE = PROBE_CHECKS }; /* a bit beside those of the checks */

static const char *const fault_texts[PROBE_CHECKS + 1] = {
    [NO_DOUBLE] = "says that it computes in double, but does not compile that",

    [PROBE_NULL] = "gives a kernel something else for a NULL argument",
    [PROBE_LOCAL] = "loses what work-items put into local memory",
    [PROBE_BARRIERS] = "does not wait at barriers in loops",
    [PROBE_VECTORS] = "reads or writes vectors wrongly at odd addresses",
    [PROBE_FMA] = "rounds the product inside a fma",
    [PROBE_SUBNORMAL] = "makes wrong numbers of subnormal ones",
    [PROBE_LOOPS] = "does not run a loop of 70,000 iterations to its end",
};

/* ---- running it */

static void fill_inputs(bool is_double, double in[PROBE_INPUTS])
{
    const double e = is_double ? ldexp(1, -27) : ldexp(1, -13);
    for (int i = 0; i < PROBE_INPUTS; i++) in[i] = i < PROBE_ONES ? 3 + i : 1;
    in[PROBE_ONE] = 1;
    in[PROBE_TWO] = 2;
    in[PROBE_ABOVE] = 1 + e;
    in[PROBE_BELOW] = 1 - e;
    in[PROBE_REST] = -e * e;
    in[PROBE_SMALLEST] = is_double ? DBL_MIN : (double)FLT_MIN;
}

static clt_status write_inputs(clt_device *device, bool is_double, clt__buffer *buffer, clt_error *error)
{
    double in[PROBE_INPUTS];
    float narrow[PROBE_INPUTS];
    fill_inputs(is_double, in);
    if (is_double) return clt__buffer_write(device, buffer, 0, sizeof in, in, error);
    for (int i = 0; i < PROBE_INPUTS; i++) narrow[i] = (float)in[i];
    return clt__buffer_write(device, buffer, 0, sizeof narrow, narrow, error);
}

static clt_status launch(clt_device *device, clt__kernel *kernel, const clt__buffer *in, clt__buffer *scratch,
                         clt__buffer *ok, uint64_t scratch_bytes, int items, clt_error *error)
{
    const int loops = LOOPS;
    const size_t size[3] = {(size_t)items, 1, 1};
    TRY(clt__buffer_fill(device, scratch, 0, scratch_bytes, "", 1, error));
    TRY(clt__buffer_fill(device, ok, 0, PROBE_CHECKS * PROBE_ITEMS * sizeof(int32_t), "", 1, error));
    TRY(clt__kernel_set_value(kernel, 0, sizeof loops, &loops, error));
    TRY(clt__kernel_set_buffer(kernel, 1, in, error));
    TRY(clt__kernel_set_buffer(kernel, 2, NULL, error));
    TRY(clt__kernel_set_buffer(kernel, 3, scratch, error));
    TRY(clt__kernel_set_buffer(kernel, 4, ok, error));
    return clt__kernel_enqueue(device, kernel, size, size, error);
}

static clt_status read_faults(clt_device *device, clt__buffer *ok, int items, unsigned *found, clt_error *error)
{
    int32_t right[PROBE_CHECKS * PROBE_ITEMS];
    TRY(clt__buffer_read(device, ok, 0, sizeof right, right, error));
    *found = 0;
    for (int check = 0; check < PROBE_CHECKS; check++)
        for (int item = 0; item < items; item++)
            if (right[check * items + item] != 1) *found |= 1u << check;
    return CLT_OK;
}

static clt_status run(clt_device *device, clt_precision precision, unsigned *found, clt_error *error)
{
    const bool is_double = precision == CLT_F64;
    const uint64_t real_bytes = is_double ? sizeof(double) : sizeof(float),
                   scratch_bytes = (uint64_t)PROBE_ITEMS * PROBE_STRIDE * real_bytes;
    clt__kernel *kernel = NULL;
    clt__buffer *in = NULL, *scratch = NULL, *ok = NULL;
    size_t most = 1;
    clt_status status = clt__kernel_create(device, "probe.cl", "probe", precision, "-DVEC=1", &kernel, error);
    if (status == CLT_OK) status = clt__kernel_group_items(device, kernel, &most, error);
    const int items = most < PROBE_ITEMS ? 1 : PROBE_ITEMS;
    if (status == CLT_OK) status = clt__buffer_create(device, PROBE_INPUTS * real_bytes, "the probe", &in, error);
    if (status == CLT_OK) status = clt__buffer_create(device, scratch_bytes, "the probe", &scratch, error);
    if (status == CLT_OK)
        status = clt__buffer_create(device, PROBE_CHECKS * PROBE_ITEMS * sizeof(int32_t), "the probe", &ok, error);
    if (status == CLT_OK) status = write_inputs(device, is_double, in, error);
    if (status == CLT_OK) status = launch(device, kernel, in, scratch, ok, scratch_bytes, items, error);
    if (status == CLT_OK) status = read_faults(device, ok, items, found, error);
    clt__buffer_release(ok);
    clt__buffer_release(scratch);
    clt__buffer_release(in);
    clt__kernel_release(kernel);
    return status;
}

/* ---- what is remembered */

static bool recall(const clt_device *device, faults *f)
{
    char *text = clt__cache_load_text(device, "probe");
    const bool known = text && sscanf(text, "faults %x %x", &f->single, &f->real_double) == 2;
    free(text);
    return known;
}

static void remember(const clt_device *device, const faults *f)
{
    char text[64];
    (void)snprintf(text, sizeof text, "faults %x %x\n", f->single, f->real_double);
    clt__cache_store_text(device, "probe", text);
}

/* ---- what follows */

/* "3.1" begins 3.1 and 3.1.2, but not 3.10. */
static bool is_version(const char *version, const char *known)
{
    const size_t length = strlen(known);
    return strncmp(version, known, length) == 0 &&
           !(length && isdigit((unsigned char)known[length - 1]) && isdigit((unsigned char)version[length]));
}

static const clt__known_driver *known_driver(const clt_device *device, int check)
{
    const clt_device_info *info = &device->info;
    for (size_t i = 0; i < sizeof clt__known_drivers / sizeof *clt__known_drivers; i++) {
        const clt__known_driver *known = &clt__known_drivers[i];
        if (strstr(info->platform, known->platform) && is_version(info->driver, known->version) &&
            (!known->type || strcmp(info->type, known->type) == 0) && known->check == check)
            return known;
    }
    return NULL;
}

static void describe(clt_device *device, unsigned found)
{
    clt_device_info *info = &device->info;
    size_t length = 0;
    for (int check = 0; check <= PROBE_CHECKS; check++) {
        if (!(found >> check & 1)) continue;
        const clt__known_driver *known = known_driver(device, check);
        length += (size_t)snprintf(info->faults + length, sizeof info->faults - length, "%s%s", length ? "; " : "",
                                   known ? known->fault : fault_texts[check]);
        if (length >= sizeof info->faults) return;
    }
}

/* Vectors and long loops are the vector schedule's, local memory and barriers the other's. */
static void avoid(clt_device *device, const faults *f)
{
    enum { OF_VECTORS = 1 << PROBE_VECTORS | 1 << PROBE_LOOPS, OF_TILES = 1 << PROBE_LOCAL | 1 << PROBE_BARRIERS };
    if (f->single & OF_VECTORS) device->info.schedule = CLT_SCHEDULE_TILE;
    if (f->single & OF_TILES) device->info.schedule = CLT_SCHEDULE_VECTOR;
    if (f->single & 1 << PROBE_LOCAL) device->info.local_memory_bytes = 0;
    if (f->single & 1 << PROBE_VECTORS) device->info.vector_width = device->double_vector_width = 1;
    if (f->real_double & ~f->single) device->info.fp64 = false;
}

/* A compiler that refuses the probe may do so for a while, for want of disk space say: that is not kept. */
static clt_status look(clt_device *device, faults *f, clt_error *error)
{
    clt_status status = run(device, CLT_F32, &f->single, error);
    if (status == CLT_OK && device->info.fp64) {
        clt_error refusal;
        status = run(device, CLT_F64, &f->real_double, &refusal);
        if (status == CLT_BAD_KERNEL) {
            f->real_double = 1u << NO_DOUBLE;
            return CLT_OK;
        }
        if (status != CLT_OK) (void)clt__pass_on(&refusal, error);
    }
    if (status != CLT_OK) clt__device_drop_programs(device);
    return status;
}

clt_status clt__probe(clt_device *device, clt_error *error)
{
    faults f = {0, 0};
    const clt__known_driver *known = known_driver(device, -1);
    const unsigned ways = known ? known->ways : 0;
    device->builds_alone = ways & CLT__BUILDS_ALONE;
    device->reads_header = ways & CLT__READS_HEADER;
    device->keeps_built = ways & CLT__KEEPS_BUILT;
    if (!recall(device, &f)) {
        TRY(look(device, &f, error));
        remember(device, &f);
    }
    avoid(device, &f);
    describe(device, f.single | f.real_double);
    return CLT_OK;
}

/* ---- trust */

static const char *verified_kind(const clt_device *device, clt_precision precision)
{
    const bool tile = clt__device_limits(device, precision).schedule == CLT_SCHEDULE_TILE;
    if (precision == CLT_F64) return tile ? "verified.tile.f64" : "verified.vector.f64";
    return tile ? "verified.tile.f32" : "verified.vector.f32";
}

bool clt__driver_is_trusted(const clt_device *device, clt_precision precision)
{
    const clt__known_driver *known = known_driver(device, -1);
    if (known && known->agreed) return true;
    char *text = clt__cache_load_text(device, verified_kind(device, precision));
    free(text);
    return text != NULL;
}

void clt__driver_verified(const clt_device *device, clt_precision precision)
{
    clt__cache_store_text(device, verified_kind(device, precision), CLT_VERSION "\n");
}
