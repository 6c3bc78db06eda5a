/* A net changed for other classes than it was made for. */
#ifndef CLT_MODEL_FINE_TUNING_H
#define CLT_MODEL_FINE_TUNING_H

#include "net/description.h"
#include "options/options.h"

/* By the options classes and freeze_until; a note tells of a layer that is replaced. */
clt_status clt__fine_tune(const clt_options *options, clt__description *description, clt_error *error);

#endif
