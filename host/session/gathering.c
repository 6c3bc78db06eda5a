#include "session/gathering.h"

#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "session/buckets.h"
#include "team/adding.h"
#include "team/team.h"
#include "team/wire.h"

typedef clt__bucket bucket;

struct clt__gathering {
    const clt_collective *team;
    clt__engine *engine;
    bool averages;     /* what ranks have come to by themselves: each counts as a shard, and the mean is taken */
    clt__numbers real; /* the reference's sums are rounded, as it rounds them */
    int shards;
    int own, most_own;      /* shards of this rank, and of the rank that has most */
    clt__buckets cut;       /* of a shard's numbers */
    char *shard;            /* [own][numbers] */
    clt__upload **download; /* [own][buckets], NULL where it has ended */
    char **parts;           /* [buckets], each [shards] of this rank's slice */
    char *all_parts;        /* their memory */
    void **exchange;        /* [most_own][buckets] of slices, NULL where none is under way */
    void **sums;            /* [buckets], of the slices' sums, so too */
    char *sum;              /* [numbers] */
    char *packed;           /* [own + 1]: what of shards travels as halves, then of the sum */
    char *slice;            /* this rank's slice of a bucket, unpacked */
    clt_block *send, *receive;
};

/* ---- slices */

/* Where a rank's slice of a bucket begins, in numbers: a multiple of what is packed together; that of the next rank is
 * its end. */
static size_t slice_of(const clt__gathering *g, const bucket *b, int rank)
{
    const size_t count = (size_t)b->count, even = clt__team_begin_of(g->team, count, rank);
    const size_t begin = (even + CLT__WIRE_BLOCK - 1) / CLT__WIRE_BLOCK * CLT__WIRE_BLOCK;
    return begin < count ? begin : count;
}

static size_t numbers_in_slice(const clt__gathering *g, const bucket *b, int rank)
{
    return slice_of(g, b, rank + 1) - slice_of(g, b, rank);
}

/* Bytes of numbers of a bucket as they travel; where a slice begins, too. */
static size_t wire_bytes(const clt__gathering *g, const bucket *b, size_t numbers)
{
    return b->packs ? clt__wire_bytes(numbers) : numbers * g->real.size;
}

static size_t slice_bytes(const clt__gathering *g, const bucket *b, int rank)
{
    return wire_bytes(g, b, numbers_in_slice(g, b, rank));
}

/* ---- shards of ranks */

static int first_shard(const clt__gathering *g, int rank)
{
    return g->averages ? rank : (int)clt__team_begin_of(g->team, (size_t)g->shards, rank);
}

/* The rank's shard number `own`, counted from its first; -1 where it has none, or that one has no images. */
static int shard_of(const clt__gathering *g, int rank, int own, int filled)
{
    const int shard = first_shard(g, rank) + own;
    return shard < first_shard(g, rank + 1) && shard < filled ? shard : -1;
}

/* ---- opening and closing */

/* Room for what this rank sums of all shards. */
static clt_status allocate_parts(clt__gathering *g, clt_error *error)
{
    size_t bytes = 0, most = 0;
    for (size_t i = 0; i < g->cut.count; i++) {
        const size_t numbers = numbers_in_slice(g, &g->cut.bucket[i], g->team->rank);
        bytes += slice_bytes(g, &g->cut.bucket[i], g->team->rank);
        if (numbers > most) most = numbers;
    }
    TRY(clt__allocate(most, g->real.size, "a slice of gradients", &g->slice, error));
    TRY(clt__allocate((uint64_t)g->shards, bytes, "slices of gradients", &g->all_parts, error));
    TRY(clt__allocate(g->cut.count, sizeof *g->parts, "slices of gradients", &g->parts, error));
    char *part = g->all_parts;
    for (size_t i = 0; i < g->cut.count; i++) {
        g->parts[i] = part;
        part += (size_t)g->shards * slice_bytes(g, &g->cut.bucket[i], g->team->rank);
    }
    return CLT_OK;
}

static clt_status allocate(clt__gathering *g, clt_error *error)
{
    const size_t own = (size_t)g->own, ranks = (size_t)g->team->size, buckets = g->cut.count;
    TRY(clt__allocate(own * g->cut.numbers, g->real.size, "the gradients of shards", &g->shard, error));
    TRY(clt__allocate(g->cut.numbers, g->real.size, "the sum of gradients", &g->sum, error));
    TRY(clt__allocate(own + 1, g->cut.packed_bytes, "packed gradients", &g->packed, error));
    TRY(clt__allocate(own * buckets, sizeof *g->download, "reads of gradients", &g->download, error));
    TRY(clt__allocate((uint64_t)g->most_own * buckets, sizeof *g->exchange, "exchanges", &g->exchange, error));
    TRY(clt__allocate(buckets, sizeof *g->sums, "exchanges", &g->sums, error));
    TRY(clt__allocate(ranks, sizeof *g->send, "blocks of an exchange", &g->send, error));
    TRY(clt__allocate(ranks, sizeof *g->receive, "blocks of an exchange", &g->receive, error));
    return allocate_parts(g, error);
}

