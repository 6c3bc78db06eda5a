/* The value of --augment. */
#ifndef CLTRAIN_CLI_AUGMENT_H
#define CLTRAIN_CLI_AUGMENT_H

#include "cli/options.h"

/* For an option row of OPTION_OTHER: into a clt_augment. */
bool read_augment(const char *value, void *member);

/* The member is called `train`. */
#define AUGMENT_OPTION(settings)                                                                                      \
    {                                                                                                                 \
        .name = "augment", SETTING(settings, train.augment), .value = "LIST", .read = read_augment,                   \
        .wanted = "none, or a comma list of flip, crop=PIXELS, shift=SHARE, rotate=DEGREES, scale=SHARE, "            \
                  "brightness=SHARE, contrast=SHARE, saturation=SHARE, cutout=PIXELS, mixup=ALPHA and cutmix=ALPHA, " \
                  "as in flip,crop=2,",                                                                               \
        .help = "changes to the training images, drawn anew in each step: flip, crop=PIXELS, shift=SHARE, "           \
                "rotate=DEGREES, scale=SHARE, brightness=SHARE, contrast=SHARE, saturation=SHARE, cutout=PIXELS, "    \
                "mixup=ALPHA, cutmix=ALPHA (default none)"                                                            \
    }

#endif
