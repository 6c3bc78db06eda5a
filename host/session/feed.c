#include "session/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- gathering: each function's array is the caller's */

static size_t image_at(const clt__feed *feed, int position)
{
    return (size_t)(feed->resident ? position : feed->order[position]);
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
        const int label = feed->data->labels[image_at(feed, i)];
        (*labels)[i - begin] = label < outputs_of(feed) ? clt__feed_output_index(feed, label) : label;
    }
    return CLT_OK;
}

static clt_status gather_targets(const clt__feed *feed, int begin, int end, double **targets, clt_error *error)
{
    const clt_dataset *data = feed->data;
    const size_t outputs = (size_t)data->outputs;
    TRY(clt__allocate((uint64_t)(end - begin) * outputs, sizeof **targets, "the targets", targets, error));
    for (int i = begin; i < end; i++)
        for (int k = 0; k < data->outputs; k++)
            (*targets)[(size_t)(i - begin) * outputs + (size_t)clt__feed_output_index(feed, k)] =
                data->targets[image_at(feed, i) * outputs + (size_t)k];
    return CLT_OK;
}

static clt_status gather_images(const clt__feed *feed, int begin, int end, char **images, clt_error *error)
{
    const clt_dataset *data = feed->data;
    const size_t image = clt__image_size(data->shape) * (clt__dataset_is_bytes(data) ? 1 : sizeof *data->reals);
    const size_t count = (size_t)(end - begin);
    size_t *which;
    TRY(clt__allocate(count, sizeof *which, "the numbers of images", &which, error));
    for (size_t i = 0; i < count; i++) which[i] = image_at(feed, begin + (int)i);
    clt_status status = clt__allocate(count, image, "images on their way to the device", images, error);
    if (status == CLT_OK) status = clt__dataset_take(data, which, count, *images, error);
    free(which);
    if (status == CLT_OK) return CLT_OK;
    free(*images);
    *images = NULL;
    return status;
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
    return end_writes(chunk, error);
}

/* Begins to write what lies at positions begin .. end to the device, at image `to`. */
static clt_status begin_writing(clt__feed *feed, int begin, int end, int to, clt__chunk *chunk, clt_error *error)
{
    const clt_dataset *data = feed->data;
    const int values = (int)clt__image_size(data->shape), count = end - begin, outputs = data->outputs;
    char *images;
    int32_t *labels;
    double *targets;
    TRY(gather_images(feed, begin, end, &images, error));
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
    return CLT_OK;
}

static clt_status fetch(clt__feed *feed, int number, clt_error *error)
{
    clt__chunk *chunk = &feed->chunk[number % 2];
    const int begin = number * feed->half, rest = feed->order_count - begin;
    if (rest <= 0 || chunk->number == number) return CLT_OK;
    TRY(forget(chunk, error));
    TRY(begin_writing(feed, begin, begin + (rest < feed->half ? rest : feed->half), number % 2 * feed->half, chunk,
                      error));
    chunk->number = number;
    return CLT_OK;
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
    TRY(fetch(feed, number, error));
    TRY(join(feed, &feed->chunk[number % 2], error));
    return fetch(feed, number + 1, error);
}

clt_status clt__feed_settle(clt__feed *feed, clt_error *error)
{
    for (int i = 0; i < 2; i++) {
        if (feed->chunk[i].number < 0) continue;
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

clt_status clt__feed_set_order(clt__feed *feed, const int32_t *images, int count, clt_error *error)
{
    for (int i = 0; i < count; i++)
        if (images[i] < 0 || (size_t)images[i] >= feed->data->count)
            return FAIL(error, CLT_BAD_ARGUMENT, "image %d was asked for, the data set has %zu", images[i],
                        feed->data->count);
    memmove(feed->order, images, (size_t)count * sizeof *images); /* which may be the same */
    feed->order_count = count;
    TRY(forget(&feed->chunk[0], error));
    TRY(forget(&feed->chunk[1], error));
    return feed->resident ? clt__engine_write(feed->engine, feed->net->order, 0, count, images, error) : CLT_OK;
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
        TRY(gather_images(feed, first, end, &images, error));
        const clt_status status =
            clt__engine_write(feed->engine, feed->net->images, first * values, (end - first) * values, images, error);
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
    if (data->source.fill) return write_pieces(feed, count, error);
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
    return clt__feed_set_order(feed, feed->order, count, error);
}

clt_status clt__feed_open(clt__feed *feed, const clt_dataset *data, const clt__net *net, clt__engine *engine,
                          clt_error *error)
{
    const int room = net->tape.tensor[net->order].count;
    *feed = (clt__feed){.data = data,
                        .net = net,
                        .engine = engine,
                        .resident = room == (int)data->count,
                        .half = room / 2,
                        .chunk = {{.number = -1}, {.number = -1}}};
    TRY(clt__allocate(data->count, sizeof *feed->order, "the order of images", &feed->order, error));
    return feed->resident ? write_first(feed, (int)data->count, error) : number_images(feed, error);
}

void clt__feed_close(clt__feed *feed)
{
    (void)forget(&feed->chunk[0], NULL);
    (void)forget(&feed->chunk[1], NULL);
    free(feed->order);
}
