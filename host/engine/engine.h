/* The engine runs a tape's ops: on the device, on the reference, or on both and compares. */
#ifndef CLT_ENGINE_ENGINE_H
#define CLT_ENGINE_ENGINE_H

#include "device/tuning.h"
#include "engine/tape.h"

typedef struct clt__engine clt__engine;

/* What the tuning of a tape's op is kept under. It points into the op. */
clt__tuning_key clt__tuning_key_of(const clt__tape *tape, const clt__op *op, clt_precision precision);

/* The launches by the row's rule for the schedule that the limits say. */
void clt__find_launches(const clt__op_row *row, clt__sizes *sizes, const clt__limits *limits, clt__launches *launches);

/* Of an op's kernels: those that it shares with ops that follow, if there are; its own; the plainest. */
typedef enum clt__kernels { CLT__MERGED, CLT__OWN, CLT__PLAINEST } clt__kernels;

/* The launches on this device of a tape's op number `index` and of those that are merged with it, and their sizes with
 * what the rule set: of an op alone by the limits that were tuned for it, if any; ops that were tuned are not merged.
 * Work-groups have at most `most_items` items. */
clt_status clt__launches_of(const clt_device *device, clt_precision precision, const clt__tape *tape, size_t index,
                            clt__kernels kernels, int most_items, clt__sizes sizes[CLT__MAX_MERGED],
                            clt__launches *launches, clt_error *error);

/* What the program of these launches is built with; `op` is the first of those that are merged. */
enum { CLT__MOST_DEFINES = 1200 };
clt_status clt__defines_of(const clt_device *device, clt_precision precision, const clt__tape *tape, const clt__op *op,
                           const clt__sizes *sizes, const clt__launches *launches, bool plain,
                           char defines[CLT__MOST_DEFINES], clt_error *error);

/* Of the operands that an op reads, or writes, with reals kept in that precision; what it updates it does both with. */
double clt__operand_bytes(const clt__tape *tape, const clt__op *op, clt_precision kept, bool written);

/* The same of all `ops` that are merged, what one of them has for another not counted. */
double clt__merged_bytes(const clt__tape *tape, const clt__op *op, int ops, clt_precision kept, bool written);

/* Whether both run the same kernels in the same way. */
bool clt__same_launches(const clt__launches *a, const clt__launches *b);

/* What a tape takes of a device's memory: in all, in the largest single piece, and for the ops' scratch space. */
typedef struct clt__needs {
    uint64_t total, largest, scratch;
} clt__needs;

/* Elements of a root that takes `bytes` of memory. */
uint64_t clt__engine_room(uint64_t bytes, clt_precision precision);

clt_status clt__engine_needs(clt_device *device, const clt__tape *tape, clt_precision precision, clt__needs *needs,
                             clt_error *error);

/* CLT_NO_DEVICE where the device does not compute in it. */
clt_status clt__check_precision(const clt_device *device, clt_precision precision, clt_error *error);

/* Allocates every tensor (zeroed), finds every op's launches, sets every kernel argument. The device and the tape must
 * outlive the engine, and the tape must not change. The options' progress function (they may be NULL) hears of programs
 * being built. */
clt_status clt__engine_open(clt_device *device, const clt__tape *tape, clt_precision precision,
                            const clt_options *options, clt__engine **engine, clt_error *error);
void clt__engine_close(clt__engine *engine);

clt_device *clt__engine_device(const clt__engine *engine);

/* From now on all is about this bank's memory; the engine begins with the first, 0. */
void clt__engine_use_bank(clt__engine *engine, int bank);

/* Runs the ops begin <= op < end; on a device that means enqueues them. What is merged with an op before it was run
 * with that. */
clt_status clt__engine_run(clt__engine *engine, size_t begin, size_t end, clt_error *error);

/* Has the device begin what was enqueued: some drivers wait for more until somebody reads. Does not wait itself. */
clt_status clt__engine_flush(clt__engine *engine, clt_error *error);

/* Waits until the device has done all that was enqueued. */
clt_status clt__engine_finish(clt__engine *engine, clt_error *error);

/* Of one run of op `index` and what is merged with it: their name, how many they are (0: it is merged with one before
 * it), launches, arithmetic, and the bytes of their operands. */
typedef struct clt__work {
    const char *op;
    int ops;
    int launches;
    double flops, bytes;
} clt__work;

clt__work clt__engine_work(const clt__engine *engine, size_t index);

/* How the device runs an op: which of the launches' ops it is, counted from 0, and whether they are the plainest that
 * there are. Only for a device. */
typedef struct clt__manner {
    clt__launches launches;
    size_t place;
    bool plain;
} clt__manner;

clt__manner clt__engine_manner(const clt__engine *engine, size_t index);
bool clt__same_manner(const clt__manner *a, const clt__manner *b);

