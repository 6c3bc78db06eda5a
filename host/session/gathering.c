#include "session/gathering.h"

#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "session/steps.h"
#include "team/team.h"

typedef clt__bucket bucket;

struct clt__gathering {
    const clt_collective *team;
    const clt__net *net;
    clt__engine *engine;
    bool rounds;               /* sums to float, as the reference does */
    size_t size;               /* bytes of a number */
    size_t gradients, numbers; /* of a shard; what is no gradient comes after */
    int shards;
    int own, most_own; /* shards of this rank, and of the rank that has most */
    bucket *bucket;
    size_t buckets;
    char *shard;            /* [own][numbers] */
    clt__upload **download; /* [own][buckets], NULL where it has ended */
    void **exchange;        /* [most_own][buckets], NULL where none is under way */
    char *sum;              /* [numbers] */
    char *parts;            /* the buckets' own */
    clt_block *send, *receive;
};

/* ---- buckets */

/* The op behind the last that writes to a tensor of the backward ops. */
static size_t op_after(const clt__net *net, int tensor)
{
    size_t after = net->backward;
    for (size_t i = net->backward; i < net->gather; i++) {
        const clt__op *op = &net->tape.op[i];
        for (int j = 0; j < clt__operand_count(op->row); j++)
            if (op->tensor[j] == tensor && op->row->operand[j].access != CLT__READ) after = i + 1;
    }
    return after;
}

/* A net's numbers on their way into buckets. */
typedef struct cutting {
    const clt__net *net;
    size_t gradients, numbers; /* as in clt__gathering */
    int most;                  /* numbers of a bucket */
    bucket *bucket;
    size_t buckets;
} cutting;

static cutting begin_cutting(const clt__net *net, double bucket_mb, size_t real_bytes)
{
    const double wanted = bucket_mb * 1e6 / (double)real_bytes;
    cutting c = {.net = net, .most = wanted < 1024 ? 1024 : wanted > INT32_MAX ? INT32_MAX : (int)wanted};
    c.gradients = (size_t)net->tape.tensor[net->of_shard].count;
    c.numbers = c.gradients + (net->running_sum >= 0 ? (size_t)net->tape.tensor[net->running].count : 0);
    return c;
}

/* In pieces. */
static void add_buckets(cutting *c, int tensor, int first, int end, size_t at, size_t op)
{
    if (c->buckets && op < c->bucket[c->buckets - 1].op) op = c->bucket[c->buckets - 1].op;
    while (end > first) {
        const int begin = end - first > c->most ? end - c->most : first;
        c->bucket[c->buckets++] = (bucket){
            .tensor = tensor, .first = begin, .count = end - begin, .at = at + (size_t)(begin - first), .op = op};
        end = begin;
    }
}

/* The backward ops end with the first layers, whose parameters come first. */
static void cut_gradients(cutting *c)
{
    const clt__net *net = c->net;
    int end = (int)c->gradients;
    size_t op = net->backward;
    if (net->of_shard != net->gradients) {
        add_buckets(c, net->of_shard, 0, end, 0, net->gather);
        return;
    }
    for (int i = (int)net->tape.tensor_count - 1; i >= 0; i--) {
        const clt__tensor *tensor = &net->tape.tensor[i];
        if (tensor->root != net->gradients || i == net->gradients) continue;
        const size_t after = op_after(net, i);
        if (after > op) op = after;
        if (end - tensor->offset < c->most && tensor->offset > 0) continue;
        add_buckets(c, net->gradients, tensor->offset, end, (size_t)tensor->offset, op);
        end = tensor->offset;
    }
}

clt_status clt__cut_buckets(const clt__net *net, double bucket_mb, size_t real_bytes, clt__bucket **buckets,
                            size_t *count, clt_error *error)
{
    cutting c = begin_cutting(net, bucket_mb, real_bytes);
    const size_t pieces = c.numbers / (size_t)c.most + net->tape.tensor_count + 2;
    TRY(clt__allocate(pieces, sizeof *c.bucket, "buckets of gradients", &c.bucket, error));
    if (c.numbers > c.gradients)
        add_buckets(&c, net->running, 0, (int)(c.numbers - c.gradients), c.gradients, net->backward);
    if (c.gradients) cut_gradients(&c);
    *buckets = c.bucket;
    *count = c.buckets;
    return CLT_OK;
}

/* Where a rank's slice of a bucket begins, in numbers; that of the next rank is its end. */
static size_t slice_of(const clt__gathering *g, const bucket *b, int rank)
{
    return clt__team_begin_of(g->team, (size_t)b->count, rank);
}

static size_t slice_bytes(const clt__gathering *g, const bucket *b, int rank)
{
    return (slice_of(g, b, rank + 1) - slice_of(g, b, rank)) * g->size;
}

/* ---- shards of ranks */

