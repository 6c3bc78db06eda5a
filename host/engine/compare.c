/* Verify: one op on the device and on the reference, from the same inputs. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/workers.h"
#include "engine/internal.h"

/* What an output holds before its op runs: NaN in both precisions, -1 for integers. Guards hold it too while the op
 * runs, so that a kernel which uses what it may only read shows NaN, and one which writes there is seen. */
static const uint8_t poison = 0xff;

typedef struct trial {
    const clt__op *op;
    bool tainted;                          /* an input holds what is not a finite number */
    clt__array operand[CLT__MAX_OPERANDS]; /* before the op, then as the twin left it */
    clt__array result[CLT__MAX_OPERANDS];  /* as the device left it */
    clt__array before[CLT__MAX_OPERANDS];  /* what the op updates, for a witness */
} trial;

static double roundoff_of(clt_precision precision)
{
    return precision == CLT_F64 ? 0x1p-53 : 0x1p-24;
}

static clt_status allocate_array(const clt__tensor *tensor, bool with_slack, clt__array *array, clt_error *error)
{
    const uint64_t count = (uint64_t)tensor->count;
    array->count = (size_t)tensor->count;
    switch (tensor->type) {
    case CLT__REALS:
    case CLT__HALVES:
        if (with_slack) TRY(clt__allocate(count, sizeof(double), tensor->name, &array->slack, error));
        return clt__allocate(count, sizeof(double), tensor->name, &array->real, error);
    case CLT__INTS:
        return clt__allocate(count, sizeof(int32_t), tensor->name, &array->integer, error);
    case CLT__BYTES:
        return clt__allocate(count, 1, tensor->name, &array->byte, error);
    }
    return CLT_OK;
}

static void free_array(clt__array *array)
{
    free(array->real);
    free(array->slack);
    free(array->integer);
    free(array->byte);
}

static void *elements(const clt__array *array)
{
    return array->real ? (void *)array->real : array->integer ? (void *)array->integer : array->byte;
}

static clt_status read_tensor(clt__engine *engine, int tensor, const clt__array *to, clt_error *error)
{
    return clt__engine_read(engine, tensor, 0, engine->tape->tensor[tensor].count, elements(to), error);
}

static clt_status poison_guards(clt__engine *engine, int tensor, uint8_t with, clt_error *error)
{
    const clt__tensor *guarded = &engine->tape->tensor[tensor];
    const uint64_t size = clt__element_bytes(guarded->type, engine->precision), at = clt__tensor_offset(engine, tensor);
    clt__buffer *memory = clt__root_memory(engine, tensor);
    TRY(clt__buffer_fill(engine->device, memory, at - CLT__GUARD * size, CLT__GUARD * size, &with, 1, error));
    return clt__buffer_fill(engine->device, memory, at + (uint64_t)guarded->count * size, CLT__GUARD * size, &with, 1,
                            error);
}

static clt_status guards_hold(clt__engine *engine, int tensor, bool *hold, clt_error *error)
{
    const clt__tensor *guarded = &engine->tape->tensor[tensor];
    const uint64_t size = clt__element_bytes(guarded->type, engine->precision), at = clt__tensor_offset(engine, tensor);
    clt__buffer *memory = clt__root_memory(engine, tensor);
    uint8_t guard[2][CLT__GUARD * sizeof(double)];
    memset(guard, poison, sizeof guard);
    TRY(clt__buffer_read(engine->device, memory, at - CLT__GUARD * size, CLT__GUARD * size, guard[0], error));
    TRY(clt__buffer_read(engine->device, memory, at + (uint64_t)guarded->count * size, CLT__GUARD * size, guard[1],
                         error));
    *hold = true;
    for (size_t i = 0; i < sizeof guard[0]; i++)
        if (guard[0][i] != poison || guard[1][i] != poison) *hold = false;
    return CLT_OK;
}

