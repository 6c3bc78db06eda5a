/* The op: one contract for the device, the reference, the tests and `verify`.
 *
 *   op row     what every op of a kind shares: its operands, its twin in plain C, its launch rules
 *   op         one such computation in a net: a row, sizes, and the tensors that are its operands
 *
 * Every kernel of an op takes the same arguments: the op's sizes, its operands in the row's order (NULL for an operand
 * that is absent), then the launches' scratch buffer and, where the launch says so, local memory. */
#ifndef CLT_ENGINE_OP_H
#define CLT_ENGINE_OP_H

#include "device/device.h"
#include "kernels/params.h"

enum {
    CLT__MAX_OPERANDS = 11,
    CLT__MAX_LAUNCHES = 4,
    CLT__MAX_MERGED = 3, /* ops that share launches */
    CLT__MAX_SIZES = 32, /* ints of an op's sizes */
    CLT__GUARD =
        64 /* elements before and after every tensor that a kernel may read, but whose values it must not use */
};

/* HALVES: reals that a device keeps as halves, where it computes in float; where tensors are looked at they are reals.
 */
typedef enum clt__type { CLT__REALS, CLT__INTS, CLT__BYTES, CLT__HALVES } clt__type;

typedef enum clt__access { CLT__READ, CLT__WRITE, CLT__UPDATE } clt__access;

/* An operand as a twin sees it: the pointer of its type is set, or none where the operand is absent. `slack` is set
 * while an op is verified, of what it writes: how far a right device result may lie from the twin's, in units of the
 * device's roundoff u (2^-24 for float, 2^-53 for double). It is 0 before the twin runs. ops/bounds.h derives it. */
typedef struct clt__array {
    double *real;
    double *slack;
    double roundoff; /* u, where slack may be set */
    int32_t *integer;
    uint8_t *byte;
    size_t count;
} clt__array;

/* One launch: a kernel over a range. */
typedef struct clt__launch {
    const char *kernel;
    size_t global[3], local[3]; /* local[0] = 0: the device chooses */
    bool takes_local;           /* the kernel's last argument is the launches' local memory */
} clt__launch;

/* How one run of an op goes to the device. */
typedef struct clt__launches {
    const char *op;   /* the row's name: a kernel that is all of an op is called after it. Of merged ops: theirs */
    int ops;          /* of the tape that they run, 1, or more where some are merged: not for the rule to say */
    const char *file; /* "conv.cl" */
    char
        defines[256]; /* such as the tile that the ranges were computed for; the engine adds -DOP_ and the row's name */
    bool cut;         /* more was defined than fits: a mistake of ours, which the engine refuses */
    bool bakes_sizes; /* of light ops too: without constants the kernels would be slow, and long */
    clt__launch launch[CLT__MAX_LAUNCHES];
    int count;
    double
        clocks[CLT__MAX_LAUNCHES]; /* that each takes by the model of device/tiling.h, 0 where memory alone decides */
    uint64_t scratch_reals;        /* device memory for this op alone, 0 for none */
    uint64_t moved[CLT__MAX_LAUNCHES]; /* reals of scratch memory that each reads or writes; 0 where that is all */
    int arithmetic;                    /* the launch that does most of the flops */
    uint64_t local_reals;              /* local memory of each work-group, for the launches that take it */
    double flops;                      /* the arithmetic of one run, multiplications and additions apart */
} clt__launches;

/* Adds a define, " -DVEC=%d". */
void clt__define(clt__launches *launches, const char *format, ...) CLT__PRINTF(2, 3);

typedef struct clt__op clt__op;
typedef struct clt__op_row clt__op_row;

typedef void (*clt__twin)(const void *sizes, const clt__array *operand);

/* Fills *launches, which is all zeros before, from the sizes and the limits alone. It may set those fields of `sizes`
 * that only the kernels read, and a bound: verify hands the twin these sizes. */
typedef void (*clt__launch_rule)(void *sizes, const clt__limits *limits, clt__launches *launches);

/* Any op's sizes: one of the structs of kernels/params.h, which are ints only. */
typedef struct clt__sizes {
    int number[CLT__MAX_SIZES];
} clt__sizes;

/* Ops that follow each other on a tape and may be merged: run by the same launches, whose kernels take the sizes and
 * the operands of the first, then those of the next, and so on. Each keeps its twin, by which verify looks at it alone.
 * As it then runs all of them, they only read and write; and what one writes another may read. */
typedef struct clt__merging {
    /* How many ops from this one on, of `left` that there are, may be merged: by the tape alone, for memory is planned
     * by it. 1 for none but this. Of fewer the second says how many from it on. */
    int (*count)(const clt__op *op, size_t left);
    /* A launch rule for so many ops, with sizes for each, under the tile schedule: the others' kernels are not merged.
     * False where they had better have launches of their own. */
    bool (*launch)(const clt__op *op, int count, clt__sizes *sizes, const clt__limits *limits, clt__launches *launches);
} clt__merging;

struct clt__op_row {
    const char *name;
    struct {
        const char *name;
        clt__access access;
    } operand[CLT__MAX_OPERANDS]; /* ends with a NULL name */
    uint32_t stored;              /* a bit for each operand that the kernels read and write as what is stored: real.h */
    clt__twin twin;
    /* Where all that the twin writes are sums of products: how many roundoffs of the sum of the products' absolute
     * values a result may be off. Verify runs the twin on absolute values for it; the twin has nothing to do with
     * slack. NULL: the twin fills it, and what it leaves is exact. */
    double (*growth)(const void *sizes);
    /* A closer look at that: fills the slack itself, or returns false. May be NULL. */
    bool (*bound)(const void *sizes, const clt__array *operand);
    /* What follows the sums, element by element: a fused activation. May be NULL. */
    clt__twin finish;
    clt__launch_rule launch;
    clt__launch_rule launch_tile; /* under the tile schedule, where that has kernels of its own: else NULL */
    const clt__merging *merging;  /* with ops that follow: NULL for none */
};

/* Of clt__op_row's stored: operand number i, or all that there are. */
#define CLT__STORED(i) (1u << (i))
#define CLT__ALL_STORED ((1u << CLT__MAX_OPERANDS) - 1)

struct clt__op {
    const clt__op_row *row;
    char layer[44]; /* whose op this is: "conv1", or "" */
    clt__sizes sizes;
    size_t sizes_bytes;
    int tensor[CLT__MAX_OPERANDS]; /* indices into the tape's tensors, -1 where absent */
};

int clt__operand_count(const clt__op_row *row);

/* Of a tensor's elements, in the memory of a device that computes in that precision; with CLT_F64, as the reference and
 * the engine's callers see them. */
size_t clt__element_bytes(clt__type type, clt_precision precision);

/* Whether tensors of a type hold what twins see as double. */
static inline bool clt__is_real(clt__type type)
{
    return type == CLT__REALS || type == CLT__HALVES;
}

/* How many ops from this one on, of `left` that there are, may be merged. */
int clt__mergeable(const clt__op *op, size_t left);

/* The reference's run of an op: its twin and what follows it. */
void clt__run_twin(const clt__op_row *row, const void *sizes, const clt__array *operand);

/* For twins that add up where they write: every real, if there are any, becomes 0. */
void clt__clear(const clt__array *array);

#endif
