/* The device's side of an engine.
 *
 * A root is one buffer with guards at both ends, and every tensor is a part of it that reaches one guard further than
 * its last element, for kernels may read there:
 *
 *   | front guard | tensor 0 ...... | gap | tensor 1 .... | gap | ... | guard |
 *                 |<- part 0 ------------>|
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "engine/internal.h"

/* ---- memory */

uint64_t clt__tensor_offset(const clt__engine *engine, int tensor)
{
    return (CLT__FRONT + (uint64_t)engine->tape->tensor[tensor].offset) * clt__tensor_element_bytes(engine, tensor);
}

/* engine->buffer has the roots' whole memory behind the tensors' parts: so many rows a bank. */
static size_t rows_of_bank(const clt__engine *engine)
{
    return 2 * engine->tape->tensor_count;
}

static void use_bank(clt__engine *engine)
{
    engine->buffer = engine->banks_buffer + (size_t)engine->bank * rows_of_bank(engine);
}

/* Whether the bank in use has the tensor's memory; else it takes the first one's. */
static bool is_here(const clt__engine *engine, int tensor)
{
    return engine->bank < clt__root_banks(engine->tape, engine->tape->tensor[tensor].root);
}

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

static clt_status allocate_part(clt__engine *engine, int tensor, clt_error *error)
{
    const uint64_t bytes =
        ((uint64_t)engine->tape->tensor[tensor].count + CLT__GUARD) * clt__tensor_element_bytes(engine, tensor);
    return clt__buffer_part(engine->device, clt__root_memory(engine, tensor), clt__tensor_offset(engine, tensor), bytes,
                            &engine->buffer[tensor], error);
}

/* The roots of the bank in use, then the tensors. */
static clt_status allocate_bank(clt__engine *engine, clt_error *error)
{
    const size_t count = engine->tape->tensor_count;
    for (size_t i = 0; i < count; i++) {
        if (!is_here(engine, (int)i))
            engine->buffer[count + i] = engine->banks_buffer[count + i];
        else if (engine->tape->tensor[i].root == (int)i)
            TRY(allocate_root(engine, (int)i, error));
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_here(engine, (int)i))
            engine->buffer[i] = engine->banks_buffer[i];
        else
            TRY(allocate_part(engine, (int)i, error));
    }
    return CLT_OK;
}

static clt_status allocate(clt__engine *engine, clt_error *error)
{
    const int banks = clt__engine_banks(engine);
    TRY(clt__allocate((uint64_t)banks * rows_of_bank(engine), sizeof(clt__buffer *), "the engine's buffers",
                      &engine->banks_buffer, error));
    for (int i = 0; i < banks; i++) {
        clt__engine_use_bank(engine, i);
        TRY(allocate_bank(engine, error));
    }
    clt__engine_use_bank(engine, 0);
    return CLT_OK;
}

/* ---- making ops ready for the device */

static clt_status set_arguments(const clt__engine *engine, const clt__op *op, const clt__ready *ready,
                                const clt__launch *launch, clt__kernel *kernel, clt_error *error)
{
    const clt__launches *launches = &ready->launches;
    unsigned index = 0;
    for (int i = 0; i < launches->ops; i++) {
        TRY(clt__kernel_set_value(kernel, index++, op[i].sizes_bytes, &ready[i].sizes, error));
        for (int j = 0; j < clt__operand_count(op[i].row); j++) {
            const clt__buffer *buffer = op[i].tensor[j] < 0 ? NULL : engine->buffer[op[i].tensor[j]];
            TRY(clt__kernel_set_buffer(kernel, index++, buffer, error));
        }
    }
    if (launches->scratch_reals) TRY(clt__kernel_set_buffer(kernel, index++, engine->scratch, error));
    if (launch->takes_local) {
        const size_t bytes = (size_t)launches->local_reals * clt__element_bytes(CLT__REALS, engine->precision);
        TRY(clt__kernel_set_local(kernel, index++, bytes, error));
    }
    return CLT_OK;
}

