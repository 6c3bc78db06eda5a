#include "session/buckets.h"

#include "base/memory.h"
#include "team/wire.h"

/* ---- what travels */

/* Nothing where the net has no such root, or an empty one. */
static void add_segment(const clt__net *net, int from, int to, int to_too, clt__buckets *b)
{
    if (from < 0 || !net->tape.tensor[from].count) return;
    const int count = net->tape.tensor[from].count;
    b->segment[b->segments++] = (clt__segment){from, {to, to_too}, count, b->numbers};
    b->numbers += (size_t)count;
}

/* ---- in which pieces */

/* Numbers of a bucket, at most: a multiple of what is packed together. */
static int most_numbers(const clt_options *options, size_t real_bytes)
{
    const double wanted = options->bucket_mb * 1e6 / (double)real_bytes;
    const int numbers = wanted < 1024 ? 1024 : wanted > INT32_MAX / 2 ? INT32_MAX / 2 : (int)wanted;
    return numbers / CLT__WIRE_BLOCK * CLT__WIRE_BLOCK;
}

typedef struct cutting {
    const clt__net *net;
    clt__buckets *to;
    int most;
    bool packs; /* gradients */
} cutting;

/* What lies from `first` to below `end` of a segment, and is there before `op`. */
static void add_buckets(const cutting *c, const clt__segment *s, int first, int end, size_t op)
{
    clt__buckets *b = c->to;
    if (b->count && op < b->bucket[b->count - 1].op) op = b->bucket[b->count - 1].op;
    while (end > first) {
        const int begin = end - first > c->most ? (end - c->most) / CLT__WIRE_BLOCK * CLT__WIRE_BLOCK : first;
        const bool packs = c->packs && s->from == c->net->of_shard;
        b->bucket[b->count++] = (clt__bucket){.tensor = s->from,
                                              .first = begin,
                                              .count = end - begin,
                                              .at = s->at + (size_t)begin,
                                              .op = op,
                                              .packs = packs,
                                              .packed_at = b->packed_bytes};
        if (packs) b->packed_bytes += clt__wire_bytes((size_t)(end - begin));
        end = begin;
    }
}

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

/* Whether a bucket [first,end) of a segment's gradients is to take more. It is full at --bucket-mb, or once it has as
 * much as all that come after it, which shortens those that nothing is computed beside: with the backward ops ends what
 * hides an exchange. What is too short to be worth a message goes with the last. */
static bool takes_more(const cutting *c, int first, int end)
{
    enum { LEAST = 4096 };
    const int has = end - first;
    return first > 0 && has < c->most && (has < first || first < LEAST);
}

/* The backward ops end with the first layers, whose parameters come first. */
static void add_layer_by_layer(const cutting *c, const clt__segment *s)
{
    const clt__net *net = c->net;
    int end = s->count;
    size_t op = net->backward;
    for (int i = (int)net->tape.tensor_count - 1; i >= 0; i--) {
        const clt__tensor *tensor = &net->tape.tensor[i];
        if (tensor->root != net->gradients || i == net->gradients) continue;
        const size_t after = op_after(net, i);
        if (after > op) op = after;
        if (takes_more(c, tensor->offset, end)) continue;
        add_buckets(c, s, tensor->offset, end, op);
        end = tensor->offset;
    }
}

static clt_status cut(const clt__net *net, const clt_options *options, size_t real_bytes, clt__buckets *b,
                      clt_error *error)
{
    const cutting c = {net, b, most_numbers(options, real_bytes), options->wire == CLT__F16};
    const size_t pieces = b->numbers / (size_t)c.most + net->tape.tensor_count + CLT__MOST_SEGMENTS;
    TRY(clt__allocate(pieces, sizeof *b->bucket, "buckets of gradients", &b->bucket, error));
    for (int i = 0; i < b->segments; i++) {
        const clt__segment *s = &b->segment[i];
        if (s->from == net->gradients)
            add_layer_by_layer(&c, s);
        else
            add_buckets(&c, s, 0, s->count, s->from == net->of_shard ? net->gather : net->backward);
    }
    return CLT_OK;
}

/* What layers keep comes first: the forward ops have it. */
clt_status clt__cut_gradients(const clt__net *net, const clt_options *options, size_t real_bytes, clt__buckets *buckets,
                              clt_error *error)
{
    *buckets = (clt__buckets){.segments = 0};
    if (net->running_sum >= 0) add_segment(net, net->running, net->running_sum, -1, buckets);
    add_segment(net, net->of_shard, net->of_batch, -1, buckets);
    return cut(net, options, real_bytes, buckets, error);
}

clt_status clt__cut_trained(const clt__net *net, const clt_options *options, size_t real_bytes, clt__buckets *buckets,
                            clt_error *error)
{
    *buckets = (clt__buckets){.segments = 0};
    add_segment(net, net->parameters, net->parameters, -1, buckets);
    for (int i = 0; i < CLT__MAX_STATES; i++) add_segment(net, net->state[i], net->state[i], -1, buckets);
    add_segment(net, net->average, net->average, -1, buckets);
    add_segment(net, net->running, net->running, net->running_before, buckets);
    return cut(net, options, real_bytes, buckets, error);
}
