/* ONNX models: the input as a file, whose graph, where it can be a net, is a text that the net language knows. */
#include "fuzz.h"
#include "net/description.h"
#include "onnx/import.h"

static void run(const uint8_t *bytes, size_t size)
{
    clt_error error;
    clt__onnx_import import;
    clt__description description = {0};
    const char *path = fuzz_write("a.onnx", bytes, size);
    const clt_status status =
        clt__onnx_import_file(path, &(clt__onnx_options){.logits = true, .most_filled = 1 << 22}, &import, &error);
    if (status != CLT_BAD_NET) fuzz_check_file(status, &error);
    fuzz_check(status, &error);
    fuzz_end();
    if (status == CLT_OK && clt__describe_text(import.text, "net", &description, &error) != CLT_OK)
        fuzz_check(CLT_BAD_NET, &error);
    clt__description_free(&description);
    clt__onnx_import_free(&import);
}

/* Unpacked messages are up to sixteen times as large as packed ones, values are doubles; what is computed of constants
 * has a bound of its own. */
const fuzz_target target = {.run = run, .base = (size_t)128 << 20, .factor = 400};
