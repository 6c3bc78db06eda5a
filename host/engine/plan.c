/* How an op runs on a device. */
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
