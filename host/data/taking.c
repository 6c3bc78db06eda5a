#include "data/taking.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "options/ticker.h"

struct clt__taking {
    const clt_dataset *data;
    clt__workers *workers;
    clt__job job;
    size_t *number; /* [count] what the data set calls each image */
    bool cropped;
    clt__crops crops;
    void *plain; /* images that are cropped, where they are no files: [count] */
    uint8_t *to;
    pthread_mutex_t lock;
    size_t failed; /* the first piece that could not be brought; count: none */
    clt_error why;
};

int clt__worker_count(const clt_options *options)
{
    return options->workers ? options->workers : clt__core_count();
}

/* ---- from a source */

static void real_to_pixels(const float *planes, clt_shape shape, double *pixels)
{
    const size_t channels = (size_t)shape.channels, plane = clt__image_size(shape) / channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++) pixels[i * channels + c] = (double)planes[c * plane + i];
}

/* From what the source filled, NCHW, to `to`, NHWC. */
static void reorder(const clt_dataset *dataset, const void *filled, size_t count, void *to)
{
    const size_t size = clt__image_size(dataset->shape);
    for (size_t n = 0; n < count; n++)
        if (dataset->source.pixels == CLT_BYTES)
            clt__to_pixels((const uint8_t *)filled + n * size, dataset->shape, (uint8_t *)to + n * size);
        else
            real_to_pixels((const float *)filled + n * size, dataset->shape, (double *)to + n * size);
}

static clt_status take_from_source(const clt_dataset *dataset, const size_t *number, size_t count, void *to,
                                   clt_error *error)
{
    const size_t value = dataset->source.pixels == CLT_BYTES ? 1 : sizeof(float);
    void *filled;
    TRY(clt__allocate(count, clt__image_size(dataset->shape) * value, "images of a source", &filled, error));
    const bool done = dataset->source.fill(dataset->source.user, number, count, filled);
    if (done) reorder(dataset, filled, count, to);
    free(filled);
    return done ? CLT_OK
                : FAIL(error, CLT_BAD_FILE, "%s: could not fill %zu images from number %zu on", dataset->name, count,
                       count ? number[0] : 0);
}

/* Images that are in memory, or a source's. */
static clt_status take_plain(const clt_dataset *dataset, const size_t *number, size_t count, void *to, clt_error *error)
{
    if (dataset->source.fill) return take_from_source(dataset, number, count, to, error);
    const size_t image = clt__image_size(dataset->shape) * (dataset->bytes ? 1 : sizeof *dataset->reals);
    const char *all = dataset->bytes ? (const char *)dataset->bytes : (const char *)dataset->reals;
    for (size_t i = 0; i < count; i++) memcpy((char *)to + i * image, all + number[i] * image, image);
    return CLT_OK;
}

/* ---- a piece of the workers' */

static clt_status crop_plain(const clt__taking *taking, size_t piece, uint8_t *to, clt_error *error)
{
    const clt__picture_info info = clt__info_of(taking->data->shape);
    const clt__picture picture = {.info = info,
                                  .pixels = (uint8_t *)taking->plain + piece * clt__image_size(taking->data->shape)};
    const clt__frame frame = clt__frame_random(info.width, info.height, &taking->crops, taking->number[piece]);
    return clt__picture_fit(&picture, &frame, &info, to, error);
}

static void bring(void *user, size_t piece)
{
    clt__taking *taking = user;
    uint8_t *to = taking->to + piece * clt__image_size(taking->data->shape);
    clt_error why;
    const clt_status status = taking->plain ? crop_plain(taking, piece, to, &why)
                                            : clt__store_bring(taking->data->pictures, taking->number[piece],
                                                               taking->cropped ? &taking->crops : NULL, to, &why);
    if (status == CLT_OK) return;
    (void)pthread_mutex_lock(&taking->lock);
    if (piece < taking->failed) {
        taking->failed = piece;
        taking->why = why;
    }
    (void)pthread_mutex_unlock(&taking->lock);
}

/* ---- beginning and ending */

static void free_taking(clt__taking *taking)
{
    (void)pthread_mutex_destroy(&taking->lock);
    free(taking->number);
    free(taking->plain);
    free(taking);
}

static clt_status name_images(const clt_dataset *dataset, const size_t *images, size_t count, size_t **number,
                              clt_error *error)
{
    TRY(clt__allocate(count, sizeof **number, "the numbers of images", number, error));
    for (size_t i = 0; i < count; i++) (*number)[i] = clt__dataset_number(dataset, images[i]);
    return CLT_OK;
}

/* What is to be cropped must be there first. */
static clt_status prepare(clt__taking *taking, const size_t *images, clt_error *error)
{
    const clt_dataset *data = taking->data;
    TRY(name_images(data, images, taking->job.count, &taking->number, error));
    if (data->pictures) return CLT_OK;
    if (!clt__dataset_is_bytes(data))
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: has images of real values, where random resized crops need bytes",
                    data->name);
    TRY(clt__allocate(taking->job.count, clt__image_size(data->shape), "images to crop", &taking->plain, error));
    return take_plain(data, taking->number, taking->job.count, taking->plain, error);
}