static clt_status set_all_arguments(const clt__engine *engine, size_t index, clt_error *error)
{
    clt__ready *ready = &engine->ready[index];
    for (int i = 0; i < ready->launches.count; i++)
        TRY(set_arguments(engine, &engine->tape->op[index], ready, &ready->launches.launch[i], ready->kernel[i],
                          error));
    ready->bank = engine->bank;
    return CLT_OK;
}

static clt_status create_kernels(clt__engine *engine, size_t index, clt_error *error)
{
    const clt__op *op = &engine->tape->op[index];
    clt__ready *ready = &engine->ready[index];
    char defines[CLT__MOST_DEFINES];
    TRY(clt__defines_of(engine->device, engine->precision, engine->tape, op, &ready->sizes, &ready->launches,
                        ready->plain, defines, error));
    for (int i = 0; i < ready->launches.count; i++)
        TRY(clt__kernel_create(engine->device, ready->launches.file, ready->launches.launch[i].kernel,
                               engine->precision, defines, &ready->kernel[i], error));
    return CLT_OK;
}

static void release_kernels(clt__ready *ready)
{
    for (int i = 0; i < CLT__MAX_LAUNCHES; i++) {
        clt__kernel_release(ready->kernel[i]);
        ready->kernel[i] = NULL;
    }
}

/* Whether the compiled kernels allow work-groups as large as the launches have, which is for the compiler to say. Where
 * not, *most_items becomes what they allow. */
static clt_status check_groups(const clt__engine *engine, const clt__ready *ready, int *most_items, bool *fit,
                               clt_error *error)
{
    *fit = true;
    for (int i = 0; i < ready->launches.count; i++) {
        const size_t *local = ready->launches.launch[i].local;
        size_t most;
        TRY(clt__kernel_group_items(engine->device, ready->kernel[i], &most, error));
        if (most == 0)
            return FAIL(error, CLT_NO_DEVICE, "device %s does not run the kernel %s in a work-group of even one item",
                        clt_device_describe(engine->device)->id, ready->launches.launch[i].kernel);
        if (local[0] == 0 || local[0] * local[1] * local[2] <= most) continue;
        *fit = false;
        if (most < (size_t)*most_items) *most_items = (int)most;
    }
    return CLT_OK;
}

/* Finds an op's launches and makes their kernels; where these allow smaller work-groups only, once more. What is merged
 * with it is ready then, too. */
static clt_status create_ready(clt__engine *engine, size_t index, clt__kernels kernels, clt_error *error)
{
    const clt__tape *tape = engine->tape;
    clt__ready *ready = &engine->ready[index];
    clt__sizes sizes[CLT__MAX_MERGED];
    int most_items = INT_MAX;
    ready->plain = kernels == CLT__PLAINEST;
    for (bool fit = false; !fit;) {
        release_kernels(ready);
        TRY(clt__launches_of(engine->device, engine->precision, tape, index, kernels, most_items, sizes,
                             &ready->launches, error));
        for (int i = 0; i < ready->launches.ops; i++) {
            ready[i].first = index;
            ready[i].sizes = sizes[i];
        }
        TRY(create_kernels(engine, index, error));
        TRY(check_groups(engine, ready, &most_items, &fit, error));
    }
    return CLT_OK;
}

/* Merged ops whose kernel does not build have kernels of their own. */
static clt_status create_fast(clt__engine *engine, size_t index, clt_error *error)
{
    const clt_status status = create_ready(engine, index, CLT__MERGED, error);
    if (status != CLT_BAD_KERNEL || engine->ready[index].launches.ops == 1) return status;
    return create_ready(engine, index, CLT__OWN, error);
}

/* Where a kernel does not build, the plainest one that there is serves. Where there is none, what only the cache
 * remembers to have been refused is tried again: the cause may be gone. */
