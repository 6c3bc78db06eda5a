/* Images made to be what a model takes: --size, --invert. */
#include <stdlib.h>

#include "base/memory.h"
#include "data/taking.h"

/* What is wanted, where nothing is said of the channels those that there are. */
static clt_shape wanted_shape(const clt_dataset *dataset, const clt_options *options)
{
    clt_shape wanted = dataset->shape;
    if (options->size.height > 0) wanted.height = options->size.height, wanted.width = options->size.width;
    if (options->size.channels > 0) wanted.channels = options->size.channels;
    return wanted;
}

static bool is_picture_shape(clt_shape shape)
{
    return shape.channels == 1 || shape.channels == 3;
}

static clt_status convert_all(const clt_dataset *dataset, const clt__picture_info *wanted, double eval_crop,
                              uint8_t *to, clt_error *error)
{
    const clt__picture_info info = clt__info_of(dataset->shape);
    const size_t from = clt__image_size(dataset->shape),
                 size = (size_t)wanted->width * (size_t)wanted->height * (size_t)wanted->channels;
    const clt__frame frame = eval_crop > 0 ? clt__frame_centre(info.width, info.height, wanted, eval_crop)
                                           : clt__frame_whole(info.width, info.height);
    for (size_t n = 0; n < dataset->count; n++) {
        const clt__picture picture = {.info = info, .pixels = dataset->bytes + n * from};
        TRY(clt__picture_fit(&picture, &frame, wanted, to + n * size, error));
    }
    return CLT_OK;
}

clt_status clt__dataset_convert(clt_dataset *dataset, const clt_options *options, clt_error *error)
{
    const clt_shape have = dataset->shape, shape = wanted_shape(dataset, options);
    const clt__picture_info wanted = clt__info_of(shape);
    uint8_t *images;
    if (have.channels == shape.channels && have.height == shape.height && have.width == shape.width) return CLT_OK;
    if (!dataset->bytes || !is_picture_shape(have) || !is_picture_shape(shape))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s: has images of %dx%dx%d %s, which are not made %dx%dx%d: only bytes of 1 or 3 channels are",
                    dataset->name, have.channels, have.height, have.width, dataset->bytes ? "bytes" : "real values",
                    shape.channels, shape.height, shape.width);
    TRY(clt__allocate(dataset->count, clt__image_size(shape), dataset->name, &images, error));
    const clt_status status = convert_all(dataset, &wanted, options->eval_crop, images, error);
    if (status != CLT_OK) {
        free(images);
        return status;
    }
    free(dataset->bytes);
    dataset->bytes = images;
    dataset->shape = shape;
    dataset->converted = dataset->count;
    return CLT_OK;
}

void clt__dataset_invert(clt_dataset *dataset)
{
    const size_t values = dataset->count * clt__image_size(dataset->shape);
    if (dataset->pictures) clt__store_invert(dataset->pictures);
    if (dataset->bytes) clt__invert_bytes(dataset->bytes, values);
    for (size_t i = 0; i < values && dataset->reals; i++) dataset->reals[i] = 1 - dataset->reals[i];
}
