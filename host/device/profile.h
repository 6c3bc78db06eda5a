/* Timing kernels by the device's own clock, which sees neither the host nor what it costs to launch them. */
#ifndef CLT_DEVICE_PROFILE_H
#define CLT_DEVICE_PROFILE_H

#include "device/device.h"

/* From now on kernels are timed. What was enqueued before should have ended: they run on another queue. */
clt_status clt__profile_begin(clt_device *device, clt_error *error);

/* Waits, and gives the sum of the times of all kernels since; also where it fails the device is as before. */
clt_status clt__profile_end(clt_device *device, double *seconds, clt_error *error);

#endif