/* Elements first .. first + count of a tensor, in the inside order: double for reals, int32_t for ints, uint8_t for
 * bytes. Both wait for the device. */
clt_status clt__engine_read(clt__engine *engine, int tensor, int first, int count, void *to, clt_error *error);
clt_status clt__engine_write(clt__engine *engine, int tensor, int first, int count, const void *from, clt_error *error);

/* All of a tensor of reals; *values is freed with free(). */
clt_status clt__engine_read_reals(clt__engine *engine, int tensor, double **values, clt_error *error);

/* A write beside the ops that run: it begins once what was enqueued before it has ended. */
typedef struct clt__transfer {
    clt__upload *upload;
    void *values;
} clt__transfer;

/* Like clt__engine_write, but `from`, which clt__allocate made, is taken over (also when it fails), and the write has
 * ended only for ops that are enqueued after clt__engine_join_write. */
clt_status clt__engine_begin_write(clt__engine *engine, int tensor, int first, int count, void *from,
                                   clt__transfer *transfer, clt_error *error);
clt_status clt__engine_join_write(clt__engine *engine, const clt__transfer *transfer, clt_error *error);
/* Waits for the write itself, says whether it failed, and makes the transfer all zeros again; nothing for one that is
 * so already. */
clt_status clt__engine_end_write(clt__transfer *transfer, clt_error *error);

/* Bytes of an element of a tensor of reals, as the device keeps it. */
size_t clt__engine_real_bytes(const clt__engine *engine);

/* The next two move elements as the device keeps them. A read beside the ops that run: it begins once what was enqueued
 * before it has ended, and clt__engine_end_read waits for it; `to` holds still until then. */
clt_status clt__engine_begin_read(clt__engine *engine, int tensor, int first, int count, void *to,
                                  clt__upload **transfer, clt_error *error);
/* What is enqueued from now on comes after it; NULL is one that has ended. */
clt_status clt__engine_join_read(clt__engine *engine, const clt__upload *transfer, clt_error *error);
bool clt__engine_is_read(const clt__upload *transfer);
clt_status clt__engine_end_read(clt__upload **transfer, clt_error *error);
clt_status clt__engine_write_kept(clt__engine *engine, int tensor, int first, int count, const void *from,
                                  clt_error *error);

/* Sets a tensor of exactly STEP_LENGTH ints without waiting. */
clt_status clt__engine_set_step(clt__engine *engine, int tensor, const int32_t value[STEP_LENGTH], clt_error *error);

/* Sets the first elements of a hyper tensor, those of a step, without waiting. */
clt_status clt__engine_set_hyper(clt__engine *engine, int tensor, const double value[HYPER_STEP_LENGTH],
                                 clt_error *error);

/* What came of running one op on both: the output that came nearest to its bound, or went furthest beyond it. */
typedef struct clt__verdict {
    bool ok;
    const char *operand; /* the op's output where that was */
    int tensor, index;   /* in the inside order */
    double device, reference, difference, bound;
    const char *complaint; /* NULL when ok: what is wrong, in a few words */
} clt__verdict;

/* All that is known of an op that was found wrong. Operands that are absent have no elements. `merged` are the
 * launches->ops ops, of which it is one, that the launches run, their sizes as the launch rule set them, and what they
 * read or update; of one alone that is what it is. */
typedef struct clt__evidence {
    clt_device *device;
    clt_precision precision;
    const clt__tape *tape;
    const clt__op *op;
    struct {
        const clt__op *op;
        const clt__sizes *sizes;
        const clt__array *before;
    } merged[CLT__MAX_MERGED];
    const clt__launches *launches;
    bool plain;
    const clt__array *wanted; /* what it writes or updates: the twin's, with slack */
    const clt__verdict *verdict;
} clt__evidence;

/* How far a right result may lie from the twin's, whose slack is given. */
double clt__bound_of(clt_precision precision, double slack);
/* ... once both are halves: from the twin's number as it was before it was rounded, and the bound by it; `above`: the
 * device's half is not below the twin's. */
double clt__half_bound_of(double wanted, double bound, bool above);

/* Calls `witness` for every op that clt__engine_verify finds wrong; NULL ends that. */
typedef void (*clt__witness)(void *user, const clt__evidence *evidence);
void clt__engine_set_witness(clt__engine *engine, clt__witness witness, void *user);

/* Runs op `index` on the device and its twin on the same inputs. The op's outputs are NaN before it runs, and guards
 * around them are checked after. The device's results stay if they are right, else the twin's take their place, so that
 * the next op can be verified. Only for a device. */
clt_status clt__engine_verify(clt__engine *engine, size_t index, clt__verdict *verdict, clt_error *error);

#endif
