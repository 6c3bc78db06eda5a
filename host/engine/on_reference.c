/* The reference's side of an engine: every tensor as the twins read it, reals as double. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/internal.h"

/* ---- memory */

static clt_status allocate_root(clt__array *array, const clt__tensor *root, clt_error *error)
{
    const uint64_t count = (uint64_t)root->count;
    array->count = (size_t)root->count;
    if (clt__is_real(root->type)) return clt__allocate(count, sizeof(double), root->name, &array->real, error);
    if (root->type == CLT__INTS) return clt__allocate(count, sizeof(int32_t), root->name, &array->integer, error);
    return clt__allocate(count, 1, root->name, &array->byte, error);
}

/* A tensor inside a root. */
static clt__array part_of(const clt__array *root, const clt__tensor *part)
{
    const int offset = part->offset;
    return (clt__array){.real = root->real ? root->real + offset : NULL,
                        .integer = root->integer ? root->integer + offset : NULL,
                        .byte = root->byte ? root->byte + offset : NULL,
                        .count = (size_t)part->count};
}

static void use_bank(clt__engine *engine)
{
    engine->array = engine->banks_array + (size_t)engine->bank * engine->tape->tensor_count;
}

/* Whether tensor `index` is a root of which the bank in use has its own. */
static bool is_own_root(const clt__engine *engine, size_t index)
{
    return engine->tape->tensor[index].root == (int)index && engine->bank < clt__root_banks(engine->tape, (int)index);
}

static clt_status allocate_bank(clt__engine *engine, clt_error *error)
{
    const clt__tape *tape = engine->tape;
    for (size_t i = 0; i < tape->tensor_count; i++) {
        if (is_own_root(engine, i))
            TRY(allocate_root(&engine->array[i], &tape->tensor[i], error));
        else if (engine->bank)
            engine->array[i] = engine->banks_array[i];
    }
    for (size_t i = 0; i < tape->tensor_count; i++)
        if (tape->tensor[i].root != (int)i)
            engine->array[i] = part_of(&engine->array[tape->tensor[i].root], &tape->tensor[i]);
    return CLT_OK;
}

static clt_status open_on_reference(clt__engine *engine, CLT__UNUSED const clt_options *options, clt_error *error)
{
    const int banks = clt__engine_banks(engine);
    TRY(clt__allocate((uint64_t)banks * engine->tape->tensor_count, sizeof *engine->array, "the engine's arrays",
                      &engine->banks_array, error));
    for (int i = 0; i < banks; i++) {
        clt__engine_use_bank(engine, i);
        TRY(allocate_bank(engine, error));
    }
    clt__engine_use_bank(engine, 0);
    return CLT_OK;
}

static void release_bank(clt__engine *engine)
{
    for (size_t i = 0; i < engine->tape->tensor_count; i++) {
        if (!is_own_root(engine, i)) continue;
        free(engine->array[i].real);
        free(engine->array[i].integer);
        free(engine->array[i].byte);
    }
}

static void close_on_reference(clt__engine *engine)
{
    for (int i = 0; engine->banks_array && i < clt__engine_banks(engine); i++) {
        clt__engine_use_bank(engine, i);
        release_bank(engine);
    }
    free(engine->banks_array);
}

/* ---- running */

/* What an op updates is what checkpoints keep, in the model's precision: the reference keeps no more than that, so that
 * a resumed run has the same numbers as one that was not interrupted. */
static void round_updates(const clt__engine *engine, const clt__op *op)
{
    for (int i = 0; i < clt__operand_count(op->row) && engine->precision == CLT_F32; i++) {
        if (op->tensor[i] < 0 || op->row->operand[i].access != CLT__UPDATE) continue;
        double *values = engine->array[op->tensor[i]].real;
        for (int j = 0; j < engine->tape->tensor[op->tensor[i]].count; j++) values[j] = (float)values[j];
    }
}

/* What a device would keep as halves is rounded where a device would round it: once the op has made all of it. */
static void round_stored(const clt__engine *engine, const clt__op *op)
{
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] >= 0 && op->row->operand[i].access != CLT__READ)
            clt__round_values(engine->tape->tensor[op->tensor[i]].type, engine->array[op->tensor[i]].real,
                              engine->array[op->tensor[i]].count);
}

static clt_status run(clt__engine *engine, size_t index, CLT__UNUSED clt_error *error)
{
    const clt__op *op = &engine->tape->op[index];
    clt__array operand[CLT__MAX_OPERANDS] = {{0}};
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] >= 0) operand[i] = engine->array[op->tensor[i]];
    clt__run_twin(op->row, &op->sizes, operand);
    round_updates(engine, op);
    round_stored(engine, op);
    return CLT_OK;
}

static clt_status nothing_is_pending(CLT__UNUSED clt__engine *engine, CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

static void count_work(CLT__UNUSED const clt__engine *engine, CLT__UNUSED size_t index, CLT__UNUSED clt__work *work)
{
}

/* ---- reading and writing */

static void *element(const clt__engine *engine, int tensor, int first)
{
    const clt__array *array = &engine->array[tensor];
    if (array->real) return array->real + first;
    if (array->integer) return array->integer + first;
    return array->byte + first;
}

static clt_status read_elements(clt__engine *engine, int tensor, int first, int count, void *to,
                                CLT__UNUSED clt_error *error)
{
    memcpy(to, element(engine, tensor, first), (size_t)count * clt__outside_bytes(engine, tensor));
    return CLT_OK;
}

static clt_status write_elements(clt__engine *engine, int tensor, int first, int count, const void *from,
                                 CLT__UNUSED clt_error *error)
{
    void *to = element(engine, tensor, first);
    memcpy(to, from, (size_t)count * clt__outside_bytes(engine, tensor));
    clt__round_values(engine->tape->tensor[tensor].type, to, (size_t)count);
    return CLT_OK;
}

static clt_status begin_write(clt__engine *engine, int tensor, int first, int count, clt__transfer *transfer,
                              clt_error *error)
{
    return write_elements(engine, tensor, first, count, transfer->values, error);
}

static clt_status begin_read(clt__engine *engine, int tensor, int first, int count, void *to,
                             CLT__UNUSED clt__upload **transfer, clt_error *error)
{
    return read_elements(engine, tensor, first, count, to, error);
}

static clt_status set(clt__engine *engine, int tensor, int count, const void *from, clt_error *error)
{
    return write_elements(engine, tensor, 0, count, from, error);
}

static clt_status most_scratch(CLT__UNUSED clt_device *device, CLT__UNUSED const clt__tape *tape,
                               CLT__UNUSED clt_precision precision, CLT__UNUSED uint64_t *reals,
                               CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

const clt__backend clt__on_reference = {
    .in_double = true,
    .open = open_on_reference,
    .close = close_on_reference,
    .use_bank = use_bank,
    .run = run,
    .flush = nothing_is_pending,
    .finish = nothing_is_pending,
    .count_work = count_work,
    .read = read_elements,
    .write = write_elements,
    .begin_write = begin_write,
    .begin_read = begin_read,
    .write_kept = write_elements,
    .set = set,
    .most_scratch = most_scratch,
};
