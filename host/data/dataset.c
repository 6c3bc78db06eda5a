#include "data/dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

size_t clt__image_size(clt_shape shape)
{
    return (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
}

clt__picture_info clt__info_of(clt_shape shape)
{
    return (clt__picture_info){.width = shape.width, .height = shape.height, .channels = shape.channels};
}

/* ---- making a data set -------------------------------------------------------------------------------------- */

static clt_status check_claim(const clt__claim *images, clt_error *error)
{
    const int64_t extent[3] = {images->channels, images->height, images->width};
    uint64_t size = 1;
    if (images->count == 0)
        return FAIL(error, images->status, "%s: holds no images, where at least one is needed", images->name);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"channels", "height", "width"};
        if (extent[i] < 1)
            return FAIL(error, images->status, "%s: the images' %s is %" PRId64 ", where at least 1 is needed",
                        images->name, names[i], extent[i]);
        if (!clt__multiply(size, (uint64_t)extent[i], &size) || size > INT32_MAX)
            return FAIL(error, images->status,
                        "%s: an image of %" PRId64 " x %" PRId64 " x %" PRId64 " has more than %d values, the most "
                        "that an image may have",
                        images->name, extent[0], extent[1], extent[2], INT32_MAX);
    }
    return CLT_OK;
}

clt_status clt__dataset_finish(clt_status status, clt_dataset *built, clt_dataset **dataset)
{
    if (status == CLT_OK)
        *dataset = built;
    else
        clt_dataset_close(built);
    return status;
}

clt_status clt__dataset_create(const clt__claim *images, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    TRY(check_claim(images, error));
    clt_dataset *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a data set", &fresh, error));
    fresh->count = (size_t)images->count;
    fresh->shape = (clt_shape){(int)images->channels, (int)images->height, (int)images->width};
    return clt__dataset_finish(clt__copy_text(images->name, &fresh->name, error), fresh, dataset);
}

clt_status clt__dataset_allocate_bytes(clt_dataset *dataset, clt_error *error)
{
    return clt__allocate(dataset->count, clt__image_size(dataset->shape), dataset->name, &dataset->bytes, error);
}

clt_status clt__dataset_allocate_reals(clt_dataset *dataset, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape) * sizeof *dataset->reals;
    return clt__allocate(dataset->count, size, dataset->name, &dataset->reals, error);
}

void clt__to_pixels(const uint8_t *planes, clt_shape shape, uint8_t *pixels)
{
    const size_t channels = (size_t)shape.channels, plane = clt__image_size(shape) / channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++) pixels[i * channels + c] = planes[c * plane + i];
}

static clt_status take_bytes(clt_dataset *dataset, const uint8_t *images, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape);
    TRY(clt__dataset_allocate_bytes(dataset, error));
    for (size_t n = 0; n < dataset->count; n++)
        clt__to_pixels(images + n * size, dataset->shape, dataset->bytes + n * size);
    return CLT_OK;
}

/* NCHW to NHWC. */
static clt_status take_reals(clt_dataset *dataset, const double *images, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape);
    const size_t channels = (size_t)dataset->shape.channels, pixels = size / channels;
    TRY(clt__dataset_allocate_reals(dataset, error));
    for (size_t n = 0; n < dataset->count; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < pixels; i++)
                dataset->reals[n * size + i * channels + c] = images[n * size + c * pixels + i];
    return CLT_OK;
}

static clt_status take_labels(clt_dataset *dataset, const int32_t *labels, int classes, clt_error *error)
{
    if (classes < 1)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: has labels of %d classes, where at least 1 is needed", dataset->name,
                    classes);
    for (size_t n = 0; n < dataset->count; n++)
        if (labels[n] < 0 || labels[n] >= classes)
            return FAIL(error, CLT_BAD_ARGUMENT, "%s: record %zu has the label %" PRId32 ", where 0 to %d are possible",
                        dataset->name, n, labels[n], classes - 1);
    TRY(clt__allocate(dataset->count, sizeof *labels, "the labels", &dataset->labels, error));
    memcpy(dataset->labels, labels, dataset->count * sizeof *labels);
    dataset->classes = classes;
    return CLT_OK;
}

static clt_status take_targets(clt_dataset *dataset, const double *targets, int outputs, clt_error *error)
{
    if (outputs < 1)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: has targets of %d values, where at least 1 is needed", dataset->name,
                    outputs);
    const size_t size = (size_t)outputs * sizeof *targets;
    TRY(clt__allocate(dataset->count, size, "the targets", &dataset->targets, error));
    memcpy(dataset->targets, targets, dataset->count * size);
    dataset->outputs = outputs;
    return CLT_OK;
}

/* ---- from memory -------------------------------------------------------------------------------------------- */

static clt_status create_in_memory(size_t count, clt_shape shape, const void *images, clt_dataset **dataset,
                                   clt_error *error)
{
    const clt__claim given = {"the images given", CLT_BAD_ARGUMENT, count, shape.channels, shape.height, shape.width};
    *dataset = NULL;
    if (!images) return FAIL(error, CLT_BAD_ARGUMENT, "%s: are NULL, where an array is needed", given.name);
    return clt__dataset_create(&given, dataset, error);
}

