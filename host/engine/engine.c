#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/internal.h"

/* ---- memory
 *
 * On the device a root is one buffer with guards at both ends, and every tensor is a part of it that reaches one guard
 * further than its last element, for kernels may read there:
 *
 *   | front guard | tensor 0 ...... | gap | tensor 1 .... | gap | ... | guard |
 *                 |<- part 0 ------------>|
 */

size_t clt__element_bytes(clt__type type, clt_precision precision)
{
    switch (type) {
    case CLT__INTS:
        return sizeof(int32_t);
    case CLT__BYTES:
        return 1;
    case CLT__REALS:
        break;
    }
    return precision == CLT_F64 ? sizeof(double) : sizeof(float);
}

static size_t tensor_element_bytes(const clt__engine *engine, int tensor)
{
    return clt__element_bytes(engine->tape->tensor[tensor].type, engine->precision);
}

uint64_t clt__tensor_offset(const clt__engine *engine, int tensor)
{
    return (CLT__FRONT + (uint64_t)engine->tape->tensor[tensor].offset) * tensor_element_bytes(engine, tensor);
}

/* engine->buffer has the roots' whole memory behind the tensors' parts. */
clt__buffer *clt__root_memory(const clt__engine *engine, int tensor)
{
    return engine->buffer[engine->tape->tensor_count + (size_t)engine->tape->tensor[tensor].root];
}

static clt_status allocate_root(clt__engine *engine, int index, clt_error *error)
{
    const clt__tensor *root = &engine->tape->tensor[index];
    const uint64_t bytes = clt__root_bytes(root, engine->precision);
    clt__buffer **memory = &engine->buffer[engine->tape->tensor_count + (size_t)index];
    TRY(clt__buffer_create(engine->device, bytes, root->name, memory, error));
    return clt__buffer_fill(engine->device, *memory, 0, bytes, "", 1, error);
}

static clt_status allocate_on_device(clt__engine *engine, clt_error *error)
{
    const size_t count = engine->tape->tensor_count;
    TRY(clt__allocate(2 * count, sizeof(clt__buffer *), "the engine's buffers", &engine->buffer, error));
    for (size_t i = 0; i < count; i++)
        if (engine->tape->tensor[i].root == (int)i) TRY(allocate_root(engine, (int)i, error));
    for (size_t i = 0; i < count; i++) {
        const uint64_t bytes =
            ((uint64_t)engine->tape->tensor[i].count + CLT__GUARD) * tensor_element_bytes(engine, (int)i);
        TRY(clt__buffer_part(engine->device, clt__root_memory(engine, (int)i), clt__tensor_offset(engine, (int)i),
                             bytes, &engine->buffer[i], error));
    }
    return CLT_OK;
}

static clt_status allocate_reference_root(clt__array *array, const clt__tensor *root, clt_error *error)
{
    const uint64_t count = (uint64_t)root->count;
    if (root->type == CLT__REALS) return clt__allocate(count, sizeof(double), root->name, &array->real, error);
    if (root->type == CLT__INTS) return clt__allocate(count, sizeof(int32_t), root->name, &array->integer, error);
    return clt__allocate(count, 1, root->name, &array->byte, error);
}

/* A tensor inside a root. */
static clt__array part_of(const clt__array *root, int offset)
{
    return (clt__array){.real = root->real ? root->real + offset : NULL,
                        .integer = root->integer ? root->integer + offset : NULL,
                        .byte = root->byte ? root->byte + offset : NULL};
}

static clt_status allocate_on_reference(clt__engine *engine, clt_error *error)
{
    const clt__tape *tape = engine->tape;
    TRY(clt__allocate(tape->tensor_count, sizeof *engine->array, "the engine's arrays", &engine->array, error));
    for (size_t i = 0; i < tape->tensor_count; i++)
        if (tape->tensor[i].root == (int)i) TRY(allocate_reference_root(&engine->array[i], &tape->tensor[i], error));
    for (size_t i = 0; i < tape->tensor_count; i++)
        if (tape->tensor[i].root != (int)i)
            engine->array[i] = part_of(&engine->array[tape->tensor[i].root], tape->tensor[i].offset);
    return CLT_OK;
}

