#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool clt__multiply(uint64_t a, uint64_t b, uint64_t *product)
{
    if (b && a > UINT64_MAX / b) return false;
    *product = a * b;
    return true;
}

/* `memory` and `array` are the addresses of typed pointers: memcpy moves the pointer without aliasing it. */
static void set_pointer(void *where, void *pointer)
{
    memcpy(where, &pointer, sizeof pointer);
}

clt_status clt__allocate(uint64_t count, size_t size, const char *what, void *memory, clt_error *error)
{
    uint64_t bytes;
    set_pointer(memory, NULL);
    if (!clt__multiply(count, size, &bytes) || bytes > PTRDIFF_MAX)
        return FAIL(error, CLT_NO_MEMORY, "%s would take %" PRIu64 " x %zu bytes, more than this machine can address",
                    what, count, size);
    void *fresh = calloc(bytes ? (size_t)bytes : 1, 1);
    if (!fresh) return FAIL(error, CLT_NO_MEMORY, "no host memory for the %" PRIu64 " bytes of %s", bytes, what);
    set_pointer(memory, fresh);
    return CLT_OK;
}

clt_status clt__grow(void *array, size_t *capacity, size_t count, size_t size, clt_error *error)
{
    if (count < *capacity) return CLT_OK;
    const size_t wanted = *capacity ? *capacity * 2 : 8;
    if (wanted > PTRDIFF_MAX / size) return FAIL(error, CLT_NO_MEMORY, "a list of %zu entries is too long", wanted);
    void *old;
    memcpy(&old, array, sizeof old);
    void *fresh = realloc(old, wanted * size);
    if (!fresh) return FAIL(error, CLT_NO_MEMORY, "no host memory for a list of %zu entries", wanted);
    memset((char *)fresh + count * size, 0, (wanted - count) * size);
    set_pointer(array, fresh);
    *capacity = wanted;
    return CLT_OK;
}

clt_status clt__copy_text(const char *text, char **copy, clt_error *error)
{
    const size_t bytes = strlen(text) + 1;
    TRY(clt__allocate(bytes, 1, "a text", copy, error));
    memcpy(*copy, text, bytes);
    return CLT_OK;
}

void clt_free(void *memory)
{
    free(memory);
}
