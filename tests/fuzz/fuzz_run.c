/* A run's folder as cltrain report reads it: the input as each of its files. */
#include <string.h>

#include "fuzz.h"
#include "report/run.h"

static void write_whole(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fwrite(bytes, 1, size, file) == size, "%s: cannot be written", path);
    REQUIRE(fclose(file) == 0, "%s: cannot be written", path);
}

static void read_as(const char *name, const uint8_t *bytes, size_t size)
{
    clt_error error;
    clt__run run;
    const char *path = fuzz_path(name);
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    write_whole(path, bytes, size);
    const clt_status status = clt__run_open(folder, &run, &error);
    fuzz_check_file(status, &error);
    if (status == CLT_OK) {
        REQUIRE(clt__run_best(&run) <= run.epochs, "the best epoch is none");
        clt__run_close(&run);
    }
    (void)remove(path);
}

static void run(const uint8_t *bytes, size_t size)
{
    static const char net[] = "input 1x1x1\nflatten\ndense out=1\n";
    const char *path = fuzz_path("model.net");
    write_whole(path, (const uint8_t *)net, sizeof net - 1);
    read_as("metrics.csv", bytes, size);
    read_as("run.json", bytes, size);
    read_as("layers.csv", bytes, size);
    read_as("activations.csv", bytes, size);
    (void)remove(path);
    fuzz_end();
}

/* A model of nothing, numbers of two bytes each as doubles in lists that double, and jansson's tree. */
const fuzz_target target = {.run = run, .base = 1 << 20, .factor = 1024};
