/* GPUs that are not there: enough of them for plans, and for a model of the time. Nothing can be computed on one. */
#ifndef CLT_DEVICE_PRETEND_H
#define CLT_DEVICE_PRETEND_H

#include "device/device.h"

/* Their names, as the option `pretend` lists them after "none", which is 0. */
enum {
    CLT__PRETEND_NONE,
    CLT__PRETEND_H100,
    CLT__PRETEND_RTX3060,
    CLT__PRETEND_RX6800,
    CLT__PRETEND_MI50,
    CLT__PRETEND_ARC770
};

clt_status clt__device_pretend(unsigned which, clt_device **device, clt_error *error);

/* How fast a pretended device is, by its data sheet. */
typedef struct clt__speed {
    double clock;  /* in Hz; a lane does a multiply-add at each */
    double memory; /* bytes a second */
    int resident;  /* work-items that a compute unit (clt__limits) holds at a time, while each takes few registers */
} clt__speed;

/* NULL for a device that is there: what it can do is for a clock to say. */
const clt__speed *clt__device_speed(const clt_device *device);

#endif
