/* STL-10 in its binary form (https://cs.stanford.edu/~acoates/stl10): images of 96 x 96 in planes of red, green and
 * blue, each plane column by column, and labels from 1 to 10 in a file of their own. */
#include <stdlib.h>
#include <string.h>

#include "base/content.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/format.h"

static const clt_shape image_shape = {3, 96, 96};
enum { IMAGE_SIZE = 3 * 96 * 96, CLASSES = 10 };

static const char *const image_files[] = {[CLT_TRAIN] = "train_X.bin", [CLT_TEST] = "test_X.bin"};
static const char *const label_files[] = {[CLT_TRAIN] = "train_y.bin", [CLT_TEST] = "test_y.bin"};

static clt_status read_file(const char *folder, const char *name, char **path, char **bytes, size_t *size,
                            clt_error *error)
{
    TRY(clt__join(folder, name, path, error));
    return clt__file_read(*path, bytes, size, error);
}

static clt_status take_images(const char *path, const char *bytes, size_t size, clt_dataset **dataset, clt_error *error)
{
    const clt__claim images = {
        path, CLT_BAD_FILE, size / IMAGE_SIZE, image_shape.channels, image_shape.height, image_shape.width};
    clt_dataset *fresh;
    const char *content = size % IMAGE_SIZE ? clt__content_name((const unsigned char *)bytes, size) : NULL;
    if (content)
        return FAIL(error, CLT_BAD_FILE, "%s: is %s, where images of %d bytes are needed", path, content,
                    (int)IMAGE_SIZE);
    if (size % IMAGE_SIZE)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: byte %zu: the file ends inside an image, where images of %d bytes are "
                    "needed",
                    path, size, (int)IMAGE_SIZE);
    TRY(clt__dataset_create(&images, &fresh, error));
    clt_status status = clt__dataset_allocate_bytes(fresh, error);
    for (size_t n = 0; n < fresh->count && status == CLT_OK; n++)
        clt__to_pixels((const uint8_t *)bytes + n * IMAGE_SIZE, image_shape, fresh->bytes + n * IMAGE_SIZE);
    if (status == CLT_OK) status = clt__dataset_turn(fresh, error); /* from columns to rows */
    return clt__dataset_finish(status, fresh, dataset);
}

static clt_status open_images(const char *folder, clt_split split, clt_dataset **dataset, clt_error *error)
{
    char *path = NULL, *bytes = NULL;
    size_t size;
    clt_status status = read_file(folder, image_files[split], &path, &bytes, &size, error);
    if (status == CLT_OK) status = take_images(path, bytes, size, dataset, error);
    free(bytes);
    free(path);
    return status;
}

static clt_status take_labels(const char *path, const char *bytes, size_t size, clt_dataset *dataset, clt_error *error)
{
    if (size != dataset->count)
        return FAIL(error, CLT_BAD_FILE, "%s: holds %zu labels, where %s holds %zu images", path, size, dataset->name,
                    dataset->count);
    dataset->classes = dataset->class_names.count ? (int)dataset->class_names.count : CLASSES;
    TRY(clt__allocate(size, sizeof *dataset->labels, "the labels", &dataset->labels, error));
    for (size_t n = 0; n < size; n++) {
        const int label = (unsigned char)bytes[n];
        if (label < 1 || label > dataset->classes)
            return FAIL(error, CLT_BAD_FILE, "%s: record %zu has the label %d, where 1 to %d are possible", path, n,
                        label, dataset->classes);
        dataset->labels[n] = label - 1;
    }
    return CLT_OK;
}

static clt_status open_labels(const char *folder, clt_split split, clt_dataset *dataset, clt_error *error)
{
    char *path = NULL, *bytes = NULL;
    size_t size;
    TRY(clt__names_in_file(folder, "class_names.txt", &dataset->class_names, error));
    clt_status status = read_file(folder, label_files[split], &path, &bytes, &size, error);
    if (status == CLT_OK) status = take_labels(path, bytes, size, dataset, error);
    free(bytes);
    free(path);
    return status;
}

static clt_status open_folder(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                              clt_error *error)
{
    clt_dataset *fresh;
    if (!clt__is_there(path, image_files[split]))
        return FAIL(error, CLT_NO_FILE, "%s: the folder holds no %s", path, image_files[split]);
    if (split == CLT_TRAIN && clt__is_there(path, "unlabeled_X.bin"))
        clt__options_note(options, "%s/unlabeled_X.bin: is left out: its images have no labels", path);
    TRY(open_images(path, split, &fresh, error));
    return clt__dataset_finish(open_labels(path, split, fresh, error), fresh, dataset);
}

static bool looks(const clt__data_source *source)
{
    return source->folder &&
           (clt__is_there(source->path, image_files[CLT_TRAIN]) || clt__is_there(source->path, image_files[CLT_TEST]));
}

const clt__data_format clt__stl_format = {.name = "STL-10's binary files", .looks = looks, .open = open_folder};
