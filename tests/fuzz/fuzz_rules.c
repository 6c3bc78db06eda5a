/* What --init and --freeze say: the input's first line and the rest of it, for a small net. */
#include <string.h>

#include "fuzz.h"
#include "model/model.h"

static void run(const uint8_t *bytes, size_t size)
{
    clt_error error;
    clt_model *model;
    char *text = fuzz_text(bytes, size), *freeze = strchr(text, '\n');
    if (freeze) *freeze++ = '\0';
    clt_status status = clt_model_create(
        &(clt_options){.net = "input 1x3x3\nconv out=2 kernel=2\nbatchnorm\ndense out=2", .init = text}, &model,
        &error);
    fuzz_check(status, &error);
    if (status == CLT_OK) fuzz_check(clt__model_freeze(model, freeze, 0, &error), &error);
    clt_model_close(model);
    free(text);
}

/* The net. */
const fuzz_target target = {.run = run, .base = 1 << 19, .factor = 8};