/* Gives the twin what the device has, then poisons what the op should write, and every guard. */
static clt_status set_up_operand(clt__engine *engine, trial *t, int i, clt_error *error)
{
    const int index = t->op->tensor[i];
    const clt__tensor *tensor = &engine->tape->tensor[index];
    const clt__access access = t->op->row->operand[i].access;
    TRY(allocate_array(tensor, access != CLT__READ, &t->operand[i], error));
    t->operand[i].roundoff = roundoff_of(engine->precision);
    TRY(allocate_array(tensor, false, &t->result[i], error));
    void *before = elements(&t->operand[i]);
    if (access == CLT__WRITE) {
        const uint64_t size = clt__element_bytes(tensor->type, engine->precision);
        TRY(clt__buffer_fill(engine->device, engine->buffer[index], 0, (uint64_t)tensor->count * size, &poison, 1,
                             error));
        memset(before, poison, (size_t)tensor->count * clt__element_bytes(tensor->type, CLT_F64));
    } else {
        TRY(read_tensor(engine, index, &t->operand[i], error));
        for (int j = 0; j < tensor->count && t->operand[i].real; j++)
            if (!isfinite(t->operand[i].real[j])) t->tainted = true;
    }
    if (access == CLT__UPDATE && engine->witness) {
        TRY(allocate_array(tensor, false, &t->before[i], error));
        memcpy(elements(&t->before[i]), before, (size_t)tensor->count * clt__element_bytes(tensor->type, CLT_F64));
    }
    return poison_guards(engine, index, poison, error);
}

/* ---- the twin, and the slack of sums of products: their growth times the sums that the twin makes of the operands'
 * absolute values */

static clt_status take_absolute(const clt__array *from, clt__array *to, clt_error *error)
{
    TRY(clt__allocate(from->count, sizeof *to->real, "absolute values", &to->real, error));
    for (size_t i = 0; i < from->count; i++) to->real[i] = fabs(from->real[i]);
    return CLT_OK;
}

/* What is written goes where its slack is wanted. */
static clt_status set_up_absolute(const trial *t, clt__array *operand, clt_error *error)
{
    for (int i = 0; i < clt__operand_count(t->op->row); i++) {
        const clt__array *own = &t->operand[i];
        operand[i] = (clt__array){.real = own->slack, .integer = own->integer, .byte = own->byte, .count = own->count};
        if (own->real && !own->slack) TRY(take_absolute(own, &operand[i], error));
    }
    return CLT_OK;
}

static clt_status find_growth(const trial *t, const clt__sizes *sizes, clt_error *error)
{
    const double growth = t->op->row->growth(sizes);
    clt__array operand[CLT__MAX_OPERANDS] = {{0}};
    const clt_status status = set_up_absolute(t, operand, error);
    if (status == CLT_OK) t->op->row->twin(sizes, operand);
    for (int i = 0; i < CLT__MAX_OPERANDS; i++) {
        const clt__array *own = &t->operand[i];
        for (size_t j = 0; j < own->count && own->slack && status == CLT_OK; j++) own->slack[j] *= growth;
        if (!own->slack) free(operand[i].real);
    }
    return status;
}

/* Sums, and how far off they may be: one takes as long as the other, and they share nothing but what both read. */
typedef struct sums {
    const trial *trial;
    const clt__sizes *sizes;
    clt_status status; /* of the second */
    clt_error error;
} sums;

enum { TWIN, SLACK, SUMS };

static void do_sums(void *user, size_t piece)
{
    sums *s = user;
    const clt__op_row *row = s->trial->op->row;
    if (piece == TWIN)
        row->twin(s->sizes, s->trial->operand);
    else if (!row->bound || !row->bound(s->sizes, s->trial->operand))
        s->status = find_growth(s->trial, s->sizes, &s->error);
}

static clt_status run_sums(const trial *t, const clt__sizes *sizes, clt_error *error)
{
    clt__workers *workers;
    sums s = {.trial = t, .sizes = sizes, .status = CLT_OK};
    clt__job job = {.work = do_sums, .user = &s, .count = SUMS};
    TRY(clt__workers_open(1, CLT__SMALL_STACK, &workers, error));
    clt__workers_begin(workers, &job);
    clt__workers_wait(workers, &job);
    clt__workers_close(workers);
    return s.status == CLT_OK ? CLT_OK : clt__pass_on(&s.error, error);
}

static clt_status run_twin(const trial *t, const clt__sizes *sizes, clt_error *error)
{
    const clt__op_row *row = t->op->row;
    if (row->growth)
        TRY(run_sums(t, sizes, error));
    else
        row->twin(sizes, t->operand);
    if (row->finish) row->finish(sizes, t->operand);
    return CLT_OK;
}

