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
    bool alone;        /* it must build programs one at a time: two threads break it */
    bool reads_header; /* its compiler is clang, and reads the 18,000 lines of opencl-c.h for each program */
    bool keeps_built;  /* it has a cache of its own on disk, and giving a binary costs it more than building anew */
    int check;         /* PROBE_..., -1 where no fault is known */
    const char *fault; /* "ends a loop after ..." */
} clt__known_driver;

static const clt__known_driver clt__known_drivers[] = {
    {.platform = "Portable Computing Language",
     .version = "3.1",
     .type = "cpu",
     .agreed = true,
     .reads_header = true,
     .keeps_built = true,
     .check = -1},
    {.platform = "Portable Computing Language",
     .version = "6.0",
     .type = "cpu",
     .agreed = true,
     .reads_header = true,
     .keeps_built = true,
     .check = -1},
    {.platform = "Portable Computing Language",
     .version = "7.1",
     .type = "cpu",
     .agreed = true,
     .reads_header = true,
     .keeps_built = true,
     .check = -1},
    {.platform = "NVIDIA CUDA", .version = "580.", .type = "gpu", .agreed = true, .check = -1},
    {.platform = "Intel(R) OpenCL", .version = "2026.", .type = "cpu", .agreed = true, .check = -1},
    {.platform = "Oclgrind", .version = "", .agreed = true, .alone = true, .check = -1},
    {.platform = "rusticl", .version = "25.0.7", .type = "cpu", .agreed = true, .check = -1},
    {.platform = "rusticl",
     .version = "22.3",
     .check = PROBE_LOOPS,
     .fault = "ends a work-item's loops after 65,535 iterations in all; Mesa 25.0 does not"},
};

#endif