/* ---- making ops ready for the device */

/* The sizes as numbers of the program's text: "-DBAKED=64,1,28,28,...". Every struct in params.h is ints only. */
static void append_baked_sizes(const clt__sizes *sizes, size_t bytes, char *defines, size_t size)
{
    int number[sizeof(clt__sizes) / sizeof(int)];
    memcpy(number, sizes, bytes);
    size_t length = strlen(defines);
    for (size_t i = 0; i < bytes / sizeof *number && length < size; i++) {
        const int written = snprintf(defines + length, size - length, "%s%d", i ? "," : " -DBAKED=", number[i]);
        length += written > 0 ? (size_t)written : 0;
    }
}

static clt_status set_arguments(const clt__engine *engine, const clt__op *op, const clt__ready *ready,
                                const clt__launch *launch, clt__kernel *kernel, clt_error *error)
{
    const clt__launch_plan *plan = &ready->plan;
    unsigned index = 0;
    TRY(clt__kernel_set_value(kernel, index++, op->sizes_bytes, &ready->sizes, error));
    for (int i = 0; i < clt__operand_count(op->row); i++) {
        const clt__buffer *buffer = op->tensor[i] < 0 ? NULL : engine->buffer[op->tensor[i]];
        TRY(clt__kernel_set_buffer(kernel, index++, buffer, error));
    }
    if (plan->scratch_reals) TRY(clt__kernel_set_buffer(kernel, index++, engine->scratch, error));
    if (launch->takes_local) {
        const size_t bytes = (size_t)plan->local_reals * clt__element_bytes(CLT__REALS, engine->precision);
        TRY(clt__kernel_set_local(kernel, index++, bytes, error));
    }
    return CLT_OK;
}

/* Ops whose speed matters get their sizes baked into the program, at the price of a compilation of their own. */
static bool is_heavy(const clt__engine *engine, size_t index)
{
    const clt__limits limits = clt__device_limits(engine->device, engine->precision);
    const clt__work work = clt__engine_work(engine, index);
    return work.flops >= limits.heavy_flops || work.bytes >= limits.heavy_bytes;
}

static clt_status create_kernels(clt__engine *engine, size_t index, clt_error *error)
{
    const clt__op *op = &engine->tape->op[index];
    clt__ready *ready = &engine->ready[index];
    char defines[800];
    /* A kernel file has the kernels of several ops; the program gets this op's only. */
    (void)snprintf(defines, sizeof defines, "-DOP_%s %s", op->row->name, ready->plan.defines);
    if (!ready->plain && is_heavy(engine, index))
        append_baked_sizes(&ready->sizes, op->sizes_bytes, defines, sizeof defines);
    for (int i = 0; i < ready->plan.launches; i++)
        TRY(clt__kernel_create(engine->device, ready->plan.file, ready->plan.launch[i].kernel, engine->precision,
                               defines, &ready->kernel[i], error));
    return CLT_OK;
}

static void release_kernels(clt__ready *ready)
{
    for (int i = 0; i < CLT__MAX_LAUNCHES; i++) {
        clt__kernel_release(ready->kernel[i]);
        ready->kernel[i] = NULL;
    }
}

/* Whether the compiled kernels allow work-groups as large as were planned, which is for the compiler to say. Where not,
 * *most_items becomes what they allow. */
static clt_status check_groups(const clt__engine *engine, const clt__ready *ready, int *most_items, bool *fit,
                               clt_error *error)
{
    *fit = true;
    for (int i = 0; i < ready->plan.launches; i++) {
        const size_t *local = ready->plan.launch[i].local;
        size_t most;
        TRY(clt__kernel_group_items(engine->device, ready->kernel[i], &most, error));
        if (most == 0)
            return FAIL(error, CLT_NO_DEVICE, "device %s does not run the kernel %s in a work-group of even one item",
                        clt_device_describe(engine->device)->id, ready->plan.launch[i].kernel);
        if (local[0] == 0 || local[0] * local[1] * local[2] <= most) continue;
        *fit = false;
        if (most < (size_t)*most_items) *most_items = (int)most;
    }
    return CLT_OK;
}