/* Of an op's operands those with that access. */
static clt_status read_operands(clt__engine *engine, const clt__op *op, clt__access access,
                                clt__array values[CLT__MAX_OPERANDS], clt_error *error)
{
    for (int i = 0; i < clt__operand_count(op->row); i++) {
        if (op->tensor[i] < 0 || op->row->operand[i].access != access) continue;
        const clt__tensor *tensor = &engine->tape->tensor[op->tensor[i]];
        TRY(allocate_array(tensor, false, &values[i], error));
        TRY(read_tensor(engine, op->tensor[i], &values[i], error));
    }
    return CLT_OK;
}

static clt_status write_tensor(clt__engine *engine, int tensor, const clt__array *from, clt_error *error)
{
    return clt__engine_write(engine, tensor, 0, engine->tape->tensor[tensor].count, elements(from), error);
}

static clt_status write_operands(clt__engine *engine, const clt__op *op, const clt__array values[CLT__MAX_OPERANDS],
                                 clt_error *error)
{
    for (int i = 0; i < CLT__MAX_OPERANDS; i++)
        if (values[i].count) TRY(write_tensor(engine, op->tensor[i], &values[i], error));
    return CLT_OK;
}

static bool writes(const clt__op *op, int tensor)
{
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] == tensor && op->row->operand[i].access == CLT__WRITE) return true;
    return false;
}

/* What the device made, and of the op's operands those that the same launches made for it: right or wrong, the op is to
 * be judged by what it did with them. */
static clt_status read_results(clt__engine *engine, size_t first, trial *t, clt_error *error)
{
    for (int i = 0; i < clt__operand_count(t->op->row); i++) {
        const int tensor = t->op->tensor[i];
        if (tensor < 0) continue;
        TRY(read_tensor(engine, tensor, &t->result[i], error));
        for (const clt__op *op = &engine->tape->op[first]; op < t->op; op++)
            if (writes(op, tensor)) TRY(read_tensor(engine, tensor, &t->operand[i], error));
    }
    return CLT_OK;
}

/* What ops before it that are merged with it have made, and what may have been put right since, stays. */
static clt_status run_on_device(clt__engine *engine, size_t index, trial *t, clt_error *error)
{
    const size_t first = engine->ready[index].first;
    const clt__op *op = &engine->tape->op[first];
    clt__array made[CLT__MAX_MERGED][CLT__MAX_OPERANDS] = {{{0}}};
    clt_status status = CLT_OK;
    for (size_t i = 0; i < index - first && status == CLT_OK; i++)
        status = read_operands(engine, &op[i], CLT__WRITE, made[i], error);
    if (status == CLT_OK) status = clt__enqueue_op(engine, index, error);
    if (status == CLT_OK) status = read_results(engine, first, t, error);
    for (size_t i = 0; i < index - first && status == CLT_OK; i++)
        status = write_operands(engine, &op[i], made[i], error);
    for (int i = 0; i < CLT__MAX_MERGED; i++)
        for (int j = 0; j < CLT__MAX_OPERANDS; j++) free_array(&made[i][j]);
    return status;
}

static clt_status run_both(clt__engine *engine, size_t index, trial *t, clt_error *error)
{
    const int operands = clt__operand_count(t->op->row);
    for (int i = 0; i < operands; i++)
        if (t->op->tensor[i] >= 0) TRY(set_up_operand(engine, t, i, error));
    if (engine->scratch)
        TRY(clt__buffer_fill(engine->device, engine->scratch, 0,
                             engine->scratch_reals * clt__element_bytes(CLT__REALS, engine->precision), &poison, 1,
                             error));
    TRY(run_on_device(engine, index, t, error));
    return run_twin(t, &engine->ready[index].sizes, error);
}

/* ---- comparing */

/* A real's bound: the twin's slack in units of the device's roundoff, and of double's, for the twin rounds too; plus
 * what flushing subnormal numbers to zero may lose. */
double clt__bound_of(clt_precision precision, double slack)
{
    const double smallest = precision == CLT_F64 ? 0x1p-1022 : 0x1p-126;
    return slack * (roundoff_of(precision) + 0x1p-53) + (1 + slack) * smallest;
}

/* Whether a right device may have come to this: to no finite number, where the result, or what it is summed from (which
 * the slack exceeds), is beyond its range; to any number, where that is so of the sums alone, for an activation in the
 * same op makes finite numbers of what is none. */