static int first_shard(const clt__gathering *g, int rank)
{
    return (int)clt__team_begin_of(g->team, (size_t)g->shards, rank);
}

/* The rank's shard number `own`, counted from its first; -1 where it has none, or that one has no images. */
static int shard_of(const clt__gathering *g, int rank, int own, int filled)
{
    const int shard = first_shard(g, rank) + own;
    return shard < first_shard(g, rank + 1) && shard < filled ? shard : -1;
}

/* ---- opening and closing */

static clt_status allocate(clt__gathering *g, clt_error *error)
{
    const size_t own = (size_t)g->own, ranks = (size_t)g->team->size;
    size_t sliced = 0;
    for (size_t i = 0; i < g->buckets; i++) sliced += slice_bytes(g, &g->bucket[i], g->team->rank);
    TRY(clt__allocate(own * g->numbers, g->size, "the gradients of shards", &g->shard, error));
    TRY(clt__allocate(g->numbers, g->size, "the sum of gradients", &g->sum, error));
    TRY(clt__allocate((uint64_t)g->shards, sliced, "slices of gradients", &g->parts, error));
    TRY(clt__allocate(own * g->buckets, sizeof *g->download, "reads of gradients", &g->download, error));
    TRY(clt__allocate((uint64_t)g->most_own * g->buckets, sizeof *g->exchange, "exchanges", &g->exchange, error));
    TRY(clt__allocate(ranks, sizeof *g->send, "blocks of an exchange", &g->send, error));
    TRY(clt__allocate(ranks, sizeof *g->receive, "blocks of an exchange", &g->receive, error));
    char *part = g->parts;
    for (size_t i = 0; i < g->buckets; i++) {
        g->bucket[i].parts = part;
        part += (size_t)g->shards * slice_bytes(g, &g->bucket[i], g->team->rank);
    }
    return CLT_OK;
}

clt_status clt__gathering_open(const clt__net *net, clt__engine *engine, clt_precision precision,
                               const clt_options *options, clt__gathering **gathering, clt_error *error)
{
    const clt_collective *team = options->collective;
    clt__gathering *g;
    TRY(clt__allocate(1, sizeof *g, "the gathering of gradients", gathering, error));
    g = *gathering;
    g->team = team;
    g->net = net;
    g->engine = engine;
    g->size = clt__engine_real_bytes(engine);
    g->rounds = precision == CLT_F32 && g->size == sizeof(double);
    const cutting c = begin_cutting(net, options->bucket_mb, g->size);
    g->gradients = c.gradients;
    g->numbers = c.numbers;
    g->shards = options->shards;
    for (int r = 0; r < team->size; r++) {
        const int own = first_shard(g, r + 1) - first_shard(g, r);
        if (own > g->most_own) g->most_own = own;
        if (r == team->rank) g->own = own;
    }
    TRY(clt__cut_buckets(net, options->bucket_mb, g->size, &g->bucket, &g->buckets, error));
    return allocate(g, error);
}

/* After a failure. */
static void withdraw(const clt__gathering *g, void *exchange)
{
    if (exchange) g->team->withdraw(g->team->user, exchange);
}

void clt__gathering_close(clt__gathering *g)
{
    if (!g) return;
    for (size_t i = 0; g->exchange && i < (size_t)g->most_own * g->buckets; i++) withdraw(g, g->exchange[i]);
    for (size_t i = 0; i < g->buckets; i++) withdraw(g, g->bucket[i].sums);
    for (size_t i = 0; g->download && i < (size_t)g->own * g->buckets; i++)
        (void)clt__engine_end_read(&g->download[i], NULL); /* it writes to what is freed */
    free(g->bucket);
    free(g->shard);
    free(g->sum);
    free(g->parts);
    free(g->download);
    free(g->exchange);
    free(g->send);
    free(g->receive);
    free(g);
}

/* ---- reading */

size_t clt__gathering_buckets(const clt__gathering *g)
{
    return g->buckets;
}

size_t clt__gathering_op(const clt__gathering *g, size_t number)
{
    return g->bucket[number].op;
}

static char *numbers_of(const clt__gathering *g, int own, const bucket *b)
{
    return g->shard + ((size_t)own * g->numbers + b->at) * g->size;
}

clt_status clt__gathering_read(clt__gathering *g, int own, size_t number, clt_error *error)
{
    const bucket *b = &g->bucket[number];
    return clt__engine_begin_read(g->engine, b->tensor, b->first, b->count, numbers_of(g, own, b),
                                  &g->download[(size_t)own * g->buckets + number], error);
}

clt_status clt__gathering_join(clt__gathering *g, int own, clt_error *error)
{
    for (size_t i = 0; i < g->buckets; i++)
        TRY(clt__engine_join_read(g->engine, g->download[(size_t)own * g->buckets + i], error));
    return CLT_OK;
}

