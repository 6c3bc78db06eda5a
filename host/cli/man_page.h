/* The manual page cltrain(1), made from the verbs and the options' rows. */
#ifndef CLTRAIN_CLI_MAN_PAGE_H
#define CLTRAIN_CLI_MAN_PAGE_H

#include <stdio.h>

#include "base/error.h"

clt_status print_man_page(FILE *stream, clt_error *error);

#endif