static bool is_overflow(const clt__engine *engine, double device, double reference, double slack)
{
    const double largest = engine->precision == CLT_F64 ? DBL_MAX : FLT_MAX;
    return !(slack <= largest) || (!isfinite(device) && !(fabs(reference) + slack <= largest));
}

/* The same of what is stored as a half. The device's float lies within `bound` of the twin's number, and rounding to
 * nearest keeps the order of numbers: what is stored lies between the halves of the twin's number less the bound and of
 * that and the bound. So it is the twin's half, but where a border between two halves is no further from its number
 * than the bound. */
double clt__half_bound_of(double wanted, double bound, bool above)
{
    return fabs(clt__as_half(above ? wanted + bound : wanted - bound) - clt__as_half(wanted));
}

/* How much of its bound a difference uses; more than 1, or NaN, is too much. */
static double share_of(double difference, double bound)
{
    return difference == 0 ? 0 : difference / bound;
}

static void compare_reals(const clt__engine *engine, const trial *t, int i, double *worst, clt__verdict *verdict)
{
    const clt__tensor *tensor = &engine->tape->tensor[t->op->tensor[i]];
    for (int at = 0; at < tensor->count; at++) {
        const bool half = tensor->type == CLT__HALVES;
        const double device = t->result[i].real[at], twin = t->operand[i].real[at],
                     reference = half ? clt__as_half(twin) : twin;
        const double *slacks = t->operand[i].slack, slack = slacks ? slacks[at] : 0,
                     unstored = slacks ? clt__bound_of(engine->precision, slack) : 0,
                     bound = half ? clt__half_bound_of(twin, unstored, device >= reference) : unstored;
        /* From inputs that are not finite both may rightly come to NaN, and the device alone where it shares work
         * between neighbours, which its bound then says: training diverged, the device did no wrong. */
        const bool lost = t->tainted && ((isnan(device) && isnan(reference)) || !isfinite(bound));
        const bool overflown =
            is_overflow(engine, device, twin, slack) || (half && isinf(bound) && isinf(device - reference));
        const bool same = device == reference || lost || overflown;
        const double difference = same ? 0 : fabs(device - reference);
        const double share = share_of(difference, bound);
        if (verdict->operand && share <= *worst) continue;
        if (isnan(*worst)) return;
        *worst = share;
        verdict->operand = t->op->row->operand[i].name;
        verdict->tensor = t->op->tensor[i];
        verdict->index = at;
        verdict->device = device;
        verdict->reference = reference;
        verdict->difference = difference;
        verdict->bound = bound;
        verdict->ok = same || difference <= bound;
    }
}

static void compare_exactly(const clt__engine *engine, const trial *t, int i, clt__verdict *verdict)
{
    const clt__tensor *tensor = &engine->tape->tensor[t->op->tensor[i]];
    for (int at = 0; at < tensor->count && verdict->ok; at++) {
        const clt__array *result = &t->result[i], *wanted = &t->operand[i];
        const int device = result->integer ? result->integer[at] : result->byte[at];
        const int reference = wanted->integer ? wanted->integer[at] : wanted->byte[at];
        if (device == reference) continue;
        *verdict = (clt__verdict){.operand = t->op->row->operand[i].name,
                                  .tensor = t->op->tensor[i],
                                  .index = at,
                                  .device = device,
                                  .reference = reference,
                                  .difference = fabs((double)device - reference)};
    }
}

static bool same_bits(const clt__tensor *tensor, const clt__array *a, const clt__array *b)
{
    return memcmp(elements(a), elements(b), (size_t)tensor->count * clt__element_bytes(tensor->type, CLT_F64)) == 0;
}

static void compare_operand(const clt__engine *engine, const trial *t, int i, double *worst, clt__verdict *verdict)
{
    const clt__tensor *tensor = &engine->tape->tensor[t->op->tensor[i]];
    if (t->op->row->operand[i].access == CLT__READ) {
        if (same_bits(tensor, &t->operand[i], &t->result[i])) return;
        verdict->ok = false;
        verdict->complaint = "the op changed a tensor that it should only read";
        verdict->operand = t->op->row->operand[i].name;
        verdict->tensor = t->op->tensor[i];
    } else if (clt__is_real(tensor->type)) {
        compare_reals(engine, t, i, worst, verdict);
    } else {
        compare_exactly(engine, t, i, verdict);
    }
}

