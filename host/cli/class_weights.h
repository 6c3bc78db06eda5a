/* --class-weights: how much the loss of an image counts, by its class. */
#ifndef CLTRAIN_CLI_CLASS_WEIGHTS_H
#define CLTRAIN_CLI_CLASS_WEIGHTS_H

#include "cli/options.h"

/* Into three members of a clt_train_options. */
bool read_class_weights(const char *value, void *train);

/* The member is called `train`. */
#define CLASS_WEIGHTS_OPTION(settings)                                                                           \
    {                                                                                                            \
        .name = "class-weights", SETTING(settings, train), .value = "HOW", .read = read_class_weights,           \
        .wanted = "equal, balanced, or a comma list with a number above 0 for each class,",                      \
        .help = "how much the loss of an image counts, by its class; balanced: the more the rarer its class is " \
                "(default equal)"                                                                                \
    }

#endif
