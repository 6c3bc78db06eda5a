/* Data sets of numpy arrays: x_train, y_train, x_test and y_test as .npy files, or as members of an .npz archive. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/format.h"
#include "data/npy.h"
#include "data/zip.h"

/* An array with the bytes that it lies in. */
typedef struct loaded_array {
    char *name; /* for messages */
    char *bytes;
    clt__npy npy;
} loaded_array;

static void free_array(loaded_array *array)
{
    free(array->name);
    free(array->bytes);
}

/* ---- images ------------------------------------------------------------------------------------------------- */

/* [h, w] is one image, [n, h, w] are grey ones. */
static clt_status claim_of(const loaded_array *x, unsigned layout, clt__claim *images, clt_error *error)
{
    const clt__npy *npy = &x->npy;
    if (npy->dimensions < 2)
        return FAIL(error, CLT_BAD_FILE, "%s: has %d dimension%s, where images have 2, 3 or 4", x->name,
                    npy->dimensions, npy->dimensions == 1 ? "" : "s");
    if (npy->kind != 'f' && !(npy->kind == 'u' && npy->size == 1))
        return FAIL(error, CLT_BAD_FILE, "%s: its values are of the type %c%d, where images are u1, f4 or f8", x->name,
                    npy->kind, npy->size);
    const int channel = layout == CLT__NHWC ? 3 : 1, height = layout == CLT__NHWC ? 1 : 2;
    const bool has_channels = npy->dimensions == 4;
    const int row = has_channels ? height : npy->dimensions - 2;
    *images = (clt__claim){.name = x->name,
                           .status = CLT_BAD_FILE,
                           .count = npy->dimensions == 2 ? 1 : npy->extent[0],
                           .channels = has_channels ? (int64_t)npy->extent[channel] : 1,
                           .height = (int64_t)npy->extent[row],
                           .width = (int64_t)npy->extent[row + 1]};
    return CLT_OK;
}

/* Where a value of the data set lies in the file. */
static size_t index_in_file(const clt_dataset *dataset, unsigned layout, size_t n, size_t pixel, size_t channel)
{
    const size_t size = clt__image_size(dataset->shape), channels = (size_t)dataset->shape.channels;
    return n * size + (layout == CLT__NHWC ? pixel * channels + channel : channel * (size / channels) + pixel);
}

static clt_status take_bytes(clt_dataset *dataset, const clt__npy *npy, unsigned layout, clt_error *error)
{
    const size_t size = clt__image_size(dataset->shape);
    TRY(clt__dataset_allocate_bytes(dataset, error));
    if (layout == CLT__NHWC) memcpy(dataset->bytes, npy->data, dataset->count * size);
    for (size_t n = 0; n < dataset->count && layout == CLT__NCHW; n++)
        clt__to_pixels(npy->data + n * size, dataset->shape, dataset->bytes + n * size);
    return CLT_OK;
}

static clt_status take_reals(clt_dataset *dataset, const clt__npy *npy, unsigned layout, clt_error *error)
{
    const size_t channels = (size_t)dataset->shape.channels, pixels = clt__image_size(dataset->shape) / channels;
    size_t to = 0;
    TRY(clt__dataset_allocate_reals(dataset, error));
    for (size_t n = 0; n < dataset->count; n++)
        for (size_t i = 0; i < pixels; i++)
            for (size_t c = 0; c < channels; c++) {
                const double value = clt__npy_real(npy, index_in_file(dataset, layout, n, i, c));
                if (!isfinite(value))
                    return FAIL(error, CLT_BAD_FILE, "%s: image %zu holds %g, where finite numbers are needed",
                                dataset->name, n, value);
                dataset->reals[to++] = value;
            }
    return CLT_OK;
}

static clt_status take_images(const loaded_array *x, unsigned layout, clt_dataset **dataset, clt_error *error)
{
    clt__claim images;
    clt_dataset *fresh;
    TRY(claim_of(x, layout, &images, error));
    TRY(clt__dataset_create(&images, &fresh, error));
    const clt_status status =
        x->npy.kind == 'f' ? take_reals(fresh, &x->npy, layout, error) : take_bytes(fresh, &x->npy, layout, error);
    return clt__dataset_finish(status, fresh, dataset);
}

