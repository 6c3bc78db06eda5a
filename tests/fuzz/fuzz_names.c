/* What arrays are called: the input as a name, and as the name of a file of a folder. */
#include <string.h>

#include "data/array_names.h"
#include "fuzz.h"

static void run(const uint8_t *bytes, size_t size)
{
    clt__array_title title;
    char *name = fuzz_text(bytes, size);
    const size_t length = strlen(name), stem = clt__idx_stem(name);
    REQUIRE(stem <= length, "%zu of %zu", stem, length);
    if (clt__read_array_title(name, length, &title)) REQUIRE(title.prefix < length, "%zu of %zu", title.prefix, length);
    if (clt__read_split_name(name, length, &title)) REQUIRE(title.prefix < length, "%zu of %zu", title.prefix, length);
    if (stem) (void)clt__read_array_title(name, stem, &title);
    free(name);
}

const fuzz_target target = {.run = run, .base = 1 << 12, .factor = 2};
