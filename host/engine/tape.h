/* The tape: the tensors of a net and its ops in the order in which a step runs them. Made by net/, run by the engine.
 *
 * Tensors lie in roots. A tensor of its own is its own root; parameters share one root, their gradients another, so
 * that one launch updates them all:
 *
 *   root "parameters":   | conv1.weight ....gap| conv1.bias ....gap| dense1.weight ........gap|
 *
 * A gap is at least CLT__GUARD elements; between tensors that last it is zero. Tensors that are never needed at the
 * same time may share a root's memory: see net/memory_plan.h.
 *
 * Where shards wait for each other on their way through the tape, some roots are there once for each shard: a bank of
 * memory a shard, of which the engine uses one at a time. */
#ifndef CLT_ENGINE_TAPE_H
#define CLT_ENGINE_TAPE_H

#include "engine/op.h"

/* How a tensor's memory order relates to the order that files and the public interface use. */
typedef enum clt__order {
    CLT__PLAIN,  /* the same */
    CLT__IMAGES, /* [n,c,h,w] outside, [n,h,w,c] inside */
    CLT__FILTERS /* [o,i,h,w] outside, [h,w,i,o] inside; a dense weight is a filter as large as its input image */
} clt__order;

typedef struct clt__tensor {
    char name[64];
    clt__type type;
    clt__order order;
    int extent[4]; /* in the outside order; 1 where unused */
    int shown;     /* how many extents PyTorch would show: [o, i*h*w] for a dense weight is 2 */
    int count;
    int root;        /* index of the root it lies in; its own index if it is one */
    int offset;      /* elements from the root's start */
    bool shared;     /* others lie in the same memory at other times; of a root: that it is such memory */
    int first, last; /* of a shared tensor: the ops between which it is needed */
    bool banked;     /* of a root: each bank has its own */
} clt__tensor;

enum { CLT__MOST_FOUND = 2 };

/* Where shards wait for each other: before the op runs in any of them, what each has found, one tensor or two, is a row
 * of a tensor that all read. */
typedef struct clt__sync {
    size_t op;
    int found[CLT__MOST_FOUND]; /* the second may be -1 */
    int all;
} clt__sync;

/* Of a tensor's extents: [o, i] of a dense weight; [c, h, w], where the first extent is 1; all of a filter's. */
enum { CLT__SHOWN_MATRIX = 2, CLT__SHOWN_IMAGE = 3, CLT__SHOWN_FILTER = 4 };

typedef struct clt__tape {
    clt__tensor *tensor;
    size_t tensor_count, tensor_capacity;
    clt__op *op;
    size_t op_count, op_capacity;
    clt__sync *sync; /* in the order of the ops */
    size_t sync_count, sync_capacity;
    int banks;        /* 0 is 1 */
    clt__type stored; /* of activations, their gradients and images on their way to the net: reals or halves */
} clt__tape;

/* Adds a tensor and gives its index. root: -1 for one of its own, else a root made by clt__tape_add_root. More than
 * 2^31 - 1 elements is an error. */
clt_status clt__tape_add(clt__tape *tape, const char *name, clt__type type, clt__order order, const int extent[4],
                         int shown, int root, int *index, clt_error *error);
/* A root without elements yet. */
clt_status clt__tape_add_root(clt__tape *tape, const char *name, clt__type type, int *index, clt_error *error);

/* Elements that a tensor takes in a root, its gap included. */
uint64_t clt__tape_room(const clt__tensor *tensor);

/* Moves a tensor of its own to an offset in a root that tensors share; the root grows where it has to. */
clt_status clt__tape_move(clt__tape *tape, int tensor, int root, int offset, clt_error *error);

/* Appends an op. `tensor` lists `operands` tensors, -1 for one that is absent: an error of ours, and reported, where
 * the row has another number, or an operand is of another type than the row's kernels take it for. */
clt_status clt__tape_add_op(clt__tape *tape, const clt__op_row *row, const char *layer, const void *sizes,
                            size_t sizes_bytes, const int *tensor, int operands, clt_error *error);

/* The same with `sizes`, a struct, and `tensor`, an array, as they are. */
#define CLT__ADD_OP(tape, row, layer, sizes, tensor, error)                        \
    clt__tape_add_op(tape, row, layer, &(sizes), CLT__CHECKED_SIZE(sizes), tensor, \
                     (int)(sizeof(tensor) / sizeof *(tensor)), error)
#define CLT__CHECKED_SIZE(sizes)                                                        \
    (sizeof(sizes) + 0 * sizeof(struct {                                                \
                         _Static_assert(sizeof(sizes) <= sizeof(clt__sizes),            \
                                        "CLT__MAX_SIZES is too small for these sizes"); \
                         int unused;                                                    \
                     }))

/* The next op that is added waits for all shards: they leave what they find in the tensors `found`, and it reads `all`.
 */
clt_status clt__tape_add_sync(clt__tape *tape, int found, int found_too, int all, clt_error *error);

/* -1 where there is none of that name. */
int clt__tape_find(const clt__tape *tape, const char *name);

void clt__tape_free(clt__tape *tape);

/* How often a root is there: once, or once in each bank. */
int clt__root_banks(const clt__tape *tape, int root);

/* Where element `at` of the outside order lies inside. */
int clt__inside_index(const clt__tensor *tensor, int at);

/* The extents as PyTorch would show them, a dense weight's [o, i] for one: their number, and their values. */
int clt__shown_extents(const clt__tensor *tensor, int extent[4]);

/* "64x28x28x6": the extents in the outside order. */
void clt__shape_text(const clt__tensor *tensor, char *text, size_t size);

#endif
