/* run.json in a run's folder: what the checkpoint does not say of a run, for who looks at it later. */
#ifndef CLT_TRAIN_RUN_RECORD_H
#define CLT_TRAIN_RUN_RECORD_H

#include "base/error.h"

enum { CLT__RECORD_PATH = 4096, CLT__RECORD_WORDS = 1024 };

/* Text is "" and numbers are 0 where nothing is known. */
typedef struct clt__run_record {
    char version[32];                /* cltrain's */
    char data[CLT__RECORD_PATH];     /* the path of the data set, absolute where it is a file or a folder */
    char reading[CLT__RECORD_WORDS]; /* the options that say how it was read and are in no checkpoint, as the command
                                        line has them: " --size 32x32" */
    int64_t images, validation_images;
    int epochs; /* rows of metrics.csv that are the run's: those behind are of one that had the folder before */
    bool best, last, layers; /* so are best.safetensors, last.safetensors, layers.csv and activations.csv: where not,
                                they are that other's */
    char device[32], name[128], platform[128], driver[128]; /* as in clt_device_info */
    char ended[CLT__RECORD_WORDS]; /* "finished", or the sentence that the run ended with; "" while it runs, or where it
                                      was killed */
    bool diverged;                 /* the loss was no longer a finite number */
} clt__run_record;

clt_status clt__run_record_write(const char *path, const clt__run_record *record, clt_error *error);

/* All empty, and all files the run's, where there is no such file, as runs of earlier versions have none. */
clt_status clt__run_record_read(const char *path, clt__run_record *record, clt_error *error);

#endif
