/* First convolutions that whiten: their filters are the eigenvectors of the covariance of the training images' patches,
 * as large as the kernel, each over the root of its eigenvalue and a little more, so that what they give is
 * uncorrelated and about as large; then the same filters negated. Page, "How to train your ResNet 8", 2019; Jordan,
 * "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024, section 3.2, whose code takes the mean of products in place
 * of the covariance: the same where images are normalised.
 *
 *   filter k = e_k / sqrt(l_k + EPSILON), l_1 >= l_2 >= ...     filter (C R S + k) = -filter k */
#include <math.h>
#include <stdlib.h>

#include "base/eigen.h"
#include "base/memory.h"
#include "data/taking.h"
#include "model/model.h"

/* So many images are looked at, evenly spread over the data set, and of each as many patches as keep within the work:
 * adds of products. */
enum { MOST_IMAGES = 5000 };
static const double most_work = 4e9, epsilon = 5e-4;

typedef struct patches {
    const clt_model *model;
    size_t channels, height, width, dilation[2]; /* of a patch: the kernel's */
    size_t step;                                 /* from one patch to the next, both ways */
    size_t values, count;
    double *image;        /* normalised, [height, width, channels] */
    double *patch;        /* [values], by channels, rows, columns, as filters lie in files */
    double *sum, *square; /* [values], and [values, values] where the column is not before the row */
} patches;

static size_t reach(size_t kernel, size_t dilation)
{
    return (kernel - 1) * dilation + 1;
}

static void take_patch(const patches *p, size_t top, size_t left)
{
    const clt_shape shape = p->model->input;
    double *to = p->patch;
    for (size_t c = 0; c < p->channels; c++)
        for (size_t y = 0; y < p->height; y++)
            for (size_t x = 0; x < p->width; x++)
                *to++ = p->image[((top + y * p->dilation[0]) * (size_t)shape.width + left + x * p->dilation[1]) *
                                     p->channels +
                                 c];
}

static void add_patch(patches *p)
{
    p->count++;
    for (size_t i = 0; i < p->values; i++) {
        p->sum[i] += p->patch[i];
        for (size_t j = i; j < p->values; j++) p->square[i * p->values + j] += p->patch[i] * p->patch[j];
    }
}

static void add_images(void *user, const uint8_t *bytes, const double *reals, size_t count)
{
    patches *p = user;
    const clt_shape shape = p->model->input;
    const size_t size = clt__image_size(shape);
    const size_t rows = (size_t)shape.height - reach(p->height, p->dilation[0]) + 1,
                 columns = (size_t)shape.width - reach(p->width, p->dilation[1]) + 1;
    for (size_t n = 0; n < count; n++) {
        for (size_t i = 0; i < size; i++) {
            const double value = bytes ? bytes[n * size + i] / 255.0 : reals[n * size + i];
            p->image[i] = (value - p->model->mean[i % p->channels]) / p->model->deviation[i % p->channels];
        }
        for (size_t top = 0; top < rows; top += p->step)
            for (size_t left = 0; left < columns; left += p->step) {
                take_patch(p, top, left);
                add_patch(p);
            }
    }
}

/* sum of products / count - product of means; the part below the diagonal too. */
static void find_covariance(const patches *p)
{
    const double count = (double)p->count;
    for (size_t i = 0; i < p->values; i++)
        for (size_t j = i; j < p->values; j++) {
            double *at = &p->square[i * p->values + j];
            *at = *at / count - p->sum[i] / count * (p->sum[j] / count);
            p->square[j * p->values + i] = *at;
        }
}

/* An eigenvalue of what never changes may come out a little below 0. */
static void set_filters(const patches *p, clt__parameter_values *weight, const double *values, const double *vectors)
{
    for (size_t i = 0; i < weight->info.count; i++) {
        const size_t filter = i / p->values, vector = filter % p->values;
        const double scale = 1 / sqrt(fmax(values[vector], 0) + epsilon),
                     value = (filter < p->values ? scale : -scale) * vectors[vector * p->values + i % p->values];
        weight->values[i] = p->model->precision == CLT_F32 ? (float)value : value;
    }
}

