/* What shells complete: a script for each of them, made from the verbs and the options' rows. */
#ifndef CLTRAIN_CLI_COMPLETION_H
#define CLTRAIN_CLI_COMPLETION_H

#include <stdio.h>

#include "base/error.h"

/* Of "bash", "zsh" or "fish". */
clt_status print_completion(const char *shell, FILE *stream, clt_error *error);

#endif
