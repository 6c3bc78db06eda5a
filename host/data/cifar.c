/* CIFAR-10 and CIFAR-100 in their binary form (https://www.cs.toronto.edu/~kriz/cifar.html): records of one label byte,
 * or of two (a coarse and a fine one), and an image of 32 x 32 in planes of red, green and blue. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/format.h"

static const clt_shape image_shape = {3, 32, 32};
enum { IMAGE_SIZE = 3 * 32 * 32, MOST_LABELS = 2 };

typedef struct cifar_kind {
    int labels;  /* label bytes of a record; the last is the class */
    int classes; /* where no file names them */
    const char *names_file;
} cifar_kind;

static const cifar_kind cifar_10 = {1, 10, "batches.meta.txt"}, cifar_100 = {2, 100, "fine_label_names.txt"};

/* ---- which files -------------------------------------------------------------------------------------------- */

static bool is_batch(const char *name)
{
    static const char start[] = "data_batch_", end[] = ".bin";
    if (strncmp(name, start, strlen(start)) != 0) return false;
    name += strlen(start);
    const size_t digits = strspn(name, "0123456789");
    return digits > 0 && strcmp(name + digits, end) == 0;
}

static bool has_batches(const char *folder)
{
    clt__names names = {0};
    bool found = false;
    if (clt__names_in_folder(folder, &names, NULL) == CLT_OK)
        for (size_t i = 0; i < names.count; i++) found |= is_batch(names.name[i]);
    clt__names_free(&names);
    return found;
}

static const cifar_kind *kind_in(const char *folder)
{
    if (clt__is_there(folder, "test_batch.bin") || has_batches(folder)) return &cifar_10;
    if (clt__is_there(folder, "train.bin") || clt__is_there(folder, "test.bin")) return &cifar_100;
    return NULL;
}

/* Of one file: by its name, and records that fill it. */
static const cifar_kind *kind_of_file(const char *path)
{
    const char *name = clt__name_in(path);
    const bool hundred = strcmp(name, "train.bin") == 0 || strcmp(name, "test.bin") == 0;
    const cifar_kind *kind = hundred ? &cifar_100 : &cifar_10;
    uint64_t size;
    if (!hundred && !is_batch(name) && strcmp(name, "test_batch.bin") != 0) return NULL;
    if (clt__file_measure(path, &size, NULL) != CLT_OK) return NULL;
    return size % ((uint64_t)kind->labels + IMAGE_SIZE) ? NULL : kind;
}

/* ---- the files of a split ----------------------------------------------------------------------------------- */

/* data_batch_2.bin before data_batch_10.bin */
static int compare_batches(const void *left, const void *right)
{
    const char *a = *(char *const *)left, *b = *(char *const *)right;
    const size_t length = strlen(a), other = strlen(b);
    return length == other ? strcmp(a, b) : (length > other) - (length < other);
}

static clt_status list_batches(const char *folder, clt__names *files, clt_error *error)
{
    clt__names all = {0};
    clt_status status = clt__names_in_folder(folder, &all, error);
    for (size_t i = 0; i < all.count && status == CLT_OK; i++)
        if (is_batch(all.name[i])) status = clt__names_add(files, all.name[i], strlen(all.name[i]), error);
    clt__names_free(&all);
    if (files->count) qsort(files->name, files->count, sizeof *files->name, compare_batches);
    return status;
}

static clt_status list_files(const char *folder, const cifar_kind *kind, clt_split split, clt__names *files,
                             clt_error *error)
{
    static const char *const single[2][2] = {{"data_batch_1.bin", "test_batch.bin"}, {"train.bin", "test.bin"}};
    const char *name = single[kind == &cifar_100][split == CLT_TEST];
    if (kind == &cifar_10 && split == CLT_TRAIN)
        TRY(list_batches(folder, files, error));
    else if (clt__is_there(folder, name))
        TRY(clt__names_add(files, name, strlen(name), error));
    return files->count ? CLT_OK : FAIL(error, CLT_NO_FILE, "%s: the folder holds no %s", folder, name);
}

/* ---- records ------------------------------------------------------------------------------------------------ */

static clt_status count_records(const char *path, const cifar_kind *kind, uint64_t *count, clt_error *error)
{
    const uint64_t record = (uint64_t)kind->labels + IMAGE_SIZE;
    uint64_t size;
    TRY(clt__file_measure(path, &size, error));
    const char *content = size % record ? clt__content_of(path) : NULL;
    if (content)
        return FAIL(error, CLT_BAD_FILE, "%s: is %s, where records of %llu bytes are needed", path, content,
                    (unsigned long long)record);
    if (size == 0 || size % record)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: byte %llu: the file ends inside a record, where records of %llu bytes are needed", path,
                    (unsigned long long)size, (unsigned long long)record);
    *count += size / record;
    return CLT_OK;
}

