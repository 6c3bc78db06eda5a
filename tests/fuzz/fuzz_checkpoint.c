/* Checkpoints: the input as the metadata of a file that has the parameters of a small net: the net's text, a line that
 * ends it, and the description of the training. */
#include <string.h>

#include "formats/safetensors.h"
#include "fuzz.h"

static void add_parameters(clt__safetensors *file)
{
    static const double values[4] = {1, 2, 3, 4};
    clt_error error;
    REQUIRE(clt__safetensors_add(file, "dense1.weight", CLT_F32, 2, (uint64_t[]){2, 2}, values, &error) == CLT_OK &&
                clt__safetensors_add(file, "dense1.bias", CLT_F32, 1, (uint64_t[]){2}, values, &error) == CLT_OK,
            "%s", error.message);
}

static void load(const clt__safetensors *file)
{
    clt_error error;
    clt_model *model;
    const char *path = fuzz_path("checkpoint.safetensors");
    REQUIRE(clt__safetensors_write(path, file, &error) == CLT_OK, "%s", error.message);
    const clt_status status = clt_model_load(path, &model, &error);
    fuzz_check_file(status, &error);
    fuzz_end();
    if (status == CLT_OK) REQUIRE(clt_model_save(model, path, &error) == CLT_OK, "%s", error.message);
    clt_model_close(model);
}

static void run(const uint8_t *bytes, size_t size)
{
    clt_error error;
    clt__safetensors file = {0};
    char *text = fuzz_text(bytes, size), *state = strstr(text, "\n\n");
    if (state) *state = '\0', state += 2;
    add_parameters(&file);
    if (state && clt__safetensors_add_text(&file, "net", text, &error) == CLT_OK &&
        clt__safetensors_add_text(&file, "cltrain", state, &error) == CLT_OK)
        load(&file);
    clt__safetensors_free(&file);
    free(text);
}

/* As the net language, and as safetensors. */
const fuzz_target target = {.run = run, .base = 1 << 20, .factor = 1024};