/* ---- labels and targets ------------------------------------------------------------------------------------- */

static clt_status take_labels(clt_dataset *dataset, const loaded_array *y, clt_error *error)
{
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, "the labels", &dataset->labels, error));
    for (size_t n = 0; n < dataset->count; n++) {
        const int64_t label = clt__npy_integer(&y->npy, n);
        if (label < 0 || label >= INT32_MAX)
            return FAIL(error, CLT_BAD_FILE, "%s: record %zu has the label %" PRId64 ", where 0 to %d are possible",
                        y->name, n, label, INT32_MAX - 1);
        dataset->labels[n] = (int32_t)label;
        if (dataset->classes <= label) dataset->classes = (int)label + 1;
    }
    return CLT_OK;
}

static clt_status take_targets(clt_dataset *dataset, const loaded_array *y, clt_error *error)
{
    dataset->outputs = (int)(y->npy.count / dataset->count);
    TRY(clt__allocate(y->npy.count, sizeof *dataset->targets, "the targets", &dataset->targets, error));
    for (uint64_t i = 0; i < y->npy.count; i++) {
        dataset->targets[i] = clt__npy_real(&y->npy, i);
        if (!isfinite(dataset->targets[i]))
            return FAIL(error, CLT_BAD_FILE, "%s: record %" PRIu64 " holds %g, where finite numbers are needed",
                        y->name, i / (uint64_t)dataset->outputs, dataset->targets[i]);
    }
    return CLT_OK;
}

/* Integers [n] or [n, 1] are class labels, floats [n] or [n, outputs] are real targets. */
static clt_status take_answers(clt_dataset *dataset, const loaded_array *y, clt_error *error)
{
    const clt__npy *npy = &y->npy;
    const bool real = npy->kind == 'f';
    const uint64_t outputs = npy->dimensions == 2 ? npy->extent[1] : 1;
    if (npy->dimensions < 1 || npy->dimensions > 2 || outputs < 1 || outputs > (real ? INT32_MAX : 1))
        return FAIL(error, CLT_BAD_FILE,
                    "%s: its shape is not right, where integer labels are [n] and real targets [n] or [n, outputs]",
                    y->name);
    if (npy->extent[0] != dataset->count)
        return FAIL(error, CLT_BAD_FILE, "%s: holds %" PRIu64 " %s, where %s holds %zu images", y->name, npy->extent[0],
                    real ? "targets" : "labels", dataset->name, dataset->count);
    return real ? take_targets(dataset, y, error) : take_labels(dataset, y, error);
}

/* ---- where the arrays are ----------------------------------------------------------------------------------- */

/* An archive, or what stands before the files' names. */
typedef struct array_store {
    const char *path;
    clt__zip *zip;         /* NULL: files */
    const char *separator; /* "/" in a folder, "" after a prefix */
} array_store;

static clt_status name_file(const array_store *store, const char *array, char **name, clt_error *error)
{
    const size_t room = strlen(store->path) + strlen(array) + 16;
    TRY(clt__allocate(room, 1, "a file name", name, error));
    (void)snprintf(*name, room, "%s%s%s.npy", store->path, store->zip ? ": " : store->separator, array);
    return CLT_OK;
}

static const clt__zip_member *find_member(const array_store *store, const char *array)
{
    char member[32];
    (void)snprintf(member, sizeof member, "%s.npy", array);
    return clt__zip_find(store->zip, member);
}

static bool can_be_opened(const char *path)
{
    FILE *stream = fopen(path, "rb");
    return stream && fclose(stream) == 0;
}

static clt_status load_bytes(const array_store *store, const char *array, loaded_array *loaded, clt_status missing,
                             size_t *size, clt_error *error)
{
    const clt__zip_member *member = store->zip ? find_member(store, array) : NULL;
    if (store->zip ? !member : !can_be_opened(loaded->name))
        return FAIL(error, missing, "%s: holds no %s.npy", store->path, array);
    if (!member) return clt__file_read(loaded->name, &loaded->bytes, size, error);
    *size = (size_t)member->size;
    return clt__zip_read(store->zip, member, &loaded->bytes, error);
}