/* Plans an op and makes its kernels; where these allow smaller work-groups only, once more. */
static clt_status plan_and_create(clt__engine *engine, size_t index, bool plain, clt_error *error)
{
    clt__ready *ready = &engine->ready[index];
    int most_items = INT_MAX;
    ready->plain = plain;
    for (bool fit = false; !fit;) {
        release_kernels(ready);
        TRY(clt__plan_op(engine->device, engine->precision, &engine->tape->op[index], plain, most_items, &ready->sizes,
                         &ready->plan, error));
        TRY(create_kernels(engine, index, error));
        TRY(check_groups(engine, ready, &most_items, &fit, error));
    }
    return CLT_OK;
}

/* Where a kernel does not build, the plainest one that there is serves. */
static clt_status make_kernels(clt__engine *engine, size_t index, clt_error *error)
{
    const clt__op *op = &engine->tape->op[index];
    clt_error refusal = {0};
    const clt_status status = plan_and_create(engine, index, false, &refusal);
    if (status == CLT_BAD_KERNEL && plan_and_create(engine, index, true, NULL) == CLT_OK) {
        char note[256];
        (void)snprintf(note, sizeof note, "the fast kernel of %s%s%s does not build on device %s: a plain one is used",
                       op->row->name, *op->layer ? " of " : "", op->layer, clt_device_describe(engine->device)->id);
        clt__device_note(engine->device, note);
        return CLT_OK;
    }
    if (status != CLT_OK && error) *error = refusal;
    return status;
}

static clt_status allocate_scratch(clt__engine *engine, clt_error *error)
{
    for (size_t i = 0; i < engine->tape->op_count; i++)
        if (engine->ready[i].plan.scratch_reals > engine->scratch_reals)
            engine->scratch_reals = engine->ready[i].plan.scratch_reals;
    if (engine->scratch_reals == 0) return CLT_OK;
    return clt__buffer_create(engine->device, engine->scratch_reals * clt__element_bytes(CLT__REALS, engine->precision),
                              "scratch", &engine->scratch, error);
}

static clt_status make_ready(clt__engine *engine, clt_error *error)
{
    const clt__tape *tape = engine->tape;
    TRY(clt__allocate(tape->op_count, sizeof *engine->ready, "the engine's ops", &engine->ready, error));
    for (size_t i = 0; i < tape->op_count; i++) TRY(make_kernels(engine, i, error));
    TRY(allocate_scratch(engine, error));
    for (size_t i = 0; i < tape->op_count; i++)
        for (int j = 0; j < engine->ready[i].plan.launches; j++)
            TRY(set_arguments(engine, &tape->op[i], &engine->ready[i], &engine->ready[i].plan.launch[j],
                              engine->ready[i].kernel[j], error));
    return CLT_OK;
}

/* ---- opening and closing */

static clt_status prepare(clt__engine *engine, clt_error *error)
{
    const clt_device_info *info = clt_device_describe(engine->device);
    if (engine->precision == CLT_F64 && !info->fp64)
        return FAIL(error, CLT_NO_DEVICE, "device %s (%s) cannot compute in double: it lacks cl_khr_fp64", info->id,
                    info->name);
    if (clt__device_is_reference(engine->device)) return allocate_on_reference(engine, error);
    TRY(clt__device_learn(engine->device, error));
    TRY(allocate_on_device(engine, error));
    return make_ready(engine, error);
}

clt_status clt__engine_open(clt_device *device, const clt__tape *tape, clt_precision precision, clt__engine **engine,
                            clt_error *error)
{
    *engine = NULL;
    clt__engine *fresh;
    TRY(clt__allocate(1, sizeof *fresh, "an engine", &fresh, error));
    fresh->device = device;
    fresh->tape = tape;
    fresh->precision = precision;
    const clt_status status = prepare(fresh, error);
    if (status == CLT_OK)
        *engine = fresh;
    else
        clt__engine_close(fresh);
    return status;
}

static void close_reference(clt__engine *engine)
{
    for (size_t i = 0; i < engine->tape->tensor_count; i++) {
        if (engine->tape->tensor[i].root != (int)i) continue;
        free(engine->array[i].real);
        free(engine->array[i].integer);
        free(engine->array[i].byte);
    }
}

