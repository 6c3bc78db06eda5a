/* The net language: the input as a net's text, whose one form must mean the same, and its layers and shapes. */
#include <string.h>

#include "fuzz.h"
#include "net/net.h"

static void outline(const clt__description *description)
{
    clt_error error;
    clt__net net;
    if (!description->input.channels) return;
    const clt_status status = clt__net_outline(description, &net, &error);
    fuzz_check(status, &error);
    if (status == CLT_OK) clt__net_free(&net);
}

static void describe_again(const char *text)
{
    clt_error error;
    clt__description description;
    char *again;
    REQUIRE(clt__describe_text(text, "net", &description, &error) == CLT_OK, "%s\n%s", error.message, text);
    REQUIRE(clt__description_text(&description, &again, &error) == CLT_OK, "%s", error.message);
    REQUIRE(strcmp(text, again) == 0, "\n%s\n%s", text, again);
    clt__description_free(&description);
    free(again);
}

static void run(const uint8_t *bytes, size_t size)
{
    clt_error error;
    clt__description description;
    char *text = fuzz_text(bytes, size), *again;
    const clt_status status = clt__describe_text(text, "net", &description, &error);
    fuzz_check(status, &error);
    free(text);
    if (status != CLT_OK) return;
    REQUIRE(clt__description_text(&description, &again, &error) == CLT_OK, "%s", error.message);
    describe_again(again);
    outline(&description);
    free(again);
    clt__description_free(&description);
}

/* The line of a layer, and its tensors and ops, have all that any layer can. */
const fuzz_target target = {.run = run, .base = 1 << 20, .factor = 1024};