/* `missing` is the status where there is none. */
static clt_status load(const array_store *store, const char *kind, clt_split split, clt_status missing,
                       loaded_array *loaded, clt_error *error)
{
    char array[16];
    size_t size;
    (void)snprintf(array, sizeof array, "%s_%s", kind, split == CLT_TRAIN ? "train" : "test");
    TRY(name_file(store, array, &loaded->name, error));
    TRY(load_bytes(store, array, loaded, missing, &size, error));
    return clt__npy_parse(loaded->name, loaded->bytes, size, &loaded->npy, error);
}

static clt_status open_images_of(const array_store *store, clt_split split, unsigned layout, clt_dataset **dataset,
                                 clt_error *error)
{
    loaded_array x = {0};
    clt_status status = load(store, "x", split, CLT_NO_FILE, &x, error);
    if (status == CLT_OK && x.npy.dimensions == 2)
        status = FAIL(error, CLT_BAD_FILE, "%s: has 2 dimensions, where the images of a data set have 3 or 4", x.name);
    if (status == CLT_OK) status = take_images(&x, layout, dataset, error);
    free_array(&x);
    return status;
}

/* The images' file is let go of before the labels' is read. */
static clt_status open_store(const array_store *store, clt_split split, const clt_options *options,
                             clt_dataset **dataset, clt_error *error)
{
    clt_dataset *fresh;
    loaded_array y = {0};
    TRY(open_images_of(store, split, options->layout, &fresh, error));
    clt_status status = load(store, "y", split, CLT_BAD_FILE, &y, error);
    if (status == CLT_OK) status = take_answers(fresh, &y, error);
    if (status == CLT_OK) status = clt__copy_text(y.name, &fresh->answers_name, error);
    free_array(&y);
    return clt__dataset_finish(status, fresh, dataset);
}

/* ---- the formats -------------------------------------------------------------------------------------------- */

static bool has_array(const char *path, const char *separator)
{
    const array_store store = {.path = path, .separator = separator};
    bool found = false;
    for (int i = 0; i < 2; i++) {
        char *name;
        if (name_file(&store, i ? "x_test" : "x_train", &name, NULL) != CLT_OK) return false;
        found |= can_be_opened(name);
        free(name);
    }
    return found;
}

static bool looks_like_files(const clt__data_source *source)
{
    if (source->folder) return has_array(source->path, "/");
    return source->missing && has_array(source->path, "");
}

static clt_status open_files(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    const array_store store = {.path = path, .separator = has_array(path, "/") ? "/" : ""};
    return open_store(&store, split, options, dataset, error);
}

static bool looks_like_npy(const clt__data_source *source)
{
    return clt__npy_looks(source->start, source->size);
}

static clt_status open_npy(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    loaded_array x = {0};
    size_t size;
    clt_status status = clt__copy_text(path, &x.name, error);
    if (status == CLT_OK) status = clt__file_read(path, &x.bytes, &size, error);
    if (status == CLT_OK) status = clt__npy_parse(path, x.bytes, size, &x.npy, error);
    if (status == CLT_OK) status = take_images(&x, options->layout, dataset, error);
    free_array(&x);
    return status;
}

static bool looks_like_archive(const clt__data_source *source)
{
    return source->size >= 4 && memcmp(source->start, "PK", 2) == 0;
}

static clt_status open_archive(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                               clt_error *error)
{
    clt__zip zip;
    TRY(clt__zip_open(path, &zip, error));
    const array_store store = {.path = path, .zip = &zip};
    const clt_status status = open_store(&store, split, options, dataset, error);
    clt__zip_close(&zip);
    return status;
}

const clt__data_format clt__npy_format = {
    .looks = looks_like_files, .open = open_files, .looks_like_images = looks_like_npy, .open_images = open_npy};
const clt__data_format clt__npz_format = {.looks = looks_like_archive, .open = open_archive};
