#include "support.h"

#include <dirent.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/random.h"
#include "device/opencl.h"

/* For tests that are linked with --wrap=clt__programs_build: programs are built one by one, as their kernels are made.
 */
clt_status __wrap_clt__programs_build(clt_device *device, clt_precision precision, const clt__program_wanted *wanted,
                                      size_t count, const clt_options *options, clt_error *error);

clt_status __wrap_clt__programs_build(clt_device *device, clt_precision precision, const clt__program_wanted *wanted,
                                      size_t count, const clt_options *options, clt_error *error)
{
    (void)device;
    (void)precision;
    (void)wanted;
    (void)count;
    (void)options;
    (void)error;
    return CLT_OK;
}

enum { PATH_ROOM = 512 };

static char folder[PATH_ROOM / 2];

int make_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/cltrain-test-XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_tree(const char *path)
{
    struct stat about;
    if (lstat(path, &about)) return;
    if (!S_ISDIR(about.st_mode)) {
        (void)unlink(path);
        return;
    }
    DIR *list = opendir(path);
    const struct dirent *entry;
    while (list && (entry = readdir(list))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char child[PATH_ROOM];
        const int length = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (length < PATH_ROOM) remove_tree(child);
    }
    if (list) (void)closedir(list);
    (void)rmdir(path);
}

int remove_folder(void **state)
{
    (void)state;
    remove_tree(folder);
    return 0;
}

const char *path_in(const char *name)
{
    enum { SLOTS = 64 };
    static char paths[SLOTS][PATH_ROOM];
    static int slot;
    slot = (slot + 1) % SLOTS;
    (void)snprintf(paths[slot], PATH_ROOM, "%s/%s", folder, name);
    return paths[slot];
}

const char *write_bytes(const char *name, const void *bytes, size_t size)
{
    const char *path = path_in(name);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
    return path;
}

const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

void blob_put(blob *to, const void *bytes, size_t size)
{
    assert_true(size <= sizeof to->bytes - to->size);
    if (size) memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

void blob_put_little(blob *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) blob_put(to, &(uint8_t){i < 8 ? (uint8_t)(value >> 8 * i) : 0}, 1);
}

const char *write_blob(const char *name, const blob *file)
{
    return write_bytes(name, file->bytes, file->size);
}

const char *write_gzip(const char *name, const void *bytes, size_t size)
{
    const char *path = path_in(name);
    gzFile stream = gzopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(gzfwrite(bytes, 1, size, stream), size);
    assert_int_equal(gzclose(stream), Z_OK);
    return path;
}

const char *save_png(const char *name, int channels, int width, int height, const uint8_t *pixels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height};
    const char *path = path_in(name);
    assert_int_not_equal(png_image_write_to_file(&image, path, 0, pixels, 0, NULL), 0);
    return path;
}

const char *make_subfolder(const char *name)
{
    const char *path = path_in(name);
    (void)mkdir(path, 0777);
    assert_int_equal(access(path, W_OK), 0);
    return path;
}

const char *fresh_folder(const char *name)
{
    const char *path = path_in(name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

uint8_t *read_bytes(const char *path, size_t *size)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    const long length = ftell(stream);
    assert_true(length >= 0);
    rewind(stream);
    *size = (size_t)length;
    uint8_t *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, stream), *size);
    assert_int_equal(fclose(stream), 0);
    return bytes;
}

int count_files(void)
{
    DIR *list = opendir(folder);
    assert_non_null(list);
    int count = -2; /* "." and ".." */
    while (readdir(list)) count++;
    assert_int_equal(closedir(list), 0);
    return count;
}

