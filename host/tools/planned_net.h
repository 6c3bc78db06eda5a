#ifndef CLT_TOOLS_PLANNED_NET_H
#define CLT_TOOLS_PLANNED_NET_H

#include "session/fit.h"

/* The net that the options name, as a session on the device would build it for a data set of `images` images of bytes,
 * and what it needs. `batch` (may be NULL) becomes the images of a step. */
clt_status clt__planned_net(const clt_options *options, clt_device *device, int64_t images, clt__net *net,
                            clt__needs *needs, int *batch, clt_error *error);

#endif