void clt__engine_close(clt__engine *engine)
{
    if (!engine) return;
    if (engine->ready)
        for (size_t i = 0; i < engine->tape->op_count; i++) release_kernels(&engine->ready[i]);
    if (engine->buffer)
        for (size_t i = 0; i < 2 * engine->tape->tensor_count; i++) clt__buffer_release(engine->buffer[i]);
    clt__buffer_release(engine->scratch);
    if (engine->array) close_reference(engine);
    free(engine->ready);
    free(engine->buffer);
    free(engine->array);
    free(engine);
}

clt_device *clt__engine_device(const clt__engine *engine)
{
    return engine->device;
}

/* ---- running */

clt_status clt__enqueue_op(clt__engine *engine, size_t index, clt_error *error)
{
    const clt__ready *ready = &engine->ready[index];
    for (int i = 0; i < ready->plan.launches; i++)
        TRY(clt__kernel_enqueue(engine->device, ready->kernel[i], ready->plan.launch[i].global,
                                ready->plan.launch[i].local, error));
    return CLT_OK;
}

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

static void run_twin(const clt__engine *engine, const clt__op *op)
{
    clt__array operand[CLT__MAX_OPERANDS] = {{0}};
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] >= 0) operand[i] = engine->array[op->tensor[i]];
    op->row->twin(&op->sizes, operand);
    round_updates(engine, op);
}

clt_status clt__engine_run(clt__engine *engine, size_t begin, size_t end, clt_error *error)
{
    for (size_t i = begin; i < end; i++)
        if (engine->array)
            run_twin(engine, &engine->tape->op[i]);
        else
            TRY(clt__enqueue_op(engine, i, error));
    return CLT_OK;
}

clt_status clt__engine_finish(clt__engine *engine, clt_error *error)
{
    return engine->array ? CLT_OK : clt__device_finish(engine->device, error);
}

clt__work clt__engine_work(const clt__engine *engine, size_t index)
{
    const clt__op *op = &engine->tape->op[index];
    clt__work work = {0};
    for (int i = 0; i < clt__operand_count(op->row); i++) {
        if (op->tensor[i] < 0) continue;
        const double times = op->row->operand[i].access == CLT__UPDATE ? 2 : 1;
        work.bytes +=
            times * engine->tape->tensor[op->tensor[i]].count * (double)tensor_element_bytes(engine, op->tensor[i]);
    }
    if (!engine->ready) return work;
    work.launches = engine->ready[index].plan.launches;
    work.flops = engine->ready[index].plan.flops;
    return work;
}

/* ---- reading and writing */

static void *reference_element(const clt__engine *engine, int tensor, int first)
{
    const clt__array *array = &engine->array[tensor];
    if (array->real) return array->real + first;
    if (array->integer) return array->integer + first;
    return array->byte + first;
}

/* Floats on the device, doubles outside: moved through a staging array. */
static clt_status read_floats(clt__engine *engine, int tensor, int first, int count, double *to, clt_error *error)
{
    float *staged;
    TRY(clt__allocate((uint64_t)count, sizeof *staged, "a tensor being read", &staged, error));
    const clt_status status = clt__buffer_read(engine->device, engine->buffer[tensor], (uint64_t)first * sizeof *staged,
                                               (uint64_t)count * sizeof *staged, staged, error);
    if (status == CLT_OK)
        for (int i = 0; i < count; i++) to[i] = staged[i];
    free(staged);
    return status;
}

static clt_status write_floats(clt__engine *engine, int tensor, int first, int count, const double *from,
                               clt_error *error)
{
    float *staged;
    TRY(clt__allocate((uint64_t)count, sizeof *staged, "a tensor being written", &staged, error));
    for (int i = 0; i < count; i++) staged[i] = (float)from[i];
    const clt_status status =
        clt__buffer_write(engine->device, engine->buffer[tensor], (uint64_t)first * sizeof *staged,
                          (uint64_t)count * sizeof *staged, staged, error);
    free(staged);
    return status;
}