void assert_failed(clt_status status, clt_status wanted, const clt_error *error, const char *start, const char *part)
{
    assert_int_not_equal(status, CLT_OK);
    const size_t length = strlen(error->message);
    const int starts = !start || strncmp(error->message, start, strlen(start)) == 0;
    if (status != wanted || !starts || !strstr(error->message, part))
        print_error("status %d: '%s' should begin with '%s' and contain '%s'\n", (int)status, error->message,
                    start ? start : "", part);
    assert_int_equal(status, wanted);
    assert_int_equal(error->status, wanted);
    assert_true(starts);
    assert_non_null(strstr(error->message, part));
    assert_non_null(error->source_file);
    assert_true(length > 0 && error->message[length - 1] != '.');
}

void assert_ok(clt_status status, const clt_error *error)
{
    if (status != CLT_OK) print_error("%s\n", error->message);
    assert_int_equal(status, CLT_OK);
}

clt_model *make_model(const char *net, const char *loss, clt_precision precision, uint64_t seed)
{
    clt_error error;
    clt_model *model;
    const clt_options options = {.net = net, .loss = loss, .precision = precision, .seed = seed};
    assert_ok(clt_model_create(&options, &model, &error), &error);
    return model;
}

bool thorough(void)
{
    return getenv("CLTRAIN_THOROUGH") != NULL;
}

clt_device *open_called(const char *name)
{
    clt_error error;
    clt_device *device;
    assert_ok(clt_device_open(name, &device, &error), &error);
    return device;
}

clt_device *open_vector_device(void)
{
    enum { UNITS = 4, WIDTH = 4 };
    clt_device *device = open_called(NULL);
    clt_device_set_schedule(device, CLT_SCHEDULE_VECTOR);
    if (device->info.vector_width < WIDTH) device->info.vector_width = WIDTH;
    if (device->info.compute_units > UNITS) device->info.compute_units = UNITS;
    return device;
}

clt_dataset *make_images(size_t count, clt_shape shape, int classes, uint64_t seed)
{
    clt_error error;
    clt_dataset *dataset;
    const size_t values = (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
    uint8_t *images = malloc(count * values);
    int32_t *labels = malloc(count * sizeof *labels);
    assert_true(images && labels);
    clt__random stream = clt__random_seed(seed, "test images", 0);
    for (size_t i = 0; i < count; i++) {
        labels[i] = (int32_t)(i % (size_t)classes);
        for (size_t at = 0; at < values; at++) {
            const uint8_t pattern = at % (size_t)classes == (size_t)labels[i] ? 96 : 0;
            images[i * values + at] = (uint8_t)(pattern + clt__random_below(&stream, 128));
        }
    }
    assert_ok(clt_dataset_from_bytes(count, shape, images, labels, classes, &dataset, &error), &error);
    free(images);
    free(labels);
    return dataset;
}

void fill_random(double *values, size_t count, uint64_t seed)
{
    clt__random stream = clt__random_seed(seed, "test values", 0);
    for (size_t i = 0; i < count; i++) values[i] = 2 * clt__random_uniform(&stream) - 1;
}

const clt_options *seeded(int batch_size, uint64_t seed)
{
    static clt_options options;
    options = clt__options_default();
    options.batch_size = batch_size;
    options.seed = seed;
    return &options;
}

const clt_options *batches_of(int batch_size)
{
    return seeded(batch_size, 0);
}

char notes_told[8192];

static void keep_note(void *user, const char *sentence)
{
    (void)user;
    const size_t length = strlen(notes_told);
    (void)snprintf(notes_told + length, sizeof notes_told - length, "%s\n", sentence);
}

clt_options telling(void)
{
    clt_options options = clt__options_default();
    options.note = keep_note;
    notes_told[0] = '\0';
    return options;
}

void assert_told(const char *part)
{
    if (strstr(notes_told, part)) return;
    print_error("of \"%s\" nothing is said in: %s\n", part, notes_told);
    fail();
}

void assert_sizes(const clt_dataset *dataset, size_t count, int channels, int height, int width)
{
    const clt_shape shape = clt_dataset_shape(dataset);
    assert_int_equal(clt_dataset_count(dataset), count);
    assert_int_equal(shape.channels, channels);
    assert_int_equal(shape.height, height);
    assert_int_equal(shape.width, width);
}
