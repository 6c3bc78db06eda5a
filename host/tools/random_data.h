/* Random images with random labels, as a model takes them. */
#ifndef CLT_TOOLS_RANDOM_DATA_H
#define CLT_TOOLS_RANDOM_DATA_H

#include "model/model.h"

/* For so many batches. */
clt_status clt__random_dataset(const clt_model *model, int batch_size, int batches, uint64_t seed, clt_dataset **data,
                               clt_error *error);

#endif
