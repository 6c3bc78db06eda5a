#include "net/memory_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

/* ---- when a tensor is needed */

typedef struct lifetime {
    int tensor;
    int first, last; /* the ops that write it first and use it last; -1 where none does */
    bool lasts;      /* it has to stay where it is */
} lifetime;

/* Of an op that may run with others, from `first` to `last`: the tensor is then needed by all of them. */
static void note_use(lifetime *life, size_t first, size_t last, clt__access access)
{
    if (life->first < 0) {
        life->first = (int)first;
        if (access != CLT__WRITE) life->lasts = true; /* it came from elsewhere, or from the step before */
    }
    life->last = (int)last;
}

static void note_operands(const clt__tape *tape, size_t op, size_t first, size_t last, lifetime *life)
{
    const clt__op *noted = &tape->op[op];
    for (int i = 0; i < clt__operand_count(noted->row); i++)
        if (noted->tensor[i] >= 0) note_use(&life[noted->tensor[i]], first, last, noted->row->operand[i].access);
}

/* A row a tensor. Roots that others lie in, and those others, are not moved again. */
static void find_lifetimes(const clt__tape *tape, const int *lasting, size_t count, bool merges, lifetime *life)
{
    for (size_t i = 0; i < tape->tensor_count; i++) life[i] = (lifetime){.tensor = (int)i, .first = -1, .last = -1};
    for (size_t i = 0; i < count; i++)
        if (lasting[i] >= 0) life[lasting[i]].lasts = true;
    for (size_t i = 0; i < tape->tensor_count; i++)
        if (tape->tensor[i].root != (int)i) life[i].lasts = life[tape->tensor[i].root].lasts = true;
    for (size_t i = 0, end; i < tape->op_count; i = end) {
        end = i + (merges ? (size_t)clt__mergeable(&tape->op[i], tape->op_count - i) : 1);
        for (size_t j = i; j < end; j++) note_operands(tape, j, i, end - 1, life);
    }
}

/* ---- where it goes
 *
 * Greedy by size (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020): the largest
 * tensor first, each at the lowest place that is free for as long as it is needed. */

typedef struct placing {
    clt__tape *tape;
    lifetime *life; /* those to be placed, largest first */
    size_t count;
    uint64_t most;
} placing;

static int compare_sizes(const void *a, const void *b, const clt__tape *tape)
{
    const lifetime *x = a, *y = b;
    const int difference = tape->tensor[y->tensor].count - tape->tensor[x->tensor].count;
    return difference ? difference : x->tensor - y->tensor;
}

/* Insertion sort: there are few, and qsort could not know the tape. */
static void sort_by_size(const clt__tape *tape, lifetime *life, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const lifetime moved = life[i];
        size_t at = i;
        for (; at > 0 && compare_sizes(&life[at - 1], &moved, tape) > 0; at--) life[at] = life[at - 1];
        life[at] = moved;
    }
}

static bool needed_together(const lifetime *a, const lifetime *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset in `root` at which nothing lies that is needed while life[index] is. Places move up past one
 * obstacle after another until none is in the way. */
static uint64_t free_place(const placing *p, size_t index, int root)
{
    const uint64_t size = clt__tape_room(&p->tape->tensor[p->life[index].tensor]);
    uint64_t place = 0;
    for (size_t i = 0; i < index;) {
        const clt__tensor *other = &p->tape->tensor[p->life[i].tensor];
        const uint64_t begin = (uint64_t)other->offset, end = begin + clt__tape_room(other);
        const bool in_the_way =
            other->root == root && needed_together(&p->life[index], &p->life[i]) && begin < place + size && place < end;
        if (in_the_way) place = end;
        i = in_the_way ? 0 : i + 1;
    }
    return place;
}

static clt_status put(const placing *p, size_t index, int root, int offset, clt_error *error)
{
    const lifetime *life = &p->life[index];
    p->tape->tensor[life->tensor].first = life->first;
    p->tape->tensor[life->tensor].last = life->last;
    return clt__tape_move(p->tape, life->tensor, root, offset, error);
}

/* The first root of the tensor's type that has room for it, or a fresh one. */
static clt_status place(const placing *p, size_t index, clt_error *error)
{
    const int tensor = p->life[index].tensor;
    const uint64_t size = clt__tape_room(&p->tape->tensor[tensor]);
    for (size_t i = 0; i < p->tape->tensor_count; i++) {
        const clt__tensor *root = &p->tape->tensor[i];
        if (!root->shared || root->root != (int)i || root->type != p->tape->tensor[tensor].type) continue;
        const uint64_t at = free_place(p, index, (int)i);
        if (at + size > p->most) continue;
        return put(p, index, (int)i, (int)at, error);
    }
    int root;
    char name[32];
    (void)snprintf(name, sizeof name, "memory.%d", tensor);
    TRY(clt__tape_add_root(p->tape, name, p->tape->tensor[tensor].type, &root, error));
    p->tape->tensor[root].shared = true;
    return put(p, index, root, 0, error);
}

clt_status clt__share_memory(clt__tape *tape, const int *lasting, size_t count, bool merges, uint64_t most,
                             clt_error *error)
{
    placing p = {.tape = tape, .most = most < INT32_MAX ? most : INT32_MAX};
    TRY(clt__allocate(tape->tensor_count, sizeof *p.life, "the tensors' lifetimes", &p.life, error));
    find_lifetimes(tape, lasting, count, merges, p.life);
    for (size_t i = 0; i < tape->tensor_count; i++)
        if (!p.life[i].lasts && p.life[i].first >= 0) p.life[p.count++] = p.life[i];
    sort_by_size(tape, p.life, p.count);
    clt_status status = CLT_OK;
    for (size_t i = 0; i < p.count && status == CLT_OK; i++) status = place(&p, i, error);
    free(p.life);
    return status;
}
