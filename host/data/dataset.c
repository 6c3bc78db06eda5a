#include "data/dataset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/random.h"
#include "data/idx.h"

size_t clt__image_size(clt_shape shape)
{
    return (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
}

/* ---- making a data set -------------------------------------------------------------------------------------- */

/* How many images of which extents a caller or a file claims, before anything is checked. */
typedef struct claim {
    const char *name;  /* where the images come from */
    clt_status status; /* what it is called when they are wrong: a bad argument, or a bad file */
    uint64_t count;
    int64_t channels, height, width;
} claim;

static clt_status check_claim(const claim *images, clt_error *error)
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

/* Ends a function that built a data set: *dataset, or NULL where building it failed. */
static clt_status finish(clt_status status, clt_dataset *built, clt_dataset **dataset)
{
    if (status == CLT_OK)
        *dataset = built;
    else
        clt_dataset_close(built);
    return status;
}

/* A data set with its sizes and name, and no content yet. */
static clt_status create(const claim *images, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    TRY(check_claim(images, error));
    clt_dataset *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "a data set", &fresh, error));
    fresh->count = (size_t)images->count;
    fresh->shape = (clt_shape){(int)images->channels, (int)images->height, (int)images->width};
    return finish(clt__copy_text(images->name, &fresh->name, error), fresh, dataset);
}

/* NCHW to NHWC. */
static clt_status take_bytes(clt_dataset *dataset, const uint8_t *images, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape);
    const size_t channels = (size_t)dataset->shape.channels, pixels = size / channels;
    TRY(clt__allocate(dataset->count, size, dataset->name, &dataset->bytes, error));
    for (size_t n = 0; n < dataset->count; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < pixels; i++)
                dataset->bytes[n * size + i * channels + c] = images[n * size + c * pixels + i];
    return CLT_OK;
}

/* NCHW to NHWC. */
static clt_status take_reals(clt_dataset *dataset, const double *images, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape);
    const size_t channels = (size_t)dataset->shape.channels, pixels = size / channels;
    TRY(clt__allocate(dataset->count, size * sizeof *images, dataset->name, &dataset->reals, error));
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
    const claim given = {"the images given", CLT_BAD_ARGUMENT, count, shape.channels, shape.height, shape.width};
    *dataset = NULL;
    if (!images) return FAIL(error, CLT_BAD_ARGUMENT, "%s: are NULL, where an array is needed", given.name);
    return create(&given, dataset, error);
}

clt_status clt_dataset_from_bytes(size_t count, clt_shape shape, const uint8_t *images, const int32_t *labels,
                                  int classes, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    clt_dataset *fresh;
    TRY(create_in_memory(count, shape, images, &fresh, error));
    clt_status status = take_bytes(fresh, images, error);
    if (status == CLT_OK && labels) status = take_labels(fresh, labels, classes, error);
    return finish(status, fresh, dataset);
}

clt_status clt_dataset_from_reals(size_t count, clt_shape shape, const double *images, const double *targets,
                                  int outputs, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    clt_dataset *fresh;
    TRY(create_in_memory(count, shape, images, &fresh, error));
    clt_status status = take_reals(fresh, images, error);
    if (status == CLT_OK && targets) status = take_targets(fresh, targets, outputs, error);
    return finish(status, fresh, dataset);
}

/* ---- from IDX files ----------------------------------------------------------------------------------------- */

/* The extents of images in an IDX file: [h, w], [count, h, w] or [count, c, h, w]. */
static clt_status claim_of(const char *path, const clt__idx *idx, claim *images, clt_error *error)
{
    const uint32_t *extent = idx->extent;
    *images = (claim){.name = path, .status = CLT_BAD_FILE, .count = 1, .channels = 1};
    if (idx->dimensions < 2)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 3: has 1 dimension, where images have 2, 3 or 4", path);
    if (idx->dimensions >= 3) images->count = extent[0];
    if (idx->dimensions == 4) images->channels = extent[1];
    images->height = extent[idx->dimensions - 2];
    images->width = extent[idx->dimensions - 1];
    return CLT_OK;
}

/* Images of one channel are in order as they are: the data set takes them over, for a large file should not lie in
 * memory twice. */
static clt_status dataset_of(const char *path, clt__idx *idx, clt_dataset **dataset, clt_error *error)
{
    claim images;
    TRY(claim_of(path, idx, &images, error));
    clt_dataset *fresh;
    TRY(create(&images, &fresh, error));
    if (images.channels > 1) return finish(take_bytes(fresh, idx->data, error), fresh, dataset);
    fresh->bytes = idx->data;
    idx->data = NULL;
    return finish(CLT_OK, fresh, dataset);
}

clt_status clt_dataset_open_images(const char *path, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    clt__idx idx;
    TRY(clt__idx_read(path, &idx, error));
    const clt_status status = dataset_of(path, &idx, dataset, error);
    clt__idx_free(&idx);
    return status;
}

static clt_status label_with(clt_dataset *dataset, const char *path, const clt__idx *idx, clt_error *error)
{
    if (idx->dimensions != 1)
        return FAIL(error, CLT_BAD_FILE, "%s: byte 3: has %d dimensions, where labels have 1", path, idx->dimensions);
    if (idx->extent[0] != dataset->count)
        return FAIL(error, CLT_BAD_FILE, "%s: holds %" PRIu32 " labels, where %s holds %zu images", path,
                    idx->extent[0], dataset->name, dataset->count);
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, path, &dataset->labels, error));
    for (size_t n = 0; n < dataset->count; n++) {
        dataset->labels[n] = idx->data[n];
        if (dataset->classes <= idx->data[n]) dataset->classes = idx->data[n] + 1;
    }
    return CLT_OK;
}