static clt_status begin(const clt_dataset *dataset, const size_t *images, size_t count, const clt__crops *crops,
                        clt__workers *workers, void *to, clt__taking **taking, clt_error *error)
{
    clt__taking *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "images on their way", &fresh, error));
    *fresh = (clt__taking){.data = dataset, .workers = workers, .to = to, .failed = count, .cropped = crops != NULL};
    if (crops) fresh->crops = *crops;
    fresh->job = (clt__job){.work = bring, .user = fresh, .count = count};
    (void)pthread_mutex_init(&fresh->lock, NULL);
    const clt_status status = prepare(fresh, images, error);
    if (status != CLT_OK) {
        free_taking(fresh);
        return status;
    }
    clt__workers_begin(workers, &fresh->job);
    *taking = fresh;
    return CLT_OK;
}

clt_status clt__taking_begin(const clt_dataset *dataset, const size_t *images, size_t count, const clt__crops *crops,
                             clt__workers *workers, void *to, clt__taking **taking, clt_error *error)
{
    size_t *number;
    *taking = NULL;
    if (dataset->pictures || crops) return begin(dataset, images, count, crops, workers, to, taking, error);
    TRY(name_images(dataset, images, count, &number, error));
    const clt_status status = take_plain(dataset, number, count, to, error);
    free(number);
    return status;
}

bool clt__taking_is_done(const clt__taking *taking)
{
    return !taking || clt__workers_are_done(taking->workers, &taking->job);
}

/* Bad files are the store's to judge. */
static clt_status finish(clt__taking **taking, clt_error *error)
{
    clt__taking *ended = *taking;
    *taking = NULL;
    if (!ended) return CLT_OK;
    clt__workers_wait(ended->workers, &ended->job);
    const clt_status status = ended->failed < ended->job.count ? clt__pass_on(&ended->why, error) : CLT_OK;
    free_taking(ended);
    return status;
}

clt_status clt__taking_end(clt__taking **taking, const clt_options *options, clt_error *error)
{
    clt__picture_store *pictures = *taking ? (*taking)->data->pictures : NULL;
    TRY(finish(taking, error));
    return pictures ? clt__store_judge(pictures, options, error) : CLT_OK;
}

/* ---- all of them */

enum { PIECE = 256 }; /* images that are in memory at a time */

/* The runs between images that the data set lacks. */
static void show(const clt_dataset *dataset, const size_t *images, size_t count, const char *room, clt__see_images see,
                 void *user)
{
    const bool bytes = clt__dataset_is_bytes(dataset);
    const size_t image = clt__image_size(dataset->shape) * (bytes ? 1 : sizeof(double));
    for (size_t first = 0, end; first < count; first = end + 1) {
        for (end = first; end < count && !clt_dataset_lacks(dataset, images[end]); end++) continue;
        const void *run = room + first * image;
        if (end > first) see(user, bytes ? run : NULL, bytes ? NULL : run, end - first);
    }
}

static clt_status see_pieces(const clt_dataset *dataset, size_t some, const clt_options *options, clt__workers *workers,
                             void *room, clt__see_images see, void *user, clt_error *error)
{
    size_t images[PIECE];
    clt__ticker ticker = clt__ticker_start(options, "measure images", (int64_t)some);
    for (size_t first = 0; first < some; first += PIECE) {
        const size_t count = some - first < PIECE ? some - first : PIECE;
        clt__taking *taking;
        for (size_t i = 0; i < count; i++) images[i] = (size_t)((uint64_t)(first + i) * dataset->count / some);
        TRY(clt__taking_begin(dataset, images, count, NULL, workers, room, &taking, error));
        TRY(finish(&taking, error));
        show(dataset, images, count, room, see, user);
        TRY(clt__ticker_tick(&ticker, (int64_t)(first + count), error));
    }
    clt__ticker_end(&ticker);
    return dataset->pictures ? clt__store_judge(dataset->pictures, options, error) : CLT_OK;
}

clt_status clt__dataset_see_some(const clt_dataset *dataset, size_t some, const clt_options *options,
                                 clt__see_images see, void *user, clt_error *error)
{
    void *room;
    clt__workers *workers = NULL;
    TRY(clt__allocate(PIECE, clt__image_size(dataset->shape) * sizeof(double), "a piece of a data set", &room, error));
    clt_status status = clt__workers_open(clt__worker_count(options), CLT__SMALL_STACK, &workers, error);
    if (status == CLT_OK) status = see_pieces(dataset, some, options, workers, room, see, user, error);
    clt__workers_close(workers);
    free(room);
    return status;
}

clt_status clt__dataset_see(const clt_dataset *dataset, const clt_options *options, clt__see_images see, void *user,
                            clt_error *error)
{
    if (clt__dataset_streams(dataset)) return clt__dataset_see_some(dataset, dataset->count, options, see, user, error);
    see(user, dataset->bytes, dataset->reals, dataset->count);
    return CLT_OK;
}

/* ---- what is missing */

bool clt_dataset_lacks(const clt_dataset *dataset, size_t image)
{
    return dataset->pictures && clt__store_is_bad(dataset->pictures, clt__dataset_number(dataset, image));
}

clt_status clt__dataset_stand_in(const clt_dataset *dataset, size_t image, size_t *other, clt_error *error)
{
    *other = image;
    for (size_t i = 0; i < dataset->count; i++, *other = (*other + 1) % dataset->count)
        if (!clt_dataset_lacks(dataset, *other)) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: none of its %zu images can be decoded", dataset->name, dataset->count);
}