clt_status clt_dataset_from_bytes(size_t count, clt_shape shape, const uint8_t *images, const int32_t *labels,
                                  int classes, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    clt_dataset *fresh;
    TRY(create_in_memory(count, shape, images, &fresh, error));
    clt_status status = take_bytes(fresh, images, error);
    if (status == CLT_OK && labels) status = take_labels(fresh, labels, classes, error);
    return clt__dataset_finish(status, fresh, dataset);
}

clt_status clt_dataset_from_reals(size_t count, clt_shape shape, const double *images, const double *targets,
                                  int outputs, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    clt_dataset *fresh;
    TRY(create_in_memory(count, shape, images, &fresh, error));
    clt_status status = take_reals(fresh, images, error);
    if (status == CLT_OK && targets) status = take_targets(fresh, targets, outputs, error);
    return clt__dataset_finish(status, fresh, dataset);
}

/* ---- from a source ------------------------------------------------------------------------------------------ */

clt_status clt_dataset_from_source(size_t count, clt_shape shape, clt_pixels pixels, clt_fill_function fill, void *user,
                                   const int32_t *labels, int classes, const double *targets, int outputs,
                                   clt_dataset **dataset, clt_error *error)
{
    const clt__claim claim = {"the data source", CLT_BAD_ARGUMENT, count, shape.channels, shape.height, shape.width};
    clt_dataset *fresh;
    *dataset = NULL;
    if (!fill) return FAIL(error, CLT_BAD_ARGUMENT, "a data source without a function that fills images");
    if (labels && targets) return FAIL(error, CLT_BAD_ARGUMENT, "a data source with both labels and targets");
    TRY(clt__dataset_create(&claim, &fresh, error));
    fresh->source = (clt__image_source){.fill = fill, .user = user, .pixels = pixels};
    clt_status status = CLT_OK;
    if (labels) status = take_labels(fresh, labels, classes, error);
    if (targets) status = take_targets(fresh, targets, outputs, error);
    return clt__dataset_finish(status, fresh, dataset);
}

bool clt__dataset_is_bytes(const clt_dataset *dataset)
{
    return dataset->source.fill ? dataset->source.pixels == CLT_BYTES : !dataset->reals;
}

bool clt__dataset_streams(const clt_dataset *dataset)
{
    return dataset->source.fill || dataset->pictures;
}

bool clt__dataset_is_monotonous(const clt_dataset *dataset, size_t most)
{
    const size_t values = clt__image_size(dataset->shape), count = dataset->count < most ? dataset->count : most;
    const size_t size = dataset->bytes ? values : values * sizeof *dataset->reals;
    const char *images = dataset->bytes ? (const char *)dataset->bytes : (const char *)dataset->reals;
    if (!images || count < 2) return false;
    for (size_t i = 1; i < count; i++)
        if (memcmp(images, images + i * size, size) != 0) return false;
    return true;
}

size_t clt__dataset_number(const clt_dataset *dataset, size_t image)
{
    return dataset->number ? dataset->number[image] : image;
}

/* ---- splitting ---------------------------------------------------------------------------------------------- */

/* The rows `chosen` of `rows`, each of `size` bytes; nothing where there are no rows. */
static clt_status copy_rows(const void *rows, size_t size, const size_t *chosen, size_t count, void *copy,
                            clt_error *error)
{
    if (!rows) return CLT_OK;
    unsigned char *fresh;
    TRY(clt__allocate(count, size, "a part of a data set", &fresh, error));
    for (size_t i = 0; i < count; i++) memcpy(fresh + i * size, (const unsigned char *)rows + chosen[i] * size, size);
    memcpy(copy, &fresh, sizeof fresh);
    return CLT_OK;
}

/* Images that come when they are asked for keep what they are called. */
static clt_status copy_stream(const clt_dataset *from, const size_t *chosen, clt_dataset *to, clt_error *error)
{
    if (!clt__dataset_streams(from)) return CLT_OK;
    to->source = from->source;
    to->pictures = from->pictures;
    if (to->pictures) clt__store_share(to->pictures);
    TRY(clt__allocate(to->count, sizeof *to->number, "a part of a data set", &to->number, error));
    for (size_t i = 0; i < to->count; i++) to->number[i] = clt__dataset_number(from, chosen[i]);
    return CLT_OK;
}

static clt_status copy_content(const clt_dataset *from, const size_t *chosen, clt_dataset *to, clt_error *error)
{
    const size_t size = clt__image_size(from->shape), outputs = (size_t)from->outputs;
    TRY(copy_rows(from->bytes, size, chosen, to->count, &to->bytes, error));
    TRY(copy_rows(from->reals, size * sizeof *from->reals, chosen, to->count, &to->reals, error));
    TRY(copy_rows(from->labels, sizeof *from->labels, chosen, to->count, &to->labels, error));
    TRY(copy_rows(from->targets, outputs * sizeof *from->targets, chosen, to->count, &to->targets, error));
    TRY(copy_stream(from, chosen, to, error));
    to->classes = from->classes;
    to->outputs = from->outputs;
    to->whole = from->whole;
    to->least = from->least;
    to->most = from->most;
    if (from->answers_name) TRY(clt__copy_text(from->answers_name, &to->answers_name, error));
    return clt__names_copy(&from->class_names, &to->class_names, error);
}