static bool is_float(const clt__engine *engine, int tensor)
{
    return engine->precision == CLT_F32 && engine->tape->tensor[tensor].type == CLT__REALS;
}

/* Bytes of an element outside the device. */
static size_t outside_bytes(const clt__engine *engine, int tensor)
{
    return clt__element_bytes(engine->tape->tensor[tensor].type, CLT_F64);
}

clt_status clt__engine_read(clt__engine *engine, int tensor, int first, int count, void *to, clt_error *error)
{
    const size_t size = outside_bytes(engine, tensor);
    if (engine->array) {
        memcpy(to, reference_element(engine, tensor, first), (size_t)count * size);
        return CLT_OK;
    }
    if (is_float(engine, tensor)) return read_floats(engine, tensor, first, count, to, error);
    return clt__buffer_read(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size, to,
                            error);
}

clt_status clt__engine_read_reals(clt__engine *engine, int tensor, double **values, clt_error *error)
{
    const clt__tensor *read = &engine->tape->tensor[tensor];
    TRY(clt__allocate((uint64_t)read->count, sizeof **values, read->name, values, error));
    const clt_status status = clt__engine_read(engine, tensor, 0, read->count, *values, error);
    if (status != CLT_OK) free(*values);
    return status;
}

clt_status clt__engine_write(clt__engine *engine, int tensor, int first, int count, const void *from, clt_error *error)
{
    const size_t size = outside_bytes(engine, tensor);
    if (engine->array) {
        memcpy(reference_element(engine, tensor, first), from, (size_t)count * size);
        return CLT_OK;
    }
    if (is_float(engine, tensor)) return write_floats(engine, tensor, first, count, from, error);
    return clt__buffer_write(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size,
                             from, error);
}

/* Doubles become floats where they lie. */
static void narrow(void *values, int count)
{
    const double *from = values;
    float *to = values;
    for (int i = 0; i < count; i++) {
        const float single = (float)from[i];
        memcpy(&to[i], &single, sizeof single);
    }
}

clt_status clt__engine_begin_write(clt__engine *engine, int tensor, int first, int count, void *from,
                                   clt__transfer *transfer, clt_error *error)
{
    *transfer = (clt__transfer){.values = from};
    if (engine->array) return clt__engine_write(engine, tensor, first, count, from, error);
    const size_t size = tensor_element_bytes(engine, tensor);
    if (is_float(engine, tensor)) narrow(from, count);
    return clt__upload_begin(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size,
                             from, &transfer->upload, error);
}

clt_status clt__engine_join_write(clt__engine *engine, const clt__transfer *transfer, clt_error *error)
{
    return transfer->upload ? clt__upload_join(engine->device, transfer->upload, error) : CLT_OK;
}

clt_status clt__engine_end_write(clt__transfer *transfer, clt_error *error)
{
    const clt_status status = clt__upload_end(transfer->upload, error);
    free(transfer->values);
    *transfer = (clt__transfer){0};
    return status;
}

clt_status clt__engine_set_step(clt__engine *engine, int tensor, const int32_t value[STEP_LENGTH], clt_error *error)
{
    const size_t bytes = STEP_LENGTH * sizeof *value;
    if (engine->array) return clt__engine_write(engine, tensor, 0, STEP_LENGTH, value, error);
    return clt__buffer_fill(engine->device, engine->buffer[tensor], 0, bytes, value, bytes, error);
}

clt_status clt__engine_set_hyper(clt__engine *engine, int tensor, const double value[HYPER_STEP_LENGTH],
                                 clt_error *error)
{
    if (engine->array) return clt__engine_write(engine, tensor, 0, HYPER_STEP_LENGTH, value, error);
    float single[HYPER_STEP_LENGTH];
    for (int i = 0; i < HYPER_STEP_LENGTH; i++) single[i] = (float)value[i];
    const bool is_single = engine->precision == CLT_F32;
    const size_t bytes = HYPER_STEP_LENGTH * clt__element_bytes(CLT__REALS, engine->precision);
    return clt__buffer_fill(engine->device, engine->buffer[tensor], 0, bytes,
                            is_single ? (const void *)single : (const void *)value, bytes, error);
}