static clt_status read_records(FILE *stream, const char *path, const cifar_kind *kind, clt_dataset *dataset,
                               size_t *filled, clt_error *error)
{
    uint8_t record[MOST_LABELS + IMAGE_SIZE];
    const size_t size = (size_t)kind->labels + IMAGE_SIZE;
    for (size_t n = 0; *filled < dataset->count && fread(record, 1, size, stream) == size; n++, ++*filled) {
        const int label = record[kind->labels - 1];
        if (label >= dataset->classes)
            return FAIL(error, CLT_BAD_FILE, "%s: record %zu has the label %d, where 0 to %d are possible", path, n,
                        label, dataset->classes - 1);
        dataset->labels[*filled] = label;
        clt__to_pixels(record + kind->labels, image_shape, dataset->bytes + *filled * IMAGE_SIZE);
    }
    return ferror(stream) ? FAIL(error, CLT_BAD_FILE, "%s: cannot be read: %s", path, strerror(errno)) : CLT_OK;
}

static clt_status read_file(const char *path, const cifar_kind *kind, clt_dataset *dataset, size_t *filled,
                            clt_error *error)
{
    FILE *stream;
    TRY(clt__file_open(path, &stream, error));
    const clt_status status = read_records(stream, path, kind, dataset, filled, error);
    (void)fclose(stream);
    return status;
}

/* ---- the data set ------------------------------------------------------------------------------------------- */

static clt_status fill(const char *folder, const cifar_kind *kind, const clt__names *paths, clt_dataset *dataset,
                       clt_error *error)
{
    size_t filled = 0;
    TRY(clt__names_in_file(folder, kind->names_file, &dataset->class_names, error));
    dataset->classes = dataset->class_names.count ? (int)dataset->class_names.count : kind->classes;
    TRY(clt__dataset_allocate_bytes(dataset, error));
    TRY(clt__allocate(dataset->count, sizeof *dataset->labels, "the labels", &dataset->labels, error));
    for (size_t i = 0; i < paths->count; i++) TRY(read_file(paths->name[i], kind, dataset, &filled, error));
    if (filled < dataset->count)
        return FAIL(error, CLT_BAD_FILE, "%s: its files became shorter while they were read", folder);
    return CLT_OK;
}

static clt_status read_set(const char *name, const char *folder, const cifar_kind *kind, const clt__names *paths,
                           clt_dataset **dataset, clt_error *error)
{
    clt__claim images = {name, CLT_BAD_FILE, 0, image_shape.channels, image_shape.height, image_shape.width};
    clt_dataset *fresh;
    for (size_t i = 0; i < paths->count; i++) TRY(count_records(paths->name[i], kind, &images.count, error));
    TRY(clt__dataset_create(&images, &fresh, error));
    return clt__dataset_finish(fill(folder, kind, paths, fresh, error), fresh, dataset);
}

/* Each name becomes a path. */
static clt_status complete(const char *folder, clt__names *files, clt_error *error)
{
    for (size_t i = 0; i < files->count; i++) {
        char *path;
        TRY(clt__join(folder, files->name[i], &path, error));
        free(files->name[i]);
        files->name[i] = path;
    }
    return CLT_OK;
}

static clt_status open_folder(const char *path, clt_split split, clt_dataset **dataset, clt_error *error)
{
    const cifar_kind *kind = kind_in(path);
    clt__names files = {0};
    clt_status status = list_files(path, kind, split, &files, error);
    if (status == CLT_OK) status = complete(path, &files, error);
    if (status == CLT_OK) status = read_set(path, path, kind, &files, dataset, error);
    clt__names_free(&files);
    return status;
}

/* The names of the classes lie beside it. */
static clt_status open_file(const char *path, clt_dataset **dataset, clt_error *error)
{
    char *folder = NULL;
    clt__names files = {0};
    const char *name = clt__name_in(path);
    clt_status status = clt__copy_text(name == path ? "." : path, &folder, error);
    if (status == CLT_OK && name > path) folder[name - path] = '\0';
    if (status == CLT_OK) status = clt__names_add(&files, path, strlen(path), error);
    if (status == CLT_OK) status = read_set(path, folder, kind_of_file(path), &files, dataset, error);
    if (status == CLT_OK) (*dataset)->whole = true;
    clt__names_free(&files);
    free(folder);
    return status;
}

static clt_status open_any(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                           clt_error *error)
{
    (void)options;
    return clt__is_folder(path, ".") ? open_folder(path, split, dataset, error) : open_file(path, dataset, error);
}

static bool looks(const clt__data_source *source)
{
    return source->folder ? kind_in(source->path) != NULL : !source->missing && kind_of_file(source->path);
}

const clt__data_format clt__cifar_format = {.name = "CIFAR's binary files", .looks = looks, .open = open_any};
