/* How an op runs on a device. */
#include <string.h>

#include "device/tuning.h"
#include "engine/internal.h"

clt_status clt__plan_op(const clt_device *device, clt_precision precision, const clt__op *op, clt__sizes *sizes,
                        clt__launch_plan *plan, clt_error *error)
{
    const clt__tuning_key key = clt__tuning_key_of(op, precision);
    const clt__limits limits = clt__tuned_limits(device, &key);
    *sizes = op->sizes;
    *plan = (clt__launch_plan){0};
    return op->row->plan(sizes, &limits, plan, error);
}

clt__tuning_key clt__tuning_key_of(const clt__op *op, clt_precision precision)
{
    return (clt__tuning_key){op->row->name, precision, (const int *)&op->sizes, op->sizes_bytes / sizeof(int)};
}

static bool same_launch(const clt__launch *a, const clt__launch *b)
{
    return strcmp(a->kernel, b->kernel) == 0 && memcmp(a->global, b->global, sizeof a->global) == 0 &&
           memcmp(a->local, b->local, sizeof a->local) == 0 && a->takes_local == b->takes_local;
}

bool clt__same_plan(const clt__launch_plan *a, const clt__launch_plan *b)
{
    if (strcmp(a->file, b->file) != 0 || strcmp(a->defines, b->defines) != 0 || a->launches != b->launches ||
        a->scratch_reals != b->scratch_reals || a->local_reals != b->local_reals)
        return false;
    for (int i = 0; i < a->launches; i++)
        if (!same_launch(&a->launch[i], &b->launch[i])) return false;
    return true;
}