static void choose_step(patches *p, size_t images)
{
    const clt_shape shape = p->model->input;
    const double rows = shape.height - (double)reach(p->height, p->dilation[0]) + 1,
                 columns = shape.width - (double)reach(p->width, p->dilation[1]) + 1;
    const double products = (double)p->values * ((double)p->values + 1) / 2 * (double)images;
    p->step = 1;
    while (ceil(rows / (double)p->step) * ceil(columns / (double)p->step) * products > most_work &&
           (double)p->step < fmax(rows, columns))
        p->step++;
}

/* `room`: an image, a patch, its sum, the eigenvalues, the sums of products and the eigenvectors. */
static clt_status whiten_in(patches *p, double *room, clt__parameter_values *weight, const clt_dataset *data,
                            const clt_options *options, clt_error *error)
{
    const size_t images = data->count < MOST_IMAGES ? data->count : MOST_IMAGES;
    p->image = room;
    p->patch = p->image + clt__image_size(p->model->input);
    p->sum = p->patch + p->values;
    p->square = p->sum + p->values;
    double *values = p->square + p->values * p->values, *vectors = values + p->values;
    choose_step(p, images);
    TRY(clt__dataset_see_some(data, images, options, add_images, p, error));
    if (!p->count)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has no image that %s could whiten by", data->name, weight->info.name);
    find_covariance(p);
    clt__symmetric_eigen(p->values, p->square, values, vectors);
    set_filters(p, weight, values, vectors);
    clt__restart_average(p->model, weight);
    return CLT_OK;
}

static clt_status whiten(const clt_model *model, clt__parameter_values *weight, const clt_dataset *data,
                         const clt_options *options, clt_error *error)
{
    const int *extent = weight->info.extent;
    patches p = {.model = model,
                 .channels = (size_t)extent[1],
                 .height = (size_t)extent[2],
                 .width = (size_t)extent[3],
                 .dilation = {(size_t)weight->dilation[0], (size_t)weight->dilation[1]},
                 .values = weight->info.count / (size_t)extent[0]};
    double *room;
    TRY(clt__allocate(clt__image_size(model->input) + 3 * p.values + 2 * p.values * p.values, sizeof *room,
                      "the covariance of patches", &room, error));
    const clt_status status = whiten_in(&p, room, weight, data, options, error);
    free(room);
    return status;
}

clt_status clt__check_whitening(const clt_model *model, const clt__parameter_values *weight, clt_error *error)
{
    const int *extent = weight->info.extent;
    const double values = (double)extent[1] * extent[2] * extent[3];
    if (!weight->reads_images || weight->groups != 1)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "init: whiten is for convolutions without groups that read the images themselves, and %s is of "
                    "none",
                    weight->info.name);
    if (extent[0] > 2 * values)
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "init: %s has %d outputs: whiten gives %g at most, patches of %dx%dx%d having %g eigenvectors and as "
            "many of the other sign",
            weight->info.name, extent[0], 2 * values, extent[1], extent[2], extent[3], values);
    if (values > CLT__MOST_WHITENED)
        return FAIL(error, CLT_BAD_ARGUMENT, "init: patches for %s have %g values, more than the %d that whiten takes",
                    weight->info.name, values, (int)CLT__MOST_WHITENED);
    if (reach((size_t)extent[2], (size_t)weight->dilation[0]) > (size_t)model->input.height ||
        reach((size_t)extent[3], (size_t)weight->dilation[1]) > (size_t)model->input.width)
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "init: images of %dx%d have no patch as large as the kernel of %s, which whiten needs",
                    model->input.height, model->input.width, weight->info.name);
    return CLT_OK;
}

clt_status clt__whiten(clt_model *model, const clt_dataset *data, const clt_options *options, clt_error *error)
{
    for (size_t i = 0; i < model->parameters; i++) {
        clt__parameter_values *weight = &model->parameter[i];
        if (!weight->whitens || model->state.total_steps || (data->blank && weight->whitened)) continue;
        if (data->blank)
            return FAIL(
                error, CLT_BAD_ARGUMENT,
                "%s whitens, and the batches to come cannot be measured: open a session on a data set first, or "
                "set another init",
                weight->info.name);
        TRY(whiten(model, weight, data, options, error));
        weight->whitened = true;
    }
    return CLT_OK;
}
