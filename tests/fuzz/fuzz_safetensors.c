/* safetensors: the input as a file, which is written again and must then be the same; and as the weights of a net. */
#include <string.h>

#include "formats/safetensors.h"
#include "fuzz.h"
#include "options/options.h"

static void compare(const clt__safetensors *a, const clt__safetensors *b)
{
    REQUIRE(a->tensor_count == b->tensor_count && a->text_count == b->text_count, "%zu and %zu", a->tensor_count,
            b->tensor_count);
    for (size_t i = 0; i < a->tensor_count; i++) {
        const clt__stored_tensor *one = &a->tensors[i], *other = clt__safetensors_find(b, one->name);
        REQUIRE(other && one->count == other->count && one->precision == other->precision, "%s", one->name);
        for (uint64_t j = 0; j < one->count; j++)
            REQUIRE(one->values[j] == other->values[j] ||
                        (one->values[j] != one->values[j] && other->values[j] != other->values[j]),
                    "%s", one->name);
    }
    for (size_t i = 0; i < a->text_count; i++)
        REQUIRE(strcmp(a->texts[i].key, b->texts[i].key) == 0 && strcmp(a->texts[i].value, b->texts[i].value) == 0,
                "%s", a->texts[i].key);
}

static void write_again(const clt__safetensors *file)
{
    clt_error error;
    clt__safetensors again;
    const char *path = fuzz_path("again.safetensors");
    REQUIRE(clt__safetensors_write(path, file, &error) == CLT_OK, "%s", error.message);
    REQUIRE(clt__safetensors_read(path, &again, &error) == CLT_OK, "%s", error.message);
    compare(file, &again);
    clt__safetensors_free(&again);
}

static void note(void *user, const char *sentence)
{
    (void)user;
    REQUIRE(*sentence, "an empty note");
}

/* One model serves for all inputs: what it takes from one, the next replaces. */
static void take_weights(const char *path)
{
    static clt_model *model;
    clt_error error;
    if (!model)
        REQUIRE(clt_model_create(&(clt_options){.net = "input 1x1x2,flatten,dense out=2 as=a"}, &model, &error) ==
                    CLT_OK,
                "%s", error.message);
    fuzz_check_file(clt_model_start_from(model, path, &(clt_options){.note = note}, &error), &error);
    fuzz_check_file(clt_model_start_from(model, path, &(clt_options){.note = note, .weights_by_order = true}, &error),
                    &error);
    fuzz_check_file(clt_model_load_weights(model, path, &error), &error);
}

static void run(const uint8_t *bytes, size_t size)
{
    clt_error error;
    clt__safetensors file;
    const char *path = fuzz_write("a.safetensors", bytes, size);
    const clt_status status = clt__safetensors_read(path, &file, &error);
    fuzz_check_file(status, &error);
    fuzz_end();
    if (status == CLT_OK) write_again(&file);
    clt__safetensors_free(&file);
    take_weights(path);
}

/* The JSON of a header is about thirty times as large as its text, and a number of two bytes becomes a double. */
const fuzz_target target = {.run = run, .base = 1 << 16, .factor = 40};
