/* The op: one contract for the device, the reference, the tests and `verify`.
 *
 *   op row     what every op of a kind shares: its operands, its twin in plain C, its launch rule
 *   op         one such computation in a net: a row, sizes, and the tensors that are its operands
 *
 * Every kernel of an op takes the same arguments: the op's sizes, its operands in the row's order (NULL for an operand
 * that is absent), then the launch plan's scratch buffer and, where the launch says so, local memory. */
#ifndef CLT_ENGINE_OP_H
#define CLT_ENGINE_OP_H

#include "device/device.h"
#include "kernels/params.h"

enum {
    CLT__MAX_OPERANDS = 10,
    CLT__MAX_LAUNCHES = 2,
    CLT__GUARD =
        64 /* elements before and after every tensor that a kernel may read, but whose values it must not use */
};

typedef enum clt__type { CLT__REALS, CLT__INTS, CLT__BYTES } clt__type;

typedef enum clt__access { CLT__READ, CLT__WRITE, CLT__UPDATE } clt__access;

/* An operand as a twin sees it: the pointer of its type is set, or none where the operand is absent. Where `slack` is
 * set too, the twin writes there, for each real it writes, how far a right device result may lie from its own, in units
 * of the device's roundoff u (2^-24 for float, 2^-53 for double). layers/bounds.h derives it. */
typedef struct clt__array {
    double *real;
    double *slack;
    double roundoff; /* u, where slack is set */
    int32_t *integer;
    uint8_t *byte;
} clt__array;

/* One launch: a kernel over a range. */
typedef struct clt__launch {
    const char *kernel;
    size_t global[3], local[3]; /* local[0] = 0: the device chooses */
    bool takes_local;           /* the kernel's last argument is the plan's local memory */
} clt__launch;

typedef struct clt__launch_plan {
    const char *file; /* "conv.cl" */
    char
        defines[256]; /* such as the tile that the ranges were computed for; the engine adds -DOP_ and the row's name */
    clt__launch launch[CLT__MAX_LAUNCHES];
    int launches;
    uint64_t scratch_reals; /* device memory for this op alone, 0 for none */
    uint64_t local_reals;   /* local memory of each work-group, for the launches that take it */
    double flops;           /* the arithmetic of one run, multiplications and additions apart */
} clt__launch_plan;

typedef struct clt__op_row {
    const char *name;
    struct {
        const char *name;
        clt__access access;
    } operand[CLT__MAX_OPERANDS]; /* ends with a NULL name */
    void (*twin)(const void *sizes, const clt__array *operand);
    /* Fills *plan for this device; may set those fields of `sizes` that only the device variant reads, and the twin
     * where the slack depends on the variant: verify hands it the planned sizes. */
    clt_status (*plan)(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
    /* The same under the tile schedule, where that has kernels of its own: else NULL. */
    clt_status (*plan_tile)(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error);
} clt__op_row;

typedef union clt__sizes {
    conv_sizes conv;
    dense_sizes dense;
    pool_sizes pool;
    norm_sizes norm;
    element_sizes element;
    average_sizes average;
    dropout_sizes dropout;
    resample_sizes resample;
    group_norm_sizes group_norm;
    softmax_sizes softmax;
    channel_sizes channel;
    join_sizes join;
    loss_sizes loss;
    batch_sizes batch;
    augment_sizes augment;
    mix_sizes mix;
    update_sizes update;
} clt__sizes;

typedef struct clt__op {
    const clt__op_row *row;
    char layer[32]; /* whose op this is: "conv1", or "" */
    clt__sizes sizes;
    size_t sizes_bytes;
    int tensor[CLT__MAX_OPERANDS]; /* indices into the tape's tensors, -1 where absent */
} clt__op;

int clt__operand_count(const clt__op_row *row);

/* For twins that add up where they write: `count` reals, and their slack where it is wanted, become 0. */
void clt__clear(const clt__array *array, size_t count);

#endif
