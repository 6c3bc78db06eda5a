#include "pictures/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Of one axis: which pixels of the source make a pixel of the result, and with which weights. */
typedef struct filter {
    int begin, end; /* pixels of the source that take part */
    int to;         /* pixels of the result */
    int room;       /* weights that a pixel has room for */
    int *first;     /* [to] */
    int *count;     /* [to] how many pixels from there on */
    float *weight;  /* [to, room] */
} filter;

static void free_filter(filter *axis)
{
    free(axis->first);
    free(axis->count);
    free(axis->weight);
}

/* Pixel centres lie at halves. */
static void weigh(filter *axis, int pixel, double from, double scale, double support)
{
    const double centre = from + (pixel + 0.5) * scale;
    float *weight = axis->weight + (size_t)pixel * (size_t)axis->room;
    int first = (int)floor(centre - support + 0.5), end = (int)floor(centre + support + 0.5);
    if (first < axis->begin) first = axis->begin;
    if (end > axis->end) end = axis->end;
    double sum = 0;
    for (int i = first; i < end; i++) {
        const double distance = (i + 0.5 - centre) / support, value = 1 - (distance < 0 ? -distance : distance);
        sum += value > 0 ? value : 0;
        weight[i - first] = (float)(value > 0 ? value : 0);
    }
    for (int i = first; i < end; i++) weight[i - first] = (float)(weight[i - first] / sum);
    axis->first[pixel] = first;
    axis->count[pixel] = end - first;
}

/* `length` pixels from `from` on, of `size`, become `to`. */
static clt_status make_filter(double from, double length, int size, int to, filter *axis, clt_error *error)
{
    const double scale = length / to, support = scale > 1 ? scale : 1;
    *axis = (filter){
        .begin = (int)floor(from), .end = (int)ceil(from + length), .to = to, .room = 2 * (int)ceil(support) + 2};
    if (axis->begin < 0) axis->begin = 0;
    if (axis->end > size) axis->end = size;
    const uint64_t pixels = (uint64_t)to;
    TRY(clt__allocate(pixels, sizeof *axis->first, "resizing", &axis->first, error));
    TRY(clt__allocate(pixels, sizeof *axis->count, "resizing", &axis->count, error));
    TRY(clt__allocate(pixels, (size_t)axis->room * sizeof *axis->weight, "resizing", &axis->weight, error));
    for (int i = 0; i < to; i++) weigh(axis, i, from, scale, support);
    return CLT_OK;
}

static void filter_grey_row(const float *row, const filter *axis, float *to)
{
    for (int x = 0; x < axis->to; x++) {
        const float *weight = axis->weight + (size_t)x * (size_t)axis->room;
        const float *from = row + axis->first[x];
        float sum = 0;
        for (int i = 0; i < axis->count[x]; i++) sum += weight[i] * from[i];
        *to++ = sum;
    }
}

static void filter_colour_row(const float *row, const filter *axis, float *to)
{
    for (int x = 0; x < axis->to; x++) {
        const float *weight = axis->weight + (size_t)x * (size_t)axis->room;
        const float *from = row + 3 * (size_t)axis->first[x];
        float red = 0, green = 0, blue = 0;
        for (int i = 0; i < axis->count[x]; i++, from += 3) {
            red += weight[i] * from[0];
            green += weight[i] * from[1];
            blue += weight[i] * from[2];
        }
        *to++ = red;
        *to++ = green;
        *to++ = blue;
    }
}

/* Row y of the source as wide as the result. `line` has room for a row of the source: each byte becomes a number once,
 * not once for every pixel that it is a part of. */
static void filter_row(const clt__picture *picture, int y, const filter *across, float *line, float *to)
{
    const size_t channels = (size_t)picture->info.channels, row = (size_t)picture->info.width * channels;
    const size_t begin = (size_t)across->begin * channels, end = (size_t)across->end * channels;
    const uint8_t *from = picture->pixels + (size_t)y * row;
    for (size_t i = begin; i < end; i++) line[i] = (float)from[i];
    if (channels == 3)
        filter_colour_row(line, across, to);
    else
        filter_grey_row(line, across, to);
}

