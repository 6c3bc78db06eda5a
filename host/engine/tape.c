#include "engine/tape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Of a tensor in a shared root, in elements. */
static uint64_t alignment_of(clt__type type)
{
    return CLT__BUFFER_ALIGNMENT / clt__element_bytes(type, CLT_F32);
}

static clt_status too_large(const char *name, uint64_t count, clt_error *error)
{
    return FAIL(error, CLT_NO_MEMORY, "tensor %s would have %" PRIu64 " elements, more than the %d that kernels index",
                name, count, INT32_MAX);
}

static clt_status count_elements(const char *name, const int extent[4], int *count, clt_error *error)
{
    uint64_t product = 1;
    for (int i = 0; i < 4; i++) {
        if (extent[i] < 1)
            return FAIL(error, CLT_BAD_NET, "tensor %s has an extent of %d, which should be 1 or more", name,
                        extent[i]);
        product *= (uint64_t)extent[i]; /* below 2^31 before, so below 2^62 now */
        if (product > INT32_MAX) return too_large(name, product, error);
    }
    *count = (int)product;
    return CLT_OK;
}

/* Appends an empty row and gives its index. */
static clt_status append(clt__tape *tape, const char *name, clt__type type, int *index, clt_error *error)
{
    TRY(clt__grow(&tape->tensor, &tape->tensor_capacity, tape->tensor_count, sizeof *tape->tensor, error));
    clt__tensor *tensor = &tape->tensor[tape->tensor_count];
    *index = (int)tape->tensor_count++;
    *tensor = (clt__tensor){.type = type, .root = *index, .extent = {1, 1, 1, 1}, .shown = 1};
    (void)snprintf(tensor->name, sizeof tensor->name, "%s", name);
    return CLT_OK;
}

clt_status clt__tape_add_root(clt__tape *tape, const char *name, clt__type type, int *index, clt_error *error)
{
    return append(tape, name, type, index, error);
}

uint64_t clt__tape_room(const clt__tensor *tensor)
{
    const uint64_t alignment = alignment_of(tensor->type);
    return ((uint64_t)tensor->count + CLT__GUARD + alignment - 1) / alignment * alignment;
}

/* Puts a tensor into a root, which then reaches at least to the tensor's end. */
static clt_status put(clt__tape *tape, int tensor, int root, int offset, clt_error *error)
{
    clt__tensor *moved = &tape->tensor[tensor], *whole = &tape->tensor[root];
    const uint64_t end = (uint64_t)offset + clt__tape_room(moved);
    if (end > INT32_MAX) return too_large(whole->name, end, error);
    moved->root = root;
    moved->offset = offset;
    if ((int)end > whole->count) whole->count = whole->extent[0] = (int)end;
    return CLT_OK;
}

clt_status clt__tape_move(clt__tape *tape, int tensor, int root, int offset, clt_error *error)
{
    tape->tensor[tensor].shared = true;
    return put(tape, tensor, root, offset, error);
}

clt_status clt__tape_add(clt__tape *tape, const char *name, clt__type type, clt__order order, const int extent[4],
                         int shown, int root, int *index, clt_error *error)
{
    int count = 0, own[4];
    memcpy(own, extent, sizeof own); /* it may be another tensor's, and the tensors move when there are more */
    TRY(count_elements(name, own, &count, error));
    TRY(append(tape, name, type, index, error));
    clt__tensor *tensor = &tape->tensor[*index];
    tensor->order = order;
    memcpy(tensor->extent, own, sizeof tensor->extent);
    tensor->shown = shown;
    tensor->count = count;
    return root < 0 ? CLT_OK : put(tape, *index, root, tape->tensor[root].count, error);
}