static clt_status select_images(const clt_dataset *from, const size_t *chosen, size_t count, clt_dataset **part,
                                clt_error *error)
{
    const clt_shape shape = from->shape;
    const clt__claim images = {from->name, CLT_BAD_ARGUMENT, count, shape.channels, shape.height, shape.width};
    clt_dataset *fresh;
    TRY(clt__dataset_create(&images, &fresh, error));
    return clt__dataset_finish(copy_content(from, chosen, fresh, error), fresh, part);
}

clt_status clt__dataset_spread(const clt_dataset *dataset, size_t most, clt_dataset **part, clt_error *error)
{
    const size_t count = dataset->count < most ? dataset->count : most;
    size_t *chosen;
    *part = NULL;
    TRY(clt__allocate(count, sizeof *chosen, "a data set's order", &chosen, error));
    for (size_t i = 0; i < count; i++) chosen[i] = i * dataset->count / count;
    const clt_status status = select_images(dataset, chosen, count, part, error);
    free(chosen);
    return status;
}

/* 0..count-1 in random order (Fisher and Yates). */
static void shuffle(size_t *order, size_t count, uint64_t seed)
{
    clt__random stream = clt__random_seed(seed, "hold out", 0);
    for (size_t i = 0; i < count; i++) order[i] = i;
    for (size_t i = count; i > 1; i--) {
        const size_t other = (size_t)clt__random_below(&stream, i), last = order[i - 1];
        order[i - 1] = order[other];
        order[other] = last;
    }
}

static clt_status split_shuffled(const clt_dataset *dataset, size_t held, uint64_t seed, clt_dataset **kept,
                                 clt_dataset **held_out, clt_error *error)
{
    size_t *order;
    TRY(clt__allocate(dataset->count, sizeof *order, "a data set's order", &order, error));
    shuffle(order, dataset->count, seed);
    clt_status status = select_images(dataset, order, held, held_out, error);
    if (status == CLT_OK) status = select_images(dataset, order + held, dataset->count - held, kept, error);
    if (status != CLT_OK) {
        clt_dataset_close(*held_out);
        *held_out = NULL;
    }
    free(order);
    return status;
}

clt_status clt_dataset_hold_out(const clt_dataset *dataset, double fraction, uint64_t seed, clt_dataset **kept,
                                clt_dataset **held_out, clt_error *error)
{
    *kept = *held_out = NULL;
    if (!(fraction > 0 && fraction < 1))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "%s: cannot hold out %g of the images, where a fraction between 0 and 1 "
                    "is needed",
                    dataset->name, fraction);
    const size_t held = (size_t)(fraction * (double)dataset->count + 0.5);
    if (held == 0 || held >= dataset->count)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: cannot hold out %g of %zu images, which would leave one side empty",
                    dataset->name, fraction, dataset->count);
    return split_shuffled(dataset, held, seed, kept, held_out, error);
}

/* ---- asking and closing ------------------------------------------------------------------------------------- */

size_t clt_dataset_count(const clt_dataset *dataset)
{
    return dataset->count;
}

clt_shape clt_dataset_shape(const clt_dataset *dataset)
{
    return dataset->shape;
}

const char *clt_dataset_format(const clt_dataset *dataset)
{
    return dataset->format;
}

bool clt_dataset_stored_sizes(const clt_dataset *dataset, clt_shape *least, clt_shape *most)
{
    *least = dataset->least;
    *most = dataset->most;
    return dataset->most.height > 0;
}

const char *clt_dataset_image_name(const clt_dataset *dataset, size_t index)
{
    return index < dataset->image_names.count ? dataset->image_names.name[index] : NULL;
}

size_t clt_dataset_converted(const clt_dataset *dataset)
{
    return dataset->converted;
}

int clt_dataset_classes(const clt_dataset *dataset)
{
    return dataset->classes;
}

int clt_dataset_label(const clt_dataset *dataset, size_t index)
{
    return dataset->labels && index < dataset->count ? dataset->labels[index] : -1;
}

const char *clt__answers_name(const clt_dataset *dataset)
{
    return dataset->answers_name ? dataset->answers_name : dataset->name;
}

const char *clt_dataset_class_name(const clt_dataset *dataset, int class_index)
{
    return clt__names_at(&dataset->class_names, class_index);
}

bool clt_dataset_is_whole(const clt_dataset *dataset)
{
    return dataset->whole;
}

void clt_dataset_close(clt_dataset *dataset)
{
    if (!dataset) return;
    free(dataset->bytes);
    free(dataset->reals);
    free(dataset->number);
    clt__store_close(dataset->pictures);
    free(dataset->labels);
    free(dataset->targets);
    clt__names_free(&dataset->class_names);
    clt__names_free(&dataset->image_names);
    free(dataset->name);
    free(dataset->answers_name);
    free(dataset);
}