static clt_status judge(clt__engine *engine, const trial *t, clt__verdict *verdict, clt_error *error)
{
    double worst = 0;
    *verdict = (clt__verdict){.ok = true, .tensor = -1};
    for (int i = 0; i < clt__operand_count(t->op->row) && verdict->ok; i++)
        if (t->op->tensor[i] >= 0) compare_operand(engine, t, i, &worst, verdict);
    if (!verdict->ok && !verdict->complaint) verdict->complaint = "the device and the reference disagree";
    for (int i = 0; i < clt__operand_count(t->op->row) && verdict->ok; i++) {
        bool hold = true;
        if (t->op->tensor[i] >= 0) TRY(guards_hold(engine, t->op->tensor[i], &hold, error));
        if (hold) continue;
        verdict->ok = false;
        verdict->complaint = "the op wrote outside a tensor";
        verdict->operand = t->op->row->operand[i].name;
        verdict->tensor = t->op->tensor[i];
    }
    return CLT_OK;
}

/* ---- the whole of it */

/* A wrong result must not lead the ops after it astray: the device goes on with what is right. */
static clt_status correct_device(clt__engine *engine, const trial *t, clt_error *error)
{
    for (int i = 0; i < clt__operand_count(t->op->row); i++) {
        const int tensor = t->op->tensor[i];
        if (tensor >= 0) TRY(write_tensor(engine, tensor, &t->operand[i], error));
    }
    return CLT_OK;
}

static clt_status restore_guards(clt__engine *engine, const clt__op *op, clt_error *error)
{
    for (int i = 0; i < clt__operand_count(op->row); i++)
        if (op->tensor[i] >= 0) TRY(poison_guards(engine, op->tensor[i], 0, error));
    return CLT_OK;
}

void clt__engine_set_witness(clt__engine *engine, clt__witness witness, void *user)
{
    engine->witness = witness;
    engine->witness_user = user;
}

/* Where what it is to be told cannot be read it is told nothing: that the op is wrong is what the caller must hear. */
static void tell_witness(clt__engine *engine, size_t index, const trial *t, const clt__verdict *verdict)
{
    const size_t first = engine->ready[index].first;
    const clt__ready *ready = &engine->ready[first];
    clt__array before[CLT__MAX_OPERANDS], others[CLT__MAX_MERGED][CLT__MAX_OPERANDS] = {{{0}}};
    clt__evidence evidence = {.device = engine->device,
                              .precision = engine->precision,
                              .tape = engine->tape,
                              .op = t->op,
                              .launches = &ready->launches,
                              .plain = ready->plain,
                              .wanted = t->operand,
                              .verdict = verdict};
    clt_status status = CLT_OK;
    for (int i = 0; i < CLT__MAX_OPERANDS; i++) before[i] = elements(&t->before[i]) ? t->before[i] : t->operand[i];
    for (int i = 0; i < ready->launches.ops; i++) {
        const clt__op *op = &engine->tape->op[first + (size_t)i];
        evidence.merged[i].op = op;
        evidence.merged[i].sizes = &ready[i].sizes;
        evidence.merged[i].before = op == t->op ? before : others[i];
        if (op != t->op && status == CLT_OK) status = read_operands(engine, op, CLT__READ, others[i], NULL);
    }
    if (status == CLT_OK) engine->witness(engine->witness_user, &evidence);
    for (int i = 0; i < CLT__MAX_MERGED; i++)
        for (int j = 0; j < CLT__MAX_OPERANDS; j++) free_array(&others[i][j]);
}

clt_status clt__engine_verify(clt__engine *engine, size_t index, clt__verdict *verdict, clt_error *error)
{
    trial t = {.op = &engine->tape->op[index]};
    clt_status status = run_both(engine, index, &t, error);
    if (status == CLT_OK) status = judge(engine, &t, verdict, error);
    if (status == CLT_OK && !verdict->ok && engine->witness) tell_witness(engine, index, &t, verdict);
    if (status == CLT_OK && !verdict->ok) status = correct_device(engine, &t, error);
    if (status == CLT_OK) status = restore_guards(engine, t.op, error);
    for (int i = 0; i < CLT__MAX_OPERANDS; i++) {
        free_array(&t.operand[i]);
        free_array(&t.result[i]);
        free_array(&t.before[i]);
    }
    return status;
}
