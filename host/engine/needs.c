/* What a tape takes of a device's memory, before any of it is asked for. */
#include "engine/internal.h"

uint64_t clt__root_bytes(const clt__tensor *root, clt_precision precision)
{
    return (CLT__FRONT + (uint64_t)root->count + CLT__GUARD) * clt__element_bytes(root->type, precision);
}

uint64_t clt__engine_room(uint64_t bytes, clt_precision precision)
{
    const uint64_t elements = bytes / clt__element_bytes(CLT__REALS, precision), guards = CLT__FRONT + CLT__GUARD;
    return elements > guards ? elements - guards : 0;
}

static void add_piece(clt__needs *needs, uint64_t bytes)
{
    needs->total += bytes;
    if (bytes > needs->largest) needs->largest = bytes;
}

clt_status clt__engine_needs(clt_device *device, const clt__tape *tape, clt_precision precision, clt__needs *needs,
                             clt_error *error)
{
    const clt__backend *backend = clt__backend_of(device);
    const clt_precision kept = backend->in_double ? CLT_F64 : precision;
    uint64_t scratch = 0;
    TRY(backend->most_scratch(device, tape, precision, &scratch, error));
    *needs = (clt__needs){.scratch = scratch * clt__element_bytes(CLT__REALS, precision)};
    add_piece(needs, needs->scratch);
    for (size_t i = 0; i < tape->tensor_count; i++)
        for (int j = 0; tape->tensor[i].root == (int)i && j < clt__root_banks(tape, (int)i); j++)
            add_piece(needs, clt__root_bytes(&tape->tensor[i], kept));
    return CLT_OK;
}