static clt_status open_labels(clt_dataset *dataset, const char *path, clt_error *error)
{
    clt__idx idx;
    TRY(clt__idx_read(path, &idx, error));
    const clt_status status = label_with(dataset, path, &idx, error);
    clt__idx_free(&idx);
    return status;
}

/* ---- the files of a folder ---------------------------------------------------------------------------------- */

/* The names one file may go by, each without ".gz". */
enum { NAMES_MAX = 8, NAME_ROOM = 32 };

typedef struct candidates {
    char name[NAMES_MAX][NAME_ROOM];
    int count;
} candidates;

/* PREFIX-images-idx3-ubyte and its relatives. Colour images have four dimensions, so theirs is called idx4. */
static void list_names(clt_split split, bool labels, candidates *list)
{
    static const char *const prefixes[2][2] = {[CLT_TRAIN] = {"train"}, [CLT_TEST] = {"t10k", "test"}};
    static const char *const kinds[2][4] = {
        {"images-idx3", "images.idx3", "images-idx4", "images.idx4"},
        {"labels-idx1", "labels.idx1"},
    };
    list->count = 0;
    for (int p = 0; p < 2 && prefixes[split][p]; p++)
        for (int k = 0; k < 4 && kinds[labels][k]; k++)
            (void)snprintf(list->name[list->count++], NAME_ROOM, "%s-%s-ubyte", prefixes[split][p], kinds[labels][k]);
}

static clt_status fail_finding(const char *folder, const candidates *list, clt_status missing, clt_error *error)
{
    char names[NAMES_MAX * (NAME_ROOM + 2)] = "";
    for (int i = 0; i < list->count; i++) {
        if (i > 0) strcat(names, i + 1 < list->count ? ", " : " or ");
        strcat(names, list->name[i]);
    }
    return FAIL(error, missing, "%s: the folder holds no %s, with or without .gz", folder, names);
}

/* *path, freed with free(), becomes the first candidate that is there; `missing` is the status where none is. */
static clt_status find_file(const char *folder, const candidates *list, clt_status missing, char **path,
                            clt_error *error)
{
    const size_t room = strlen(folder) + 1 + NAME_ROOM + sizeof ".gz";
    TRY(clt__allocate(room, 1, "a file name", path, error));
    for (int i = 0; i < 2 * list->count; i++) {
        struct stat about;
        (void)snprintf(*path, room, "%s/%s%s", folder, list->name[i / 2], i % 2 ? ".gz" : "");
        /* A file that is there but out of reach is found too: opening it then says why it cannot be read. */
        if (stat(*path, &about) == 0 || errno != ENOENT) return CLT_OK;
    }
    free(*path);
    *path = NULL;
    return fail_finding(folder, list, missing, error);
}

static clt_status check_folder(const char *path, clt_error *error)
{
    struct stat about;
    if (stat(path, &about)) return FAIL(error, CLT_BAD_FILE, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return FAIL(error, CLT_BAD_FILE, "%s: is not a folder, where a data set is a folder of IDX files", path);
    return CLT_OK;
}

static clt_status open_pair(const char *images, const char *labels, clt_dataset **dataset, clt_error *error)
{
    clt_dataset *fresh;
    TRY(clt_dataset_open_images(images, &fresh, error));
    return finish(open_labels(fresh, labels, error), fresh, dataset);
}

clt_status clt_dataset_open(const char *path, clt_split split, clt_dataset **dataset, clt_error *error)
{
    *dataset = NULL;
    TRY(check_folder(path, error));
    candidates names;
    char *images = NULL, *labels = NULL;
    list_names(split, false, &names);
    clt_status status = find_file(path, &names, CLT_NO_FILE, &images, error);
    list_names(split, true, &names);
    if (status == CLT_OK)
        status = find_file(path, &names, CLT_BAD_FILE, &labels, error); /* images alone are no split */
    if (status == CLT_OK) status = open_pair(images, labels, dataset, error);
    free(images);
    free(labels);
    return status;
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

static clt_status copy_content(const clt_dataset *from, const size_t *chosen, clt_dataset *to, clt_error *error)
{
    const size_t size = clt__image_size(from->shape), outputs = (size_t)from->outputs;
    TRY(copy_rows(from->bytes, size, chosen, to->count, &to->bytes, error));
    TRY(copy_rows(from->reals, size * sizeof *from->reals, chosen, to->count, &to->reals, error));
    TRY(copy_rows(from->labels, sizeof *from->labels, chosen, to->count, &to->labels, error));
    TRY(copy_rows(from->targets, outputs * sizeof *from->targets, chosen, to->count, &to->targets, error));
    to->classes = from->classes;
    to->outputs = from->outputs;
    return CLT_OK;
}

static clt_status select_images(const clt_dataset *from, const size_t *chosen, size_t count, clt_dataset **part,
                                clt_error *error)
{
    const clt_shape shape = from->shape;
    const claim images = {from->name, CLT_BAD_ARGUMENT, count, shape.channels, shape.height, shape.width};
    clt_dataset *fresh;
    TRY(create(&images, &fresh, error));
    return finish(copy_content(from, chosen, fresh, error), fresh, part);
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

int clt_dataset_classes(const clt_dataset *dataset)
{
    return dataset->classes;
}

int clt_dataset_label(const clt_dataset *dataset, size_t index)
{
    return dataset->labels && index < dataset->count ? dataset->labels[index] : -1;
}

void clt_dataset_close(clt_dataset *dataset)
{
    if (!dataset) return;
    free(dataset->bytes);
    free(dataset->reals);
    free(dataset->labels);
    free(dataset->targets);
    free(dataset->name);
    free(dataset);
}
