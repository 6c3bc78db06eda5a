/* --normalize: what images are normalised by. */
#ifndef CLTRAIN_CLI_NORMALIZE_H
#define CLTRAIN_CLI_NORMALIZE_H

#include "cli/options.h"

/* How --normalize is given: the fields of clt_train_options that it sets. */
typedef struct normalize_setting {
    bool given;
    clt_normalize normalize;
    int channels;
    double mean[CLT_MAX_CHANNEL_STATISTICS], deviation[CLT_MAX_CHANNEL_STATISTICS];
} normalize_setting;

bool read_normalize(const char *value, void *setting);

/* What was given becomes the training's. */
void apply_normalize(const normalize_setting *setting, clt_train_options *train);

/* The member is called `normalize`. */
#define NORMALIZE_OPTION(settings)                                                                                     \
    {                                                                                                                  \
        .name = "normalize", SETTING(settings, normalize), .value = "HOW", .read = read_normalize,                     \
        .wanted = "dataset, none, or MEAN/STD with one number or one for each channel, as in 0.1307/0.3081,",          \
        .help =                                                                                                        \
            "dataset: minus the training set's mean, over its standard deviation, for each channel; none: bytes/255; " \
            "MEAN/STD: these, each a number or a comma list (default dataset)"                                         \
    }

#endif