static clt_status fill(clt__gathering *g, const clt__net *net, clt_precision precision, const clt_options *options,
                       clt_error *error)
{
    const clt_collective *team = g->team;
    g->real.size = clt__engine_real_bytes(g->engine);
    g->real.rounds = precision == CLT_F32 && g->real.size == sizeof(double);
    g->averages = options->local_steps > 0;
    g->shards = g->averages ? team->size : options->shards;
    for (int r = 0; r < team->size; r++) {
        const int own = first_shard(g, r + 1) - first_shard(g, r);
        if (own > g->most_own) g->most_own = own;
        if (r == team->rank) g->own = own;
    }
    TRY(g->averages ? clt__cut_trained(net, options, g->real.size, &g->cut, error)
                    : clt__cut_gradients(net, options, g->real.size, &g->cut, error));
    return allocate(g, error);
}

clt_status clt__gathering_open(const clt__net *net, clt__engine *engine, clt_precision precision,
                               const clt_options *options, clt__gathering **gathering, clt_error *error)
{
    clt__gathering *g;
    TRY(clt__allocate(1, sizeof *g, "the gathering of gradients", gathering, error));
    g = *gathering;
    g->team = options->collective;
    g->engine = engine;
    return fill(g, net, precision, options, error);
}

/* After a failure. */
static void withdraw(const clt__gathering *g, void *exchange)
{
    if (exchange) g->team->withdraw(g->team->user, exchange);
}

void clt__gathering_close(clt__gathering *g)
{
    if (!g) return;
    for (size_t i = 0; g->exchange && i < (size_t)g->most_own * g->cut.count; i++) withdraw(g, g->exchange[i]);
    for (size_t i = 0; g->sums && i < g->cut.count; i++) withdraw(g, g->sums[i]);
    for (size_t i = 0; g->download && i < (size_t)g->own * g->cut.count; i++)
        (void)clt__engine_end_read(&g->download[i], NULL); /* it writes to what is freed */
    free(g->cut.bucket);
    free(g->shard);
    free(g->sum);
    free(g->parts);
    free(g->all_parts);
    free(g->packed);
    free(g->slice);
    free(g->download);
    free(g->exchange);
    free(g->sums);
    free(g->send);
    free(g->receive);
    free(g);
}

/* ---- reading */

size_t clt__gathering_buckets(const clt__gathering *g)
{
    return g->cut.count;
}

size_t clt__gathering_op(const clt__gathering *g, size_t number)
{
    return g->cut.bucket[number].op;
}

static char *numbers_of(const clt__gathering *g, int own, const bucket *b)
{
    return g->shard + ((size_t)own * g->cut.numbers + b->at) * g->real.size;
}

clt_status clt__gathering_read(clt__gathering *g, int own, size_t number, clt_error *error)
{
    const bucket *b = &g->cut.bucket[number];
    return clt__engine_begin_read(g->engine, b->tensor, b->first, b->count, numbers_of(g, own, b),
                                  &g->download[(size_t)own * g->cut.count + number], error);
}

