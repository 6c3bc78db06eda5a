/* A run's folder as reports and comparisons see it: run.json, metrics.csv and the checkpoint; or a checkpoint alone. */
#ifndef CLT_REPORT_RUN_H
#define CLT_REPORT_RUN_H

#include "options/options.h"
#include "train/layer_log.h"
#include "train/run_record.h"

/* Columns of metrics.csv. */
typedef enum clt__metric {
    CLT__EPOCH,
    CLT__LOSS,
    CLT__ACCURACY,
    CLT__VAL_LOSS,
    CLT__VAL_ACCURACY,
    CLT__RATE,
    CLT__SECONDS,
    CLT__IMAGES_PER_SECOND,
    CLT__GRADIENT_NORM,
    CLT__METRICS
} clt__metric;

typedef struct clt__run {
    char *folder;
    clt__run_record record;
    size_t epochs;                /* rows of metrics.csv */
    double *metric[CLT__METRICS]; /* [epochs] of each; NaN where a cell is empty */
    /* Of a run that was to make a report: [layers] rows of layers.csv, [activations] of activations.csv. */
    clt__layer_figures *layer, *activation;
    size_t layers, activations;
    clt_model *model; /* the best checkpoint, else the last, else the net as it began */
    char *checkpoint; /* the file that it is from; NULL for the net as it began */
    bool is_best;     /* that is best.safetensors */
    bool is_folder;   /* else a checkpoint alone */
    bool untrained;   /* the run ended before its first checkpoint */
} clt__run;

/* `path` is the folder, or the file of a checkpoint. */
clt_status clt__run_open(const char *path, clt__run *run, clt_error *error);
void clt__run_close(clt__run *run);

/* What an option was, as the command line takes it: "" where it was none. *value is freed with free(). */
clt_status clt__run_option(const clt__run *run, clt__option option, char **value, clt_error *error);

/* The row that did best, by validation loss or, without, by loss; `epochs` where there is none. */
size_t clt__run_best(const clt__run *run);

#endif