/* Adds row y of the source to every row of `sums` that it is a part of; `first` is the first of these. */
static void add_row(const float *from, int y, const filter *down, int first, size_t row, float *sums)
{
    for (int to = first; to < down->to && down->first[to] <= y; to++) {
        const float weight = down->weight[(size_t)to * (size_t)down->room + (size_t)(y - down->first[to])];
        float *sum = sums + (size_t)to * row;
        for (size_t x = 0; x < row; x++) sum[x] += weight * from[x];
    }
}

static void round_sums(const float *sums, size_t count, uint8_t *to)
{
    for (size_t i = 0; i < count; i++) {
        const float value = sums[i] + 0.5F;
        to[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* A row of the source at a time, so that beside the picture there is room for one of its rows and for the result only,
 * however tall a picture a file of a few bytes claims to be. */
static clt_status resize(const clt__picture *picture, const filter *across, const filter *down, clt__picture *resized,
                         clt_error *error)
{
    const size_t channels = (size_t)picture->info.channels, row = (size_t)across->to * channels,
                 source = (size_t)picture->info.width * channels, size = (size_t)down->to * row;
    float *line;
    TRY(clt__allocate((uint64_t)down->to, row, "an image", &resized->pixels, error));
    TRY(clt__allocate(source + row + size, sizeof *line, "resizing", &line, error));
    float *filtered = line + source, *sums = filtered + row;
    for (int y = down->begin, first = 0; y < down->end; y++) {
        while (first < down->to && down->first[first] + down->count[first] <= y) first++;
        filter_row(picture, y, across, line, filtered);
        add_row(filtered, y, down, first, row, sums);
    }
    round_sums(sums, size, resized->pixels);
    free(line);
    return CLT_OK;
}

static void convert(const uint8_t *from, int channels, size_t pixels, int wanted, uint8_t *to)
{
    for (size_t i = 0; i < pixels; i++, from += channels, to += wanted) {
        if (channels == wanted)
            memcpy(to, from, (size_t)wanted);
        else if (wanted == 1)
            *to = (uint8_t)((299 * from[0] + 587 * from[1] + 114 * from[2] + 500) / 1000);
        else
            memset(to, *from, (size_t)wanted);
    }
}

static bool is_whole(const clt__picture *picture, const clt__frame *frame)
{
    return frame->left == 0 && frame->top == 0 && frame->width == picture->info.width &&
           frame->height == picture->info.height;
}

clt_status clt__picture_fit(const clt__picture *picture, const clt__frame *frame, const clt__picture_info *wanted,
                            uint8_t *to, clt_error *error)
{
    const size_t pixels = (size_t)wanted->width * (size_t)wanted->height;
    const int channels = picture->info.channels;
    if (is_whole(picture, frame) && picture->info.width == wanted->width && picture->info.height == wanted->height) {
        convert(picture->pixels, channels, pixels, wanted->channels, to);
        return CLT_OK;
    }
    filter across = {0}, down = {0};
    clt__picture resized = {.pixels = NULL};
    clt_status status = make_filter(frame->left, frame->width, picture->info.width, wanted->width, &across, error);
    if (status == CLT_OK)
        status = make_filter(frame->top, frame->height, picture->info.height, wanted->height, &down, error);
    if (status == CLT_OK) status = resize(picture, &across, &down, &resized, error);
    if (status == CLT_OK) convert(resized.pixels, channels, pixels, wanted->channels, to);
    free(resized.pixels);
    free_filter(&across);
    free_filter(&down);
    return status;
}

void clt__invert_bytes(uint8_t *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++) pixels[i] = (uint8_t)(255 - pixels[i]);
}
