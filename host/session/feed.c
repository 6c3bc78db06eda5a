#include "session/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- gathering: each function's array is the caller's */

static size_t image_at(const clt__feed *feed, int position)
{
    return (size_t)(feed->resident ? position : feed->order[position]);
}

/* Of images that have come: it is known by then whose place another took. */
static clt_status answer_at(const clt__feed *feed, int position, size_t *image, clt_error *error)
{
    return clt__dataset_stand_in(feed->data, image_at(feed, position), image, error);
}

int clt__feed_output_index(const clt__feed *feed, int outside)
{
    clt__tensor one = feed->net->tape.tensor[feed->net->output.tensor];
    one.extent[0] = 1;
    return clt__inside_index(&one, outside);
}

static int outputs_of(const clt__feed *feed)
{
    const clt__tensor *output = &feed->net->tape.tensor[feed->net->output.tensor];
    return output->count / output->extent[0];
}

static clt_status gather_labels(const clt__feed *feed, int begin, int end, int32_t **labels, clt_error *error)
{
    TRY(clt__allocate((uint64_t)(end - begin), sizeof **labels, "the labels", labels, error));
    for (int i = begin; i < end; i++) {
        size_t image;
        TRY(answer_at(feed, i, &image, error));
        const int label = feed->data->labels[image];
        (*labels)[i - begin] = label < outputs_of(feed) ? clt__feed_output_index(feed, label) : label;
    }
    return CLT_OK;
}

static clt_status gather_targets(const clt__feed *feed, int begin, int end, double **targets, clt_error *error)
{
    const clt_dataset *data = feed->data;
    const size_t outputs = (size_t)data->outputs;
    TRY(clt__allocate((uint64_t)(end - begin) * outputs, sizeof **targets, "the targets", targets, error));
    for (int i = begin; i < end; i++) {
        size_t image;
        TRY(answer_at(feed, i, &image, error));
        for (int k = 0; k < data->outputs; k++)
            (*targets)[(size_t)(i - begin) * outputs + (size_t)clt__feed_output_index(feed, k)] =
                data->targets[image * outputs + (size_t)k];
    }
    return CLT_OK;
}

static clt_status gather_numbers(const clt__feed *feed, int begin, int end, int32_t **numbers, clt_error *error)
{
    TRY(clt__allocate((uint64_t)(end - begin), sizeof **numbers, "the images' numbers", numbers, error));
    memcpy(*numbers, feed->order + begin, (size_t)(end - begin) * sizeof **numbers);
    return CLT_OK;
}

static size_t image_bytes(const clt_dataset *data)
{
    return clt__image_size(data->shape) * (clt__dataset_is_bytes(data) ? 1 : sizeof *data->reals);
}

/* Begins to bring the images at positions begin .. end into host memory. */
static clt_status begin_reading(const clt__feed *feed, int begin, int end, char **images, clt__taking **taking,
                                clt_error *error)
{
    const size_t count = (size_t)(end - begin);
    size_t *which;
    TRY(clt__allocate(count, sizeof *which, "the numbers of images", &which, error));
    for (size_t i = 0; i < count; i++) which[i] = image_at(feed, begin + (int)i);
    clt_status status =
        clt__allocate(count, image_bytes(feed->data), "images on their way to the device", images, error);
    if (status == CLT_OK)
        status = clt__taking_begin(feed->data, which, count, feed->crops ? &feed->crop : NULL, feed->workers, *images,
                                   taking, error);
    free(which);
    if (status == CLT_OK) return CLT_OK;
    free(*images);
    *images = NULL;
    return status;
}

/* Where a file turned out to be bad and is skipped, the next image that can be read takes its place. */
static clt_status fill_gaps(const clt__feed *feed, int begin, int end, char *images, clt_error *error)
{
    for (int i = begin; i < end; i++) {
        const size_t image = image_at(feed, i);
        clt__taking *taking;
        size_t other = image;
        while (clt_dataset_lacks(feed->data, other)) {
            TRY(clt__dataset_stand_in(feed->data, image, &other, error));
            TRY(clt__taking_begin(feed->data, &other, 1, feed->crops ? &feed->crop : NULL, feed->workers,
                                  images + (size_t)(i - begin) * image_bytes(feed->data), &taking, error));
            TRY(clt__taking_end(&taking, feed->options, error));
        }
    }
    return CLT_OK;
}

static clt_status end_reading(const clt__feed *feed, int begin, int end, char *images, clt__taking **taking,
                              clt_error *error)
{
    TRY(clt__taking_end(taking, feed->options, error));
    return fill_gaps(feed, begin, end, images, error);
}

/* ---- writing */

/* Waits for all of a chunk's writes; what the first that failed says. */
static clt_status end_writes(clt__chunk *chunk, clt_error *error)
{
    clt_status status = CLT_OK;
    for (int i = 0; i < CLT__FEED_TENSORS; i++) {
        const clt_status ended = clt__engine_end_write(&chunk->transfer[i], status == CLT_OK ? error : NULL);
        if (status == CLT_OK) status = ended;
    }
    return status;
}

