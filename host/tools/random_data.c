#include "tools/random_data.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"

clt_status clt__random_dataset(const clt_model *model, int batch_size, int batches, uint64_t seed, clt_dataset **data,
                               clt_error *error)
{
    if (batch_size < 1 || batch_size > 1000000)
        return FAIL(error, CLT_BAD_ARGUMENT, "a batch size of %d: it should be from 1 to 1000000", batch_size);
    const int count = batch_size * batches;
    const size_t values = clt__image_size(model->input) * (size_t)count, outputs = (size_t)model->outputs;
    clt__random stream = clt__random_seed(seed, "verify", 0);
    uint8_t *bytes;
    int32_t *labels;
    TRY(clt__allocate(values, 1, "random images", &bytes, error));
    clt_status status = clt__allocate((uint64_t)count, sizeof *labels, "random labels", &labels, error);
    for (size_t i = 0; i < values; i++) bytes[i] = (uint8_t)clt__random_below(&stream, 256);
    for (int i = 0; i < count && status == CLT_OK; i++) labels[i] = (int32_t)clt__random_below(&stream, outputs);
    if (status == CLT_OK)
        status = clt_dataset_from_bytes((size_t)count, model->input, bytes, labels, model->outputs, data, error);
    free(bytes);
    free(labels);
    return status;
}
