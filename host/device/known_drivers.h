/* Drivers that cltrain was tried on, and their known faults. This is the one list of them: a row when a driver is met
 * or mended. */
#ifndef CLT_DEVICE_KNOWN_DRIVERS_H
#define CLT_DEVICE_KNOWN_DRIVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/params.h"

/* A driver: a part of its platform's name, how its own version begins ("" for any), and which type of device it had
 * (NULL for any): the same driver's GPUs are another matter. What is known of it: that all ops of the built-in nets
 * agreed with the reference under both schedules, how its compiler is best used, or a fault that probe.c finds, in
 * words. */
typedef struct clt__known_driver {
    const char *platform, *version, *type;
    bool agreed;
    unsigned ways;     /* of its compiler: CLT__BUILDS_ALONE ... */
    int check;         /* PROBE_..., -1 where no fault is known */
    const char *fault; /* "ends a loop after ..." */
} clt__known_driver;

enum {
    CLT__BUILDS_ALONE = 1, /* it must build programs one at a time: two threads break it */
    CLT__READS_HEADER = 2, /* it is clang, and reads the 18,000 lines of opencl-c.h for each program */
    CLT__KEEPS_BUILT = 4   /* it has a cache of its own on disk, and giving a binary costs it more than building anew */
};

static const clt__known_driver clt__known_drivers[] = {
    {"Portable Computing Language", "3.1", "cpu", true, CLT__READS_HEADER | CLT__KEEPS_BUILT, -1, NULL},
    {"Portable Computing Language", "6.0", "cpu", true, CLT__READS_HEADER | CLT__KEEPS_BUILT, -1, NULL},
    {"Portable Computing Language", "7.1", "cpu", true, CLT__READS_HEADER | CLT__KEEPS_BUILT, -1, NULL},
    {"NVIDIA CUDA", "580.", "gpu", true, 0, -1, NULL},
    {"Intel(R) OpenCL", "2026.", "cpu", true, 0, -1, NULL},
    {"Oclgrind", "", NULL, true, CLT__BUILDS_ALONE, -1, NULL},
    {"rusticl", "25.0.7", "cpu", true, 0, -1, NULL},
    {"rusticl", "22.3", NULL, false, 0, PROBE_LOOPS,
     "ends a work-item's loops after 65,535 iterations in all; Mesa 25.0 does not"},
};

#endif
