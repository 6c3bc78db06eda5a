#include "model/stored_shape.h"

#include <inttypes.h>
#include <stdio.h>

/* "[6, 1, 5, 5]" */
static void shape_text(const uint64_t *extent, int dimensions, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "[");
    for (int d = 0; d < dimensions && length < size; d++)
        length += (size_t)snprintf(text + length, size - length, "%s%" PRIu64, d ? ", " : "", extent[d]);
    if (length < size) (void)snprintf(text + length, size - length, "]");
}

void clt__compare_shapes(const clt__stored_tensor *stored, const clt_tensor_info *info, char *text, size_t size)
{
    bool same = stored->dimensions == info->dimensions;
    for (int d = 0; d < info->dimensions && same; d++) same = stored->extent[d] == (uint64_t)info->extent[d];
    *text = 0;
    if (same) return;
    char have[128], want[128];
    uint64_t wanted[4];
    for (int d = 0; d < info->dimensions; d++) wanted[d] = (uint64_t)info->extent[d];
    shape_text(stored->extent, stored->dimensions, have, sizeof have);
    shape_text(wanted, info->dimensions, want, sizeof want);
    (void)snprintf(text, size, "%s, the net's is %s", have, want);
}
