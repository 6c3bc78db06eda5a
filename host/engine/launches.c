/* How an op runs on a device. */
#include <string.h>

#include "device/tuning.h"
#include "engine/internal.h"

clt_status clt__launches_of(const clt_device *device, clt_precision precision, const clt__op *op, bool plain,
                            int most_items, clt__sizes *sizes, clt__launches *launches, clt_error *error)
{
    const clt__tuning_key key = clt__tuning_key_of(op, precision);
    clt__limits limits = clt__tuned_limits(device, &key);
    if (plain) limits = clt__plain_limits(&limits);
    if (most_items < limits.work_group_items) limits.work_group_items = most_items;
    *sizes = op->sizes;
    clt__find_launches(op->row, sizes, &limits, launches);
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
}

clt__tuning_key clt__tuning_key_of(const clt__op *op, clt_precision precision)
{
    return (clt__tuning_key){op->row->name, precision, op->sizes.number, op->sizes_bytes / sizeof(int)};
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
