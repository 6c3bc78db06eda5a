/* What of verifying a net its report needs (verify.c). */
#ifndef CLT_TOOLS_VERIFYING_H
#define CLT_TOOLS_VERIFYING_H

#include "session/session.h"

/* Runs a training step and inference as clt_verify does, until an op differs: *found, clt__verify_ops having told
 * `witness`. Then `op` and `layer` are its; the two texts stay while the model does. */
typedef struct clt__difference {
    bool found;
    const char *op;
    char layer[44];
} clt__difference;

clt_status clt__find_difference(const clt_model *model, clt_device *device, const clt_options *options,
                                clt__witness witness, void *user, clt__difference *difference, clt_error *error);

/* verify_report.c: an op differed. Looks for the smallest net and images where it still does, and writes a program that
 * shows it to the file that the options name. */
clt_status clt__report_difference(const clt_model *model, clt_device *device, const clt_options *options,
                                  clt_error *error);

#endif