static clt_status forget(clt__chunk *chunk, clt_error *error)
{
    chunk->number = -1;
    chunk->joined = false;
    (void)clt__taking_end(&chunk->taking, NULL, NULL); /* nobody wants these images any more */
    free(chunk->images);
    chunk->images = NULL;
    return end_writes(chunk, error);
}

/* Begins to write what was read from positions begin .. end to the device, at image `to`. */
static clt_status begin_writing(clt__feed *feed, int begin, int end, int to, clt__chunk *chunk, clt_error *error)
{
    const clt_dataset *data = feed->data;
    const int values = (int)clt__image_size(data->shape), count = end - begin, outputs = data->outputs;
    char *images = chunk->images;
    int32_t *labels, *numbers;
    double *targets;
    chunk->images = NULL;
    TRY(clt__engine_begin_write(feed->engine, feed->net->images, to * values, count * values, images,
                                &chunk->transfer[0], error));
    if (data->labels) {
        TRY(gather_labels(feed, begin, end, &labels, error));
        TRY(clt__engine_begin_write(feed->engine, feed->net->labels, to, count, labels, &chunk->transfer[1], error));
    }
    if (feed->net->targets >= 0) {
        TRY(gather_targets(feed, begin, end, &targets, error));
        TRY(clt__engine_begin_write(feed->engine, feed->net->targets, to * outputs, count * outputs, targets,
                                    &chunk->transfer[2], error));
    }
    if (feed->net->number >= 0) {
        TRY(gather_numbers(feed, begin, end, &numbers, error));
        TRY(clt__engine_begin_write(feed->engine, feed->net->number, to, count, numbers, &chunk->transfer[3], error));
    }
    return CLT_OK;
}

static int begin_of(const clt__feed *feed, int number)
{
    return number * feed->half;
}

static int end_of(const clt__feed *feed, int number)
{
    const int rest = feed->order_count - begin_of(feed, number);
    return begin_of(feed, number) + (rest < feed->half ? rest : feed->half);
}

/* Nothing where there is no such chunk, or it is under way. */
static clt_status begin_chunk(clt__feed *feed, int number, clt_error *error)
{
    clt__chunk *chunk = &feed->chunk[number % 2];
    if (begin_of(feed, number) >= feed->order_count || chunk->number == number) return CLT_OK;
    TRY(forget(chunk, error));
    TRY(begin_reading(feed, begin_of(feed, number), end_of(feed, number), &chunk->images, &chunk->taking, error));
    chunk->number = number;
    return CLT_OK;
}

/* Writes what has been read; `wait`: for that. */
static clt_status move_on(clt__feed *feed, int number, bool wait, clt_error *error)
{
    clt__chunk *chunk = &feed->chunk[number % 2];
    const int begin = begin_of(feed, number), end = end_of(feed, number);
    if (chunk->number != number || !chunk->images || !(wait || clt__taking_is_done(chunk->taking))) return CLT_OK;
    clt_status status = end_reading(feed, begin, end, chunk->images, &chunk->taking, error);
    if (status == CLT_OK) status = begin_writing(feed, begin, end, number % 2 * feed->half, chunk, error);
    if (status != CLT_OK) (void)forget(chunk, NULL); /* what is there of it is not whole */
    return status;
}

static clt_status join(clt__feed *feed, clt__chunk *chunk, clt_error *error)
{
    for (int i = 0; i < CLT__FEED_TENSORS && !chunk->joined; i++)
        TRY(clt__engine_join_write(feed->engine, &chunk->transfer[i], error));
    chunk->joined = true;
    return CLT_OK;
}

clt_status clt__feed_find(clt__feed *feed, int first, int *position, clt_error *error)
{
    *position = first;
    if (feed->resident) return CLT_OK;
    const int number = first / feed->half;
    *position = first - number * feed->half + number % 2 * feed->half;
    TRY(begin_chunk(feed, number, error));
    TRY(move_on(feed, number, true, error));
    TRY(join(feed, &feed->chunk[number % 2], error));
    TRY(begin_chunk(feed, number + 1, error));
    return move_on(feed, number + 1, false, error);
}

clt_status clt__feed_settle(clt__feed *feed, clt_error *error)
{
    for (int i = 0; i < 2; i++) {
        if (feed->chunk[i].number < 0 || feed->chunk[i].images) continue;
        TRY(join(feed, &feed->chunk[i], error));
        TRY(end_writes(&feed->chunk[i], error));
    }
    return CLT_OK;
}

clt_status clt__feed_check(clt__feed *feed, clt_error *error)
{
    for (int i = 0; i < 2; i++)
        if (feed->chunk[i].joined) TRY(end_writes(&feed->chunk[i], error));
    return CLT_OK;
}

