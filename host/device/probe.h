/* What a device gets wrong, found by a short probe when it is first opened. */
#ifndef CLT_DEVICE_PROBE_H
#define CLT_DEVICE_PROBE_H

#include "device/device.h"

/* Runs kernels/probe.cl, in double too where the device has it, unless what came of it is remembered beside the program
 * cache, device by device and driver by driver. The device's info then says what failed, has the schedule that does
 * without it, and no double where that is what fails. */
clt_status clt__probe(clt_device *device, clt_error *error);

/* Whether training on the device may begin without looking: its driver is among those that cltrain was tried on, or
 * what clt__driver_verified remembers has been verified on it under this schedule. */
bool clt__driver_is_trusted(const clt_device *device, clt_precision precision);
void clt__driver_verified(const clt_device *device, clt_precision precision);

#endif
