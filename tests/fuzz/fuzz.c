#include "fuzz.h"

#include <math.h>
#include <sanitizer/allocator_interface.h>
#include <string.h>

#include "data/dataset.h"

/* ---- memory ------------------------------------------------------------------------------------------------- */

static size_t held, most; /* bytes, while a parser runs; most 0: none does */

static void count_allocation(const volatile void *memory, size_t size)
{
    (void)memory;
    if (!most) return;
    held += size;
    if (held <= most) return;
    const size_t allowed = most;
    most = 0; /* what is printed below may allocate */
    REQUIRE(held <= allowed, "%zu bytes are held, %zu of them asked for now, where %zu are allowed", held, size,
            allowed);
}

static void count_release(const volatile void *memory)
{
    const size_t size = most && memory ? __sanitizer_get_allocated_size(memory) : 0;
    held -= size < held ? size : held; /* what was allocated before the parser ran may go */
}

void fuzz_allow(size_t size)
{
    most = target.base + target.factor * size;
}

void fuzz_end(void)
{
    most = 0;
}

/* ---- files -------------------------------------------------------------------------------------------------- */

static char folder[256];

const char *fuzz_path(const char *name)
{
    enum { SLOTS = 8 };
    static char paths[SLOTS][sizeof folder + 64];
    static int slot;
    slot = (slot + 1) % SLOTS;
    (void)snprintf(paths[slot], sizeof paths[slot], "%s/%s", folder, name);
    return paths[slot];
}

const char *fuzz_write(const char *name, const void *bytes, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *stream = fopen(path, "wb");
    REQUIRE(stream && fwrite(bytes, 1, size, stream) == size && fclose(stream) == 0, "%s", path);
    return path;
}

char *fuzz_text(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    REQUIRE(text, "%zu bytes", size);
    if (size) memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

/* ---- answers ------------------------------------------------------------------------------------------------ */

void fuzz_check(clt_status status, const clt_error *error)
{
    if (status == CLT_OK) return;
    REQUIRE(status == error->status && *error->message, "status %d and %d", (int)status, (int)error->status);
}

void fuzz_check_file(clt_status status, const clt_error *error)
{
    fuzz_check(status, error);
    REQUIRE(status != CLT_NO_MEMORY, "%s", error->message);
}

static void look_at(const clt_dataset *dataset)
{
    const size_t size = clt__image_size(dataset->shape);
    volatile double sum = 0;
    REQUIRE(dataset->count > 0 && size > 0, "%zu images of %zu values", dataset->count, size);
    REQUIRE(!dataset->bytes != !dataset->reals, "both bytes and reals, or neither");
    for (size_t i = 0; i < dataset->count * size; i++) {
        const double value = dataset->bytes ? dataset->bytes[i] : dataset->reals[i];
        REQUIRE(isfinite(value), "value %zu is %g", i, value);
        sum = sum + value;
    }
    for (size_t n = 0; n < dataset->count && dataset->labels; n++)
        REQUIRE(dataset->labels[n] >= 0 && dataset->labels[n] < dataset->classes, "label %zu is %d of %d classes", n,
                (int)dataset->labels[n], dataset->classes);
    for (size_t i = 0; i < dataset->count * (size_t)dataset->outputs; i++)
        REQUIRE(isfinite(dataset->targets[i]), "target %zu is %g", i, dataset->targets[i]);
}

static bool finish(clt_status status, clt_dataset *dataset, const clt_error *error)
{
    fuzz_check_file(status, error);
    REQUIRE((status == CLT_OK) == (dataset != NULL), "status %d", (int)status);
    if (dataset) look_at(dataset);
    clt_dataset_close(dataset);
    return dataset;
}

bool fuzz_open_set(const char *path, clt_split split, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    const clt_status status = clt_dataset_open(path, split, options, &dataset, &error);
    return finish(status, dataset, &error);
}

bool fuzz_open_images(const char *path, const clt_options *options)
{
    clt_error error;
    clt_dataset *dataset;
    const clt_status status = clt_dataset_open_images(path, options, &dataset, &error);
    return finish(status, dataset, &error);
}

/* ---- libFuzzer's entries ------------------------------------------------------------------------------------ */

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/cltrain-fuzz-XXXXXX", parent ? parent : "/tmp");
    REQUIRE(mkdtemp(folder), "%s", folder);
    REQUIRE(__sanitizer_install_malloc_and_free_hooks(count_allocation, count_release), "no room for hooks");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    held = 0;
    fuzz_allow(size);
    target.run(bytes, size);
    fuzz_end();
    return 0;
}