clt_status clt__feed_set_order(clt__feed *feed, const int32_t *images, int count, int epoch, clt_error *error)
{
    for (int i = 0; i < count; i++)
        if (images[i] < 0 || (size_t)images[i] >= feed->data->count)
            return FAIL(error, CLT_BAD_ARGUMENT, "image %d was asked for, the data set has %zu", images[i],
                        feed->data->count);
    memmove(feed->order, images, (size_t)count * sizeof *images); /* which may be the same */
    feed->order_count = count;
    feed->crop.epoch = epoch;
    TRY(forget(&feed->chunk[0], error));
    TRY(forget(&feed->chunk[1], error));
    if (!feed->resident) return CLT_OK;
    if (feed->net->number >= 0) TRY(clt__engine_write(feed->engine, feed->net->number, 0, count, feed->order, error));
    return clt__engine_write(feed->engine, feed->net->order, 0, count, feed->order, error);
}

/* ---- opening and closing */

/* In chunks, images lie in the order in which steps take them. */
static clt_status number_images(const clt__feed *feed, clt_error *error)
{
    const int room = feed->net->tape.tensor[feed->net->order].count;
    int32_t *numbers;
    TRY(clt__allocate((uint64_t)room, sizeof *numbers, "the images' numbers", &numbers, error));
    for (int i = 0; i < room; i++) numbers[i] = i;
    const clt_status status = clt__engine_write(feed->engine, feed->net->order, 0, room, numbers, error);
    free(numbers);
    return status;
}

/* Images of a source, a piece at a time. */
static clt_status write_pieces(clt__feed *feed, int count, clt_error *error)
{
    enum { PIECE = 256 };
    const int values = (int)clt__image_size(feed->data->shape);
    for (int first = 0; first < count; first += PIECE) {
        const int end = count - first < PIECE ? count : first + PIECE;
        char *images;
        clt__taking *taking;
        TRY(begin_reading(feed, first, end, &images, &taking, error));
        clt_status status = end_reading(feed, first, end, images, &taking, error);
        if (status == CLT_OK)
            status = clt__engine_write(feed->engine, feed->net->images, first * values, (end - first) * values, images,
                                       error);
        free(images);
        TRY(status);
    }
    return CLT_OK;
}

/* Images in memory are written without a copy, for there may be many. */
static clt_status write_images(clt__feed *feed, int count, clt_error *error)
{
    const clt_dataset *data = feed->data;
    const int values = (int)clt__image_size(data->shape);
    const void *all = data->bytes ? (const void *)data->bytes : data->reals;
    if (clt__dataset_streams(data)) return write_pieces(feed, count, error);
    return clt__engine_write(feed->engine, feed->net->images, 0, count * values, all, error);
}

/* The first `count` images and their answers. */
static clt_status write_first(clt__feed *feed, int count, clt_error *error)
{
    const clt_dataset *data = feed->data;
    int32_t *labels = NULL;
    double *targets = NULL;
    TRY(write_images(feed, count, error));
    clt_status status = data->labels ? gather_labels(feed, 0, count, &labels, error) : CLT_OK;
    if (status == CLT_OK && labels)
        status = clt__engine_write(feed->engine, feed->net->labels, 0, count, labels, error);
    if (status == CLT_OK && feed->net->targets >= 0) status = gather_targets(feed, 0, count, &targets, error);
    if (status == CLT_OK && targets)
        status = clt__engine_write(feed->engine, feed->net->targets, 0, count * data->outputs, targets, error);
    free(labels);
    free(targets);
    return status;
}

clt_status clt__feed_refresh(clt__feed *feed, int count, clt_error *error)
{
    for (int i = 0; i < count; i++) feed->order[i] = i;
    if (feed->resident) TRY(write_first(feed, count, error));
    return clt__feed_set_order(feed, feed->order, count, 0, error);
}

clt_status clt__feed_open(clt__feed *feed, const clt_dataset *data, const clt__net *net, clt__engine *engine,
                          const clt_options *options, bool trains, clt_error *error)
{
    const int room = net->tape.tensor[net->order].count;
    const bool crops = trains && options->augment.rrc.least > 0;
    *feed = (clt__feed){.data = data,
                        .net = net,
                        .engine = engine,
                        .resident = room == (int)data->count && !crops,
                        .options = options,
                        .crops = crops,
                        .crop = {.share = options->augment.rrc, .seed = options->seed},
                        .half = room / 2,
                        .chunk = {{.number = -1}, {.number = -1}}};
    TRY(clt__allocate(data->count, sizeof *feed->order, "the order of images", &feed->order, error));
    if (data->pictures || crops)
        TRY(clt__workers_open(clt__worker_count(options), CLT__SMALL_STACK, &feed->workers, error));
    return feed->resident ? write_first(feed, (int)data->count, error) : number_images(feed, error);
}

void clt__feed_close(clt__feed *feed)
{
    (void)forget(&feed->chunk[0], NULL);
    (void)forget(&feed->chunk[1], NULL);
    clt__workers_close(feed->workers);
    free(feed->order);
}
