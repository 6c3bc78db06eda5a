/* What `cltrain tune` found: for an op of certain sizes, other limits for its launch rule than the device's own. They
 * are kept in a file of the cache folder, one for each device and driver. Launches follow from them as they do from the
 * device's, so the same file gives the same bits. */
#ifndef CLT_DEVICE_TUNING_H
#define CLT_DEVICE_TUNING_H

#include "device/device.h"

/* One thing that may be chosen otherwise: a field of clt__limits, and values worth trying. */
typedef struct clt__tunable {
    const char *name;
    size_t offset; /* of the int in clt__limits */
    int values, value[6];
} clt__tunable;

extern const clt__tunable clt__tunables[]; /* ends with a row without a name */

int clt__tunable_get(const clt__tunable *tunable, const clt__limits *limits);
void clt__tunable_set(const clt__tunable *tunable, clt__limits *limits, int value);

/* Which op: its row's name, and its sizes before its launch rule ran, `count` ints. */
typedef struct clt__tuning_key {
    const char *op;
    clt_precision precision;
    bool halves; /* what it stores is kept as halves */
    const int *sizes;
    size_t count;
} clt__tuning_key;

/* Whether anything was chosen for the op. */
bool clt__is_tuned(const clt_device *device, const clt__tuning_key *key);

/* The limits for this op's launch rule: the device's, and what was chosen for it. */
clt__limits clt__tuned_limits(const clt_device *device, const clt__tuning_key *key);

/* Chooses: those tunables in which `limits` differs from the device's own; none of them forgets the op. */
clt_status clt__tuning_choose(clt_device *device, const clt__tuning_key *key, const clt__limits *limits,
                              clt_error *error);

/* The file's path, freed with free(); NULL where there is no cache folder. */
char *clt__tuning_path(const clt_device *device);
/* Nothing to load is no error; a file that is not what it should be is. */
clt_status clt__tuning_load(clt_device *device, clt_error *error);
clt_status clt__tuning_store(const clt_device *device, clt_error *error);
/* Removes the file. */
clt_status clt__tuning_forget(clt_device *device, clt_error *error);
void clt__tuning_free(clt_device *device);

#endif