clt_status clt__gathering_join(clt__gathering *g, int own, clt_error *error)
{
    for (size_t i = 0; i < g->cut.count; i++)
        TRY(clt__engine_join_read(g->engine, g->download[(size_t)own * g->cut.count + i], error));
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

/* What travels of a shard's bucket, or, behind the last shard's, of the sum. */
static char *wire_of(const clt__gathering *g, int own, const bucket *b)
{
    if (b->packs) return g->packed + (size_t)own * g->cut.packed_bytes + b->packed_at;
    return own < g->own ? numbers_of(g, own, b) : g->sum + b->at * g->real.size;
}

/* Each rank's shard number `own` goes to all ranks, a slice to each. */
static clt_status begin_slices(clt__gathering *g, int own, size_t number, int filled, clt_error *error)
{
    const bucket *b = &g->cut.bucket[number];
    const clt_block nothing = {NULL, 0};
    const size_t mine = slice_bytes(g, b, g->team->rank);
    const int sent = shard_of(g, g->team->rank, own, filled);
    if (sent >= 0 && b->packs)
        clt__wire_pack(numbers_of(g, own, b), g->real.size, (size_t)b->count, wire_of(g, own, b));
    for (int r = 0; r < g->team->size; r++) {
        const int shard = shard_of(g, r, own, filled);
        g->send[r] = g->receive[r] = nothing;
        if (sent >= 0)
            g->send[r] = (clt_block){wire_of(g, own, b) + wire_bytes(g, b, slice_of(g, b, r)), slice_bytes(g, b, r)};
        if (shard >= 0) g->receive[r] = (clt_block){g->parts[number] + (size_t)shard * mine, mine};
    }
    return g->team->begin(g->team->user, g->send, g->receive, &g->exchange[(size_t)own * g->cut.count + number], error);
}

/* This rank's slice of a shard, as numbers. */
static const void *part_of(const clt__gathering *g, size_t number, int shard, size_t count)
{
    const bucket *b = &g->cut.bucket[number];
    const char *part = g->parts[number] + (size_t)shard * slice_bytes(g, b, g->team->rank);
    if (!b->packs) return part;
    clt__wire_unpack(part, g->real.size, count, g->slice);
    return g->slice;
}

/* This rank's slice, over shards in their order, as the op `accumulate` does it. */
static void sum_slice(const clt__gathering *g, size_t number, int filled)
{
    const bucket *b = &g->cut.bucket[number];
    const size_t count = numbers_in_slice(g, b, g->team->rank), begin = slice_of(g, b, g->team->rank);
    char *sum = g->sum + (b->at + begin) * g->real.size;
    clt__clear_numbers(g->real, sum, count);
    for (int s = 0; s < filled; s++) clt__add_numbers(g->real, sum, part_of(g, number, s, count), count);
    if (g->averages) clt__divide_numbers(g->real, sum, count, filled);
    if (b->packs) clt__wire_pack(sum, g->real.size, count, wire_of(g, g->own, b) + wire_bytes(g, b, begin));
}

static clt_status begin_sums(clt__gathering *g, size_t number, clt_error *error)
{
    const bucket *b = &g->cut.bucket[number];
    char *sum = wire_of(g, g->own, b);
    for (int r = 0; r < g->team->size; r++) {
        g->send[r] =
            (clt_block){sum + wire_bytes(g, b, slice_of(g, b, g->team->rank)), slice_bytes(g, b, g->team->rank)};
        g->receive[r] = (clt_block){sum + wire_bytes(g, b, slice_of(g, b, r)), slice_bytes(g, b, r)};
    }
    return g->team->begin(g->team->user, g->send, g->receive, &g->sums[number], error);
}

static clt_status end_exchange(const clt__gathering *g, void **exchange, clt_error *error)
{
    void *ended = *exchange;
    *exchange = NULL;
    return g->team->end(g->team->user, ended, error);
}

/* Also this rank's own slice is what all have of it. */
static clt_status end_sums(const clt__gathering *g, size_t number, clt_error *error)
{
    const bucket *b = &g->cut.bucket[number];
    TRY(end_exchange(g, &g->sums[number], error));
    if (b->packs)
        clt__wire_unpack(wire_of(g, g->own, b), g->real.size, (size_t)b->count, g->sum + b->at * g->real.size);
    return CLT_OK;
}

static clt_status sum_bucket(clt__gathering *g, size_t number, int filled, clt_error *error)
{
    for (int own = 0; own < g->most_own; own++)
        TRY(end_exchange(g, &g->exchange[(size_t)own * g->cut.count + number], error));
    sum_slice(g, number, filled);
    return begin_sums(g, number, error);
}

/* The last shard's buckets come one after another, with the ops that make them: meanwhile those before are summed. */
static clt_status exchange(clt__gathering *g, int filled, clt_error *error)
{
    for (int own = 0; own < g->most_own; own++)
        for (size_t i = 0; i < g->cut.count; i++) {
            if (shard_of(g, g->team->rank, own, filled) >= 0)
                TRY(wait_for(g, &g->download[(size_t)own * g->cut.count + i], error));
            TRY(begin_slices(g, own, i, filled, error));
            if (own + 1 == g->most_own && i > 0) TRY(sum_bucket(g, i - 1, filled, error));
        }
    TRY(sum_bucket(g, g->cut.count - 1, filled, error));
    for (size_t i = 0; i < g->cut.count; i++) TRY(end_sums(g, i, error));
    return CLT_OK;
}

clt_status clt__gathering_end(clt__gathering *g, int filled, clt_error *error)
{
    if (!g->cut.count) return CLT_OK; /* nothing is trained */
    TRY(exchange(g, filled, error));
    for (int i = 0; i < g->cut.segments; i++) {
        const clt__segment *s = &g->cut.segment[i];
        for (int j = 0; j < 2; j++)
            if (s->to[j] >= 0)
                TRY(clt__engine_write_kept(g->engine, s->to[j], 0, s->count, g->sum + s->at * g->real.size, error));
    }
    return CLT_OK;
}

clt_status clt__gathering_average(clt__gathering *g, clt_error *error)
{
    for (size_t i = 0; i < g->cut.count; i++) TRY(clt__gathering_read(g, 0, i, error));
    TRY(clt__engine_flush(g->engine, error));
    return clt__gathering_end(g, g->shards, error);
}
