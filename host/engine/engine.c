#include "engine/engine.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "engine/internal.h"

void clt__round_values(clt__type type, double *values, size_t count)
{
    for (size_t i = 0; i < count && type == CLT__HALVES; i++) values[i] = clt__as_half(values[i]);
}

size_t clt__tensor_element_bytes(const clt__engine *engine, int tensor)
{
    return clt__element_bytes(engine->tape->tensor[tensor].type, engine->precision);
}

size_t clt__outside_bytes(const clt__engine *engine, int tensor)
{
    return clt__element_bytes(engine->tape->tensor[tensor].type, CLT_F64);
}

const clt__backend *clt__backend_of(const clt_device *device)
{
    return clt__device_is_reference(device) ? &clt__on_reference : &clt__on_device;
}

/* ---- opening and closing */

clt_status clt__check_precision(const clt_device *device, clt_precision precision, clt_error *error)
{
    const clt_device_info *info = clt_device_describe(device);
    if (precision == CLT_F32 || info->fp64) return CLT_OK;
    return FAIL(error, CLT_NO_DEVICE, "device %s (%s) cannot compute in double: it lacks cl_khr_fp64", info->id,
                info->name);
}

clt_status clt__engine_open(clt_device *device, const clt__tape *tape, clt_precision precision,
                            const clt_options *options, clt__engine **engine, clt_error *error)
{
    *engine = NULL;
    clt__engine *fresh;
    TRY(clt__check_precision(device, precision, error));
    TRY(clt__allocate(1, sizeof *fresh, "an engine", &fresh, error));
    fresh->backend = clt__backend_of(device);
    fresh->device = device;
    fresh->tape = tape;
    fresh->precision = precision;
    const clt_status status = fresh->backend->open(fresh, options, error);
    if (status == CLT_OK)
        *engine = fresh;
    else
        clt__engine_close(fresh);
    return status;
}

void clt__engine_close(clt__engine *engine)
{
    if (engine) engine->backend->close(engine);
    free(engine);
}

clt_device *clt__engine_device(const clt__engine *engine)
{
    return engine->device;
}

int clt__engine_banks(const clt__engine *engine)
{
    return engine->tape->banks > 1 ? engine->tape->banks : 1;
}

void clt__engine_use_bank(clt__engine *engine, int bank)
{
    engine->bank = bank;
    engine->backend->use_bank(engine);
}

/* ---- running */

clt_status clt__engine_run(clt__engine *engine, size_t begin, size_t end, clt_error *error)
{
    for (size_t i = begin; i < end; i++) TRY(engine->backend->run(engine, i, error));
    return CLT_OK;
}

clt_status clt__engine_flush(clt__engine *engine, clt_error *error)
{
    return engine->backend->flush(engine, error);
}

clt_status clt__engine_finish(clt__engine *engine, clt_error *error)
{
    return engine->backend->finish(engine, error);
}

clt__work clt__engine_work(const clt__engine *engine, size_t index)
{
    const clt__op *op = &engine->tape->op[index];
    const clt_precision kept = engine->backend->in_double ? CLT_F64 : engine->precision;
    clt__work work = {.op = op->row->name, .ops = 1};
    engine->backend->count_work(engine, index, &work);
    work.bytes = clt__merged_bytes(engine->tape, op, work.ops, kept, false) +
                 clt__merged_bytes(engine->tape, op, work.ops, kept, true);
    return work;
}

clt__manner clt__engine_manner(const clt__engine *engine, size_t index)
{
    const size_t first = engine->ready[index].first;
    return (clt__manner){engine->ready[first].launches, index - first, engine->ready[first].plain};
}

bool clt__same_manner(const clt__manner *a, const clt__manner *b)
{
    return a->place == b->place && a->plain == b->plain && clt__same_launches(&a->launches, &b->launches);
}

/* ---- reading and writing */

clt_status clt__engine_read(clt__engine *engine, int tensor, int first, int count, void *to, clt_error *error)
{
    return engine->backend->read(engine, tensor, first, count, to, error);
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
    return engine->backend->write(engine, tensor, first, count, from, error);
}

clt_status clt__engine_begin_write(clt__engine *engine, int tensor, int first, int count, void *from,
                                   clt__transfer *transfer, clt_error *error)
{
    *transfer = (clt__transfer){.values = from};
    return engine->backend->begin_write(engine, tensor, first, count, transfer, error);
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

size_t clt__engine_real_bytes(const clt__engine *engine)
{
    return clt__element_bytes(CLT__REALS, engine->backend->in_double ? CLT_F64 : engine->precision);
}

clt_status clt__engine_begin_read(clt__engine *engine, int tensor, int first, int count, void *to,
                                  clt__upload **transfer, clt_error *error)
{
    *transfer = NULL;
    return engine->backend->begin_read(engine, tensor, first, count, to, transfer, error);
}

clt_status clt__engine_join_read(clt__engine *engine, const clt__upload *transfer, clt_error *error)
{
    return transfer ? clt__upload_join(engine->device, transfer, error) : CLT_OK;
}

bool clt__engine_is_read(const clt__upload *transfer)
{
    return !transfer || clt__upload_is_done(transfer);
}

clt_status clt__engine_end_read(clt__upload **transfer, clt_error *error)
{
    const clt_status status = clt__upload_end(*transfer, error);
    *transfer = NULL;
    return status;
}

clt_status clt__engine_write_kept(clt__engine *engine, int tensor, int first, int count, const void *from,
                                  clt_error *error)
{
    return engine->backend->write_kept(engine, tensor, first, count, from, error);
}

clt_status clt__engine_set_step(clt__engine *engine, int tensor, const int32_t value[STEP_LENGTH], clt_error *error)
{
    return engine->backend->set(engine, tensor, STEP_LENGTH, value, error);
}

clt_status clt__engine_set_hyper(clt__engine *engine, int tensor, const double value[HYPER_STEP_LENGTH],
                                 clt_error *error)
{
    return engine->backend->set(engine, tensor, HYPER_STEP_LENGTH, value, error);
}