/* What an op's kernels take as stored is of the tape's type for it, and nothing else is halves. */
static clt_status check_types(const clt__tape *tape, const clt__op_row *row, const int *tensor, clt_error *error)
{
    for (int i = 0; i < clt__operand_count(row); i++) {
        if (tensor[i] < 0 || !clt__is_real(tape->tensor[tensor[i]].type)) continue;
        const clt__type wanted = row->stored & CLT__STORED(i) ? tape->stored : CLT__REALS;
        if (tape->tensor[tensor[i]].type != wanted)
            return FAIL(error, CLT_BAD_ARGUMENT, "a mistake in cltrain: %s of %s is to be %s, which tensor %s is not",
                        row->operand[i].name, row->name, wanted == CLT__HALVES ? "halves" : "reals",
                        tape->tensor[tensor[i]].name);
    }
    return CLT_OK;
}

clt_status clt__tape_add_op(clt__tape *tape, const clt__op_row *row, const char *layer, const void *sizes,
                            size_t sizes_bytes, const int *tensor, int operands, clt_error *error)
{
    if (operands != clt__operand_count(row) || sizes_bytes > sizeof(clt__sizes))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "a mistake in cltrain: %s has %d operands and room for %zu bytes of sizes, "
                    "not %d and %zu",
                    row->name, clt__operand_count(row), sizeof(clt__sizes), operands, sizes_bytes);
    TRY(check_types(tape, row, tensor, error));
    TRY(clt__grow(&tape->op, &tape->op_capacity, tape->op_count, sizeof *tape->op, error));
    clt__op *op = &tape->op[tape->op_count++];
    *op = (clt__op){.row = row, .sizes_bytes = sizes_bytes};
    (void)snprintf(op->layer, sizeof op->layer, "%s", layer);
    memcpy(&op->sizes, sizes, sizes_bytes);
    memcpy(op->tensor, tensor, (size_t)operands * sizeof *tensor);
    return CLT_OK;
}

clt_status clt__tape_add_sync(clt__tape *tape, int found, int found_too, int all, clt_error *error)
{
    TRY(clt__grow(&tape->sync, &tape->sync_capacity, tape->sync_count, sizeof *tape->sync, error));
    tape->sync[tape->sync_count++] = (clt__sync){tape->op_count, {found, found_too}, all};
    return CLT_OK;
}

int clt__root_banks(const clt__tape *tape, int root)
{
    return tape->tensor[root].banked && tape->banks > 1 ? tape->banks : 1;
}

int clt__tape_find(const clt__tape *tape, const char *name)
{
    for (size_t i = 0; i < tape->tensor_count; i++)
        if (strcmp(tape->tensor[i].name, name) == 0) return (int)i;
    return -1;
}

void clt__tape_free(clt__tape *tape)
{
    free(tape->tensor);
    free(tape->op);
    free(tape->sync);
    *tape = (clt__tape){0};
}

int clt__inside_index(const clt__tensor *tensor, int at)
{
    const int *e = tensor->extent;
    const int d3 = at % e[3], d2 = at / e[3] % e[2], d1 = at / e[3] / e[2] % e[1], d0 = at / e[3] / e[2] / e[1];
    switch (tensor->order) {
    case CLT__IMAGES:
        return ((d0 * e[2] + d2) * e[3] + d3) * e[1] + d1;
    case CLT__FILTERS:
        return ((d2 * e[3] + d3) * e[1] + d1) * e[0] + d0;
    case CLT__PLAIN:
        break;
    }
    return at;
}

int clt__shown_extents(const clt__tensor *tensor, int extent[4])
{
    const int first = tensor->shown == CLT__SHOWN_IMAGE;
    for (int i = 0; i < 4; i++) extent[i] = i + first < 4 ? tensor->extent[i + first] : 1;
    for (int i = tensor->shown; i < 4; i++) extent[tensor->shown - 1] *= extent[i];
    return tensor->shown;
}

void clt__shape_text(const clt__tensor *tensor, char *text, size_t size)
{
    int extent[4];
    const int shown = clt__shown_extents(tensor, extent);
    size_t length = 0;
    text[0] = 0;
    for (int i = 0; i < shown && length < size; i++) {
        const int written = snprintf(text + length, size - length, "%s%d", i ? "x" : "", extent[i]);
        length += written > 0 ? (size_t)written : 0;
    }
}