/* Meanwhile exchanges go on. */
static clt_status wait_for(const clt__gathering *g, clt__upload **download, clt_error *error)
{
    const struct timespec a_moment = {.tv_nsec = 50000};
    while (g->team->progress && !clt__engine_is_read(*download)) {
        g->team->progress(g->team->user);
        (void)nanosleep(&a_moment, NULL);
    }
    return clt__engine_end_read(download, error);
}

/* ---- exchanging */

/* Each rank's shard number `own` goes to all ranks, a slice to each. */
static clt_status begin_slices(clt__gathering *g, int own, size_t number, int filled, clt_error *error)
{
    const bucket *b = &g->bucket[number];
    const size_t mine = slice_bytes(g, b, g->team->rank);
    const int sent = shard_of(g, g->team->rank, own, filled);
    for (int r = 0; r < g->team->size; r++) {
        const int shard = shard_of(g, r, own, filled);
        g->send[r] = sent < 0 ? (clt_block){0}
                              : (clt_block){numbers_of(g, own, b) + slice_of(g, b, r) * g->size, slice_bytes(g, b, r)};
        g->receive[r] = shard < 0 ? (clt_block){0} : (clt_block){b->parts + (size_t)shard * mine, mine};
    }
    return clt__team_begin(g->team, g->send, g->receive, &g->exchange[(size_t)own * g->buckets + number], error);
}

static void add_floats(float *sum, const float *part, size_t count)
{
    for (size_t i = 0; i < count; i++) sum[i] += part[i];
}

static void add_doubles(double *sum, const double *part, size_t count, bool rounds)
{
    for (size_t i = 0; i < count; i++) sum[i] = rounds ? (double)(float)(sum[i] + part[i]) : sum[i] + part[i];
}

/* This rank's slice, over shards in their order, as the op `accumulate` does it. */
static void sum_slice(const clt__gathering *g, const bucket *b, int filled)
{
    const size_t bytes = slice_bytes(g, b, g->team->rank), count = bytes / g->size;
    char *sum = g->sum + (b->at + slice_of(g, b, g->team->rank)) * g->size;
    for (size_t i = 0; i < bytes; i++) sum[i] = 0;
    for (int s = 0; s < filled; s++) {
        const char *part = b->parts + (size_t)s * bytes;
        if (g->size == sizeof(float))
            add_floats((void *)sum, (const void *)part, count);
        else
            add_doubles((void *)sum, (const void *)part, count, g->rounds);
    }
}

static clt_status begin_sums(clt__gathering *g, bucket *b, clt_error *error)
{
    char *sum = g->sum + b->at * g->size;
    for (int r = 0; r < g->team->size; r++) {
        g->send[r] = (clt_block){sum + slice_of(g, b, g->team->rank) * g->size, slice_bytes(g, b, g->team->rank)};
        g->receive[r] = (clt_block){sum + slice_of(g, b, r) * g->size, slice_bytes(g, b, r)};
    }
    return clt__team_begin(g->team, g->send, g->receive, &b->sums, error);
}

static clt_status end_exchange(const clt__gathering *g, void **exchange, clt_error *error)
{
    void *ended = *exchange;
    *exchange = NULL;
    return clt__team_end(g->team, ended, error);
}

static clt_status sum_bucket(clt__gathering *g, size_t number, int filled, clt_error *error)
{
    for (int own = 0; own < g->most_own; own++)
        TRY(end_exchange(g, &g->exchange[(size_t)own * g->buckets + number], error));
    sum_slice(g, &g->bucket[number], filled);
    return begin_sums(g, &g->bucket[number], error);
}

/* The last shard's buckets come one after another, with the ops that make them: meanwhile those before are summed. */
static clt_status exchange(clt__gathering *g, int filled, clt_error *error)
{
    for (int own = 0; own < g->most_own; own++)
        for (size_t i = 0; i < g->buckets; i++) {
            if (shard_of(g, g->team->rank, own, filled) >= 0)
                TRY(wait_for(g, &g->download[(size_t)own * g->buckets + i], error));
            TRY(begin_slices(g, own, i, filled, error));
            if (own + 1 == g->most_own && i > 0) TRY(sum_bucket(g, i - 1, filled, error));
        }
    TRY(sum_bucket(g, g->buckets - 1, filled, error));
    for (size_t i = 0; i < g->buckets; i++) TRY(end_exchange(g, &g->bucket[i].sums, error));
    return CLT_OK;
}

clt_status clt__gathering_end(clt__gathering *g, int filled, clt_error *error)
{
    const int kept = (int)(g->numbers - g->gradients);
    if (!g->buckets) return CLT_OK; /* nothing is trained */
    TRY(exchange(g, filled, error));
    TRY(clt__engine_write_kept(g->engine, g->net->of_batch, 0, (int)g->gradients, g->sum, error));
    if (!kept) return CLT_OK;
    return clt__engine_write_kept(g->engine, g->net->running_sum, 0, kept, g->sum + g->gradients * g->size, error);
}
