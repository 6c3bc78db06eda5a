/* One data set of the images of several. */
#include "base/memory.h"
#include "data/taking.h"

static clt_status check_parts(const clt_dataset *const *parts, size_t count, uint64_t *images, clt_error *error)
{
    *images = 0;
    for (size_t i = 0; i < count; i++) {
        const clt_shape first = parts[0]->shape, shape = parts[i]->shape;
        if (shape.channels != first.channels || shape.height != first.height || shape.width != first.width)
            return FAIL(error, CLT_BAD_ARGUMENT, "%s has images of %dx%dx%d, %s of %dx%dx%d: they cannot be joined",
                        parts[0]->name, first.channels, first.height, first.width, parts[i]->name, shape.channels,
                        shape.height, shape.width);
        *images += parts[i]->count;
    }
    return CLT_OK;
}

/* What images of several data sets are put together in. */
typedef struct joining {
    clt_dataset *joined;
    size_t at; /* elements that are there */
} joining;

static void append(void *user, const uint8_t *bytes, const double *reals, size_t count)
{
    joining *j = user;
    const size_t values = count * clt__image_size(j->joined->shape);
    for (size_t i = 0; i < values; i++)
        if (j->joined->bytes)
            j->joined->bytes[j->at + i] = bytes[i];
        else
            j->joined->reals[j->at + i] = bytes ? bytes[i] / 255.0 : reals[i];
    j->at += values;
}

/* Bytes where all are bytes. */
static clt_status fill_joined(const clt_dataset *const *parts, size_t count, clt_dataset *joined, clt_error *error)
{
    joining j = {.joined = joined};
    bool bytes = true;
    const clt_options options = clt__options_default();
    for (size_t i = 0; i < count; i++) bytes = bytes && clt__dataset_is_bytes(parts[i]);
    TRY(bytes ? clt__dataset_allocate_bytes(joined, error) : clt__dataset_allocate_reals(joined, error));
    for (size_t i = 0; i < count; i++) TRY(clt__dataset_see(parts[i], &options, append, &j, error));
    if (j.at == joined->count * clt__image_size(joined->shape)) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: lacks images, which were skipped, and cannot be joined to others",
                joined->name);
}

clt_status clt_dataset_join(const clt_dataset *const *parts, size_t count, clt_dataset **dataset, clt_error *error)
{
    uint64_t images;
    clt_dataset *joined;
    *dataset = NULL;
    TRY(check_parts(parts, count, &images, error));
    const clt_shape shape = count ? parts[0]->shape : (clt_shape){1, 1, 1};
    const clt__claim claim = {
        count ? parts[0]->name : "nothing", CLT_BAD_ARGUMENT, images, shape.channels, shape.height, shape.width};
    TRY(clt__dataset_create(&claim, &joined, error));
    return clt__dataset_finish(fill_joined(parts, count, joined, error), joined, dataset);
}