static clt_status make_kernels(clt__engine *engine, size_t index, clt_error *error)
{
    const clt__op *op = &engine->tape->op[index];
    clt_error refusal = {0};
    clt_status status = create_fast(engine, index, &refusal);
    bool plain = status == CLT_BAD_KERNEL && create_ready(engine, index, CLT__PLAINEST, NULL) == CLT_OK;
    if (status == CLT_BAD_KERNEL && !plain && clt__device_forget_refusals(engine->device)) {
        status = create_fast(engine, index, &refusal);
        plain = status == CLT_BAD_KERNEL && create_ready(engine, index, CLT__PLAINEST, NULL) == CLT_OK;
    }
    if (plain) {
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
        if (engine->ready[i].launches.scratch_reals > engine->scratch_reals)
            engine->scratch_reals = engine->ready[i].launches.scratch_reals;
    if (engine->scratch_reals == 0) return CLT_OK;
    return clt__buffer_create(engine->device, engine->scratch_reals * clt__element_bytes(CLT__REALS, engine->precision),
                              "scratch", &engine->scratch, error);
}

/* What the ops' fast kernels need, built several at a time. */
static clt_status list_programs(const clt__engine *engine, clt__program_wanted *wanted, size_t *count, clt_error *error)
{
    const clt__tape *tape = engine->tape;
    clt__launches launches;
    for (size_t i = 0; i < tape->op_count; i += (size_t)launches.ops) {
        clt__sizes sizes[CLT__MAX_MERGED];
        char defines[CLT__MOST_DEFINES];
        TRY(clt__launches_of(engine->device, engine->precision, tape, i, CLT__MERGED, INT_MAX, sizes, &launches,
                             error));
        TRY(clt__defines_of(engine->device, engine->precision, tape, &tape->op[i], sizes, &launches, false, defines,
                            error));
        wanted[*count].file = launches.file;
        TRY(clt__copy_text(defines, &wanted[*count].defines, error));
        ++*count;
    }
    return CLT_OK;
}

static clt_status build_programs(const clt__engine *engine, const clt_options *options, clt_error *error)
{
    size_t count = 0;
    clt__program_wanted *wanted;
    TRY(clt__allocate(engine->tape->op_count, sizeof *wanted, "the engine's programs", &wanted, error));
    clt_status status = list_programs(engine, wanted, &count, error);
    if (status == CLT_OK)
        status = clt__programs_build(engine->device, engine->precision, wanted, count, options, error);
    for (size_t i = 0; i < count; i++) free(wanted[i].defines);
    free(wanted);
    return status;
}

static clt_status make_ready(clt__engine *engine, const clt_options *options, clt_error *error)
{
    const clt__tape *tape = engine->tape;
    TRY(clt__allocate(tape->op_count, sizeof *engine->ready, "the engine's ops", &engine->ready, error));
    TRY(build_programs(engine, options, error));
    for (size_t i = 0; i < tape->op_count; i += (size_t)engine->ready[i].launches.ops)
        TRY(make_kernels(engine, i, error));
    TRY(allocate_scratch(engine, error));
    for (size_t i = 0; i < tape->op_count; i++) TRY(set_all_arguments(engine, i, error));
    return CLT_OK;
}

/* ---- the backend */

static clt_status open_on_device(clt__engine *engine, const clt_options *options, clt_error *error)
{
    TRY(clt__device_learn(engine->device, error));
    TRY(allocate(engine, error));
    return make_ready(engine, options, error);
}

/* The part that was made last goes first, and roots after all parts: where parts overlap, NVIDIA's driver (580.159, on
 * an H100) ends the program with a segmentation fault at any other order. */
static void release_bank(clt__engine *engine)
{
    const size_t count = engine->tape->tensor_count;
    for (size_t i = count; i-- > 0;)
        if (is_here(engine, (int)i)) clt__buffer_release(engine->buffer[i]);
    for (size_t i = 0; i < count; i++)
        if (is_here(engine, (int)i)) clt__buffer_release(engine->buffer[count + i]);
}

static void release_memory(clt__engine *engine)
{
    for (int i = clt__engine_banks(engine) - 1; i >= 0; i--) {
        clt__engine_use_bank(engine, i);
        release_bank(engine);
    }
}

static void close_on_device(clt__engine *engine)
{
    if (engine->ready)
        for (size_t i = 0; i < engine->tape->op_count; i++) release_kernels(&engine->ready[i]);
    if (engine->banks_buffer) release_memory(engine);
    clt__buffer_release(engine->scratch);
    free(engine->ready);
    free(engine->banks_buffer);
}

clt_status clt__enqueue_op(clt__engine *engine, size_t index, clt_error *error)
{
    const size_t first = engine->ready[index].first;
    const clt__ready *ready = &engine->ready[first];
    if (ready->bank != engine->bank) TRY(set_all_arguments(engine, first, error));
    for (int i = 0; i < ready->launches.count; i++)
        TRY(clt__kernel_enqueue(engine->device, ready->kernel[i], ready->launches.launch[i].global,
                                ready->launches.launch[i].local, error));
    return CLT_OK;
}

static clt_status run(clt__engine *engine, size_t index, clt_error *error)
{
    return engine->ready[index].first == index ? clt__enqueue_op(engine, index, error) : CLT_OK;
}

static clt_status flush(clt__engine *engine, clt_error *error)
{
    return clt__device_flush(engine->device, error);
}

static clt_status finish(clt__engine *engine, clt_error *error)
{
    return clt__device_finish(engine->device, error);
}

static void count_work(const clt__engine *engine, size_t index, clt__work *work)
{
    work->op = engine->ready[index].launches.op;
    work->ops = engine->ready[index].launches.ops;
    work->launches = engine->ready[index].launches.count;
    work->flops = engine->ready[index].launches.flops;
}

/* Doubles outside, on the device floats or halves: moved through a staging array of those. */
static bool is_narrow(const clt__engine *engine, int tensor)
{
    return engine->precision == CLT_F32 && clt__is_real(engine->tape->tensor[tensor].type);
}

static void widen(clt__type type, const void *from, int count, double *to)
{
    const float *floats = from;
    const uint16_t *halves = from;
    for (int i = 0; i < count; i++)
        to[i] = type == CLT__HALVES ? clt__real_of_bits(halves[i], sizeof *halves) : (double)floats[i];
}

/* `to` may be where `from` is. */
static void narrow(clt__type type, const double *from, int count, void *to)
{
    uint8_t *bytes = to;
    for (int i = 0; i < count; i++) {
        const uint16_t half = type == CLT__HALVES ? clt__half_bits(from[i]) : 0;
        const float single = (float)from[i];
        if (type == CLT__HALVES)
            memcpy(bytes + (size_t)i * sizeof half, &half, sizeof half);
        else
            memcpy(bytes + (size_t)i * sizeof single, &single, sizeof single);
    }
}

static clt_status read_narrow(clt__engine *engine, int tensor, int first, int count, double *to, clt_error *error)
{
    const size_t size = clt__tensor_element_bytes(engine, tensor);
    void *staged;
    TRY(clt__allocate((uint64_t)count, size, "a tensor being read", &staged, error));
    const clt_status status = clt__buffer_read(engine->device, engine->buffer[tensor], (uint64_t)first * size,
                                               (uint64_t)count * size, staged, error);
    if (status == CLT_OK) widen(engine->tape->tensor[tensor].type, staged, count, to);
    free(staged);
    return status;
}

static clt_status write_narrow(clt__engine *engine, int tensor, int first, int count, const double *from,
                               clt_error *error)
{
    const size_t size = clt__tensor_element_bytes(engine, tensor);
    void *staged;
    TRY(clt__allocate((uint64_t)count, size, "a tensor being written", &staged, error));
    narrow(engine->tape->tensor[tensor].type, from, count, staged);
    const clt_status status = clt__buffer_write(engine->device, engine->buffer[tensor], (uint64_t)first * size,
                                                (uint64_t)count * size, staged, error);
    free(staged);
    return status;
}

static clt_status read_elements(clt__engine *engine, int tensor, int first, int count, void *to, clt_error *error)
{
    const size_t size = clt__tensor_element_bytes(engine, tensor);
    if (is_narrow(engine, tensor)) return read_narrow(engine, tensor, first, count, to, error);
    return clt__buffer_read(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size, to,
                            error);
}

static clt_status write_elements(clt__engine *engine, int tensor, int first, int count, const void *from,
                                 clt_error *error)
{
    const size_t size = clt__tensor_element_bytes(engine, tensor);
    if (is_narrow(engine, tensor)) return write_narrow(engine, tensor, first, count, from, error);
    return clt__buffer_write(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size,
                             from, error);
}

static clt_status begin_write(clt__engine *engine, int tensor, int first, int count, clt__transfer *transfer,
                              clt_error *error)
{
    const size_t size = clt__tensor_element_bytes(engine, tensor);
    if (is_narrow(engine, tensor)) narrow(engine->tape->tensor[tensor].type, transfer->values, count, transfer->values);
    return clt__upload_begin(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size,
                             transfer->values, &transfer->upload, error);
}

static clt_status begin_read(clt__engine *engine, int tensor, int first, int count, void *to, clt__upload **transfer,
                             clt_error *error)
{
    const size_t size = clt__tensor_element_bytes(engine, tensor);
    return clt__download_begin(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size,
                               to, transfer, error);
}

static clt_status write_kept(clt__engine *engine, int tensor, int first, int count, const void *from, clt_error *error)
{
    const size_t size = clt__tensor_element_bytes(engine, tensor);
    return clt__buffer_write(engine->device, engine->buffer[tensor], (uint64_t)first * size, (uint64_t)count * size,
                             from, error);
}

/* As one pattern that fills the tensor's beginning once. */
static clt_status set(clt__engine *engine, int tensor, int count, const void *from, clt_error *error)
{
    enum { MOST = 16 }; /* a pattern has at most 128 bytes */
    double values[MOST];
    _Static_assert(STEP_LENGTH * sizeof(int32_t) <= sizeof values, "a step fits");
    _Static_assert(HYPER_STEP_LENGTH * sizeof(double) <= sizeof values, "so do the hyper parameters of one");
    const size_t bytes = (size_t)count * clt__tensor_element_bytes(engine, tensor);
    memcpy(values, from, (size_t)count * clt__outside_bytes(engine, tensor));
    if (is_narrow(engine, tensor)) narrow(engine->tape->tensor[tensor].type, values, count, values);
    return clt__buffer_fill(engine->device, engine->buffer[tensor], 0, bytes, values, bytes, error);
}

/* Scratch memory is shared by all ops, for they run one after another. */
static clt_status most_scratch(clt_device *device, const clt__tape *tape, clt_precision precision, uint64_t *reals,
                               clt_error *error)
{
    TRY(clt__device_learn(device, error));
    clt__launches launches;
    for (size_t i = 0; i < tape->op_count; i += (size_t)launches.ops) {
        clt__sizes sizes[CLT__MAX_MERGED];
        TRY(clt__launches_of(device, precision, tape, i, CLT__MERGED, INT_MAX, sizes, &launches, error));
        if (launches.scratch_reals > *reals) *reals = launches.scratch_reals;
    }
    return CLT_OK;
}

const clt__backend clt__on_device = {
    .open = open_on_device,
    .close = close_on_device,
    .use_bank = use_bank,
    .run = run,
    .flush = flush,
    .finish = finish,
    .count_work = count_work,
    .read = read_elements,
    .write = write_elements,
    .begin_write = begin_write,
    .begin_read = begin_read,
    .write_kept = write_kept,
    .set = set,
    .most_scratch = most_scratch,
};
