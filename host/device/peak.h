#ifndef CLT_DEVICE_PEAK_H
#define CLT_DEVICE_PEAK_H

#include "device/device.h"

/* The most floating-point operations and bytes (read and written) a second that a fma kernel and a copy kernel reach.
 */
clt_status clt__device_peak(clt_device *device, clt_precision precision, double *flops, double *bytes,
                            clt_error *error);

#endif
