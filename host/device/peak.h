#ifndef CLT_DEVICE_PEAK_H
#define CLT_DEVICE_PEAK_H

#include "device/device.h"

/* Of a fma kernel and of a copy kernel: floating-point operations and bytes (read and written) a second. Of a kernel
 * that does nothing: what launching it costs, many being enqueued one after another. */
typedef struct clt__peak {
    double flops, bytes, launch_seconds;
} clt__peak;

clt_status clt__device_peak(clt_device *device, clt_precision precision, clt__peak *peak, clt_error *error);

#endif
