/* How an op runs on a device. */
#include <stdio.h>
#include <string.h>

#include "device/tuning.h"
#include "engine/internal.h"

static void cap_items(clt__limits *limits, int most_items)
{
    if (most_items < limits->work_group_items) limits->work_group_items = most_items;
}

/* False where nothing is merged with the op. */
static bool find_merged(const clt_device *device, clt_precision precision, const clt__tape *tape, size_t index,
                        int most_items, clt__sizes *sizes, clt__launches *launches)
{
    const clt__op *op = &tape->op[index];
    const int count = clt__mergeable(op, tape->op_count - index);
    clt__limits limits = clt__device_limits(device, precision);
    if (count == 1 || limits.schedule != CLT_SCHEDULE_TILE) return false;
    for (int i = 0; i < count; i++) {
        const clt__tuning_key key = clt__tuning_key_of(tape, &op[i], precision);
        if (clt__is_tuned(device, &key)) return false;
        sizes[i] = op[i].sizes;
    }
    cap_items(&limits, most_items);
    *launches = (clt__launches){.op = op->row->name};
    const bool merged = op->row->merging->launch(op, count, sizes, &limits, launches);
    launches->ops = count;
    return merged;
}

clt_status clt__launches_of(const clt_device *device, clt_precision precision, const clt__tape *tape, size_t index,
                            clt__kernels kernels, int most_items, clt__sizes sizes[CLT__MAX_MERGED],
                            clt__launches *launches, clt_error *error)
{
    const clt__op *op = &tape->op[index];
    const clt__tuning_key key = clt__tuning_key_of(tape, op, precision);
    clt__limits limits = clt__tuned_limits(device, &key);
    if (kernels == CLT__PLAINEST) limits = clt__plain_limits(&limits);
    cap_items(&limits, most_items);
    if (kernels != CLT__MERGED || !find_merged(device, precision, tape, index, most_items, sizes, launches)) {
        *sizes = op->sizes;
        clt__find_launches(op->row, sizes, &limits, launches);
    }
    if (launches->cut)
        return FAIL(error, CLT_BAD_KERNEL, "%s defines more than %zu characters:%s", op->row->name,
                    sizeof launches->defines - 1, launches->defines);
    return CLT_OK;
}

void clt__find_launches(const clt__op_row *row, clt__sizes *sizes, const clt__limits *limits, clt__launches *launches)
{
    const bool tiles = limits->schedule == CLT_SCHEDULE_TILE && row->launch_tile;
    *launches = (clt__launches){.op = row->name};
    (tiles ? row->launch_tile : row->launch)(sizes, limits, launches);
    launches->ops = 1;
}

/* Whether kernels of these ops read or write halves. */
static bool has_halves(const clt__tape *tape, const clt__op *op, int ops)
{
    bool any = false;
    for (int i = 0; i < ops; i++) any = any || op[i].row->stored;
    return any && tape->stored == CLT__HALVES;
}

clt__tuning_key clt__tuning_key_of(const clt__tape *tape, const clt__op *op, clt_precision precision)
{
    return (clt__tuning_key){.op = op->row->name,
                             .precision = precision,
                             .halves = has_halves(tape, op, 1),
                             .sizes = op->sizes.number,
                             .count = op->sizes_bytes / sizeof(int)};
}

static bool same_launch(const clt__launch *a, const clt__launch *b)
{
    return strcmp(a->kernel, b->kernel) == 0 && memcmp(a->global, b->global, sizeof a->global) == 0 &&
           memcmp(a->local, b->local, sizeof a->local) == 0 && a->takes_local == b->takes_local;
}

bool clt__same_launches(const clt__launches *a, const clt__launches *b)
{
    if (strcmp(a->file, b->file) != 0 || strcmp(a->defines, b->defines) != 0 || a->count != b->count ||
        a->scratch_reals != b->scratch_reals || a->local_reals != b->local_reals)
        return false;
    for (int i = 0; i < a->count; i++)
        if (!same_launch(&a->launch[i], &b->launch[i])) return false;
    return true;
}

/* ---- the program */

double clt__operand_bytes(const clt__tape *tape, const clt__op *op, clt_precision kept, bool written)
{
    const clt__access other = written ? CLT__READ : CLT__WRITE; /* what is updated is both */
    double bytes = 0;
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] >= 0 && op->row->operand[i].access != other)
            bytes +=
                tape->tensor[op->tensor[i]].count * (double)clt__element_bytes(tape->tensor[op->tensor[i]].type, kept);
    return bytes;
}

static bool has_tensor(const clt__op *op, int tensor)
{
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] == tensor) return true;
    return false;
}

double clt__merged_bytes(const clt__tape *tape, const clt__op *op, int ops, clt_precision kept, bool written)
{
    double bytes = 0;
    for (int i = 0; i < ops; i++) {
        clt__op own = op[i];
        for (int j = 0; j < clt__operand_count(own.row) && !written; j++)
            for (int before = 0; before < i; before++)
                if (has_tensor(&op[before], op[i].tensor[j])) own.tensor[j] = -1;
        bytes += clt__operand_bytes(tape, &own, kept, written);
    }
    return bytes;
}

/* Ops whose speed matters, or whose kernels count on it, get their sizes baked into the program, at the price of a
 * compilation of their own. */
static bool bakes_sizes(const clt_device *device, clt_precision precision, const clt__tape *tape, const clt__op *op,
                        const clt__launches *launches)
{
    const clt__limits limits = clt__device_limits(device, precision);
    return launches->bakes_sizes || launches->flops >= limits.heavy_flops ||
           clt__operand_bytes(tape, op, precision, false) + clt__operand_bytes(tape, op, precision, true) >=
               limits.heavy_bytes;
}

/* The sizes as numbers of the program's text: "-DBAKED=64,1,28,28,...". */
static clt_status append_baked_sizes(const clt__op *op, const clt__sizes *sizes, char defines[CLT__MOST_DEFINES],
                                     clt_error *error)
{
    size_t length = strlen(defines);
    for (size_t i = 0; i < op->sizes_bytes / sizeof *sizes->number; i++) {
        const int written =
            snprintf(defines + length, CLT__MOST_DEFINES - length, "%s%d", i ? "," : " -DBAKED=", sizes->number[i]);
        if (written < 0 || (size_t)written >= CLT__MOST_DEFINES - length)
            return FAIL(error, CLT_BAD_KERNEL, "%s: its sizes and defines take more than %d characters", op->row->name,
                        CLT__MOST_DEFINES - 1);
        length += (size_t)written;
    }
    return CLT_OK;
}

/* A kernel file has the kernels of several ops; the program gets this op's only, or those of the merged. Of these the
 * first op's sizes are baked in. */
clt_status clt__defines_of(const clt_device *device, clt_precision precision, const clt__tape *tape, const clt__op *op,
                           const clt__sizes *sizes, const clt__launches *launches, bool plain,
                           char defines[CLT__MOST_DEFINES], clt_error *error)
{
    (void)snprintf(defines, CLT__MOST_DEFINES, "-DOP_%s%s%s", launches->op, launches->defines,
                   has_halves(tape, op, launches->ops) ? " -DHALVES" : "");
    if (plain || !bakes_sizes(device, precision, tape, op, launches)) return CLT_OK;
    return append_baked_sizes(op, sizes, defines, error);
}
